//! Tasks in containers: what they find there, how they are checked, and how they end.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use containers::provision::{Provision, ProvisionedNetwork};
use mesos::v1::TaskState::{TaskFailed, TaskFinished, TaskKilled, TaskRunning};
use mesos::v1::{CheckInfo, CommandInfo, Label, Labels, TaskInfo, TaskStatus, check_info};
use serde_json::json;

use crate::definitions::{check, check_by, environment, exit_code, health, quiet_check, shell};
use crate::images::{as_the_image_says, can_be_had, image, inside, provide, with_image, world};
use crate::process::{is_gone, kill_hard};
use crate::wait::until;
use crate::world::World;

/// The lines that a task has written in the end.
async fn printed(world: &World, task: &str) -> Vec<String> {
    let updates =
        world.updates_until(task, |all| all.last().is_some_and(|last| mesos::states::is_terminal(last.state())));
    let last = updates.await.pop().unwrap();
    let errors = world.read(task, "stderr");
    assert_eq!(last.state(), TaskFinished, "{}: {errors}", last.message());
    world.read(task, "stdout").lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn a_task_finds_what_its_image_and_its_agent_say() {
    if !can_be_had("a_task_finds_what_its_image_and_its_agent_say") {
        return;
    }
    let world = world().await;
    let config = json!({"User": "app", "WorkingDir": "/srv/data", "Env": ["PATH=/bin:/opt", "A=image", "B=image"],
        "Entrypoint": ["/bin/false"]});
    let image = Some(image(&world, &config, &[("srv/hello", "hello\n")]));
    provide(&world, "a", "a", &Provision { image, ..Provision::default() });
    let script = "id -u; id -g; id -G; pwd; echo $A $B $PATH $HOME $MESOS_SANDBOX $MESOS_EXECUTOR_ID; cat /srv/hello; \
                  grep -c . /etc/hosts; touch $MESOS_SANDBOX/mine; stat -c %u $MESOS_SANDBOX; cat /proc/1/comm; \
                  grep -E '^(CapEff|CapBnd|Seccomp|NoNewPrivs):' /proc/self/status; cat /proc/self/mountinfo | wc -l; umask";
    let mut task = inside("a", script);
    task.command.as_mut().unwrap().environment = Some(environment(&[("B", "task")]));
    world.run(task).await;
    let mut lines = printed(&world, "a").await;
    let mounts: usize = lines.remove(lines.len() - 2).parse().unwrap();
    assert!(mounts > 20, "{mounts}");
    let hosts = fs::read_to_string("/etc/hosts").unwrap().lines().filter(|line| !line.is_empty()).count();
    let expected = [
        "1000",
        "1000",
        "1000 2000",
        "/srv/data",
        "image task /bin:/opt /home/app /mnt/mesos/sandbox a",
        "hello",
        &hosts.to_string(),
        "1000",
        "pause",
        "CapEff:\t0000000000000000",
        "CapBnd:\t00000000a80425fb",
        "NoNewPrivs:\t0",
        "Seccomp:\t2",
        "0022",
    ];
    assert_eq!(lines, expected);
    assert!(world.file("a", "mine").exists());
    assert_eq!(world.ended("a").await, 0);
    assert!(!world.state("a").join("changes/upper").exists(), "what it changed goes with it");
}

#[tokio::test]
async fn the_user_is_the_tasks_else_the_images() {
    if !can_be_had("the_user_is_the_tasks_else_the_images") {
        return;
    }
    let world = world().await;
    // Of the host, of the image, by number, and somebody whom the image alone knows.
    for (name, user, of_image, wanted) in [
        ("a", Some("nobody"), "app", "65534"),
        ("b", Some("app"), "0", "1000"),
        ("c", None, "1234:77", "1234"),
        ("d", None, "", "0"),
    ] {
        with_image(&world, name, &json!({"User": of_image}));
        let mut task = inside(name, "id -u");
        task.command.as_mut().unwrap().user = user.map(str::to_owned);
        world.run(task).await;
        assert_eq!(printed(&world, name).await, [wanted], "{name}");
    }
}

#[tokio::test]
async fn the_user_of_an_image_can_use_what_the_agent_has_fetched() {
    if !can_be_had("the_user_of_an_image_can_use_what_the_agent_has_fetched") {
        return;
    }
    let world = world().await;
    with_image(&world, "a", &json!({"User": "1000"}));
    let unpacked = world.sandbox("a").join("unpacked");
    fs::create_dir_all(&unpacked).unwrap();
    fs::write(unpacked.join("data"), "fetched\n").unwrap();
    for (path, mode) in [(&unpacked, 0o700), (&unpacked.join("data"), 0o600)] {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }
    let script = "cd $MESOS_SANDBOX/unpacked && cat data && echo more >> data && tail -n 1 data";
    world.run(inside("a", script)).await;
    assert_eq!(printed(&world, "a").await, ["fetched", "more"]);
}

#[tokio::test]
async fn what_runs_is_what_the_image_says_if_the_task_says_nothing() {
    if !can_be_had("what_runs_is_what_the_image_says_if_the_task_says_nothing") {
        return;
    }
    let world = world().await;
    let config = json!({"Entrypoint": ["/bin/echo", "entry"], "Cmd": ["cmd"]});
    for (name, arguments, wanted) in [("a", [].as_slice(), "entry cmd"), ("b", &["x", "y"], "entry x y")] {
        with_image(&world, name, &config);
        world.run(as_the_image_says(name, arguments)).await;
        assert_eq!(printed(&world, name).await, [wanted]);
    }
    with_image(&world, "c", &json!({}));
    world.run(as_the_image_says("c", &[])).await;
    assert_eq!(world.said("c", TaskFailed).await, "No executable is found");
}

#[tokio::test]
async fn the_status_is_exact() {
    if !can_be_had("the_status_is_exact") {
        return;
    }
    let world = world().await;
    for (name, script, message) in [
        ("a", "exit 37", "Command exited with status 37"),
        ("b", "kill -9 $$", "Command terminated with signal Killed"),
    ] {
        with_image(&world, name, &json!({}));
        world.run(inside(name, script)).await;
        assert_eq!(world.said(name, TaskFailed).await, message);
    }
    // It is not the first process: a signal that it does not handle ends it.
    with_image(&world, "c", &json!({}));
    world.run(inside("c", "exec sleep 1000")).await;
    world.reached("c", TaskRunning).await;
    let updates = world.end("c").await;
    assert!(updates.last().unwrap().message().contains("Terminated"), "{updates:?}");
    // Unless it wants to be.
    with_image(&world, "d", &json!({}));
    let label = Label { key: "cygnet.init".to_owned(), value: Some("false".to_owned()) };
    world.run(TaskInfo { labels: Some(Labels { labels: vec![label] }), ..inside("d", "echo $$") }).await;
    assert_eq!(printed(&world, "d").await, ["1"]);
}

#[tokio::test]
async fn what_cannot_be_had_is_said() {
    if !can_be_had("what_cannot_be_had_is_said") {
        return;
    }
    let world = world().await;
    world.run(inside("a", "true")).await;
    assert_eq!(world.said("a", TaskFailed).await, "Container images are not supported by this executor");
    with_image(&world, "b", &json!({"User": "nobody-there"}));
    world.run(inside("b", "true")).await;
    assert_eq!(world.said("b", TaskFailed).await, "The image has no user 'nobody-there'");
    let mut lost = image(&world, &json!({}), &[]);
    lost.layers.push("/no/such/layer".into());
    provide(&world, "c", "c", &Provision { image: Some(lost), ..Provision::default() });
    world.run(inside("c", "true")).await;
    assert!(world.said("c", TaskFailed).await.contains("No such file"));
    with_image(&world, "d", &json!({}));
    let command = CommandInfo { shell: Some(false), ..shell("/no/such/program") };
    world.run(TaskInfo { command: Some(command), ..inside("d", "") }).await;
    let message = world.said("d", TaskFailed).await;
    assert!(message.contains("/no/such/program"), "{message}");
    fs::create_dir_all(world.state("e").join("provisions")).unwrap();
    world.environment("e");
    fs::write(world.state("e").join("provisions/e.json"), "{").unwrap();
    world.run(inside("e", "true")).await;
    assert!(world.said("e", TaskFailed).await.starts_with("Cannot read what the agent made ready"));
}

/// A server in a network of the container's own, which nobody reaches from outside.
fn served(world: &World, name: &str, network: &Network) -> TaskInfo {
    let image = Some(image(world, &json!({"User": "app"}), &[("srv/www/index.html", "hello")]));
    let network = Some(network.provisioned());
    provide(world, name, name, &Provision { image, network, ..Provision::default() });
    inside(name, "exec httpd -f -p 8080 -h /srv/www")
}

/// A network namespace, held by its name.
struct Network {
    name: String,
}

impl Network {
    fn new(world: &World) -> Network {
        let name = format!("cygnet-spec-{}-{}", std::process::id(), world.address.port());
        let run = |arguments: &[&str]| {
            let status = std::process::Command::new("ip").args(arguments).status();
            assert!(status.unwrap().success());
        };
        run(&["netns", "add", &name]);
        run(&["-n", &name, "link", "set", "lo", "up"]);
        Network { name }
    }

    fn provisioned(&self) -> ProvisionedNetwork {
        ProvisionedNetwork {
            namespace: format!("/run/netns/{}", self.name).into(),
            networks: Vec::new(),
            hostname: "web".to_owned(),
            hosts: "127.0.0.1 localhost web\n".to_owned(),
            dns: containers::network::files::Dns { nameservers: vec!["192.0.2.53".to_owned()], ..Default::default() },
        }
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let _gone = std::process::Command::new("ip").args(["netns", "del", &self.name]).status();
    }
}

#[tokio::test]
async fn a_task_is_in_the_network_that_is_ready_for_it() {
    if !can_be_had("a_task_is_in_the_network_that_is_ready_for_it") {
        return;
    }
    let world = world().await;
    let network = Network::new(&world);
    let look = "hostname; cat /etc/hostname /etc/hosts /etc/resolv.conf; echo $LIBPROCESS_IP; grep -c : /proc/net/dev";
    let expected = ["web", "web", "127.0.0.1 localhost web", "nameserver 192.0.2.53"];
    served(&world, "a", &network);
    world.run(inside("a", look)).await;
    assert_eq!(printed(&world, "a").await, [&expected[..], &["0.0.0.0", "1"]].concat());
    // The same without an image.
    let provision = Provision { network: Some(network.provisioned()), ..Provision::default() };
    provide(&world, "b", "b", &provision);
    let bare =
        TaskInfo { container: None, ..inside("b", "hostname; cat /etc/hostname /etc/hosts /etc/resolv.conf; pwd") };
    world.run(bare).await;
    let sandbox = world.sandbox("b").display().to_string();
    assert_eq!(printed(&world, "b").await, [&expected[..], &[&sandbox]].concat());
}

#[tokio::test]
async fn every_kind_of_check_works_inside_and_goes_on_after_a_restart() {
    if !can_be_had("every_kind_of_check_works_inside_and_goes_on_after_a_restart") {
        return;
    }
    let world = world().await;
    let network = Network::new(&world);
    let http = check_info::Http { port: 8080, path: Some("/index.html".to_owned()), ..check_info::Http::default() };
    let http = CheckInfo { http: Some(http), ..check(check_info::Type::Http) };
    let tcp = check_info::Tcp { port: 8080, ..check_info::Tcp::default() };
    let tcp = CheckInfo { tcp: Some(tcp), ..check(check_info::Type::Tcp) };
    let seen = "test $(id -u) = 1000 && test $(hostname) = web && test $(cat /proc/1/comm) = pause && \
                grep -q 'CapBnd.*00000000a80425fb' /proc/self/status && grep -q 'Seccomp:.*2' /proc/self/status && \
                test $PWD = /mnt/mesos/sandbox && test -f /srv/www/index.html && test $MESOS_SANDBOX = $PWD && exit 7";
    let is_well = |wanted: &'static str| {
        move |all: &[TaskStatus]| {
            let status = all.last().and_then(|last| last.check_status).unwrap_or_default();
            match wanted {
                "http" => status.http.is_some_and(|http| http.status_code == Some(200)),
                "tcp" => status.tcp.is_some_and(|tcp| tcp.succeeded == Some(true)),
                _ => all.last().is_some_and(|last| exit_code(last) == Some(7)),
            }
        }
    };
    for (name, check) in [("http", http), ("tcp", tcp), ("command", check_by(shell(seen)).unwrap())] {
        let health_check = Some(health("test -e well && test $(id -u) = 1000", 1000));
        let task = served(&world, name, &network);
        world.run(TaskInfo { check: Some(check), health_check, ..task }).await;
        world.updates_until(name, is_well(name)).await;
        world.becomes(name, false).await;
        world.succeed(name).await;
        world.touch(name, "well");
        world.becomes(name, true).await;
        assert!(is_well(name)(&world.updates(name).await), "the other check has not failed");
        world.end(name).await;
    }
}

#[tokio::test]
async fn whoever_is_killed_nothing_is_left() {
    if !can_be_had("whoever_is_killed_nothing_is_left") {
        return;
    }
    let world = world().await;
    with_image(&world, "a", &json!({}));
    world.run(inside("a", "(setsid sleep 1000 &); echo x > /changed; exec sleep 1000")).await;
    world.reached("a", TaskRunning).await;
    let (shim, task) = world.pids("a").await;
    assert!(!mounts().contains(&world.directory().display().to_string()), "no mount is seen outside");
    kill_hard(shim);
    is_gone(task).await;
    world.said("a", TaskFailed).await;
    assert_eq!(world.ended("a").await, 0);
    // With the executor, and nobody to tell.
    with_image(&world, "b", &json!({}));
    world.run(TaskInfo { health_check: Some(quiet_check()), ..inside("b", "exec sleep 1000") }).await;
    world.becomes("b", true).await;
    let (shim, task) = world.pids("b").await;
    world.kill_executor("b").await;
    kill_hard(shim);
    is_gone(task).await;
    world.forget_stream("b").await;
    world.start("b");
    world.said("b", TaskFailed).await;
    assert_eq!(world.ended("b").await, 0);
    let left = || world.processes().into_iter().filter(|pid| *pid != own_pid()).collect::<Vec<_>>();
    until("an end of all processes", async || left().is_empty().then_some(())).await;
    assert!(!mounts().contains(&world.directory().display().to_string()));
}

fn own_pid() -> i32 {
    i32::try_from(std::process::id()).unwrap()
}

fn mounts() -> String {
    fs::read_to_string("/proc/self/mountinfo").unwrap()
}

#[tokio::test]
async fn a_task_is_asked_to_end_by_the_signal_of_its_image() {
    if !can_be_had("a_task_is_asked_to_end_by_the_signal_of_its_image") {
        return;
    }
    let world = world().await;
    let script = "trap 'echo asked; exit 0' USR1; trap 'echo term; exit 0' TERM; touch $MESOS_SANDBOX/ready; while :; do sleep 0.1; done";
    for (name, config, word) in [
        ("a", json!({"StopSignal": "SIGUSR1"}), "asked\n"),
        ("b", json!({}), "term\n"),
        ("c", json!({"StopSignal": "nonsense"}), "term\n"),
    ] {
        with_image(&world, name, &config);
        world.run(inside(name, script)).await;
        until("its word", async || world.file(name, "ready").exists().then_some(())).await;
        world.kill(name, Some(60_000)).await;
        world.reached(name, TaskKilled).await;
        assert_eq!(world.read(name, "stdout"), word, "{name}");
    }
}
