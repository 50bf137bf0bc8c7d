//! Input and terminals of containers, and whoever attaches to them.

use super::*;

fn input(kind: &str, content: Value) -> Vec<u8> {
    let (name, content) = if kind == "CONTAINER_ID" { ("container_id", content) } else { ("process_io", content) };
    let record = json!({"type": "ATTACH_CONTAINER_INPUT", "attach_container_input": {"type": kind, name: content}});
    let record = record.to_string();
    let record = format!("{}\n{record}", record.len());
    format!("{:x}\r\n{record}\r\n", record.len()).into_bytes()
}

fn stdin(text: &str) -> Vec<u8> {
    use base64::Engine;
    let data = base64::engine::general_purpose::STANDARD.encode(text);
    input("PROCESS_IO", json!({"type": "DATA", "data": {"type": "STDIN", "data": data}}))
}

/// Begins to send input; the answer comes at its end.
async fn attach_input(world: &World, id: &Value) -> TcpStream {
    let mut stream = TcpStream::connect(world.address()).await.unwrap();
    let head = format!(
        "POST {PATH} HTTP/1.1\r\nHost: agent\r\nContent-Type: application/recordio\r\n\
         Message-Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&input("CONTAINER_ID", id.clone())).await.unwrap();
    stream
}

#[tokio::test]
async fn input_reaches_the_process_and_an_empty_piece_is_its_end() {
    let (world, _executor, id) = with_executor().await;
    let mut session = session(&world, &id, json!({"value": "cat", "shell": false})).await;
    let mut typing = attach_input(&world, &id).await;
    typing.write_all(&stdin("one\n")).await.unwrap();
    assert_eq!(session.until("\n").await, "one\n");
    // A record of nothing is passed over.
    typing.write_all(&input("PROCESS_IO", Value::Null)).await.unwrap();
    let mut watching = watch(&world, &id, JSON).await;
    assert_eq!(watching.status, 200);
    let second = Exchange::answered(BufReader::new(attach_input(&world, &id).await)).await;
    assert_eq!(second.status, 409, "one at a time");
    typing.write_all(&stdin("two\n")).await.unwrap();
    assert_eq!((session.until("\n").await, watching.until("\n").await), ("two\n".to_owned(), "two\n".to_owned()));
    typing.write_all(&stdin("")).await.unwrap();
    assert_eq!(session.output().await.0, "");
    assert_eq!(Exchange::answered(BufReader::new(typing)).await.status, 200);
    assert_eq!(wait(&world, &id).await, (200, json!(0)));
}

#[tokio::test]
async fn a_terminal_has_the_size_of_its_window() {
    let (world, _executor, id) = with_executor().await;
    let tty = |rows: u16, columns: u16| json!({"window_size": {"rows": rows, "columns": columns}});
    let container = json!({"type": "MESOS", "tty_info": tty(11, 22)});
    let command = json!({"value": "test -t 0 && stty size; read line; stty size; echo $TERM $line"});
    let call = json!({"type": "LAUNCH_NESTED_CONTAINER_SESSION", "launch_nested_container_session":
        {"container_id": id, "command": command, "container": container}});
    let mut session = Exchange::open(world.address(), RECORDS, call.to_string().as_bytes()).await;
    assert_eq!(session.until("\n").await, "11 22\r\n");
    let mut typing = attach_input(&world, &id).await;
    let window = json!({"type": "CONTROL", "control": {"type": "TTY_INFO", "tty_info": tty(33, 44)}});
    typing.write_all(&input("PROCESS_IO", window)).await.unwrap();
    typing.write_all(&stdin("typed\n")).await.unwrap();
    let rest = session.until("xterm typed").await;
    assert!(rest.contains("33 44\r\n"), "{rest}");
    assert_eq!(wait(&world, &id).await, (200, json!(0)));
}

#[tokio::test]
async fn a_container_with_a_terminal_outlives_the_agent_and_others_attach_before_and_after() {
    let mut world = World::new().await;
    let id = json!({"value": "alone"});
    let tty = |rows: u32| json!({"window_size": {"rows": rows, "columns": 22}});
    let command = "stty size; while read line; do echo got $line; stty size; test $line != last || exit 4; done";
    let task = json!({"container_id": id, "command": {"value": command},
        "container": {"type": "MESOS", "tty_info": tty(11)}});
    assert_eq!(order(&world, task.clone()).await.0, 200);
    let stdout = world.work_dir().join("containers/alone/stdout");
    let printed = || fs::read_to_string(&stdout).unwrap_or_default();
    until("the size at the start", async || printed().contains("11 22\r\n").then_some(())).await;
    for (line, rows) in [("first", 33), ("last", 44)] {
        let mut watching = watch(&world, &id, RECORDS).await;
        assert_eq!(watching.status, 200);
        let mut typing = attach_input(&world, &id).await;
        let window = json!({"type": "CONTROL", "control": {"type": "TTY_INFO", "tty_info": tty(rows)}});
        typing.write_all(&input("PROCESS_IO", window)).await.unwrap();
        typing.write_all(&stdin(&format!("{line}\n"))).await.unwrap();
        let seen = watching.until(&format!("{rows} 22\r\n")).await;
        assert!(seen.contains(&format!("got {line}\r\n")), "{seen}");
        let second = Exchange::answered(BufReader::new(attach_input(&world, &id).await)).await;
        assert!(second.status == 409 || line == "last", "one at a time");
        if line == "last" {
            assert_eq!(watching.record().await, None);
            assert_eq!(Exchange::answered(BufReader::new(typing)).await.status, 200);
        } else {
            let window = json!({"type": "CONTROL", "control": {"type": "TTY_INFO", "tty_info": tty(70_000)}});
            typing.write_all(&input("PROCESS_IO", window)).await.unwrap();
            assert_eq!(Exchange::answered(BufReader::new(typing)).await.status, 400);
            world.restart().await;
            world.master.subscription(2).await;
        }
    }
    assert_eq!(wait(&world, &id).await, (200, json!(4 << 8)));
    let printed = printed();
    assert!(printed.starts_with("11 22\r\n") && printed.ends_with("44 22\r\n"), "{printed}");
}
