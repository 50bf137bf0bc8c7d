//! The checks of tasks in containers, without a daemon too.

use std::fs;

use harness::cluster::START;
use harness::framework::{with_check, with_health_check};
use harness::{process, wait};
use serde_json::json;

use crate::world::{becomes, ended, inside, load, parameters, server, task, with_docker, with_docker_info};

#[test]
fn a_task_is_checked_inside_and_a_daemon_that_dies_changes_nothing() {
    with_docker("a_task_is_checked_inside_and_a_daemon_that_dies_changes_nothing", |world| {
        let network = json!({"network": "BRIDGE"});
        let checked = with_health_check(
            with_docker_info(task("web", &server(80)), network),
            json!({"type": "HTTP", "http": {"port": 80, "path": "/"}, "consecutive_failures": 1000}),
        );
        let running = world.framework.run(checked);
        let addresses = &running["container_status"]["network_infos"][0]["ip_addresses"];
        assert!(addresses[0]["ip_address"].as_str().is_some_and(|address| address.starts_with("172.")), "{running}");
        becomes(world, true);
        let pid = world.pid();
        let root = inside(pid, "www/index.html");
        world.daemon.kill();
        fs::rename(&root, root.with_extension("away")).expect("its file");
        becomes(world, false);
        fs::rename(root.with_extension("away"), &root).expect("its file");
        becomes(world, true);
        // It can be killed, too; how it ended, only the daemon knows.
        world.framework.kill("web");
        world.framework.expect("TASK_KILLING");
        wait::until("the end of the container", START, || (!process::alive(pid)).then_some(()));
        assert!(world.daemon.run(), "it starts again");
        ended(&world.framework, "TASK_KILLED", "Container exited with status 137");
        world.nothing_left();
    });
}

#[test]
fn a_command_of_a_check_is_confined_as_the_container() {
    with_docker("a_command_of_a_check_is_confined_as_the_container", |world| {
        let info = json!({"parameters": parameters(&[("cap-drop", "NET_RAW"), ("user", "app"), ("workdir", "/tmp"),
            ("env", "A=b"), ("security-opt", "no-new-privileges")])});
        let mut checked = with_docker_info(task("t", "sleep 1000"), info);
        let script = "test -e /dev/shm/seen && exit 0; exec > /dev/shm/new; id -u; id -g; pwd; echo $A; \
            grep -E 'CapBnd|Seccomp:|NoNewPrivs' /proc/self/status; grep :memory: /proc/self/cgroup; \
            mv /dev/shm/new /dev/shm/seen";
        checked = with_check(checked, json!({"type": "COMMAND", "command": {"command": {"value": script}}}));
        world.framework.run(checked);
        world.framework.expect_reason("REASON_TASK_CHECK_STATUS_UPDATED");
        let pid = world.pid();
        let id = world.container()["Id"].as_str().expect("an id").to_owned();
        let seen = fs::read_to_string(inside(pid, "dev/shm/seen")).expect("what the check saw");
        let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("its status");
        for line in
            status.lines().filter(|line| ["CapBnd", "Seccomp:", "NoNewPrivs"].iter().any(|it| line.contains(it)))
        {
            assert!(seen.contains(line), "the container has {line}, the check: {seen}");
        }
        assert!(seen.starts_with("1000\n1000\n/tmp\nb\n"), "{seen}");
        assert!(seen.contains(&id), "in the cgroup of the container: {seen}");
        let bounding = status.lines().find_map(|line| line.strip_prefix("CapBnd:\t")).expect("a set");
        assert_eq!(bounding, "00000000a80405fb", "Docker's default without NET_RAW");
    });
}

#[test]
fn the_check_of_an_image_is_the_tasks_if_it_has_none() {
    with_docker("the_check_of_an_image_is_the_tasks_if_it_has_none", |world| {
        let health = json!({"Test": ["CMD-SHELL", "test ! -e /tmp/sick"], "Interval": 200_000_000, "Retries": 1});
        let config = json!({"Cmd": ["sleep", "1000"], "Healthcheck": health});
        load(&world.daemon, "checked:1", &config);
        let mut own = with_docker_info(task("t", ""), json!({"image": "checked:1"}));
        own["command"] = json!({"shell": false});
        world.framework.run(own);
        becomes(world, true);
        assert_eq!(world.container()["Config"]["Healthcheck"]["Test"], json!(["NONE"]), "Docker makes none");
        fs::write(inside(world.pid(), "tmp/sick"), "").expect("a file");
        becomes(world, false);
        fs::remove_file(inside(world.pid(), "tmp/sick")).expect("its file");
        becomes(world, true);
    });
}
