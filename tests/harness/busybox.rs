//! The smallest file system that a container can live in: busybox alone, linked statically, under all its names.

use std::fs;
use std::path::Path;
use std::process::Command;

use tar::EntryType;

use crate::archive::Archive;

/// The program, as Debian's package `busybox-static` installs it.
pub const BUSYBOX: &str = "/bin/busybox";

const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000:app:/home/app:/bin/sh\n";
const GROUP: &str = "root:x:0:\napp:x:1000:\nmore:x:2000:app\n";

/// Why there is none here.
pub fn lacking() -> Option<&'static str> {
    let is_static = || {
        let linked = Command::new("ldd").arg(BUSYBOX).output();
        linked.is_ok_and(|said| !String::from_utf8_lossy(&said.stdout).contains("=>"))
    };
    let is_there = Path::new(BUSYBOX).exists() && is_static();
    (!is_there).then_some("needs a static busybox (Debian: busybox-static)")
}

/// The file system, as a layer.
pub fn archive() -> Archive {
    let program = fs::read(BUSYBOX).expect("a busybox");
    let list = Command::new(BUSYBOX).arg("--list").output().expect("a busybox");
    let names = String::from_utf8(list.stdout).expect("names are text");
    let directories = ["bin/", "etc/", "root/", "tmp/", "var/"].into_iter();
    let archive = directories.fold(Archive::new(), |archive, name| archive.directory(name));
    let archive = archive.entry(EntryType::Regular, "bin/busybox", &program, |header| header.set_mode(0o755));
    let names = names.lines().filter(|name| *name != "busybox");
    let archive = names.fold(archive, |archive, name| archive.symlink(&format!("bin/{name}"), "busybox"));
    archive.file("etc/passwd", PASSWD).file("etc/group", GROUP).symlink("var/run", "/run")
}

/// Unpacks the file system.
pub fn unpack(directory: &Path) {
    tar::Archive::new(&archive().tar()[..]).unpack(directory).expect("it is unpacked");
}
