//! `cygnet check`: the exit code is the verdict, and every attempt is shown.

use std::io::{Read, Write};

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

/// Answers every connection with this, whatever was asked.
fn answering(text: &'static str) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _request = stream.read(&mut [0; 1024]);
            let _peer_may_have_gone = stream.write_all(text.as_bytes());
        }
    });
    address
}

#[test]
fn bodies_statuses_and_limits() {
    let address = answering("HTTP/1.1 203 OK\r\nContent-Length: 16\r\n\r\n{\"status\": \"up\"}");
    assert_eq!(
        check(&["http", &address, "--json-path", "$.status=\"up\"", "--contains", "up", "--matches", "^..s"]).0,
        0
    );
    let (code, text) = check(&["http", &address, "--json-path", "$.status=\"down\""]);
    assert!(code == 1 && text.contains("$.status is \"up\", not \"down\""), "{code} {text}");
    assert_eq!(check(&["http", &address, "--status", "200,204"]).0, 1);
    assert_eq!(check(&["http", &address, "--ignore-status", "203"]).0, 3);
    assert_eq!(check(&["http", &address, "--max-body", "10"]).0, 1);
    let (code, text) = check(&["http", "10.0.0.1:80", "--allow", "192.168.0.0/16"]);
    assert!(code == 1 && text.contains("not among the addresses"), "{code} {text}");
}

#[test]
fn what_a_failing_answer_said_is_shown_below_the_attempt() {
    let page = "HTTP/1.1 500 No\r\nContent-Length: 30\r\n\r\nthe database\r\nis \x1b[31maway\x1b[0m";
    let (code, text) = check(&["http", &answering(page)]);
    assert!(code == 1 && text.contains(")\nthe database\nis  [31maway [0m\n"), "{code} {text:?}");
    let output = run(&["check", "--json", "http", &answering(page)]);
    let json: serde_json::Value =
        serde_json::from_slice(output.stdout.split(|byte| *byte == b'\n').next().unwrap()).unwrap();
    assert_eq!(json["output"], "the database\r\nis \u{1b}[31maway\u{1b}[0m", "word for word");
    let redis = answering("-ERR unknown command\r\n");
    let (code, text) = check(&["exchange", &redis, "--send", "PONG\\r\\n", "--matches", "^\\+PONG"]);
    assert!(code == 1 && text.contains("\n-ERR unknown command\n"), "{code} {text}");
    let (code, text) = check(&["http", &answering("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine")]);
    assert!(code == 0 && !text.contains("fine"), "{code} {text}");
}

#[test]
fn kept_connections_and_the_kernels_word() {
    let demo = Demo::start("http");
    let address = demo.address.to_string();
    let (code, text) = check(&["http", &address, "--keep-alive", "--count", "3", "--interval", "10ms"]);
    assert!(code == 0 && text.contains("healthy: 0 of 3 attempts failed; half of them took up to "), "{code} {text}");
    let (code, text) = check(&["listen", &address]);
    assert!(code == 0 && text.contains("success: listening"), "{code} {text}");
    assert_eq!(check(&["listen", &nobody()]).0, 1);
}

#[test]
fn bytes_there_and_back() {
    let address = answering("+PONG\r\n");
    assert_eq!(check(&["exchange", &address, "--send", "PING\\r\\n", "--matches", "^\\+PONG"]).0, 0);
    assert_eq!(check(&["exchange", &address, "--send", "PING\\r\\n", "--contains", "NO", "--timeout", "300ms"]).0, 1);
    let (code, text) = check(&["grpc", &address]);
    assert!(code == 1 && text.contains("HTTP/2"), "{code} {text}");
}

#[test]
fn commands_have_variables_directories_and_users() {
    let (code, text) = check(&["command", "--env", "A=b", "--directory", "/proc", "echo $A $PWD; exit 1"]);
    assert!(code == 1 && text.contains("b /proc"), "{code} {text}");
    assert_eq!(check(&["command", "--user", "root", "true"]).0, 2);
}

#[test]
fn commands_are_healthy_or_not() {
    assert_eq!(check(&["command", "exit 0"]).0, 0);
    assert_eq!(check(&["command", "--", "sh", "-c", "exit 0"]).0, 0);
    let (code, text) = check(&["command", "--", "sh", "-c", "echo why; exit 3"]);
    assert!(code == 1 && text.contains("exit status 3") && text.contains("why"), "{code} {text}");
    // Long enough that a busy machine does not make the checker late by as much, which would be inconclusive.
    let (code, text) = check(&["command", "--timeout", "1s", "--", "sleep", "100"]);
    assert!(code == 1 && text.contains(", started at ") && !text.contains("connected"), "{code} {text}");
    assert_eq!(check(&["command", "--", "/no/such/program"]).0, 1);
}

#[test]
fn options_behind_a_command_are_options_unless_behind_two_dashes() {
    let (code, text) = check(&["command", "sleep 100", "--timeout", "300ms", "--count", "2", "--interval", "10ms"]);
    assert!(code == 1 && text.contains("2. failure: timed out after 300ms"), "{code} {text}");
    let (code, text) = check(&["command", "--", "echo", "--timeout", "300ms"]);
    assert!(code == 0 && text.contains("1 attempts"), "{code} {text}");
}

#[test]
fn no_percentile_of_one_attempt_is_longer_than_it() {
    let output = run(&["check", "command", "true", "--json"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (took, p50) = (lines[0]["durationSeconds"].as_f64().unwrap(), lines[1]["p50Seconds"].as_f64().unwrap());
    assert!(p50 <= took && p50 > took * 0.99, "{text}");
}

#[test]
fn attempts_are_counted_and_the_last_word_counts() {
    let (code, text) = check(&["command", "--count", "3", "--interval", "10ms", "--", "true"]);
    assert_eq!(code, 0);
    assert_eq!(text.lines().count(), 4, "{text}");
    assert!(text.contains("healthy: 0 of 3 attempts failed; half of them"), "{text}");
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
    assert_eq!((&lines[0]["kind"], &lines[0]["verdict"]), (&"refused".into(), &"unhealthy".into()));
    let sum = &lines[2];
    assert_eq!((&sum["verdict"], &sum["attempts"], &sum["failures"]), (&"unhealthy".into(), &2.into(), &2.into()));
    assert!(sum["p99Seconds"].is_f64());
}

#[test]
fn wrong_usage_is_neither_healthy_nor_unhealthy() {
    for arguments in [
        &["http", "gopher://127.0.0.1/"][..],
        &["http", "[::1/"],
        &["tcp", "127.0.0.1"],
        &["tcp", "127.0.0.1:80", "--netns", "/no/such/namespace"],
        &["tcp", "127.0.0.1:80", "--netns", "2147483647"],
        &["tcp", "127.0.0.1:80", "--netns", "/etc/passwd"],
        &["tcp", "127.0.0.1:80", "--source", "192.0.2.1"],
        &["tcp", "127.0.0.1:80", "--source", "::1"],
        &["command", "true", "--source", "127.0.0.1"],
        &["listen", "127.0.0.1:80", "--allow", "10.0.0.0/8"],
        &["grpc", "127.0.0.1:80", "--sni", "a"],
        &["grpc", "127.0.0.1:80", "--expires-within", "1d"],
        &["command", "sh", "-c", "true"],
        &["command", "true", "--timeout", "soon"],
        &["command"],
        &["command", ""],
        &["command", " ", "x"],
        &["http", "127.0.0.1:80", "-H", "Connection: close"],
        &["grpc", "127.0.0.1:80", "-H", "te: x"],
        &["tcp", "127.0.0.1:80", "--rate", "3"],
        &["http", "127.0.0.1:80", "--status", "2xx"],
        &["http", "127.0.0.1:80", "--matches", "("],
        &["http", "127.0.0.1:80", "--ca", "/no/such/file"],
        &["http", "https://127.0.0.1:80", "--ca", "Cargo.toml"],
        &["http", "https://127.0.0.1:80", "--cert", "Cargo.toml", "--key", "Cargo.toml"],
        &["grpc", "127.0.0.1:80", "--tls", "--ca", "Cargo.toml"],
        &["tcp", "127.0.0.1:80", "--interval", "often"],
        &["tcp", "127.0.0.1:80", "--log", "much=very"],
        &[],
    ] {
        let (code, text) = check(arguments);
        assert!(code == 2 && !text.is_empty(), "{arguments:?}: {code} {text}");
    }
}

#[test]
fn a_header_that_is_an_option_names_it() {
    let (code, text) = check(&["http", "127.0.0.1:80", "-H", "Host: shop.example"]);
    assert!(code == 2 && text.contains("write --host shop.example"), "{code} {text}");
}

#[test]
fn help_teaches_by_example() {
    let (code, text) = check(&["--help"]);
    assert!(code == 0 && text.contains("cygnet check http 127.0.0.1:8080"), "{text}");
}
