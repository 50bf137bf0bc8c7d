//! Images of busybox, as an agent makes them ready for tasks.

use std::fs;

use containers::image::ImageConfig;
use containers::provision::{Provision, ProvisionedImage};
use containers::rootfs::overlay_works;
use harness::busybox;
use mesos::v1::container_info::{MesosInfo, Type as Containerizer};
use mesos::v1::{CommandInfo, ContainerInfo, Image, TaskId, TaskInfo, image};
use serde_json::{Value, json};

use crate::agent::task;
use crate::definitions::shell;
use crate::world::World;

/// True if this machine has containers; if not, it is said which test does without.
pub(crate) fn can_be_had(test: &str) -> bool {
    let root = (!rustix::process::geteuid().is_root()).then_some("needs root");
    let overlay = || overlay_works(&std::env::temp_dir()).is_err().then_some("needs overlayfs");
    let lacking = root.or_else(busybox::lacking).or_else(overlay);
    lacking.iter().for_each(|lacking| println!("SKIPPED {test}: {lacking}"));
    lacking.is_none()
}

/// A world with an image that is unpacked.
pub(crate) async fn world() -> World {
    let world = World::new().await;
    busybox::unpack(&world.directory().join("busybox"));
    world
}

/// The image, to be run like this; `more` is the topmost layer.
pub(crate) fn image(world: &World, config: &Value, more: &[(&str, &str)]) -> ProvisionedImage {
    let top = world.directory().join(format!("layer-{}", fs::read_dir(world.directory()).unwrap().count()));
    fs::create_dir(&top).unwrap();
    for (path, content) in more {
        fs::create_dir_all(top.join(path).parent().unwrap()).unwrap();
        fs::write(top.join(path), content).unwrap();
    }
    let mut config = config.clone();
    config["Env"] = config.get("Env").cloned().unwrap_or_else(|| json!(["PATH=/bin"]));
    ProvisionedImage {
        reference: "busybox".to_owned(),
        layers: vec![world.directory().join("busybox"), top],
        config: ImageConfig::parse(json!({"config": config}).to_string().as_bytes()).unwrap(),
    }
}

/// Makes ready what a task of this executor is to have.
pub(crate) fn provide(world: &World, executor: &str, task: &str, provision: &Provision) {
    world.environment(executor);
    provision.write(&world.state(executor), &TaskId { value: task.to_owned() }).unwrap();
}

/// The same with nothing but an image.
pub(crate) fn with_image(world: &World, name: &str, config: &Value) {
    let image = Some(image(world, config, &[]));
    provide(world, name, name, &Provision { image, ..Provision::default() });
}

/// A container with an image.
pub(crate) fn container() -> ContainerInfo {
    let docker = image::Docker { name: "busybox".to_owned(), ..image::Docker::default() };
    let image = Image { r#type: image::Type::Docker.into(), docker: Some(docker), ..Image::default() };
    let mesos = Some(MesosInfo { image: Some(image) });
    ContainerInfo { r#type: Containerizer::Mesos.into(), mesos, ..ContainerInfo::default() }
}

/// A task with an image.
pub(crate) fn inside(name: &str, script: &str) -> TaskInfo {
    TaskInfo { command: Some(shell(script)), container: Some(container()), ..task(name, "") }
}

/// A task that runs what its image says.
pub(crate) fn as_the_image_says(name: &str, arguments: &[&str]) -> TaskInfo {
    let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
    let command = CommandInfo { shell: Some(false), arguments, ..CommandInfo::default() };
    TaskInfo { command: Some(command), ..inside(name, "") }
}
