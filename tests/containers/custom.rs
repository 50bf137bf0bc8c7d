//! Executors of frameworks' own in containers with images; and tasks of a group without an image beside those that have one.

use harness::cluster::START;
use harness::framework::{scalar, task};
use harness::{http, wait};
use serde_json::{Value, json};

use crate::Test;
use crate::world::{World, shell, stdout};

pub(crate) const TESTS: &[Test] = &[
    ("an executor of a framework's own runs in the image of its container", in_an_image),
    ("an executor whose image there is not fails its task by name", without_its_image),
    ("an executor in an image goes with all it has, whoever is killed", killed_together),
    ("a task of a group without an image has the bounds it asks for", bounds_without_an_image),
];

/// An executor of busybox alone: it says who it is, subscribes, and shows what it is told.
const EXECUTOR: &str = r#"
echo "$(cat /who) $(id -u) $(pwd) $MESOS_SANDBOX $OWN $(ulimit -n) $(cat /host/file) $CYGNET_STATE_DIRECTORY."
grep -q 'Seccomp:.2' /proc/self/status && test "$(hostname)" = inside && echo bounded
body='{"type": "SUBSCRIBE", "framework_id": {"value": "'$MESOS_FRAMEWORK_ID'"},
  "executor_id": {"value": "'$MESOS_EXECUTOR_ID'"}, "subscribe": {}}'
{ printf 'POST /api/v1/executor HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nAccept: application/json\r\n'
  printf 'Content-Length: %d\r\n\r\n%s' ${#body} "$body"; sleep 1000;
} | nc ${MESOS_AGENT_ENDPOINT%:*} ${MESOS_AGENT_ENDPOINT#*:}
"#;

/// A task of that executor, in this image.
fn custom(id: &str, image: &str, host: &str) -> Value {
    let image = json!({"type": "DOCKER", "docker": {"name": image}});
    let container = json!({
        "type": "MESOS", "mesos": {"image": image}, "hostname": "inside",
        "volumes": [{"mode": "RO", "container_path": "/host", "host_path": host}],
        "rlimit_info": {"rlimits": [{"type": "RLMT_NOFILE", "soft": 77, "hard": 77}]},
    });
    let variables = json!([{"name": "OWN", "value": "yes"}]);
    let executor = json!({
        "type": "CUSTOM", "executor_id": {"value": "custom"}, "container": container,
        "command": {"value": EXECUTOR, "user": "app", "environment": {"variables": variables}},
        "resources": [scalar("cpus", 0.1), scalar("mem", 64.0)],
    });
    let mut task = task(id, "");
    task.as_object_mut().expect("an object").remove("command");
    task["executor"] = executor;
    task
}

/// Waits until the executor has been told of the task.
#[track_caller]
fn is_told(world: &World) -> String {
    wait::until_ok("the executor to be told", START, || {
        let printed = stdout(world, "custom");
        if printed.contains("\"LAUNCH\"") { Ok(printed) } else { Err(printed) }
    })
}

fn host() -> (tempfile::TempDir, String) {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::write(directory.path().join("file"), "host").expect("a file");
    let path = directory.path().display().to_string();
    (directory, path)
}

fn in_an_image(_: &str) {
    let world = World::start();
    let (before, (_directory, host)) = (world.seen(), host());
    world.framework.launch(custom("t", "app:1", &host));
    let printed = is_told(&world);
    let first = "app 1000 /mnt/mesos/sandbox /mnt/mesos/sandbox yes 77 host .\nbounded\n";
    assert!(printed.starts_with(first), "{printed}");
    let kill = |id: Value| {
        let call = json!({"type": "KILL_CONTAINER", "kill_container": {"container_id": id, "signal": 9}});
        http::send(world.pair.agent, "POST", "/api/v1", &call).expect("an answer").status
    };
    let shown = http::get(world.pair.agent, "/containers").expect("an answer").json();
    assert_eq!(kill(json!({"value": shown[0]["container_id"]})), 200);
    assert_eq!(world.last("t")["state"], "TASK_FAILED");
    world.nothing_since(&before);
}

fn without_its_image(_: &str) {
    let world = World::start();
    let (before, (_directory, host)) = (world.seen(), host());
    world.framework.launch(custom("t", "nothing:1", &host));
    let status = world.last("t");
    assert_eq!(
        (&status["state"], &status["reason"]),
        (&json!("TASK_FAILED"), &json!("REASON_CONTAINER_LAUNCH_FAILED"))
    );
    assert!(status["message"].as_str().is_some_and(|message| message.contains("nothing:1")), "{status}");
    world.framework.launch(custom("u", "app:1", "/no/such/path"));
    let status = world.last("u");
    assert!(status["message"].as_str().is_some_and(|message| message.contains("/no/such/path")), "{status}");
    world.nothing_since(&before);
}

fn killed_together(_: &str) {
    let mut world = World::start();
    let before = world.seen();
    let (_directory, host) = host();
    for (id, kills_shim) in [("a", false), ("b", true)] {
        world.framework.launch(custom(id, "app:1", &host));
        is_told(&world);
        world.pair.agent_process().kill();
        if kills_shim {
            world.kill(|line| line.contains(" shim "));
        }
        // It is not found again by its agent: its connection has ended, and it makes no other.
        world.start_agent();
        world.ended(id);
        world.nothing_since(&before);
        // The next one has the same name, and a sandbox of its own.
        let _removed = std::fs::remove_dir_all(world.pair.directory().join("agent/slaves"));
    }
}

fn bounds_without_an_image(_: &str) {
    let world = World::start();
    let before = world.seen();
    let few = json!({"capabilities": ["CHOWN", "KILL"]});
    let bounded = |mut task: Value| {
        task["container"]["type"] = json!("MESOS");
        task["container"]["rlimit_info"] = json!({"rlimits": [{"type": "RLMT_NOFILE", "soft": 77, "hard": 77}]});
        task["container"]["linux_info"] =
            json!({"effective_capabilities": few, "bounding_capabilities": few, "share_cgroups": false});
        task["resources"] = json!([scalar("cpus", 0.1), scalar("mem", 40.0)]);
        task
    };
    let script =
        "grep CapBnd /proc/self/status | cut -f2; ulimit -n; grep -o 'memory:.*' /proc/self/cgroup; sleep 1000";
    let group = [bounded(shell("with", "app:1", script)), bounded(task("without", script))];
    world.framework.launch_group("group", group);
    for id in ["with", "without"] {
        let printed = wait::until(&format!("the bounds of {id}"), START, || {
            let printed = of_task(&world, id);
            (printed.lines().count() == 3).then_some(printed)
        });
        let lines: Vec<&str> = printed.lines().collect();
        assert_eq!(lines[..2], ["0000000000000021", "77"], "{id}");
        // It is in a cgroup of its own, with the limit that it asked for.
        let limit = std::fs::read_to_string(format!(
            "/sys/fs/cgroup/memory{}/memory.limit_in_bytes",
            lines[2].trim_start_matches("memory:")
        ));
        assert_eq!(limit.expect("a limit").trim(), (40 << 20).to_string(), "{id}: {printed}");
    }
    world.framework.kill("with");
    world.framework.kill("without");
    world.nothing_since(&before);
}

/// The output of a task of a group.
fn of_task(world: &World, id: &str) -> String {
    let found = find(&world.pair.directory().join("agent/slaves"), id);
    found.and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default()
}

/// The file `stdout` below the link that a group has for a task.
fn find(directory: &std::path::Path, id: &str) -> Option<std::path::PathBuf> {
    let link = directory.join("tasks").join(id).join("stdout");
    if link.exists() {
        return Some(link);
    }
    let below = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let directories = below.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    directories.into_iter().find_map(|entry| find(&entry.path(), id))
}
