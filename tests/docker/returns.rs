//! Containers whose executor, agent or daemon is killed and comes back.

use std::fs;

use harness::cluster::START;
use harness::framework::with_health_check;
use harness::{process, wait};
use rustix::process::Signal;
use serde_json::json;

use crate::world::{becomes, ended, inside, task, with_docker};

#[test]
fn an_executor_that_is_killed_has_a_successor_that_goes_on() {
    with_docker("an_executor_that_is_killed_has_a_successor_that_goes_on", |world| {
        let script = "i=0; while :; do echo $i; i=$((i+1)); sleep 0.1; done";
        let check =
            json!({"type": "COMMAND", "command": {"value": "test ! -e /tmp/sick"}, "consecutive_failures": 1000});
        world.framework.run(with_health_check(task("t", script), check));
        becomes(world, true);
        let (before, container) = (world.executors(), world.container());
        assert_eq!(before.len(), 1);
        process::signal(before[0], Signal::KILL);
        let after =
            wait::until("another executor", START, || world.executors().into_iter().find(|it| !before.contains(it)));
        let pid = world.pid();
        fs::write(inside(pid, "tmp/sick"), "").expect("a file");
        becomes(world, false);
        assert_eq!(world.container()["Id"], container["Id"], "the same container");
        assert!(process::alive(after));
        // Nothing of its output is missing, and nothing but what was under way is there twice.
        let stdout = world.sandbox(&container).join("stdout");
        let lines = wait::until("more output", START, || {
            let text = fs::read_to_string(&stdout).ok()?;
            let lines: Vec<u64> = text.lines().filter_map(|line| line.parse().ok()).collect();
            (lines.len() > 30).then_some(lines)
        });
        let gaps = lines.windows(2).filter(|pair| pair[1] != pair[0] + 1).count();
        assert!(gaps <= 1 && lines.last().is_some_and(|last| *last + 2 >= lines.len() as u64), "{lines:?}");
        world.framework.kill("t");
        ended(&world.framework, "TASK_KILLED", "Container exited with status 137");
        world.nothing_left();
    });
}

#[test]
fn a_container_is_nobodys_once_its_executor_is() {
    with_docker("a_container_is_nobodys_once_its_executor_is", |world| {
        world.framework.run(task("t", "sleep 1000"));
        let stranger = json!({"Image": "app:1", "Labels": {"cygnet.state": "/elsewhere/c"}});
        let made = world.daemon.call("POST", "/containers/create?name=stranger", &stranger).expect("an answer");
        assert_eq!(made.status, 201, "{}", made.text());
        // The agent forgets everything.
        let executors = world.executors();
        world.pair.agent_process().kill();
        assert!(executors.into_iter().all(|pid| process::signal(pid, Signal::KILL)));
        fs::remove_dir_all(world.pair.directory().join("agent/meta")).expect("its records");
        world.start_agent();
        wait::until("only the stranger is left", START, || (world.daemon.containers() == ["/stranger"]).then_some(()));
    });
}

#[test]
fn an_agent_comes_back_to_its_containers() {
    with_docker("an_agent_comes_back_to_its_containers", |world| {
        world.framework.run(task("t", "sleep 1000"));
        let pid = world.pid();
        world.pair.agent_process().kill();
        world.start_agent();
        world.framework.kill("t");
        ended(&world.framework, "TASK_KILLED", "Container exited with status 137");
        assert!(!process::alive(pid));
        world.nothing_left();
    });
}

#[test]
fn an_agent_that_comes_back_before_its_daemon_keeps_its_containers() {
    with_docker("an_agent_that_comes_back_before_its_daemon_keeps_its_containers", |world| {
        world.framework.run(task("t", "sleep 1000"));
        let (pid, executors) = (world.pid(), world.executors());
        world.daemon.kill();
        world.pair.agent_process().kill();
        assert!(executors.iter().all(|pid| process::signal(*pid, Signal::KILL)));
        world.start_agent();
        wait::until("another executor", START, || world.executors().into_iter().find(|it| !executors.contains(it)));
        world.framework.kill("t");
        world.framework.expect("TASK_KILLING");
        wait::until("the end of the container", START, || (!process::alive(pid)).then_some(()));
        assert!(world.daemon.run(), "it starts again");
        ended(&world.framework, "TASK_KILLED", "Container exited with status 137");
        world.nothing_left();
        world.framework.run(task("later", "sleep 1000"));
        world.framework.kill("later");
        ended(&world.framework, "TASK_KILLED", "Container exited with status 137");
    });
}
