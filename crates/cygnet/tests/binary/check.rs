//! `cygnet check`: the exit code is the verdict, and every attempt is shown.

use crate::support::{Demo, code_and_text, free_port, run};

fn check(arguments: &[&str]) -> (i32, String) {
    code_and_text(&[&["check"], arguments].concat())
}

/// An address nobody listens on.
fn nobody() -> String {
    format!("127.0.0.1:{}", free_port())
}

#[test]
fn http_is_healthy_or_not() {
    let demo = Demo::start("http");
    let url = format!("{}/health", demo.address);
    let (code, text) = check(&["http", &url]);
    assert!(code == 0 && text.contains("1. success: 200 OK"), "{code} {text}");
    demo.request("POST", "/fail");
    let (code, text) = check(&["http", &format!("http://{url}")]);
    assert!(code == 1 && text.contains("500 Internal Server Error"), "{code} {text}");
    demo.request("POST", "/hang");
    let (code, text) = check(&["http", &url, "--timeout", "200ms"]);
    assert!(code == 1 && text.contains("timed out after 200ms"), "{code} {text}");
}

#[test]
fn tcp_is_healthy_or_not() {
    let demo = Demo::start("tcp");
    let address = demo.address.to_string();
    assert_eq!(check(&["tcp", &address]).0, 0);
    assert_eq!(check(&["tcp", &address, "--half-open"]).0, 0);
    let (code, text) = check(&["tcp", &nobody()]);
    assert!(code == 1 && text.contains("refused"), "{code} {text}");
    assert_eq!(check(&["tcp", &nobody(), "--half-open"]).0, 1);
}

#[test]
fn commands_are_healthy_or_not() {
    assert_eq!(check(&["command", "exit 0"]).0, 0);
    assert_eq!(check(&["command", "--", "sh", "-c", "exit 0"]).0, 0);
    let (code, text) = check(&["command", "--", "sh", "-c", "echo why; exit 3"]);
    assert!(code == 1 && text.contains("exit status 3") && text.contains("why"), "{code} {text}");
    assert_eq!(check(&["command", "--timeout", "100ms", "--", "sleep", "100"]).0, 1);
    assert_eq!(check(&["command", "--", "/no/such/program"]).0, 1);
}

#[test]
fn attempts_are_counted_and_the_last_word_counts() {
    let (code, text) = check(&["command", "--count", "3", "--interval", "10ms", "--", "true"]);
    assert_eq!(code, 0);
    assert_eq!(text.lines().count(), 4, "{text}");
    assert!(text.ends_with("healthy: 0 of 3 attempts failed\n"), "{text}");
    let marks = tempfile::tempdir().unwrap();
    let once = format!("test -e {0} || {{ touch {0}; exit 1; }}", marks.path().join("mark").display());
    let (code, text) = check(&["command", "--count", "2", "--interval", "10ms", &once]);
    assert!(code == 0 && text.contains("1 of 2 attempts failed"), "{code} {text}");
}

#[test]
fn a_check_is_made_where_it_is_told_to() {
    let port = free_port().to_string();
    let Some(demo) = Demo::start_in_a_network_of_its_own(&port) else {
        println!("SKIPPED a_check_is_made_where_it_is_told_to: needs the right to make network namespaces");
        return;
    };
    let url = format!("127.0.0.1:{port}/health");
    assert_eq!(check(&["http", &url]).0, 1, "not here");
    let pid = demo.pid().to_string();
    for place in [pid.clone(), format!("/proc/{pid}/ns/net")] {
        let (code, text) = check(&["http", &url, "--netns", &place]);
        assert_eq!(code, 0, "but there: {text}");
    }
}

#[test]
fn json_is_one_object_for_each_line() {
    let output = run(&["check", "tcp", &nobody(), "--count", "2", "--interval", "10ms", "--json"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((lines.len(), &lines[0]["outcome"], &lines[0]["connected"]), (3, &"failure".into(), &false.into()));
    assert_eq!(lines[2], serde_json::json!({"verdict": "unhealthy", "attempts": 2, "failures": 2}));
}

#[test]
fn wrong_usage_is_neither_healthy_nor_unhealthy() {
    for arguments in [
        &["http", "gopher://127.0.0.1/"][..],
        &["http", "[::1/"],
        &["tcp", "127.0.0.1"],
        &["tcp", "127.0.0.1:80", "--netns", "/no/such/namespace"],
        &["tcp", "127.0.0.1:80", "--netns", "2147483647"],
        &["command"],
        &["tcp", "127.0.0.1:80", "--count", "0"],
        &["tcp", "127.0.0.1:80", "--interval", "often"],
        &["tcp", "127.0.0.1:80", "--log", "much=very"],
        &[],
    ] {
        let (code, text) = check(arguments);
        assert!(code == 2 && !text.is_empty(), "{arguments:?}: {code} {text}");
    }
}

#[test]
fn help_teaches_by_example() {
    let (code, text) = check(&["--help"]);
    assert!(code == 0 && text.contains("cygnet check http 127.0.0.1:8080"), "{text}");
}
