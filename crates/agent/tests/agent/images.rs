//! Tasks with images: pulled or loaded before anybody hears of the task, and let go with it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use agent::{Options, Shutdown};
use containers::provision::Provision;
use harness::images::{Image as Made, Layer};
use harness::registry::Registry;
use mesos::v1::container_info::MesosInfo;
use mesos::v1::cygnet::AgentEvent;
use mesos::v1::cygnet::agent_event::LaunchGroup;
use mesos::v1::executor::event;
use mesos::v1::task_status::Reason;
use mesos::v1::{ContainerInfo, Image, TaskGroupInfo, TaskInfo, TaskState, container_info, image};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

use crate::executor::Executor;
use crate::groups::builtin;
use crate::master::{framework, task};
use crate::wait::until;
use crate::world::World;

/// The task of this name, in a container with this image.
fn with_image(id: &str, name: &str) -> TaskInfo {
    let docker = image::Docker { name: name.to_owned(), ..image::Docker::default() };
    let image = Image { r#type: image::Type::Docker.into(), docker: Some(docker), ..Image::default() };
    let container = ContainerInfo {
        r#type: container_info::Type::Mesos.into(),
        mesos: Some(MesosInfo { image: Some(image) }),
        ..ContainerInfo::default()
    };
    TaskInfo { container: Some(container), ..task(id) }
}

fn made(content: &str) -> Made {
    let layer = harness::archive::Archive::new().directory("etc/").file("etc/motd", content);
    Made::new(vec![Layer::compressed(layer.tar())], &serde_json::json!({"Cmd": ["/bin/app"], "User": "7"}))
}

fn list(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten();
    entries.map(|entry| entry.unwrap().path()).collect()
}

fn store(world: &World) -> PathBuf {
    world.work_dir().join("store/docker")
}

/// Everything in the store that is not a whole image.
fn unfinished(world: &World) -> Vec<PathBuf> {
    unfinished_in(&store(world))
}

fn unfinished_in(store: &Path) -> Vec<PathBuf> {
    let staging = store.join("staging");
    let pulls = staging.join("pulls");
    let mut found = list(&staging);
    found.retain(|path| *path != pulls);
    found.extend(list(&pulls));
    found
}

/// Unpacking locks itself into the layer, which only root can.
fn is_root(test: &str) -> bool {
    let is = rustix::process::geteuid().is_root();
    if !is {
        println!("SKIPPED {test}: needs root");
    }
    is
}

async fn failed(world: &World, task: &str) -> String {
    let status = world.master.expect(task, TaskState::TaskFailed).await;
    assert_eq!(status.reason(), Reason::ContainerLaunchFailed, "{status:?}");
    status.message.unwrap()
}

async fn nothing_is_left(world: &World) {
    world.over().await;
    until("leases to end", async || list(&store(world).join("leases")).is_empty().then_some(())).await;
    until("pulls to end", async || unfinished(world).is_empty().then_some(())).await;
    let states = world.work_dir().join("meta/executors");
    until("states to go", async || list(&states).is_empty().then_some(())).await;
}

#[tokio::test]
async fn an_image_is_loaded_before_the_executor_is_told_and_let_go_with_it() {
    if !is_root("an_image_is_loaded_before_the_executor_is_told_and_let_go_with_it") {
        return;
    }
    let archives = tempfile::tempdir().unwrap();
    made("hello").save(archives.path(), "app:1");
    let from = |options: &mut Options| options.containers.docker_registry = archives.path().display().to_string();
    let mut world = World::with(from).await;
    world.master.launch(with_image("t", "app:1")).await;
    let mut pool = world.pool().await;
    let add = pool.add().await;
    let state = world.work_dir().join("meta/executors").join(&add.container.value);
    let provision = Provision::read(&state, &"t".into()).unwrap().expect("it is there before its executor");
    let image = provision.image.unwrap();
    assert_eq!((image.reference.as_str(), image.config.user.as_str()), ("app:1", "7"));
    assert_eq!(fs::read_to_string(image.layers[0].join("etc/motd")).unwrap(), "hello");
    assert_eq!(list(&store(&world).join("leases")).len(), 1);

    // What a live task has stays, whatever restarts, is lost and whoever prunes.
    fs::remove_file(&list(&store(&world).join("leases"))[0]).unwrap();
    world.restart_with(from).await;
    let mut pool = world.pool().await;
    pool.add().await;
    let prune = mesos::v1::agent::Call::prune_images(mesos::v1::agent::call::PruneImages::default().into());
    let client = mesos::client::Client::new(world.address().to_string(), mesos::Codec::Json);
    until("the agent's recovery", async || client.call("/api/v1", &prune, None).await.ok().map(drop)).await;
    assert!(image.layers[0].is_dir());

    let mut executor = Executor::subscribe(world.address(), "t").await;
    executor.launched().await;
    executor.say("t", TaskState::TaskFinished).await;
    world.master.expect("t", TaskState::TaskFinished).await;
    pool.exited(&add, 0).await;
    nothing_is_left(&world).await;
    client.call("/api/v1", &prune, None).await.unwrap();
    assert!(list(&store(&world).join("layers")).is_empty() && list(&store(&world).join("images")).is_empty());
    world.stop(Shutdown::StopTasks).await;
}

#[tokio::test]
async fn an_image_that_cannot_be_had_fails_its_task_in_words_that_name_it() {
    const TEST: &str = "an_image_that_cannot_be_had_fails_its_task_in_words_that_name_it";
    let Some(registry) = Registry::start(TEST).filter(|_| is_root(TEST)) else { return };
    let world = World::new().await;
    let foreign = Made::on("s390x", made("x").layers, &serde_json::json!({}));
    registry.push("team/foreign", "1", &foreign);
    let mut wrong = made("right");
    registry.push("team/wrong", "1", &wrong);
    // Its configuration says something else than what is in its layer.
    wrong.layers = made("wrong").layers;
    registry.push("team/wrong", "2", &wrong);
    let address = registry.address.to_string();
    let mut cut = made(&"cut ".repeat(10_000));
    let length = cut.layers[0].blob.len();
    cut.layers[0].blob.truncate(length / 2);
    registry.push("team/cut", "1", &cut);
    for (task, name, words) in [
        ("a", registry.image("team/missing:1"), ["there is no such image", &address]),
        ("b", registry.image("team/foreign:1"), ["s390x", "team/foreign:1"]),
        ("c", registry.image("team/wrong:2"), ["digest", "team/wrong:2"]),
        ("f", registry.image("team/cut:1"), ["team/cut:1", "layer"]),
        ("d", "UPPER/case".to_owned(), ["UPPER/case", "lowercase"]),
        ("e", "127.0.0.1:99999/x".to_owned(), ["127.0.0.1:99999", ""]),
    ] {
        world.master.launch(with_image(task, &name)).await;
        let message = failed(&world, task).await;
        assert!(message.starts_with("Failed to launch container: "), "{message}");
        assert!(words.iter().all(|word| message.contains(word)), "{message}");
    }
    nothing_is_left(&world).await;
}

#[tokio::test]
async fn a_pull_tells_how_far_it_is_and_a_kill_gives_it_up() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut world = World::new().await;
    let name = format!("{}/app", silent.local_addr().unwrap());
    world.master.launch(with_image("t", &name)).await;
    let (mut connection, _) = silent.accept().await.unwrap();
    let told = world.master.update("t", TaskState::TaskStaging).await.status;
    let words = format!("Pulling {name}: the registry is asked for the manifest");
    assert_eq!((told.message(), &told.uuid, told.reason), (words.as_str(), &None, None));

    // An agent that ends meanwhile leaves it to the next one.
    world.restart().await;
    until("the end of the first pull", async || (connection.read_buf(&mut Vec::new()).await.ok()? == 0).then_some(()))
        .await;
    let (mut connection, _) = silent.accept().await.unwrap();
    world.master.subscription(2).await;
    world.master.kill("t", None).await;
    let killed = world.master.expect("t", TaskState::TaskKilled).await;
    assert_eq!(killed.reason(), Reason::TaskKilledDuringLaunch);
    until("the end of the pull", async || (connection.read_buf(&mut Vec::new()).await.ok()? == 0).then_some(())).await;
    nothing_is_left(&world).await;
}

#[tokio::test]
async fn a_kill_of_tasks_that_come_later_gives_up_their_pull() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let world = World::new().await;
    group(&world, vec![TaskInfo { executor: None, ..task("a") }]).await;
    let mut pool = world.pool().await;
    pool.add().await;
    let mut executor = Executor::subscribe(world.address(), "default").await;
    executor.expect(event::Type::Subscribed).await;
    executor.expect(event::Type::LaunchGroup).await;
    let name = format!("{}/app", silent.local_addr().unwrap());
    let pulled = ["b", "c"].map(|id| TaskInfo { executor: None, ..with_image(id, &name) });
    group(&world, pulled.to_vec()).await;
    let (mut connection, _) = silent.accept().await.unwrap();
    world.master.kill("b", None).await;
    for task in ["b", "c"] {
        world.master.expect(task, TaskState::TaskKilled).await;
    }
    until("the end of the pull", async || (connection.read_buf(&mut Vec::new()).await.ok()? == 0).then_some(())).await;
    until("pulls to end", async || unfinished(&world).is_empty().then_some(())).await;
}

/// The launch of a group.
async fn group(world: &World, tasks: Vec<TaskInfo>) {
    let launch = LaunchGroup { framework: framework(true), executor: builtin(), task_group: TaskGroupInfo { tasks } };
    world.master.send(AgentEvent::launch_group(launch)).await;
}

#[tokio::test]
async fn tasks_that_come_later_wait_for_their_images_and_fail_alone() {
    if !is_root("tasks_that_come_later_wait_for_their_images_and_fail_alone") {
        return;
    }
    let archives = tempfile::tempdir().unwrap();
    made("hello").save(archives.path(), "app:1");
    let world = World::with(|options| options.containers.docker_registry = archives.path().display().to_string()).await;
    let group = async |tasks: &[(&str, &str)]| {
        let member = |(id, name): &(&str, &str)| TaskInfo { executor: None, ..with_image(id, name) };
        group(&world, tasks.iter().map(member).collect()).await;
    };
    group(&[("a", "app:1"), ("b", "app:1")]).await;
    let mut pool = world.pool().await;
    let add = pool.add().await;
    let mut executor = Executor::subscribe(world.address(), "default").await;
    executor.expect(event::Type::Subscribed).await;
    executor.expect(event::Type::LaunchGroup).await;
    group(&[("c", "app:1"), ("d", "nothing:1")]).await;
    for task in ["c", "d"] {
        let message = failed(&world, task).await;
        assert!(message.contains("nothing:1"), "{message}");
    }
    group(&[("e", "app:1")]).await;
    let launched = executor.expect(event::Type::LaunchGroup).await.launch_group.unwrap();
    assert_eq!(launched.task_group.tasks[0].task_id.value, "e");
    let state = world.work_dir().join("meta/executors").join(&add.container.value);
    let written = |task: &str| Provision::read(&state, &task.into()).unwrap().is_some();
    assert!(["a", "b", "e"].into_iter().all(written));
}

#[tokio::test]
async fn a_layer_that_was_cut_is_named_and_the_whole_one_works_later() {
    if !is_root("a_layer_that_was_cut_is_named_and_the_whole_one_works_later") {
        return;
    }
    let archives = tempfile::tempdir().unwrap();
    let whole = made(&"whole ".repeat(1000));
    let mut cut = whole.clone();
    cut.layers[0].tar.truncate(2000);
    cut.save(archives.path(), "app:1");
    let world = World::with(|options| options.containers.docker_registry = archives.path().display().to_string()).await;
    world.master.launch(with_image("a", "app:1")).await;
    let message = failed(&world, "a").await;
    assert!(message.contains("app:1") && message.contains("layer"), "{message}");
    nothing_is_left(&world).await;
    assert!(list(&store(&world).join("layers")).is_empty());

    whole.save(archives.path(), "app:1");
    world.master.launch(with_image("b", "app:1")).await;
    world.pool().await.add().await;
}

/// A small file system over a directory, while this lives.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(directory: &Path) -> SmallDisk {
        mount(&["-t", "tmpfs", "-o", "size=2m", "tmpfs"], directory);
        SmallDisk(directory.to_owned())
    }

    fn grow(&self) {
        mount(&["-o", "remount,size=64m"], &self.0);
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _unmounted = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn mount(arguments: &[&str], directory: &Path) {
    assert!(Command::new("mount").args(arguments).arg(directory).status().unwrap().success(), "{arguments:?}");
}

#[tokio::test]
async fn a_disk_that_fills_up_in_a_layer_is_named_and_later_there_is_room() {
    if !is_root("a_disk_that_fills_up_in_a_layer_is_named_and_later_there_is_room") {
        return;
    }
    let (archives, directory) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    made(&"large ".repeat(1 << 20)).save(archives.path(), "app:1");
    let disk = SmallDisk::mount(directory.path());
    let world = World::with(|options| {
        options.containers.docker_registry = archives.path().display().to_string();
        options.containers.docker_store_dir = Some(directory.path().to_owned());
    })
    .await;
    world.master.launch(with_image("a", "app:1")).await;
    let message = failed(&world, "a").await;
    assert!(message.contains("app:1") && message.contains("no space left on the disk"), "{message}");
    let left = || [unfinished_in(directory.path()), list(&directory.path().join("layers"))].concat();
    until("everything to go", async || left().is_empty().then_some(())).await;

    disk.grow();
    world.master.launch(with_image("b", "app:1")).await;
    world.pool().await.add().await;
    drop(world);
}
