//! Containers whose programs want out, while a real agent lets somebody in by a session.

use std::fs;

use harness::archive::Archive;
use harness::cluster::{START, binary};
use harness::images::Image;
use harness::session::Session;
use harness::{hostile, wait};
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
    let entering = session(&world, &status, "true");
    let said = || Some(stdout(&world, "t")).filter(|said| said.contains("tried"));
    assert_eq!(wait::until("a try", START, said), "tried\n");
    drop(entering);
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
    assert_eq!(
        session(&world, &status, &script).until("end\n"),
        "0\n1\n2\n3\nend\n",
        "its streams, and the directory that is listed"
    );
    world.framework.kill("t");
    world.last("t");
}

/// A session beside the task of this status.
fn session(world: &World, status: &Value, command: &str) -> Session {
    let container = json!({"value": "session", "parent": status["container_status"]["container_id"]});
    let session = Session::open(world.pair.agent, &json!({"container_id": container, "command": {"value": command}}));
    assert_eq!(session.status, 200);
    session
}
