//! Devices: the few that a container has work, no other can be opened, and none of the host's is changed.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use containers::rootfs::VolumeSource;
use processes::rootfs::Propagation;
use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};

use crate::world::World;

pub(crate) const TESTS: &[(&str, fn())] = &[
    ("the_devices_of_a_container_work", the_devices_of_a_container_work),
    ("no_other_device_can_be_opened", no_other_device_can_be_opened),
    ("the_devices_of_the_host_are_not_changed", the_devices_of_the_host_are_not_changed),
];

fn the_devices_of_a_container_work() {
    let world = World::new();
    let script = "echo away > /dev/null; cat /dev/null; for x in zero random urandom; do head -c 3 /dev/$x | wc -c; done; \
                  (echo > /dev/full) 2>/dev/null || echo full; (: < /dev/tty) 2>/dev/null || echo no terminal; \
                  exec 3<>/dev/ptmx; test -t 3 && ls /dev/pts; \
                  stat -c '%a %u %g %t:%T' /dev/null /dev/tty";
    let seen = "3\n3\n3\nfull\nno terminal\n0\nptmx\n666 0 0 1:3\n666 0 0 5:0\n";
    assert_eq!(world.output(&world.room(), script), seen);
}

/// The node of `/dev/zero`, which would do no harm, under other names: of the image, and made everywhere.
fn no_other_device_can_be_opened() {
    let world = World::new();
    let volume = world.host_directory("volume");
    for directory in [world.path("layer"), volume.clone()] {
        let (path, mode) = (directory.join("brought"), Mode::from_raw_mode(0o666));
        mknodat(CWD, &path, FileType::CharacterDevice, mode, makedev(1, 5)).unwrap();
    }
    let room = world.room().host("/volume", &volume, Propagation::Slave, false).volume(
        "/memory",
        VolumeSource::Memory { size: None, mode: 0o777 },
        false,
    );
    let script = "mkdir -p /tmp /dev/new; \
                  for x in / /dev /dev/new /dev/shm /tmp /mnt/mesos/sandbox /volume /memory; do \
                  mknod $x/made c 1 5; head -c 1 $x/made && echo opened $x; done; \
                  for x in / /volume; do head -c 1 $x/brought && echo opened $x/brought; done; ls /volume /dev/made";
    assert_eq!(world.output(&room, script), "/dev/made\n\n/volume:\nbrought\nmade\n");
}

fn the_devices_of_the_host_are_not_changed() {
    let world = World::new();
    let devices = ["null", "zero", "full", "random", "urandom", "tty"];
    let host: Vec<PathBuf> = devices.iter().map(|name| PathBuf::from("/dev").join(name)).collect();
    let state = || -> Vec<(u32, u32, u32, i64)> {
        let of =
            |path| fs::metadata(path).map(|found| (found.mode(), found.uid(), found.gid(), found.ctime())).unwrap();
        host.iter().map(of).collect()
    };
    let before = state();
    // To what they are already, for the sake of this machine: the time of the change tells.
    let script = "for x in /proc/keys /proc/timer_list /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty; do \
                  chmod 666 $x; chown 0:0 $x; done; echo over > /proc/keys; cat /proc/keys; stat -c %t:%T /proc/keys";
    assert_eq!(world.output(&world.room(), script), "1:3\n");
    assert_eq!(state(), before);
}
