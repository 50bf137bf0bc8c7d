//! Containers whose programs want out, while a real agent lets somebody in by a session.

use std::fs;
use std::io::BufReader;
use std::net::TcpStream;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use harness::archive::Archive;
use harness::cluster::{START, binary};
use harness::images::Image;
use harness::{hostile, http, wait};
use serde_json::{Value, json};

use crate::Test;
use crate::world::{World, of_image, shell, stdout};

pub(crate) const TESTS: &[Test] = &[
    ("a_session_gives_the_program_that_enters_to_nobody", program),
    ("nothing_of_the_host_is_open_in_a_session_or_in_a_task", descriptors),
];

/// The descriptors in which a directory of the host could be left open.
const LEAKED: std::ops::Range<u32> = 3..11;

/// As CVE-2019-5736: the session's shell is the one who enters, and the task writes to what it finds running.
fn program(test: &str) {
    if !cfg!(all(target_arch = "x86_64", target_env = "gnu")) {
        return println!("SKIPPED {test}: its image is for x86_64 and glibc");
    }
    let world = World::start();
    let image = Image::busybox(hostile::layer(), &json!({"Entrypoint": ["/bin/busybox", "ash", "-c"]}));
    image.save(world.images(), "hostile:1");
    let (before, own) = (world.seen(), fs::read(binary()).unwrap());
    let mut task = of_image("t", "hostile:1");
    task["command"]["arguments"] = json!([hostile::KEEPS]);
    let status = world.run(task);
    let session = session(&world, &status, "true");
    let said = || Some(stdout(&world, "t")).filter(|said| said.contains("tried"));
    assert_eq!(wait::until("a try", START, said), "tried\n");
    drop(session);
    assert!(fs::read(binary()).unwrap() == own, "the program is as it was");
    world.framework.kill("t");
    world.last("t");
    world.nothing_since(&before);
}

/// As CVE-2024-21626: a directory of the host that is open while a container is entered is a way out of it.
fn descriptors(_: &str) {
    let world = World::start();
    let root = "test \"$(cat /proc/self/cwd/../../../../../../../../who)\" = app || echo escaped";
    for number in LEAKED {
        let config = json!({"WorkingDir": format!("/proc/self/fd/{number}")});
        let name = format!("fd-{number}:1");
        Image::busybox(Archive::new().file("who", "app"), &config).save(world.images(), &name);
        let id = format!("fd-{number}");
        world.framework.launch(shell(&id, &name, &format!("{root}; pwd")));
        let status = world.last(&id);
        let said = stdout(&world, &id);
        assert_eq!((status["state"].as_str(), said.as_str()), (Some("TASK_FAILED"), ""), "{status}");
    }
    let status = world.run(shell("t", "app:1", "exec sleep 1000"));
    let script = format!("{root}; cd /; ls /proc/self/fd; echo end");
    let mut output = session(&world, &status, &script);
    assert_eq!(printed(&mut output, "end\n"), "0\n1\n2\n3\nend\n", "its streams, and the directory that is listed");
    world.framework.kill("t");
    world.last("t");
}

/// A session beside the task of this status.
fn session(world: &World, status: &Value, command: &str) -> BufReader<TcpStream> {
    let container = json!({"value": "session", "parent": status["container_status"]["container_id"]});
    let call = json!({"type": "LAUNCH_NESTED_CONTAINER_SESSION", "launch_nested_container_session":
        {"container_id": container, "command": {"value": command}}});
    let headers = [
        ("content-type", "application/json"),
        ("accept", "application/recordio"),
        ("message-accept", "application/json"),
    ];
    let answer = http::open(world.pair.agent, "POST", "/api/v1", &headers, call.to_string().as_bytes());
    let (status, _, output) = answer.expect("an answer");
    assert_eq!(status, 200);
    output
}

/// The output until it ends like this.
fn printed(output: &mut BufReader<TcpStream>, end: &str) -> String {
    let mut seen = String::new();
    while !seen.ends_with(end) {
        let record = http::chunk(output).unwrap_or_else(|| panic!("the end, after {seen:?}"));
        let record = String::from_utf8(record).expect("JSON");
        let record: Value = serde_json::from_str(record.split_once('\n').expect("a length").1).expect("a record");
        seen +=
            &String::from_utf8_lossy(&STANDARD.decode(record["data"]["data"].as_str().unwrap_or_default()).unwrap());
    }
    seen
}
