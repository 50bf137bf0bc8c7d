//! Tasks with images that are copied, as where layers cannot be laid over each other.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;

use containers::copy::Backend;
use containers::provision::{Provision, ProvisionedImage, Settings};
use harness::process::signal;
use mesos::states::is_terminal;
use mesos::v1::TaskState::{TaskFinished, TaskKilled};
use mesos::v1::TaskStatus;
use rustix::process::Signal;
use serde_json::json;

use crate::definitions::health;
use crate::images::{can_be_had, image, inside, provide, world};
use crate::volumes::{of_image, with};
use crate::wait::until;
use crate::world::World;

/// More than is copied in a moment.
const LARGE: u64 = 256 << 20;

fn copied(image: ProvisionedImage) -> Provision {
    let settings = Settings { image_backend: Some(Backend::Copy), ..Settings::default() };
    Provision { image: Some(image), settings, ..Provision::default() }
}

fn changes(world: &World, task: &str) -> PathBuf {
    world.state(task).join("changes")
}

fn is_copied(world: &World, task: &str) -> bool {
    let copies = |entry: &fs::DirEntry| ["root", "volume-0"].iter().any(|name| entry.file_name() == *name);
    fs::read_dir(changes(world, task)).is_ok_and(|entries| entries.map(Result::unwrap).any(|entry| copies(&entry)))
}

async fn last(world: &World, task: &str) -> TaskStatus {
    let is_over = |all: &[TaskStatus]| all.last().is_some_and(|last| is_terminal(last.state()));
    world.updates_until(task, is_over).await.pop().unwrap()
}

#[tokio::test]
async fn a_copied_image_is_the_tasks_own_and_goes_with_it() {
    if !can_be_had("a_copied_image_is_the_tasks_own_and_goes_with_it") {
        return;
    }
    let world = world().await;
    let config = json!({"User": "app", "WorkingDir": "/srv"});
    let image = image(&world, &config, &[("srv/hello", "hello\n"), ("etc/passwd", "app:x:1000:1000::/srv:/bin/sh\n")]);
    let top = image.layers[1].clone();
    fs::set_permissions(top.join("srv/hello"), fs::Permissions::from_mode(0o666)).unwrap();
    let mut provision = copied(image.clone());
    provision.volume_images = [("data:1".to_owned(), image)].into();
    // A process before this one was killed in the middle.
    world.environment("a");
    fs::create_dir_all(changes(&world, "a").join("root/srv/rest")).unwrap();
    provide(&world, "a", "a", &provision);
    let script = "id -u; cat hello; ls; echo mine > hello; cat hello /data/srv/hello; ls -ld / | cut -c 1-10; \
                  echo x > /data/srv/hello || echo read-only; while [ ! -e $MESOS_SANDBOX/go ]; do sleep 0.05; done";
    let mut task = with(inside("a", script), vec![of_image("data:1", "/data")]);
    task.health_check = Some(health("grep -q mine /srv/hello", 3));
    world.run(task).await;
    world.becomes("a", true).await;
    assert!(changes(&world, "a").join("root/srv/hello").exists());
    world.succeed("a").await;
    world.touch("a", "go");
    assert_eq!(last(&world, "a").await.state(), TaskFinished, "{}", world.read("a", "stderr"));
    let lines: Vec<String> = world.read("a", "stdout").lines().map(str::to_owned).collect();
    assert_eq!(lines, ["1000", "hello", "hello", "mine", "hello", "drwxr-xr-x", "read-only"]);
    assert_eq!(world.ended("a").await, 0);
    assert!(!is_copied(&world, "a"));
    assert_eq!(fs::read_to_string(top.join("srv/hello")).unwrap(), "hello\n", "the layer is as it was");
}

/// Stops the executor in the middle of a copy. `false` if the disk shares blocks, so that there is no middle.
async fn stopped_while_copying(world: &World, task: &str) -> bool {
    let large = changes(world, task).join("root/large");
    until("the copy has begun", async || large.exists().then_some(())).await;
    signal(world.executor_pid(task), Signal::STOP);
    fs::metadata(&large).is_ok_and(|copy| copy.blocks() * 512 < LARGE)
}

#[tokio::test]
async fn a_kill_while_an_image_is_copied_leaves_nothing_of_it() {
    const TEST: &str = "a_kill_while_an_image_is_copied_leaves_nothing_of_it";
    if !can_be_had(TEST) {
        return;
    }
    let world = world().await;
    let image = image(&world, &json!({}), &[("large", "")]);
    fs::write(image.layers[1].join("large"), vec![1; LARGE as usize]).unwrap();
    provide(&world, "a", "a", &copied(image.clone()));
    world.run(inside("a", "exec sleep 1000")).await;
    if !stopped_while_copying(&world, "a").await {
        return println!("SKIPPED {TEST}: the disk has copied it in a moment");
    }
    world.kill("a", None).await;
    signal(world.executor_pid("a"), Signal::CONT);
    assert_eq!(last(&world, "a").await.state(), TaskKilled);
    assert_eq!(world.ended("a").await, 0);
    assert!(!is_copied(&world, "a"));

    provide(&world, "b", "b", &copied(image));
    world.run(inside("b", "exec sleep 1000")).await;
    if !stopped_while_copying(&world, "b").await {
        return println!("SKIPPED {TEST}: the disk has copied it in a moment");
    }
    world.kill_executor("b").await;
    world.start("b");
    assert!(is_terminal(last(&world, "b").await.state()), "it never began, and is not begun again");
    assert_eq!(world.ended("b").await, 0);
    assert!(!is_copied(&world, "b"));
}
