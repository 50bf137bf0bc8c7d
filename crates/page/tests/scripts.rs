//! The scripts of the page: their pure parts by node's own test runner, and that all of them are embedded.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn directory() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn pure_scripts_pass_their_tests() {
    let tests = directory().join("tests/pure.test.mjs");
    match Command::new("node").arg("--test").arg(tests).output() {
        Ok(ran) => assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stdout)),
        Err(_) => println!("SKIPPED pure_scripts_pass_their_tests: there is no node here"),
    }
}

#[test]
fn every_file_is_embedded_and_no_other() {
    let root = directory().join("static");
    let there: BTreeSet<String> =
        files(&root).map(|path| path.strip_prefix(&root).expect("a file of the page").display().to_string()).collect();
    let embedded: BTreeSet<String> = page::FILES.iter().map(|file| file.name.to_owned()).collect();
    assert_eq!(there, embedded);
}

fn files(directory: &Path) -> Box<dyn Iterator<Item = PathBuf>> {
    let entries = fs::read_dir(directory).expect("a directory").map(|entry| entry.expect("an entry").path());
    Box::new(entries.flat_map(|path| match path.is_dir() {
        true => files(&path),
        false => Box::new(std::iter::once(path)),
    }))
}

#[test]
fn nothing_is_asked_of_anybody_else() {
    for file in page::FILES.iter().filter(|file| !file.name.starts_with("vendor/") && !file.name.ends_with(".svg")) {
        let text = String::from_utf8_lossy(file.bytes);
        assert!(!text.contains("://"), "{} names another place", file.name);
    }
}

#[test]
fn a_changed_file_has_another_tag() {
    let tags: BTreeSet<String> = page::FILES.iter().map(page::File::tag).collect();
    assert_eq!(tags.len(), page::FILES.len());
}
