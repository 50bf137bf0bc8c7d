//! An image whose shell is whoever starts it, and a task that keeps hold of what it finds there.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use containers::provision::Provision;
use harness::hostile::{KEEPS, files};
use mesos::v1::TaskInfo;
use serde_json::json;

use crate::definitions::health;
use crate::images::{as_the_image_says, can_be_had, image, provide, world};
use crate::wait::until;

#[cfg(all(target_arch = "x86_64", target_env = "gnu"))]
#[tokio::test]
async fn the_program_that_checks_a_container_cannot_be_written_from_there() {
    if !can_be_had("the_program_that_checks_a_container_cannot_be_written_from_there") {
        return;
    }
    let world = world().await;
    let image =
        image(&world, &json!({"Entrypoint": ["/bin/busybox", "ash", "-c"]}), &files().map(|(path, _)| (path, "")));
    for (path, content) in files() {
        fs::write(image.layers[1].join(path), content).unwrap();
        fs::set_permissions(image.layers[1].join(path), fs::Permissions::from_mode(0o755)).unwrap();
    }
    provide(&world, "a", "a", &Provision { image: Some(image), ..Provision::default() });
    let health_check = Some(health("true", 1000));
    world.run(TaskInfo { health_check, ..as_the_image_says("a", &[KEEPS]) }).await;
    world.all_run(&["a"]).await;
    let said = async || Some(world.read("a", "stdout")).filter(|said| said.contains("tried"));
    let tried = until("a try", said).await;
    assert_eq!(tried, "tried\n");
    world.end("a").await;
}
