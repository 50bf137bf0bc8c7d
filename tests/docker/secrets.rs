//! Variables that are secrets: the task and its checks have them, nobody else does.

use std::fs;
use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use harness::cluster::START;
use harness::framework::with_health_check;
use harness::{process, wait};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::world::{World, becomes, ended, inside, task, with_docker};

/// The secret.
const VALUE: &str = "correct-horse-battery";

/// The directory of the operator's.
const SECRETS: &str = "secrets";

/// A task with the secret as `KEY`.
fn with_key(mut task: Value) -> Value {
    let secret = json!({"type": "REFERENCE", "reference": {"name": "password"}});
    task["command"]["environment"] = json!({"variables": [{"name": "KEY", "type": "SECRET", "secret": secret}]});
    task
}

/// The files of the cluster that hold the secret, but for the operator's.
fn holders(directory: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && entry.file_name() != SECRETS => holders(&path, found),
            Ok(kind) if kind.is_file() => {
                let content = fs::read(&path).unwrap_or_default();
                let holds = content.windows(VALUE.len()).any(|window| window == VALUE.as_bytes());
                found.extend(holds.then(|| path.display().to_string()));
            }
            _ => {}
        }
    }
}

fn start_with_secrets(world: &mut World) {
    let secrets = world.pair.directory().join(SECRETS);
    fs::create_dir(&secrets).expect("a directory");
    fs::write(secrets.join("password"), VALUE).expect("a file");
    world.pair.agent_process().kill();
    let (socket, directory) = (world.daemon.socket().display().to_string(), secrets.display().to_string());
    world.pair.start_agent_with(&["--docker-socket", &socket, "--secrets-directory", &directory]);
}

#[test]
fn a_secret_is_its_tasks_and_its_checks() {
    with_docker("a_secret_is_its_tasks_and_its_checks", |world| {
        start_with_secrets(world);
        let check = "test -n \"$KEY\" && test \"$KEY\" = \"$(cat /tmp/seen)\" && test ! -e /tmp/sick";
        let check = json!({"type": "COMMAND", "command": {"value": check}, "consecutive_failures": 1000});
        let script = "echo \"$KEY\" > /tmp/seen; sleep 1000";
        let running = world.framework.run(with_health_check(with_key(task("t", script)), check));
        becomes(world, true);
        let seen = inside(world.pid(), "tmp/seen");
        wait::until("the task to have it", START, || {
            fs::read_to_string(&seen).is_ok_and(|text| text.trim() == VALUE).then_some(())
        });
        let data = BASE64_STANDARD.decode(running["data"].as_str().expect("data")).expect("data");
        let data = String::from_utf8(data).expect("text");
        assert!(data.contains("KEY=<secret>") && !data.contains(VALUE), "{data}");
        // A successor has it again.
        let before = world.executors();
        assert!(before.iter().all(|pid| process::signal(*pid, Signal::KILL)));
        wait::until("another executor", START, || world.executors().into_iter().find(|it| !before.contains(it)));
        let sick = inside(world.pid(), "tmp/sick");
        fs::write(&sick, "").expect("a file");
        becomes(world, false);
        fs::remove_file(&sick).expect("its file");
        becomes(world, true);
        let mut found = Vec::new();
        holders(world.pair.directory(), &mut found);
        assert_eq!(found, Vec::<String>::new(), "in no file of ours");
        world.framework.kill("t");
        ended(&world.framework, "TASK_KILLED", "Container exited with status 137");
        world.nothing_left();
    });
}

#[test]
fn a_secret_that_is_not_there_is_named() {
    with_docker("a_secret_that_is_not_there_is_named", |world| {
        let message = "The secret 'password' cannot be found: the agent has no directory of secrets";
        world.framework.launch(with_key(task("t", "true")));
        ended(&world.framework, "TASK_FAILED", message);
        world.nothing_left();
    });
}
