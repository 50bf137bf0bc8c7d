//! Containers of the operator API, with images and volumes: nested ones and standalone ones. Rows that Mesos has, too, have
//! their names there.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::thread;

use harness::cluster::START;
use harness::http::{self, Answer};
use harness::session::Session;
use harness::{process, wait};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::Test;
use crate::world::{World, shell, stdout};

pub(crate) const TESTS: &[Test] = &[
    ("NestedMesosContainerizerTest.ROOT_CGROUPS_LaunchNested", launch_nested),
    ("NestedMesosContainerizerTest.ROOT_CGROUPS_LaunchNestedDebugCheckMntNamespace", session_in_nested),
    ("MesosContainerizerProvisionerTest.ProvisionFailed", provision_failed),
    ("MesosContainerizerProvisionerTest.DestroyWhileProvisioning", destroy_while_provisioning),
    ("an agent that is killed during a pull leaves nothing of a container", killed_during_a_pull),
    ("an agent that is killed while a container begins adopts it or leaves nothing", killed_at_the_start),
    ("a standalone container with an image outlives its agent and prunes", standalone_outlives),
];

/// A call of the operator API.
#[track_caller]
fn call(agent: SocketAddr, kind: &str, content: Value) -> Answer {
    let call = json!({"type": kind.to_uppercase(), kind: content});
    http::send(agent, "POST", "/api/v1", &call).expect("an answer")
}

#[track_caller]
fn launches(world: &World, order: Value) {
    let answer = call(world.pair.agent, "launch_container", order);
    assert_eq!(answer.status, 200, "{}", answer.text());
}

/// The raw status of its end.
#[track_caller]
fn waits(world: &World, id: &Value) -> Value {
    call(world.pair.agent, "wait_container", json!({"container_id": id})).json()["wait_container"]["exit_status"]
        .clone()
}

#[track_caller]
fn killed_and_removed(world: &World, id: &Value) {
    assert_eq!(call(world.pair.agent, "kill_container", json!({"container_id": id})).status, 200);
    assert_eq!(waits(world, id), json!(9));
    assert_eq!(call(world.pair.agent, "remove_container", json!({"container_id": id})).status, 200);
}

/// A container that runs a line of shell in this image.
fn order(id: &Value, image: &str, script: &str) -> Value {
    let image = json!({"type": "DOCKER", "docker": {"name": image}});
    json!({"container_id": id, "command": {"value": script}, "container": {"type": "MESOS", "mesos": {"image": image}}})
}

/// The containers that live.
fn shown(world: &World) -> Vec<Value> {
    let asked = json!({"show_nested": true, "show_standalone": true});
    let answer = call(world.pair.agent, "get_containers", asked).json();
    let shown = answer["get_containers"]["containers"].as_array().cloned().unwrap_or_default();
    shown.into_iter().map(|container| container["container_id"].clone()).collect()
}

/// A task that runs in `app:1`, and the id of a container below its own.
fn with_task(world: &World) -> Value {
    world.run(shell("t", "app:1", "sleep 1000"));
    json!({"value": "inner", "parent": shown(world)[0]})
}

#[track_caller]
fn prints(world: &World, container: &str, expected: &str) {
    wait::until_ok(&format!("the output of {container}"), START, || {
        let printed = stdout(world, container);
        if printed == expected { Ok(()) } else { Err(format!("{printed:?}")) }
    });
}

fn launch_nested(_: &str) {
    let world = World::start();
    let start = world.seen();
    let id = with_task(&world);
    let before = world.seen();
    let shared = tempfile::tempdir().expect("a directory");
    fs::write(shared.path().join("file"), "the host").expect("a file");
    let mut order = order(
        &id,
        "user:1",
        "id -u; pwd; echo $MESOS_SANDBOX; cat /host/file; touch /host/x || echo; echo shared > /part/file; \
         cat /proc/self/status | grep -c 'Seccomp:.2'; ulimit -n; sleep 1000",
    );
    let part = json!({"type": "SANDBOX_PATH", "sandbox_path": {"type": "PARENT", "path": "part"}});
    order["container"]["volumes"] = json!([
        {"mode": "RO", "container_path": "/host", "host_path": shared.path()},
        {"mode": "RW", "container_path": "/part", "source": part},
    ]);
    order["container"]["rlimit_info"] = json!({"rlimits": [{"type": "RLMT_NOFILE", "soft": 77, "hard": 77}]});
    launches(&world, order.clone());
    assert_eq!(call(world.pair.agent, "launch_nested_container", order).status, 202, "there is one already");
    prints(&world, "inner", "1000\n/tmp\n/mnt/mesos/sandbox\nthe host\n1\n77\n");
    assert!(shown(&world).contains(&id));
    killed_and_removed(&world, &id);
    world.nothing_since(&before);
    world.ended("t");
    world.nothing_since(&start);
}

fn session_in_nested(_: &str) {
    let world = World::start();
    let id = with_task(&world);
    let mut order = order(&id, "web:1", "");
    order.as_object_mut().expect("an object").remove("command");
    launches(&world, order);
    let session = json!({"value": "debug", "parent": id});
    let debug = json!({"container_id": session, "command": {"value": "cat /who; wget -qO- 127.0.0.1:80; echo $PLACE"}});
    wait::until_ok("the server of the image", START, || {
        let printed = Session::open(world.pair.agent, &debug).output();
        assert_eq!(call(world.pair.agent, "remove_container", json!({"container_id": session})).status, 200);
        if printed == "webhelloweb\n" { Ok(()) } else { Err(printed) }
    });
    killed_and_removed(&world, &id);
}

fn provision_failed(_: &str) {
    let world = World::start();
    let before = world.seen();
    let id = json!({"value": "alone"});
    for (image, words) in [("nothing:1", "nothing:1"), ("UPPER/case", "lowercase")] {
        let answer = call(world.pair.agent, "launch_container", order(&id, image, "true"));
        assert_eq!(answer.status, 400);
        assert!(answer.text().contains(words), "{}", answer.text());
    }
    let mut named = order(&id, "app:1", "true");
    named["container"]["network_infos"] = json!([{"name": "mesos-bridge"}]);
    let answer = call(world.pair.agent, "launch_container", named);
    assert!(answer.status == 400 && answer.text().contains("mesos-bridge"), "{}", answer.text());
    world.nothing_since(&before);
}

/// A registry that says nothing, and the name of an image there.
fn silent() -> (TcpListener, String) {
    let registry = TcpListener::bind("127.0.0.1:0").expect("a port");
    let name = format!("{}/app:1", registry.local_addr().expect("its address"));
    (registry, name)
}

fn destroy_while_provisioning(_: &str) {
    let world = World::of_registries();
    let before = world.seen();
    let (registry, image) = silent();
    let (agent, id) = (world.pair.agent, json!({"value": "alone"}));
    let wanted = order(&id, &image, "true");
    let launching = thread::spawn(move || call(agent, "launch_container", wanted));
    let _pull = registry.accept().expect("a pull");
    assert_eq!(call(agent, "kill_container", json!({"container_id": id})).status, 200);
    let answer = launching.join().expect("an answer");
    assert!(answer.status == 400 && answer.text().contains("over"), "{}", answer.text());
    assert_eq!(call(agent, "wait_container", json!({"container_id": id})).status, 404);
    world.nothing_since(&before);
}

fn killed_during_a_pull(_: &str) {
    let mut world = World::of_registries();
    let before = world.seen();
    let (registry, image) = silent();
    let (agent, id) = (world.pair.agent, json!({"value": "alone"}));
    let wanted = json!({"type": "LAUNCH_CONTAINER", "launch_container": order(&id, &image, "true")});
    let launching = thread::spawn(move || http::send(agent, "POST", "/api/v1", &wanted).map(|answer| answer.status));
    let _pull = registry.accept().expect("a pull");
    world.pair.agent_process().kill();
    assert_eq!(launching.join().expect("no panic"), None);
    world.start_agent();
    assert_eq!(call(agent, "wait_container", json!({"container_id": id})).status, 404, "it was never launched");
    world.nothing_since(&before);
}

/// The things that such a container has when it runs: its directory, a lease, a shim, a first process, its own.
const MOST_THINGS: usize = 5;

fn killed_at_the_start(_: &str) {
    let mut world = World::start();
    let (agent, id) = (world.pair.agent, json!({"value": "alone"}));
    let before = world.seen();
    for things in (1..=MOST_THINGS).cycle().take(2 * MOST_THINGS) {
        let wanted = json!({"type": "LAUNCH_CONTAINER", "launch_container": order(&id, "app:1", "sleep 1000")});
        let launching =
            thread::spawn(move || http::send(agent, "POST", "/api/v1", &wanted).map(|answer| answer.status));
        wait::until("things of the container", START, || (world.since(&before).len() >= things).then_some(()));
        world.pair.agent_process().kill();
        let answered = launching.join().expect("no panic");
        world.start_agent();
        // A child that was being born has the killed agent's port for a moment, and answers nobody.
        let health = json!({"type": "GET_HEALTH"});
        wait::until("an answer of the agent", START, || http::send(agent, "POST", "/api/v1", &health));
        let is_there = shown(&world).contains(&id);
        assert!(is_there || answered != Some(200), "a container that was launched is gone");
        if is_there {
            killed_and_removed(&world, &id);
        }
        assert_eq!(call(agent, "remove_container", json!({"container_id": id})).status, 200);
        world.nothing_since(&before);
    }
}

fn standalone_outlives(_: &str) {
    let mut world = World::start();
    let before = world.seen();
    let id = json!({"value": "alone"});
    launches(&world, order(&id, "app:1", "cat /who; sleep 1000"));
    world.pair.agent_process().kill();
    world.start_agent();
    assert_eq!(shown(&world), std::slice::from_ref(&id));
    let prune = json!({"type": "PRUNE_IMAGES", "prune_images": {}});
    assert_eq!(http::send(world.pair.agent, "POST", "/api/v1", &prune).map(|answer| answer.status), Some(200));
    let again = json!({"value": "again", "parent": id});
    launches(&world, order(&again, "app:1", "test $(cat /who) = app"));
    assert_eq!(waits(&world, &again), json!(0), "its layers are there");
    // Its shim dies with the agent: what is left of it goes, and its images with it.
    world.pair.agent_process().kill();
    for shim in world.processes(|line| line.contains(" shim ")) {
        process::signal(shim, Signal::KILL);
    }
    world.start_agent();
    assert_eq!(waits(&world, &id), Value::Null, "nobody can tell how it ended");
    assert_eq!(call(world.pair.agent, "remove_container", json!({"container_id": id})).status, 200);
    world.nothing_since(&before);
}
