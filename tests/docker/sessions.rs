//! Sessions in containers: commands beside a task, which are what `docker exec` would make of them. The daemon has no part in
//! one, and may be away.

use std::fs;
use std::path::PathBuf;

use harness::cluster::{START, binary};
use harness::images::{Image, tar};
use harness::session::{self, Session, typed, window};
use harness::{hostile, process, wait};
use serde_json::{Value, json};

use crate::world::{World, inside, parameters, task, with_docker, with_docker_info};

/// Everything that a process may, is and has. Beside version 1 of cgroups, version 2 bounds nothing. The last variables are the
/// shell's own, and a session has one by which it is found.
const WHO: &str = "grep -E '^(Uid|Gid|Groups|Cap|NoNewPrivs|Seccomp)' /proc/self/status; \
    grep -v ^0:: /proc/self/cgroup || cat /proc/self/cgroup; cat /proc/self/oom_score_adj /proc/self/limits; pwd; \
    ls -l /proc/self/ns | sed 's/.*-> //' | sort; env | grep -vE '^(CYGNET_RUN|SHLVL|OLDPWD|_)=' | sort";

/// The id of the task's container, and of a session in it.
fn id(world: &World) -> Value {
    let name = world.container()["Name"].as_str().expect("a name").to_owned();
    let container = name.strip_prefix("/mesos-").expect("Mesos' name").to_owned();
    json!({"value": "session", "parent": {"value": container}})
}

fn shell(id: &Value, script: &str) -> Value {
    json!({"container_id": id, "command": {"value": script}})
}

/// The state directory of the task's executor.
fn state(world: &World) -> PathBuf {
    let state = world.container()["Config"]["Labels"]["cygnet.state"].clone();
    state.as_str().expect("a directory").into()
}

#[test]
fn a_session_is_what_docker_exec_makes_of_its_command() {
    with_docker("a_session_is_what_docker_exec_makes_of_its_command", |world| {
        let strict = parameters(&[
            ("cap-drop", "NET_RAW"),
            ("cap-add", "SYS_PTRACE"),
            ("user", "app"),
            ("group-add", "7"),
            ("workdir", "/tmp"),
            ("env", "A=b c"),
            ("ulimit", "nofile=100:200"),
            ("oom-score-adj", "77"),
            ("security-opt", "no-new-privileges"),
        ]);
        let free = parameters(&[("security-opt", "seccomp=unconfined"), ("cap-drop", "ALL"), ("pid", "host")]);
        for (name, info) in [
            ("usual", json!({})),
            ("strict", json!({"network": "BRIDGE", "parameters": strict})),
            ("free", json!({"parameters": free})),
        ] {
            world.framework.run(with_docker_info(task(name, "sleep 1000"), info));
            let container = world.container();
            let expected = world.daemon.exec(&container, &json!({"Cmd": ["/bin/sh", "-c", WHO]}));
            assert!(expected.contains("CapBnd:") && expected.contains("PATH="), "{expected}");
            let session = Session::open(world.pair.agent, &shell(&id(world), WHO));
            assert_eq!((session.status, session.output()), (200, expected), "{name}");
            let own = json!({"Cmd": ["/bin/sh", "-c", WHO], "User": "5000:5001"});
            let mut order = shell(&json!({"value": "as", "parent": id(world)["parent"]}), WHO);
            order["command"]["user"] = json!("5000:5001");
            assert_eq!(
                Session::open(world.pair.agent, &order).output(),
                world.daemon.exec(&container, &own),
                "{name}, as a user that is named"
            );
            world.framework.kill(name);
            world.nothing_left();
        }
    });
}

#[test]
fn a_session_is_typed_to_has_a_terminal_and_an_exit_status_without_a_daemon() {
    with_docker("a_session_is_typed_to_has_a_terminal_and_an_exit_status_without_a_daemon", |world| {
        world.framework.run(task("t", "sleep 1000"));
        let (agent, id) = (world.pair.agent, id(world));
        world.daemon.kill();
        let mut plain = Session::open(agent, &shell(&id, "echo ready; cat; echo over >&2; exit 7"));
        plain.until("ready\n");
        assert_eq!(session::send(agent, &id, &[typed("words\n"), typed("")]).status, 200);
        let printed = plain.output();
        assert!(["ready\n", "words\n", "over\n"].iter().all(|line| printed.contains(line)), "{printed}");
        assert_eq!(session::ended(agent, &id), json!(7 << 8));
        let id = json!({"value": "terminal", "parent": id["parent"]});
        let size = |rows, columns| json!({"rows": rows, "columns": columns});
        let mut order = shell(&id, "test -t 0 && stty size && read word && stty size && echo $TERM $word; kill -9 $$");
        order["container"] = json!({"type": "MESOS", "tty_info": {"window_size": size(33, 77)}});
        let mut terminal = Session::open(agent, &order);
        terminal.until("33 77\r\n");
        assert_eq!(session::send(agent, &id, &[window(44, 88), typed("hello\n")]).status, 200);
        assert!(terminal.output().ends_with("44 88\r\nxterm hello\r\n"));
        assert_eq!(session::ended(agent, &id), json!(9));
        assert!(world.daemon.run(), "it starts again");
    });
}

/// As CVE-2019-5736, and as for containers of the agent's own: the task writes to whoever enters.
#[test]
fn a_session_gives_the_program_that_enters_to_nobody() {
    let test = "a_session_gives_the_program_that_enters_to_nobody";
    if !cfg!(all(target_arch = "x86_64", target_env = "gnu")) {
        return println!("SKIPPED {test}: its image is for x86_64 and glibc");
    }
    with_docker(test, |world| {
        let config = json!({"Entrypoint": ["/bin/busybox", "ash", "-c"]});
        let image = Image::busybox(hostile::layer(), &config).docker(&["hostile:1"]);
        world.daemon.load(&tar(&image).tar());
        let own = fs::read(binary()).expect("a program");
        let mut keeps = with_docker_info(task("t", ""), json!({"image": "hostile:1"}));
        keeps["command"] = json!({"shell": false, "arguments": [hostile::KEEPS]});
        world.framework.run(keeps);
        let session = Session::open(world.pair.agent, &shell(&id(world), "true"));
        assert_eq!(session.status, 200);
        let said = world.sandbox(&world.container()).join("stdout");
        let said = || fs::read_to_string(&said).ok().filter(|said| said.contains("tried"));
        assert_eq!(wait::until("a try", START, said), "tried\n");
        assert!(fs::read(binary()).is_ok_and(|now| now == own), "the program is as it was");
    });
}

#[test]
fn a_session_ends_with_its_client_and_with_its_container() {
    with_docker("a_session_ends_with_its_client_and_with_its_container", |world| {
        world.framework.run(task("t", "sleep 1000"));
        let (agent, id) = (world.pair.agent, id(world));
        let asleep = || process::running("sleep 1001", world.pair.directory());
        let mut session = Session::open(agent, &shell(&id, "echo ready; sleep 1001; exit 0"));
        session.until("ready\n");
        wait::until("its child", START, || (asleep().len() == 1).then_some(()));
        drop(session);
        assert_eq!(session::ended(agent, &id), json!(9));
        wait::until("nothing of it", START, || asleep().is_empty().then_some(()));
        let id = json!({"value": "another", "parent": id["parent"]});
        let mut session = Session::open(agent, &shell(&id, "echo ready; exec sleep 1002"));
        session.until("ready\n");
        world.framework.kill("t");
        session.output();
        world.nothing_left();
    });
}

#[test]
fn a_container_of_which_not_all_is_known_is_not_entered() {
    with_docker("a_container_of_which_not_all_is_known_is_not_entered", |world| {
        world.framework.run(task("t", "sleep 1000"));
        let (agent, order) = (world.pair.agent, shell(&id(world), "touch /tmp/entered"));
        let container = world.container()["Name"].as_str().expect("a name").to_owned();
        let turn = |verb: &str| {
            let answer = world.daemon.call("POST", &format!("/containers{container}/{verb}"), &Value::Null);
            assert_eq!(answer.map(|answer| answer.status), Some(204), "{verb}");
        };
        let refused = |words: &str| {
            let session = Session::open(agent, &order);
            assert_eq!(session.status, 400);
            let said = session.refusal();
            assert!(said.contains(words), "{said}");
            assert!(!inside(world.pid(), "tmp/entered").exists());
        };
        turn("pause");
        refused("is paused");
        turn("unpause");
        let record = state(world).join("docker.json");
        let known = fs::read(&record).expect("a record");
        let mut other: Value = serde_json::from_slice(&known).expect("JSON");
        other["running"]["process"]["start"] = json!(1);
        for (content, words) in [
            (b"{".to_vec(), "Cannot join"),
            (json!({"name": "none", "socket": "/none"}).to_string().into_bytes(), "no process to join"),
            (other.to_string().into_bytes(), "Cannot join"),
        ] {
            fs::write(&record, content).expect("written");
            refused(words);
        }
        fs::write(&record, known).expect("written");
        assert_eq!(Session::open(agent, &order).output(), "");
        assert!(inside(world.pid(), "tmp/entered").exists(), "now it is");
        let mut nobody = shell(&json!({"value": "nobody", "parent": order["container_id"]["parent"]}), "true");
        nobody["command"]["user"] = json!("nobody-here");
        let session = Session::open(agent, &nobody);
        assert!(session.status == 400 && session.refusal().contains("'nobody-here'"));
    });
}
