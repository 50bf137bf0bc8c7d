//! The life of a task in a container: its start, its output, its end, its use of the machine, and what cannot be.

use std::fs;

use harness::cluster::START;
use harness::{http, wait};
use serde_json::Value;
use serde_json::json;

use crate::world::{ended, parameters, task, with_docker, with_docker_info};

#[test]
fn a_task_runs_in_a_container_with_its_name_its_labels_and_its_output() {
    with_docker("a_task_runs_in_a_container_with_its_name_its_labels_and_its_output", |world| {
        let script = "echo out; echo err >&2; echo $MESOS_CONTAINER_NAME > $MESOS_SANDBOX/name; sleep 1000";
        let running = world.framework.run(task("t", script));
        let container = world.container();
        let name = container["Name"].as_str().expect("a name").trim_start_matches('/').to_owned();
        assert!(name.starts_with("mesos-"), "{name}");
        let labels = &container["Config"]["Labels"];
        assert_eq!((&labels["MESOS_TASK_ID"], &labels["cygnet.task"]), (&json!("t"), &json!("t")));
        assert_eq!(labels["cygnet.framework"], world.framework.id);
        let data = running["data"].as_str().expect("the container, as Docker tells it");
        assert!(!data.is_empty());
        assert_eq!(container["HostConfig"]["Memory"], 32 << 20);
        let sandbox = world.sandbox(&container);
        let has = |file: &str, text: &str| {
            let path = sandbox.join(file);
            wait::until(text, START, || fs::read_to_string(&path).is_ok_and(|read| read == text).then_some(()));
        };
        has("name", &format!("{name}\n"));
        has("stdout", "out\n");
        has("stderr", "err\n");
        world.framework.kill("t");
        ended(&world.framework, "TASK_KILLED", "Container exited with status 137");
        world.nothing_left();
    });
}

#[test]
fn the_exit_status_is_the_containers() {
    with_docker("the_exit_status_is_the_containers", |world| {
        for (id, script, state, status) in [
            ("good", "echo last words; exit 0", "TASK_FINISHED", 0),
            ("bad", "exit 37", "TASK_FAILED", 37),
            ("later", "sleep 1; exit 3", "TASK_FAILED", 3),
        ] {
            world.framework.launch(task(id, script));
            ended(&world.framework, state, &format!("Container exited with status {status}"));
        }
        world.nothing_left();
    });
}

#[test]
fn its_use_of_the_machine_is_the_containers() {
    with_docker("its_use_of_the_machine_is_the_containers", |world| {
        world.framework.run(task("t", "sleep 1000 & sleep 1000 & wait"));
        let measured = wait::until("statistics of three processes", START, || {
            let measured = http::get(world.pair.agent, "/monitor/statistics")?.json()[0]["statistics"].clone();
            (measured["processes"] == 3).then_some(measured)
        });
        assert!(measured["mem_rss_bytes"].as_u64() > Some(0), "{measured}");
        assert!(measured["cpus_user_time_secs"].is_number(), "{measured}");
        assert_eq!(measured["mem_limit_bytes"], 32 << 20);
        assert_eq!(measured["net_rx_bytes"], Value::Null, "the host's network is not its own");
    });
}

#[test]
fn memory_that_runs_out_is_the_reason() {
    with_docker("memory_that_runs_out_is_the_reason", |world| {
        world.framework.launch(task("t", "head -c 300m /dev/zero | tail -c 300m > /dev/null; exit 0"));
        loop {
            let status = world.framework.update();
            if status["state"] == "TASK_FAILED" {
                assert_eq!(status["reason"], "REASON_CONTAINER_LIMITATION_MEMORY", "{status}");
                let message = status["message"].as_str().expect("a message");
                assert!(message.ends_with("Memory limit exceeded: Requested: 32MB"), "{message}");
                break;
            }
            assert!(
                ["TASK_STARTING", "TASK_RUNNING"].contains(&status["state"].as_str().expect("a state")),
                "{status}"
            );
        }
        world.nothing_left();
    });
}

#[test]
fn what_cannot_be_started_says_why_and_leaves_nothing() {
    with_docker("what_cannot_be_started_says_why_and_leaves_nothing", |world| {
        let failed = |task: Value| {
            world.framework.launch(task);
            world.framework.expect("TASK_STARTING");
            let status = world.framework.expect("TASK_FAILED");
            status["message"].as_str().expect("a message").to_owned()
        };
        let image = failed(with_docker_info(task("image", "true"), json!({"image": "127.0.0.1:1/no/such:9"})));
        assert!(image.contains("Failed to pull the image '127.0.0.1:1/no/such:9'"), "{image}");
        let mut entry = task("entry", "");
        entry["command"] = json!({"shell": false, "value": "/no/such/program"});
        let entry = failed(entry);
        assert!(
            entry.starts_with("Container exited with status 127: ") && entry.contains("/no/such/program"),
            "{entry}"
        );
        let restart =
            failed(with_docker_info(task("p", "true"), json!({"parameters": parameters(&[("restart", "always")])})));
        assert!(restart.contains("The parameter 'restart' is not supported"), "{restart}");
        let user =
            failed(with_docker_info(task("u", "true"), json!({"parameters": parameters(&[("user", "nobody-here")])})));
        assert!(user.contains("nobody-here"), "{user}");
        world.nothing_left();
        world.daemon.kill();
        let nobody = failed(task("nobody", "true"));
        assert!(nobody.contains("cannot be reached"), "{nobody}");
    });
}

#[test]
fn a_group_has_no_containers_of_dockers() {
    with_docker("a_group_has_no_containers_of_dockers", |world| {
        world.framework.launch_group("group", [task("member", "sleep 1000")]);
        let status = world.framework.update();
        assert_eq!(status["state"], "TASK_ERROR", "{status}");
        assert!(
            status["message"]
                .as_str()
                .is_some_and(|it| it.contains("Docker ContainerInfo is not supported on the task"))
        );
    });
}
