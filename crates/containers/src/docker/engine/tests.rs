//! A daemon that answers what it should not.

use std::path::PathBuf;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixListener;

use super::*;
use crate::docker::{Output, Stream};

/// A daemon that gives this answer to every call, and then says nothing.
fn answering(answer: impl Into<Vec<u8>>) -> (tempfile::TempDir, Engine) {
    let directory = tempfile::tempdir().unwrap();
    let socket: PathBuf = directory.path().join("docker.sock");
    let (listener, answer) = (UnixListener::bind(&socket).unwrap(), answer.into());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _request = stream.read(&mut [0; 4096]).await;
            let _written = stream.write_all(&answer).await;
            let _held = stream.read(&mut [0; 1]).await;
        }
    });
    (directory, Engine::new(socket).with_stall(Duration::from_millis(200)))
}

fn answer(status: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

#[tokio::test]
async fn a_daemons_refusal_has_its_socket_and_its_words() {
    let (_here, engine) = answering(answer("500 No", r#"{"message": "no space left", "cause": "x"}"#));
    let error = engine.start("c").await.unwrap_err();
    assert!(!error.is_final());
    let socket = engine.socket().display();
    assert_eq!(error.to_string(), format!("The Docker daemon at {socket} said: no space left"));
    let (_here, engine) = answering(answer("400 No", "not JSON"));
    let error = engine.start("c").await.unwrap_err();
    assert!(error.is_final() && error.to_string().ends_with("said: not JSON"), "{error}");
}

#[tokio::test]
async fn what_is_not_there_or_there_already_is_no_error() {
    let (_here, engine) = answering(answer("404 Not Found", r#"{"message": "No such container"}"#));
    assert!(
        engine.inspect("c", &BTreeSet::new()).await.unwrap().is_none() && engine.image("c").await.unwrap().is_none()
    );
    engine.remove("c").await.unwrap();
    let (_here, engine) = answering(answer("409 Conflict", r#"{"message": "in use"}"#));
    assert_eq!(engine.create("c", json!({})).await.unwrap(), None);
    let (_here, engine) = answering(&b"HTTP/1.1 304 Not Modified\r\n\r\n"[..]);
    engine.start("c").await.unwrap();
}

#[tokio::test]
async fn an_answer_that_is_none_is_named() {
    for body in ["", "[", r#"{"State": 7}"#] {
        let (_here, engine) = answering(answer("200 OK", body));
        let told = engine.inspect("c", &BTreeSet::new()).await;
        let error = told.and_then(|told| engine.understood(&told.unwrap())).unwrap_err().to_string();
        assert!(error.contains("makes no sense"), "{body}: {error}");
    }
    let long = format!(r#"{{"Id": "{}"}}"#, "x".repeat(17 << 20));
    let (_here, engine) = answering(answer("200 OK", &long));
    assert!(engine.inspect("c", &BTreeSet::new()).await.unwrap_err().to_string().contains("longer than"));
    let (_here, engine) = answering(&b"SSH-2.0\r\n"[..]);
    assert!(matches!(engine.inspect("c", &BTreeSet::new()).await, Err(DockerError::Unreachable { .. })));
    let nobody = Engine::new("/nowhere/docker.sock");
    let error = nobody.daemon().await.unwrap_err().to_string();
    assert!(error.starts_with("The Docker daemon at /nowhere/docker.sock cannot be reached"), "{error}");
}

#[tokio::test]
async fn a_daemon_says_whether_its_containers_outlive_it() {
    for (said, outlived) in [
        (r#"{"ServerVersion": "20.10.24", "LiveRestoreEnabled": true}"#, true),
        (r#"{"ServerVersion": "20.10.24", "LiveRestoreEnabled": false}"#, false),
        (r#"{"ServerVersion": "4.3.1", "LiveRestoreEnabled": false, "BuildahVersion": "1.28.2"}"#, true),
    ] {
        let (_here, engine) = answering(answer("200 OK", said));
        assert_eq!(engine.daemon().await.unwrap().is_outlived(), outlived, "{said}");
    }
}

async fn pull(engine: &Engine) -> Result<Progress, DockerError> {
    let progress = watch::Sender::new(Progress::default());
    engine.pull("web:1", None, &progress).await.map(|()| progress.borrow().clone())
}

#[tokio::test]
async fn an_error_in_the_middle_of_a_pull_is_one() {
    let lines = "{\"status\": \"Pulling\"}\n{\"errorDetail\": {\"message\": \"manifest unknown\"}, \"error\": \"x\"}\n";
    let (_here, engine) = answering(answer("200 OK", lines));
    let error = pull(&engine).await.unwrap_err();
    assert!(error.to_string().ends_with("said: manifest unknown"), "{error}");
    let (_here, engine) =
        answering(answer("200 OK", "{\"status\": \"Pulling fs layer\", \"id\": \"a\"}\n{\"status\": \"Done\"}"));
    assert_eq!(pull(&engine).await.unwrap().layers, 1);
    let (_here, engine) = answering(answer("200 OK", "nonsense\n"));
    assert!(matches!(pull(&engine).await, Err(DockerError::Nonsense { .. })));
    let (_here, engine) = answering(answer("200 OK", &"x".repeat(2 << 20)));
    assert!(matches!(pull(&engine).await, Err(DockerError::Nonsense { .. })));
}

#[tokio::test]
async fn a_pull_that_does_not_go_on_is_given_up() {
    let (_here, engine) = answering(&b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"status\": \"Pulling\"}\n"[..]);
    assert!(matches!(pull(&engine).await, Err(DockerError::Silent { .. })));
}

#[tokio::test]
async fn output_is_read_from_where_the_last_reader_was() {
    let frame = |stream: u8, text: &str| {
        let length = u32::try_from(text.len()).unwrap().to_be_bytes();
        [&[stream, 0, 0, 0][..], &length, text.as_bytes()].concat()
    };
    let (first, second) = ("2026-11-29T18:00:00.000000001Z", "2026-11-29T18:00:00.000000002Z");
    let body = [
        frame(1, &format!("{first} one\n")),
        frame(2, &format!("{first} two\n")),
        frame(1, &format!("{second} half")),
        frame(1, &format!("{second}  of a line\n")),
        frame(1, "no time\n"),
    ]
    .concat();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
    let (_here, engine) = answering([head.into_bytes(), body].concat());
    let mut logs = engine.logs("c", Position::default()).await.unwrap();
    let mut read = Vec::new();
    let mut between = Position::default();
    while let Some(Output { stream, bytes }) = logs.next().await.unwrap() {
        read.push((stream, String::from_utf8(bytes.to_vec()).unwrap()));
        if read.len() == 1 {
            between = logs.position().clone();
        }
    }
    let expected = [
        (Stream::Stdout, "one\n"),
        (Stream::Stderr, "two\n"),
        (Stream::Stdout, "half"),
        (Stream::Stdout, " of a line\n"),
        (Stream::Stdout, "no time\n"),
    ];
    assert_eq!(read, expected.map(|(stream, text)| (stream, text.to_owned())));
    let mut again = engine.logs("c", between).await.unwrap();
    assert_eq!(again.next().await.unwrap().unwrap().bytes, "two\n", "the first is known");
    let (_here, engine) = answering(answer("200 OK", "\u{9}\0\0\0\0\0\0\u{1}x"));
    assert!(matches!(
        engine.logs("c", Position::default()).await.unwrap().next().await,
        Err(DockerError::Nonsense { .. })
    ));
}

#[test]
fn a_name_without_a_tag_is_of_the_latest() {
    for (name, parts) in [
        ("web", ("web", "latest")),
        ("web:1", ("web", "1")),
        ("host:5000/web", ("host:5000/web", "latest")),
        ("host:5000/web:1", ("host:5000/web", "1")),
        ("web@sha256:00", ("web", "sha256:00")),
    ] {
        assert_eq!(with_tag(name), parts);
    }
}
