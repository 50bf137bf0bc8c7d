//! Images and neighbours that mean no good.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use containers::rootfs::VolumeSource;
use processes::End;
use processes::rootfs::Propagation;
use rustix::fs::{CWD, RenameFlags, StatVfsMountFlags, renameat_with, statvfs};

use crate::world::{Room, World, status};

pub(crate) const TESTS: &[(&str, fn())] = &[
    ("links_of_an_image_lead_nowhere_else", links_of_an_image_lead_nowhere_else),
    ("links_that_are_exchanged_lead_nowhere_else", links_that_are_exchanged_lead_nowhere_else),
    ("a_sandbox_with_links_gives_nothing_of_the_host", a_sandbox_with_links_gives_nothing_of_the_host),
    ("the_kernels_file_systems_are_not_put_elsewhere", the_kernels_file_systems_are_not_put_elsewhere),
    ("descriptors_and_directories_do_not_leak", descriptors_and_directories_do_not_leak),
    ("the_binary_that_enters_cannot_be_written", the_binary_that_enters_cannot_be_written),
];

/// Mount points and files that are made through links of every sort.
fn links_of_an_image_lead_nowhere_else() {
    let world = World::new();
    let outside = world.host_directory("outside");
    let data = world.host_directory("data");
    fs::write(data.join("file"), "mine\n").unwrap();
    let layer = world.path("layer");
    symlink(&outside, layer.join("absolute")).unwrap();
    symlink("../../../../../../../../../../..", layer.join("up")).unwrap();
    symlink("/proc/self/cwd", layer.join("magic")).unwrap();
    fs::remove_file(layer.join("etc/hosts")).ok();
    symlink(outside.join("hosts"), layer.join("etc/hosts")).unwrap();
    let room = world
        .room()
        .host("/absolute/a", &data, Propagation::Slave, false)
        .host(&format!("/up{}/b", outside.display()), &data.join("file"), Propagation::Slave, false)
        .volume("/absolute/c/d", VolumeSource::Memory { size: None, mode: 0o755 }, false);
    let script = format!("cat /absolute/a/file {}/b /etc/hosts; ls -d /absolute/c/d", outside.display());
    assert_eq!(world.output(&room, &script), "mine\nmine\n127.0.0.1 localhost\n/absolute/c/d\n");
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
}

/// Another container that shares a volume exchanges a directory in it for a link, again and again.
fn links_that_are_exchanged_lead_nowhere_else() {
    let world = World::new();
    let (shared, outside, data) =
        (world.host_directory("shared"), world.host_directory("outside"), world.host_directory("data"));
    fs::write(data.join("file"), "mine\n").unwrap();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| exchange(&shared, &outside, &stop));
        let mut started = 0;
        for _ in 0..40 {
            let room = world
                .room()
                .host("/shared", &shared, Propagation::Private, false)
                .host("/shared/place/a/b", &data, Propagation::Private, false)
                .volume("/shared/place/c", VolumeSource::Memory { size: None, mode: 0o755 }, false);
            // Whatever the kernel finds at the moment, it is inside.
            match world.try_start(&room, &["/bin/true"]) {
                Ok(running) => started += i32::from(status(&running.end()) == Some(0)),
                Err(End::NotStarted(why)) => assert!(why.contains("/shared/place"), "{why}"),
                Err(end) => panic!("{end:?}"),
            }
        }
        stop.store(true, Ordering::Relaxed);
        println!("{started} of 40 containers found a place for their volumes");
    });
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
    world.until_nothing_is_left();
}

fn exchange(shared: &Path, outside: &Path, stop: &AtomicBool) {
    let (place, link) = (shared.join("place"), shared.join("link"));
    fs::create_dir(&place).unwrap();
    symlink(outside, &link).unwrap();
    while !stop.load(Ordering::Relaxed) {
        renameat_with(CWD, &place, CWD, &link, RenameFlags::EXCHANGE).unwrap();
    }
}

fn a_sandbox_with_links_gives_nothing_of_the_host() {
    let world = World::new();
    let (outside, sandbox) = (world.host_directory("outside"), world.host_directory("above"));
    fs::write(outside.join("shadow"), "secret").unwrap();
    symlink(&outside, sandbox.join("link")).unwrap();
    let source = VolumeSource::Sandbox { sandbox: sandbox.clone(), path: "link".into() };
    let room = world.room().volume("/data", source, false);
    assert_eq!(world.output(&room, "ls /data; touch /data/x"), "");
    assert!(!outside.join("x").exists());
    let inside = sandbox.join(outside.strip_prefix("/").unwrap());
    assert!(inside.join("x").exists(), "the link means what it means in the sandbox");
}

/// The masked and read-only paths below `/proc` would not be so elsewhere.
fn the_kernels_file_systems_are_not_put_elsewhere() {
    let world = World::new();
    for name in ["proc", "sys"] {
        let path = world.path("layer").join(name);
        fs::remove_dir(&path).ok();
        symlink("/tmp", &path).unwrap();
        let Err(End::NotStarted(why)) = world.try_start(&world.room(), &["/bin/true"]) else {
            panic!("it was started")
        };
        assert!(why.ends_with(&format!("at the container's '/{name}': Too many levels of symbolic links")), "{why}");
        fs::remove_file(&path).unwrap();
    }
    world.until_nothing_is_left();
}

/// A directory of the host that is still open would be a way out, by its name below `/proc/self`.
fn descriptors_and_directories_do_not_leak() {
    let world = World::new();
    for init in [false, true] {
        let room = Room { init, ..world.room() };
        let script = "for x in /proc/self/fd/* /proc/1/fd/* /proc/self/cwd /proc/self/root /proc/1/cwd /proc/1/root; do \
                      readlink $x; done; ls -d /proc/self/cwd/../../../../../../..$PWD; grep -c . /proc/self/mountinfo";
        let seen = world.output(&room, script);
        let sandbox = room.wanted.sandbox.display().to_string();
        let links = seen.lines().filter(|line| line.starts_with('/') && !line.starts_with(&sandbox));
        let unknown: Vec<&str> = links
            .filter(|line| !["/", "/dev/null", "/mnt/mesos/sandbox"].contains(line) && !line.starts_with("/proc/"))
            .collect();
        assert_eq!(unknown, [""; 0], "{seen}");
        let moved = Room { init, ..world.room() };
        let mut leaked = moved;
        leaked.wanted.working_directory = Some("/proc/self/fd/7".into());
        let away = world.try_start(&leaked, &["/bin/pwd"]);
        assert!(matches!(away, Err(End::NotStarted(_))), "it was started");
    }
}

/// A container's root who writes to all that runs there; and, of our own program, what keeps him from it even when nobody
/// runs it.
fn the_binary_that_enters_cannot_be_written() {
    let world = World::new();
    let binary = std::env::current_exe().unwrap();
    let before = fs::metadata(&binary).unwrap().modified().unwrap();
    let script = "for x in /proc/[0-9]*/exe; do case $(readlink $x) in */busybox) ;; *) (: >> $x) 2>/dev/null && echo $x;; \
                  esac; done; echo tried; exec sleep 1000";
    let running = world.start(&world.room(), script);
    running.until_said("tried");
    assert_eq!(running.stdout(), "tried\n");
    assert_eq!(fs::metadata(&binary).unwrap().modified().unwrap(), before);
    for process in [running.shim(), running.pause()] {
        let mount = statvfs(format!("/proc/{}/exe", process.pid)).unwrap();
        assert!(mount.f_flag.contains(StatVfsMountFlags::RDONLY));
    }
}
