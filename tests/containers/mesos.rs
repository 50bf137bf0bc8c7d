//! Rows of Mesos' own tests of containers, as far as they apply, under their names there.

use std::fs;

use harness::framework::{Framework, filled, launch, with_check, with_health_check};
use harness::registry::Registry;
use serde_json::{Value, json};

use crate::Test;
use crate::world::{World, app, of_image, offered_port, on_a_bridge, shell, stdout, with_port};

pub(crate) const TESTS: &[Test] = &[
    ("ProvisionerDockerTest.ROOT_LocalPullerSimpleCommand", local_puller),
    ("ProvisionerDockerTest.ROOT_INTERNET_CURL_SimpleCommand", registry_puller),
    ("ProvisionerDockerTest.ROOT_ImageDigest", digest),
    ("ProvisionerDockerTest.ROOT_DockerDefaultEntryptRegistryPuller", entry_point),
    ("ProvisionerDockerTest.ROOT_DockerDefaultCmdRegistryPuller", default_command),
    ("ProvisionerDockerTest.ROOT_CommandTaskUser", user),
    ("ProvisionerDockerTest.ROOT_INTERNET_CURL_ImageNotExist", missing_image),
    ("EnvironmentSecretIsolatorTest.ImageEnvironment", environment),
    ("LinuxFilesystemIsolatorTest.ROOT_ChangeRootFilesystem", root_filesystem),
    ("LinuxFilesystemIsolatorTest.ROOT_WriteSandbox", write_sandbox),
    ("VolumeHostPathIsolatorTest.ROOT_VolumeFromHost", host_volume),
    ("VolumeHostPathIsolatorTest.ROOT_ReadOnlyVolumeFromHost", read_only_volume),
    ("VolumeHostPathIsolatorTest.ROOT_MountPointInSandboxNoRootfs", sandbox_volume),
    ("LinuxDevicesIsolatorTest.ROOT_PopulateWhitelistedDevices", devices),
    ("NamespacesIsolatorTest.ROOT_PidNamespace", pid_namespace),
    ("HealthCheckTest.ROOT_HealthyTaskWithContainerImage", command_health),
    ("HealthCheckTest.ROOT_INTERNET_CURL_HealthyTaskViaHTTPWithContainerImage", http_health),
    ("HealthCheckTest.ROOT_INTERNET_CURL_HealthyTaskViaTCPWithContainerImage", tcp_health),
    ("CheckTest.CommandCheckInContainer", check),
    ("CommandExecutorCheckTest.HTTPCheckDelivered", http_check),
    ("CommandExecutorCheckTest.TCPCheckDelivered", tcp_check),
    ("DefaultExecutorTest.ROOT_ContainerImageForTaskGroup", group_of_two_images),
    ("DefaultExecutorTest.ROOT_SandboxVolumeShared", shared_volume),
    ("PortMappingIsolatorTest.ROOT_ContainerBridgeToHost", bridge),
];

/// Runs a line of shell in a container; it has to succeed.
#[track_caller]
fn succeeds(world: &World, id: &str, image: &str, script: &str) {
    finishes(world, id, shell(id, image, script));
}

#[track_caller]
fn finishes(world: &World, id: &str, task: Value) {
    let before = world.seen();
    world.framework.launch(task);
    let status = world.last(id);
    assert_eq!(status["state"], "TASK_FINISHED", "{status}: {}", stdout(world, id));
    world.nothing_since(&before);
}

fn local_puller(_: &str) {
    succeeds(&World::start(), "t", "app:1", "test $(cat /who) = app");
}

fn registry_puller(test: &str) {
    let Some(registry) = Registry::start(test) else { return };
    registry.push("cygnet/app", "1", &app());
    let (world, image) = (World::of_registries(), registry.image("cygnet/app:1"));
    succeeds(&world, "t", &image, "test $(cat /who) = app");
    // The next one finds it in the store.
    drop(registry);
    succeeds(&world, "u", &image, "test $(cat /who) = app");
}

fn digest(test: &str) {
    let Some(registry) = Registry::start(test) else { return };
    registry.push("app", "1", &app());
    let name = format!("{}@{}", registry.image("app"), harness::images::digest(&app().manifest()));
    succeeds(&World::of_registries(), "t", &name, "test $(cat /who) = app");
}

fn entry_point(_: &str) {
    let world = World::start();
    finishes(&world, "t", of_image("t", "point:1"));
    assert!(stdout(&world, "t").contains("from image"), "{}", stdout(&world, "t"));
    let mut task = of_image("u", "point:1");
    task["command"]["arguments"] = json!(["echo", "the", "task"]);
    finishes(&world, "u", task);
    assert!(stdout(&world, "u").contains("from the task") || stdout(&world, "u").contains("from echo the task"));
}

fn default_command(_: &str) {
    let world = World::start();
    let before = world.seen();
    world.run(of_image("t", "web:1"));
    world.framework.kill("t");
    assert_eq!(world.last("t")["state"], "TASK_KILLED");
    world.nothing_since(&before);
}

/// Mesos ignores the image's user; here it is honoured.
fn user(_: &str) {
    let world = World::start();
    succeeds(&world, "t", "user:1", "test $(id -u) = 1000 && test $(pwd) = /tmp && echo > /mnt/mesos/sandbox/mine");
}

fn missing_image(test: &str) {
    let world = World::start();
    let before = world.seen();
    fails_for(&world, "t", "nowhere:1");
    world.nothing_since(&before);
    let Some(registry) = Registry::start(test) else { return };
    fails_for(&World::of_registries(), "t", &registry.image("nowhere:1"));
}

/// A task of this image fails, and its message names the image.
#[track_caller]
fn fails_for(world: &World, id: &str, image: &str) {
    world.framework.launch(shell(id, image, "exit 0"));
    let status = world.last(id);
    assert_eq!(status["state"], "TASK_FAILED", "{status}");
    assert!(status["message"].as_str().expect("a message").contains("nowhere"), "{status}");
}

fn environment(_: &str) {
    let world = World::start();
    succeeds(&world, "t", "web:1", "test $PLACE = web");
    let mut task = shell("u", "web:1", "test $PLACE = task && test $MESOS_SANDBOX = /mnt/mesos/sandbox");
    task["command"]["environment"] = json!({"variables": [{"name": "PLACE", "value": "task"}]});
    finishes(&world, "u", task);
}

fn root_filesystem(_: &str) {
    let world = World::start();
    // What one changes, another does not see.
    succeeds(&world, "t", "app:1", "echo changed > /who && test ! -e /usr/lib/os-release");
    succeeds(&world, "u", "app:1", "test $(cat /who) = app");
}

fn write_sandbox(_: &str) {
    let world = World::start();
    succeeds(&world, "t", "app:1", "echo said; test -e /mnt/mesos/sandbox/stdout");
    assert!(stdout(&world, "t").contains("said"));
}

/// A task with a volume of this directory at `/there`.
fn with_volume(id: &str, host_path: &str, mode: &str, script: &str) -> Value {
    let mut task = shell(id, "app:1", script);
    task["container"]["volumes"] = json!([{"container_path": "/there", "host_path": host_path, "mode": mode}]);
    task
}

fn host_volume(_: &str) {
    let (world, directory) = (World::start(), tempfile::tempdir().expect("a directory"));
    fs::write(directory.path().join("from"), "host").expect("a file");
    let path = directory.path().to_str().expect("a path of text");
    finishes(
        &world,
        "t",
        with_volume("t", path, "RW", "test $(cat /there/from) = host && echo container > /there/back"),
    );
    assert_eq!(fs::read_to_string(directory.path().join("back")).expect("a file"), "container\n");
}

fn read_only_volume(_: &str) {
    let (world, directory) = (World::start(), tempfile::tempdir().expect("a directory"));
    let path = directory.path().to_str().expect("a path of text");
    finishes(&world, "t", with_volume("t", path, "RO", "test -d /there && ! touch /there/back"));
}

fn sandbox_volume(_: &str) {
    finishes(
        &World::start(),
        "t",
        with_volume("t", "kept", "RW", "touch /there/a && test -e /mnt/mesos/sandbox/kept/a"),
    );
}

fn devices(_: &str) {
    let script = "echo > /dev/null && head -c 1 /dev/urandom > /dev/null && test ! -e /dev/sda && test ! -e /dev/kmsg && \
                  test -d /dev/shm && test -c /dev/full";
    succeeds(&World::start(), "t", "app:1", script);
}

fn pid_namespace(_: &str) {
    succeeds(&World::start(), "t", "app:1", "test $(ls /proc | grep -c '^[0-9]') -lt 10");
}

/// Runs a task with this check until it is healthy, and kills it.
#[track_caller]
fn becomes_healthy(task: Value, check: Value) {
    let world = World::start();
    let before = world.seen();
    let mut task = with_health_check(task, check);
    task["health_check"]["grace_period_seconds"] = json!(20.0);
    world.run(task);
    let status = world.framework.expect("TASK_RUNNING");
    assert_eq!(status["healthy"], true, "{status}");
    world.framework.kill("t");
    assert_eq!(world.last("t")["state"], "TASK_KILLED");
    world.nothing_since(&before);
}

fn command_health(_: &str) {
    // Only in the container is there such a file.
    becomes_healthy(of_image("t", "web:1"), json!({"type": "COMMAND", "command": {"value": "test $(cat /who) = web"}}));
}

fn http_health(_: &str) {
    let check = json!({"type": "HTTP", "http": {"port": 80, "path": "/", "scheme": "http"}});
    becomes_healthy(on_a_bridge(of_image("t", "web:1")), check);
}

fn tcp_health(_: &str) {
    becomes_healthy(on_a_bridge(of_image("t", "web:1")), json!({"type": "TCP", "tcp": {"port": 80}}));
}

fn check(_: &str) {
    let world = World::start();
    let command = json!({"type": "COMMAND", "command": {"command": {"value": "exit $(cat /who | wc -c)"}}});
    world.run(with_check(of_image("t", "web:1"), command));
    let status = world.framework.expect_reason("REASON_TASK_CHECK_STATUS_UPDATED");
    assert_eq!(status["check_status"]["command"]["exit_code"], 3, "{status}");
}

fn http_check(_: &str) {
    let check = json!({"type": "HTTP", "http": {"port": 80, "path": "/"}});
    is_checked(check, "/check_status/http/status_code", &json!(200));
}

fn tcp_check(_: &str) {
    is_checked(json!({"type": "TCP", "tcp": {"port": 80}}), "/check_status/tcp/succeeded", &json!(true));
}

/// Runs a server on a bridge, where only its own container can reach it by loopback, until its check says so.
#[track_caller]
fn is_checked(check: Value, place: &str, expected: &Value) {
    let world = World::start();
    world.run(with_check(on_a_bridge(of_image("t", "web:1")), check));
    // It may be asked before it listens, which is told, too.
    let told = || world.framework.expect_reason("REASON_TASK_CHECK_STATUS_UPDATED");
    while told().pointer(place) != Some(expected) {}
}

fn group_of_two_images(_: &str) {
    let world = World::start();
    let before = world.seen();
    let tasks = [shell("a", "app:1", "test $(cat /who) = app"), shell("b", "web:1", "test $(cat /who) = web")];
    world.framework.launch_group("group", tasks);
    finish(&world.framework, 2);
    world.nothing_since(&before);
}

/// So many tasks are to finish, in whichever order.
#[track_caller]
fn finish(framework: &Framework, tasks: usize) {
    let mut finished = 0;
    while finished < tasks {
        let status = framework.update();
        let state = status["state"].as_str().expect("a state");
        assert!(["TASK_STAGING", "TASK_STARTING", "TASK_RUNNING", "TASK_FINISHED"].contains(&state), "{status}");
        finished += usize::from(state == "TASK_FINISHED");
    }
}

fn shared_volume(_: &str) {
    let world = World::start();
    let source = json!({"type": "SANDBOX_PATH", "sandbox_path": {"type": "PARENT", "path": "shared"}});
    let volume = json!([{"container_path": "/shared", "mode": "RW", "source": source}]);
    let with_volume = |mut task: Value| {
        task["container"]["volumes"] = volume.clone();
        task
    };
    let write = with_volume(shell("a", "app:1", "echo word > /shared/new && mv /shared/new /shared/word"));
    let read = with_volume(shell("b", "web:1", "until test -e /shared/word; do sleep 0.1; done"));
    world.framework.launch_group("group", [write, read]);
    finish(&world.framework, 2);
}

fn bridge(_: &str) {
    let world = World::start();
    let before = world.seen();
    let mut port = 0;
    world.framework.operate(|offer| {
        port = offered_port(offer);
        vec![launch([filled(with_port(of_image("t", "web:1"), port), offer)])]
    });
    let status = world.running();
    let address = status["container_status"]["network_infos"][0]["ip_addresses"][0]["ip_address"].as_str();
    assert!(address.is_some_and(|address| address.starts_with("10.")), "{status}");
    let server = std::net::SocketAddr::from(([127, 0, 0, 1], u16::try_from(port).expect("a port")));
    let text = harness::wait::until("an answer", harness::cluster::START, || harness::http::get(server, "/"));
    assert_eq!(text.text(), "hello");
    world.framework.kill("t");
    assert_eq!(world.last("t")["state"], "TASK_KILLED");
    world.nothing_since(&before);
}
