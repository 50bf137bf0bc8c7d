//! The words that a shell is told when somebody asks it to complete.

use std::io::{Read, Write};
use std::net::TcpListener;

use crate::support::{code_and_text, cygnet};

/// The words that may stand in the place of the last one.
fn completed(api: &str, words: &[&str]) -> Vec<String> {
    let mut command = cygnet(&["--"]);
    command.args(words).env("_CYGNET_COMPLETE", "bash").env("CYGNET_API", api);
    command.env("_CLAP_COMPLETE_INDEX", (words.len() - 1).to_string()).env("_CLAP_IFS", "\n");
    let output = command.output().unwrap();
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn ids_are_completed_by_asking_the_scheduler() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let api = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _request = stream.read(&mut [0; 1024]);
            let body = r#"{"apps": [{"id": "/web"}, {"id": "/shop/web"}], "tasks": [{"id": "web.1"}]}"#;
            let _peer_may_have_gone = write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        }
    });
    assert_eq!(completed(&api, &["cygnet", "app", "show", "w"]), ["web"]);
    assert_eq!(completed(&api, &["cygnet", "app", "scale", "/"]), ["/web", "/shop/web"]);
    assert_eq!(completed(&api, &["cygnet", "task", "kill", "web"]), ["web.1"]);
    assert_eq!(completed(&api, &["cygnet", "events", "--app", "sh"]), ["shop/web"]);
    assert!(completed("127.0.0.1:1", &["cygnet", "app", "show", "w"]).is_empty(), "nobody answers");
}

#[test]
fn commands_are_completed_but_for_hidden_ones() {
    let commands = completed("127.0.0.1:1", &["cygnet", ""]);
    assert!(commands.iter().any(|command| command == "dev"), "{commands:?}");
    assert!(!commands.iter().any(|command| ["demo", "shim"].contains(&command.as_str())), "{commands:?}");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let (code, script) = code_and_text(&["completion", shell]);
        assert!(code == 0 && script.contains("_CYGNET_COMPLETE"), "{shell}: {script}");
    }
}
