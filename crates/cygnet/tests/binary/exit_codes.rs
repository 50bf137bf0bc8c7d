//! The exit codes, as `docs/command-line.md` has them.

use crate::support::{code_and_text, free_port};

#[test]
fn what_could_not_be_done_is_told_from_what_makes_no_sense() {
    let nobody = format!("127.0.0.1:{}", free_port());
    for (line, code) in [
        ("--version", 0),
        ("help app", 0),
        ("completion bash", 0),
        ("", 2),
        ("nosuch", 2),
        ("app", 2),
        ("app scale web many", 2),
        ("app list --api nowhere", 2),
        ("app run", 2),
        ("events --type nosuch", 2),
        ("dev --resources cpus:x", 2),
        ("check http gopher://x", 2),
        ("app run /no/such/file", 1),
        ("app list --api NOBODY", 1),
        ("events --api NOBODY", 1),
        ("task kill x --api NOBODY", 1),
        ("task logs x --api NOBODY", 1),
        ("task exec x --api NOBODY -- true", 255),
        ("dev /no/such/file", 1),
        ("master --credentials /no/such/file", 1),
        ("check tcp NOBODY", 1),
        ("check http NOBODY --timeout 1s", 1),
    ] {
        let line = line.replace("NOBODY", &nobody);
        let (found, text) = code_and_text(&line.split_whitespace().collect::<Vec<_>>());
        assert_eq!(found, code, "cygnet {line}: {text}");
        assert!(!text.is_empty(), "cygnet {line} says nothing");
    }
}
