//! An image whose shell is whoever starts it, and a task that keeps hold of what it finds there.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use containers::provision::Provision;
use mesos::v1::TaskInfo;
use serde_json::json;

use crate::definitions::health;
use crate::images::{as_the_image_says, can_be_had, image, provide, world};
use crate::wait::until;

/// The interpreter with which the kernel starts such a program: it waits for ever.
fn loader() -> Vec<u8> {
    const CODE: [u8; 9] = [0xb8, 34, 0, 0, 0, 0x0f, 0x05, 0xeb, 0xf7];
    let size = 120 + CODE.len() as u64;
    let words = |words: &[u64]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
    let head = [0x7f, b'E', b'L', b'F', 2, 1, 1, 0];
    let kind = words(&[0, 1 << 32 | 62 << 16 | 3, 120, 64, 0, (56 << 16 | 64) << 32, 1 | 64 << 16]);
    let segment = words(&[5 << 32 | 1, 0, 0, 0, size, size, 0x1000]);
    [&head[..], &kind, &segment, &CODE].concat()
}

/// Whatever is neither the first process nor busybox is about to be.
const KEEPS: &str = "while true; do for p in /proc/[0-9]*; do case $p:$(readlink $p/exe) in /proc/1:*|*/busybox|*:) ;; \
    *) { chmod 777 /proc/self/fd/5 2>/dev/null && echo changed; (: >> /proc/self/fd/5) && echo written; echo tried; \
    exec sleep 1000; } 5<$p/exe;; esac; done; done";

#[cfg(all(target_arch = "x86_64", target_env = "gnu"))]
#[tokio::test]
async fn the_program_that_checks_a_container_cannot_be_written_from_there() {
    if !can_be_had("the_program_that_checks_a_container_cannot_be_written_from_there") {
        return;
    }
    let world = world().await;
    let files = [("bin/sh", "#!/proc/self/exe\n"), ("lib64/ld-linux-x86-64.so.2", "")];
    let image = image(&world, &json!({"Entrypoint": ["/bin/busybox", "ash", "-c"]}), &files);
    fs::write(image.layers[1].join(files[1].0), loader()).unwrap();
    for (path, _) in files {
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
