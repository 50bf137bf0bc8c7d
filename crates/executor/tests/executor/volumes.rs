//! Volumes and secrets, of tasks with an image and without one.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use containers::provision::{Provision, Settings};
use mesos::v1::TaskState::{TaskFailed, TaskFinished, TaskKilled, TaskRunning};
use mesos::v1::container_info::Type as Containerizer;
use mesos::v1::environment::{Variable, variable};
use mesos::v1::secret::{Reference, Type as SecretType, Value};
use mesos::v1::volume::source::sandbox_path::Type as Whose;
use mesos::v1::volume::source::{DockerVolume, HostPath, SandboxPath, Type};
use mesos::v1::volume::{Mode, Source};
use mesos::v1::{
    ContainerInfo, Environment, Image, MountPropagation, Parameter, Parameters, Secret, TaskInfo, Volume, image,
    mount_propagation,
};
use serde_json::json;

use crate::agent::task;
use crate::definitions::{health, with_health};
use crate::images::{can_be_had, image, inside, provide, with_image, world};
use crate::world::World;

fn volume(to: &str, mode: Mode) -> Volume {
    Volume { mode: mode.into(), container_path: to.to_owned(), ..Volume::default() }
}

fn from(source: Source, to: &str, mode: Mode) -> Volume {
    Volume { source: Some(source), ..volume(to, mode) }
}

fn of_host(path: &Path, to: &str, mode: Mode) -> Volume {
    let host_path = Some(HostPath { path: path.display().to_string(), mount_propagation: None });
    from(Source { r#type: Some(Type::HostPath.into()), host_path, ..Source::default() }, to, mode)
}

fn of_sandbox(whose: Whose, path: &str, to: &str, mode: Mode) -> Volume {
    let sandbox_path = Some(SandboxPath { r#type: Some(whose.into()), path: path.to_owned() });
    from(Source { r#type: Some(Type::SandboxPath.into()), sandbox_path, ..Source::default() }, to, mode)
}

fn referring(name: &str) -> Secret {
    let reference = Some(Reference { name: name.to_owned(), key: None });
    Secret { r#type: Some(SecretType::Reference.into()), reference, value: None }
}

fn holding(data: &[u8]) -> Secret {
    Secret { r#type: Some(SecretType::Value.into()), reference: None, value: Some(Value { data: data.to_owned() }) }
}

fn secret(secret: Secret, to: &str) -> Volume {
    from(Source { r#type: Some(Type::Secret.into()), secret: Some(secret), ..Source::default() }, to, Mode::Ro)
}

fn in_memory(to: &str, size: &str) -> Volume {
    let parameter = vec![Parameter { key: "size".to_owned(), value: size.to_owned() }];
    let driver_options = Some(Parameters { parameter });
    let docker_volume =
        Some(DockerVolume { driver: Some("tmpfs".to_owned()), name: "memory".to_owned(), driver_options });
    from(Source { r#type: Some(Type::DockerVolume.into()), docker_volume, ..Source::default() }, to, Mode::Rw)
}

pub(crate) fn of_image(name: &str, to: &str) -> Volume {
    let docker = Some(image::Docker { name: name.to_owned(), ..image::Docker::default() });
    let image = Some(Image { r#type: image::Type::Docker.into(), docker, ..Image::default() });
    Volume { image, ..volume(to, Mode::Ro) }
}

pub(crate) fn with(task: TaskInfo, volumes: Vec<Volume>) -> TaskInfo {
    let bare = ContainerInfo { r#type: Containerizer::Mesos.into(), ..ContainerInfo::default() };
    let container = task.container.clone().unwrap_or(bare);
    TaskInfo { container: Some(ContainerInfo { volumes, ..container }), ..task }
}

/// The operator's settings, with a directory of secrets.
fn settings(world: &World) -> Settings {
    let secrets = world.directory().join("secrets");
    fs::create_dir_all(secrets.join("app")).unwrap();
    fs::write(secrets.join("app/password"), "hunter2\n").unwrap();
    Settings { secrets_directory: Some(secrets), ..Settings::default() }
}

/// A directory of the host with a file in it.
fn shared(world: &World) -> std::path::PathBuf {
    let path = world.directory().join("shared");
    fs::create_dir_all(&path).unwrap();
    fs::write(path.join("file"), "host\n").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o777)).unwrap();
    path
}

async fn printed(world: &World, task: &str) -> String {
    let all = world.updates_until(task, |all| all.last().is_some_and(|last| mesos::states::is_terminal(last.state())));
    let last = all.await.pop().unwrap();
    assert_eq!(last.state(), TaskFinished, "{}: {}", last.message(), world.read(task, "stderr"));
    world.read(task, "stdout")
}

#[tokio::test]
async fn a_task_with_an_image_has_volumes_of_every_kind() {
    if !can_be_had("a_task_with_an_image_has_volumes_of_every_kind") {
        return;
    }
    let world = world().await;
    let settings = settings(&world);
    let data = image(&world, &json!({}), &[("data/words", "layered\n")]);
    let provision = Provision {
        image: Some(image(&world, &json!({"User": "app"}), &[])),
        volume_images: [("data:1".to_owned(), data)].into(),
        settings,
        ..Provision::default()
    };
    provide(&world, "a", "a", &provision);
    let shared = shared(&world);
    let script = "cat /host/file /ro/file /image/data/words /image/etc/passwd | head -4; echo x >/ro/file || echo read-only; \
                  echo x >/image/y || echo read-only; touch /host/new; touch own/new; ls /mnt/mesos/sandbox/kept; \
                  cat /secret /said; stat -c '%a %u' /secret; df -k /memory | tail -1 | awk '{print $2}'; touch /memory/x; \
                  touch /same/y; ls /mnt/mesos/sandbox/kept; grep -c ' /secret .*noexec' /proc/self/mountinfo";
    let volumes = vec![
        of_host(&shared, "/host", Mode::Rw),
        of_host(&shared, "/ro", Mode::Ro),
        Volume { host_path: Some("kept".to_owned()), ..volume("own", Mode::Rw) },
        of_sandbox(Whose::Self_, "kept", "/same", Mode::Rw),
        secret(referring("app/password"), "/secret"),
        secret(holding(b"said\n"), "/said"),
        in_memory("/memory", "64k"),
        of_image("data:1", "/image"),
    ];
    world.run(with(inside("a", script), volumes)).await;
    let expected = "host\nhost\nlayered\nroot:x:0:0:root:/root:/bin/sh\nread-only\nread-only\nnew\nhunter2\nsaid\n\
                    400 1000\n64\nnew\ny\n1\n";
    assert_eq!(printed(&world, "a").await, expected);
    assert!(shared.join("new").exists());
    let spec = fs::read_to_string(world.state("a").join("spec.json")).unwrap();
    let said = serde_json::to_string(b"said\n").unwrap();
    assert!(!spec.contains("hunter2") && !spec.contains(&said), "secrets are written nowhere");
}

#[tokio::test]
async fn a_task_with_the_hosts_files_has_them_too_where_there_is_a_place() {
    if !can_be_had("a_task_with_the_hosts_files_has_them_too_where_there_is_a_place") {
        return;
    }
    let world = world().await;
    provide(&world, "a", "a", &Provision { settings: settings(&world), ..Provision::default() });
    let shared = shared(&world);
    let volumes = vec![
        of_host(&shared, "data/deep", Mode::Ro),
        secret(referring("/app/password"), "password"),
        in_memory("/mnt", "64k"),
    ];
    let script =
        "cat data/deep/file password; echo x >data/deep/y || echo read-only; stat -c %a password; touch /mnt/x";
    world.run(with(task("a", script), volumes)).await;
    assert_eq!(printed(&world, "a").await, "host\nhunter2\nread-only\n400\n");
    assert_eq!(world.read("a", "password"), "", "its place is empty");
    world.run(with(task("b", "true"), vec![in_memory("/no/such/place", "64k")])).await;
    let wanted =
        "Mount point '/no/such/place' is an absolute path. It must exist if the container shares the host filesystem";
    assert_eq!(world.said("b", TaskFailed).await, wanted);
}

#[tokio::test]
async fn paths_of_the_host_are_made_only_where_the_operator_says() {
    if !can_be_had("paths_of_the_host_are_made_only_where_the_operator_says") {
        return;
    }
    let world = world().await;
    let (open, closed) = (world.directory().join("open/a/b"), world.directory().join("closed"));
    let settings = Settings { created_host_paths: vec![world.directory().join("open")], ..Settings::default() };
    for name in ["a", "b", "c"] {
        let image = Some(image(&world, &json!({"User": "app"}), &[]));
        provide(&world, name, name, &Provision { image, settings: settings.clone(), ..Provision::default() });
    }
    world.run(with(inside("a", "touch /data/x"), vec![of_host(&open, "/data", Mode::Rw)])).await;
    world.reached("a", TaskFinished).await;
    assert!(open.join("x").exists());
    let around = world.directory().join("open/../closed");
    for (name, path) in [("b", &closed), ("c", &around)] {
        world.run(with(inside(name, "true"), vec![of_host(path, "/data", Mode::Rw)])).await;
        let wanted = format!("Path '{}' in HOST_PATH volume does not exist", path.display());
        let said = world.said(name, TaskFailed).await;
        assert!(said.starts_with(&wanted), "{said}");
    }
    assert!(!closed.exists());
}

#[tokio::test]
async fn a_variable_may_be_a_secret_and_checks_see_it() {
    if !can_be_had("a_variable_may_be_a_secret_and_checks_see_it") {
        return;
    }
    let world = world().await;
    provide(&world, "a", "a", &Provision { settings: settings(&world), ..Provision::default() });
    let variable = |name: &str, secret: Secret| Variable {
        name: name.to_owned(),
        r#type: Some(variable::Type::Secret.into()),
        secret: Some(secret),
        ..Variable::default()
    };
    let mut task = with_health(
        "a",
        "echo $WORD $OPEN; sleep 1000",
        health("test -e well && test $WORD = hunter2 && test $OPEN = said", 1000),
    );
    let variables = vec![variable("WORD", referring("app/password")), variable("OPEN", holding(b"said"))];
    task.command.as_mut().unwrap().environment = Some(Environment { variables });
    world.run(task.clone()).await;
    world.becomes("a", false).await;
    let spec = fs::read_to_string(world.state("a").join("spec.json")).unwrap();
    assert!(spec.contains("MESOS_DIRECTORY") && !spec.contains("hunter2") && !spec.contains("\"OPEN\""));
    world.succeed("a").await;
    world.touch("a", "well");
    world.becomes("a", true).await;
    world.end("a").await;
    assert_eq!(world.read("a", "stdout"), "hunter2 said\n");
    let mut without = TaskInfo { task_id: "b".into(), ..task };
    without.command.as_mut().unwrap().environment.as_mut().unwrap().variables.truncate(1);
    world.run(without).await;
    let wanted = "The secret 'app/password' cannot be found: the agent has no directory of secrets";
    assert_eq!(world.said("b", TaskFailed).await, wanted);
}

#[tokio::test]
async fn tasks_of_a_group_have_an_image_each_and_what_they_share() {
    if !can_be_had("tasks_of_a_group_have_an_image_each_and_what_they_share") {
        return;
    }
    let world = world().await;
    for (name, word) in [("writer", "of-writer\n"), ("reader", "of-reader\n"), ("bare", "")] {
        let image = (name != "bare").then(|| image(&world, &json!({}), &[("word", word)]));
        provide(&world, "e", name, &Provision { image, ..Provision::default() });
    }
    world.start("e");
    let common = |mode| of_sandbox(Whose::Parent, "common", "/common", mode);
    let writer = with(inside("writer", "cp /word /common/word; exec sleep 1000"), vec![common(Mode::Rw)]);
    let script =
        "while ! test -s /common/word; do sleep 0.05; done; cat /common/word /word; touch /common/x || echo read-only";
    let reader = with(inside("reader", script), vec![common(Mode::Ro)]);
    let script = "while ! test -s common/word; do sleep 0.05; done; cat common/word; touch common/x || echo read-only";
    let bare = with(task("bare", script), vec![of_sandbox(Whose::Parent, "common", "common", Mode::Ro)]);
    world.launch_group("e", vec![writer, reader, bare]).await;
    for (name, wanted) in [("reader", "of-writer\nof-reader\nread-only\n"), ("bare", "of-writer\nread-only\n")] {
        world.reached(name, TaskFinished).await;
        assert_eq!(fs::read_to_string(world.sandbox("e").join("tasks").join(name).join("stdout")).unwrap(), wanted);
    }
    let writer = world.reached("writer", TaskRunning).await;
    let container = writer.last().unwrap().container_status.as_ref().unwrap().container_id.clone().unwrap();
    assert_eq!(container.parent.unwrap().value, "container-e");
    let changes = world.member("e", "writer").await.join("changes/upper");
    assert!(changes.exists(), "each has its own place for changes");
    world.end_member("e", "writer").await;
    world.reached("writer", TaskKilled).await;
    assert_eq!(world.ended("e").await, 0);
}

#[tokio::test]
async fn volumes_that_cannot_be_had_are_named() {
    let world = World::new().await;
    let driver = DockerVolume { driver: Some("rexray".to_owned()), name: "v".to_owned(), driver_options: None };
    let docker_volume =
        Source { r#type: Some(Type::DockerVolume.into()), docker_volume: Some(driver), ..Source::default() };
    for (name, volume, wanted) in [
        ("a", volume("data", Mode::Rw), "Invalid volume: Only one of them should be set"),
        ("b", from(docker_volume, "/data", Mode::Rw), "Docker volumes of the driver 'rexray' are not supported"),
        ("c", of_sandbox(Whose::Parent, "x", "x", Mode::Rw), "SANDBOX_PATH volume PARENT type only works for nested"),
        ("d", of_image("data:1", "/x"), "The image 'data:1' of a volume was not made ready"),
    ] {
        world.run(with(task(name, "true"), vec![volume])).await;
        let message = world.said(name, TaskFailed).await;
        assert!(message.contains(wanted), "{message}");
    }
}

/// A file system over a directory, which spreads or does not, while this lives.
struct Mounted(std::path::PathBuf);

impl Mounted {
    fn over(path: &Path, how: &str) -> Mounted {
        fs::create_dir(path).unwrap();
        let mount = |arguments: &[&str]| {
            assert!(Command::new("mount").args(arguments).arg(path).status().unwrap().success(), "{arguments:?}");
        };
        mount(&["-t", "tmpfs", "tmpfs"]);
        let mounted = Mounted(path.to_owned());
        mount(&[how]);
        mounted
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _all = Command::new("umount").args(["-l", "-R"]).arg(&self.0).status();
    }
}

#[tokio::test]
async fn mounts_spread_both_ways_only_where_the_host_shares_them() {
    if !can_be_had("mounts_spread_both_ways_only_where_the_host_shares_them") {
        return;
    }
    let world = world().await;
    let open = Mounted::over(&world.directory().join("open"), "--make-shared");
    let closed = Mounted::over(&world.directory().join("closed"), "--make-private");
    let spreading = |path: &Path, mode: mount_propagation::Mode| {
        let mut volume = of_host(path, "/data", Mode::Rw);
        let host_path = volume.source.as_mut().and_then(|source| source.host_path.as_mut());
        host_path.unwrap().mount_propagation = Some(MountPropagation { mode: Some(mode.into()) });
        volume
    };
    let script = "grep ' /data ' /proc/self/mountinfo | cut -d' ' -f7 | cut -d: -f1";
    for (name, path, mode, tag) in [
        ("a", &open.0, mount_propagation::Mode::Bidirectional, "shared\n"),
        ("b", &open.0, mount_propagation::Mode::HostToContainer, "master\n"),
        ("c", &closed.0, mount_propagation::Mode::HostToContainer, "-\n"),
    ] {
        with_image(&world, name, &json!({}));
        world.run(with(inside(name, script), vec![spreading(path, mode)])).await;
        assert_eq!(printed(&world, name).await, tag, "{name}");
    }
    with_image(&world, "d", &json!({}));
    let both = mount_propagation::Mode::Bidirectional;
    world.run(with(inside("d", script), vec![spreading(&closed.0, both)])).await;
    let wanted = format!(
        "Cannot setup bidirectional mount propagation for host path '{}' because it is not under a shared mount",
        closed.0.display()
    );
    assert_eq!(world.said("d", TaskFailed).await, wanted);
}
