//! Layers: every kind of file, and every kind of malice.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use containers::image::Digest;
use containers::unpack::UnpackError;
use harness::archive::{Archive, gzip, zstd};
use rustix::fs::{lgetxattr, major, minor};
use tar::{EntryType, Header};

use crate::world::{BOUNDS, World};

pub(crate) const TESTS: &[(&str, fn())] = &[
    ("every_kind_of_file_is_made", every_kind_of_file_is_made),
    ("names_may_have_any_bytes_and_any_form", names_may_have_any_bytes_and_any_form),
    ("whiteouts_become_overlayfs_own", whiteouts_become_overlayfs_own),
    ("attributes_that_steer_the_machine_are_left_out", attributes_that_steer_the_machine_are_left_out),
    ("parents_that_are_links_lead_inside_the_layer", parents_that_are_links_lead_inside_the_layer),
    ("what_comes_later_replaces_what_came_before", what_comes_later_replaces_what_came_before),
    ("every_compression_gives_the_same_layer", every_compression_gives_the_same_layer),
    ("nothing_is_written_outside_of_the_layer", nothing_is_written_outside_of_the_layer),
    ("archives_that_cannot_be_say_why", archives_that_cannot_be_say_why),
    ("bombs_are_refused", bombs_are_refused),
    ("an_archive_that_is_cut_off_anywhere_is_no_layer", an_archive_that_is_cut_off_anywhere_is_no_layer),
    ("noise_never_panics", noise_never_panics),
];

fn unpacked(archive: Archive) -> (World, std::path::PathBuf) {
    let world = World::new();
    let (layer, _) = world.unpack(&archive.tar()).unwrap();
    (world, layer)
}

fn refused(archive: &[u8]) -> String {
    let world = World::new();
    let error = world.unpack(archive).unwrap_err();
    assert!(world.is_untouched());
    error.to_string()
}

fn attribute(path: &Path, name: &str) -> Option<Vec<u8>> {
    let mut value = [0; 100];
    let length = lgetxattr(path, name, &mut value[..]).ok()?;
    Some(value[..length].to_vec())
}

fn every_kind_of_file_is_made() {
    let device = |kind, name: &'static str, number: (u32, u32)| {
        move |archive: Archive| {
            archive.entry(kind, name, b"", |header| {
                header.set_device_major(number.0).unwrap();
                header.set_device_minor(number.1).unwrap();
            })
        }
    };
    let owned = |mode: u32| {
        move |header: &mut Header| {
            header.set_uid(1000);
            header.set_gid(2000);
            header.set_mode(mode);
        }
    };
    let capability = [1, 0, 0, 2, 0, 0x0a, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let archive = Archive::new().entry(EntryType::Directory, "./", b"", owned(0o1755));
    let archive = archive.entry(EntryType::Regular, "setuid", b"program", owned(0o6755));
    let archive = archive.entry(EntryType::Directory, "sticky/", b"", owned(0o3777)).file("sticky/file", "x");
    let archive = archive.entry(EntryType::Symlink, "dangling", b"", |header| {
        owned(0o777)(header);
        header.set_link_name("/no/where").unwrap();
    });
    let archive = archive.link("hard", "setuid").entry(EntryType::Fifo, "fifo", b"", owned(0o600));
    let archive = device(EntryType::Char, "null", (1, 3))(archive);
    let archive = device(EntryType::Block, "disk", (8, 300))(archive);
    let times: &[(&str, &[u8])] = &[("mtime", b"1234567890.123456789"), ("atime", b"-1.5")];
    let archive = archive.records(times).file("timed", "");
    let archive = archive.records(&[("SCHILY.xattr.security.capability", &capability)]).file("capable", "");
    let archive = archive.file("no/parents/here", "");
    let (_world, layer) = unpacked(archive);

    let metadata = |name: &str| fs::symlink_metadata(layer.join(name)).unwrap();
    for (name, mode, owner) in [
        ("", 0o041_755, (1000, 2000)),
        ("setuid", 0o106_755, (1000, 2000)),
        ("sticky", 0o043_777, (1000, 2000)),
        ("sticky/file", 0o100_644, (0, 0)),
        ("dangling", 0o120_777, (1000, 2000)),
        ("fifo", 0o010_600, (1000, 2000)),
        ("null", 0o020_644, (0, 0)),
        ("disk", 0o060_644, (0, 0)),
        ("no/parents", 0o040_755, (0, 0)),
    ] {
        let metadata = metadata(name);
        assert_eq!((metadata.mode(), (metadata.uid(), metadata.gid())), (mode, owner), "{name}");
    }
    assert_eq!(metadata("hard").ino(), metadata("setuid").ino());
    assert_eq!(fs::read_link(layer.join("dangling")).unwrap(), Path::new("/no/where"));
    for (name, expected) in [("null", (1, 3)), ("disk", (8, 300))] {
        let number = metadata(name).rdev();
        assert_eq!((major(number), minor(number)), expected, "{name}");
    }
    for name in ["", "sticky", "sticky/file", "dangling", "null"] {
        assert_eq!((metadata(name).mtime(), metadata(name).mtime_nsec()), (1_000_000_000, 0), "{name}");
    }
    let timed = metadata("timed");
    assert_eq!((timed.mtime(), timed.mtime_nsec()), (1_234_567_890, 123_456_789));
    assert_eq!((timed.atime(), timed.atime_nsec()), (-2, 500_000_000));
    assert_eq!(attribute(&layer.join("capable"), "security.capability").unwrap(), capability);
}

fn names_may_have_any_bytes_and_any_form() {
    let long = format!("{}/{}", "d".repeat(200), "f".repeat(255));
    let archive = Archive::new().records(&[("path", b"new\nline\n9 path=x\n")]).file("short", "1");
    let archive = archive.entry(EntryType::GNULongName, "././@LongLink", format!("{long}\0").as_bytes(), |_| {});
    let archive = archive.file("cut off", "2");
    let archive = archive.records(&[("path", format!("p{long}").as_bytes())]).file("cut off", "3");
    let archive = archive.entry(EntryType::GNULongLink, "././@LongLink", format!("{long}\0").as_bytes(), |_| {});
    let archive = archive.link("hard", "cut off").records(&[("path", b"\xff\xfe")]).file("x", "4");
    let archive = archive.records(&[("linkpath", b"to\nthere")]).symlink("soft", "x");
    let archive = archive.entry(EntryType::XGlobalHeader, "g", b"12 path=gg\n\n", |_| {}).file("own", "5");
    let (_world, layer) = unpacked(archive);
    let names = ["new\nline\n9 path=x\n", &long, &format!("p{long}"), "hard", "own"];
    for (name, content) in names.iter().zip(["1", "2", "3", "2", "5"]) {
        assert_eq!(fs::read_to_string(layer.join(name)).unwrap(), content, "{name}");
    }
    let strange: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(b"\xff\xfe");
    assert_eq!(fs::read_to_string(layer.join(strange)).unwrap(), "4");
    assert_eq!(fs::read_link(layer.join("soft")).unwrap(), Path::new("to\nthere"));
}

fn whiteouts_become_overlayfs_own() {
    let archive = Archive::new().file(".wh.gone", "").directory("opaque/").file("opaque/.wh..wh..opq", "");
    let archive = archive.file("implied/.wh..wh..opq", "").file("there", "x").file(".wh.there", "");
    let archive = archive.file(".wh.again/", "").file(".wh.later", "").directory("later/").file("later/x", "");
    let archive = archive.directory("both/").file("both/x", "").file(".wh.both", "").file(".wh..wh.plnk/1", "");
    let (_world, layer) = unpacked(archive);
    for name in ["gone", "again"] {
        let metadata = fs::symlink_metadata(layer.join(name)).unwrap();
        assert!(metadata.file_type().is_char_device() && metadata.rdev() == 0, "{name}");
    }
    let opaque = |name: &str| attribute(&layer.join(name), "trusted.overlay.opaque");
    for name in ["opaque", "implied", "later", "both"] {
        assert_eq!(opaque(name).as_deref(), Some(&b"y"[..]), "{name}");
    }
    assert!(layer.join("there").is_file() && layer.join("later/x").is_file() && layer.join("both/x").is_file());
    assert_eq!(fs::read_dir(&layer).unwrap().count(), 7, "no name begins with .wh.");
}

fn attributes_that_steer_the_machine_are_left_out() {
    let names = ["trusted.overlay.redirect", "trusted.x", "security.selinux", "user.overlay.opaque", "user.own"];
    let keys = names.map(|name| format!("SCHILY.xattr.{name}"));
    let records: Vec<(&str, &[u8])> = keys.iter().map(|key| (key.as_str(), &b"y"[..])).collect();
    let (_world, layer) = unpacked(Archive::new().records(&records).file("file", ""));
    let set = names.map(|name| attribute(&layer.join("file"), name).is_some());
    assert_eq!(set[..4], [false; 4]);
}

fn parents_that_are_links_lead_inside_the_layer() {
    let archive = Archive::new().symlink("run", "var/lib/../run").directory("var/").symlink("var/lock", "/run/lock");
    let archive =
        archive.file("run/app.pid", "1").file("var/lock/x", "2").symlink("up", "../../../..").file("up/top", "3");
    let (_world, layer) = unpacked(archive);
    for (name, content) in [("var/run/app.pid", "1"), ("var/run/lock/x", "2"), ("top", "3")] {
        assert_eq!(fs::read_to_string(layer.join(name)).unwrap(), content, "{name}");
    }
}

fn what_comes_later_replaces_what_came_before() {
    let archive = Archive::new().directory("a/").file("a/b", "").file("a", "file over directory");
    let archive = archive.file("c", "").directory("c/").file("c/d", "directory over file");
    let archive = archive.symlink("e", "/c").directory("e/").file("e/f", "directory over link");
    let archive = archive.symlink("g", "c/d").file("g", "file over link").file("h", "1").file("h", "2");
    let archive = archive.file("i", "kept").link("i", "i").directory("j/").file("j/k", "merged").directory("j/");
    let (_world, layer) = unpacked(archive);
    for (name, content) in [
        ("a", "file over directory"),
        ("c/d", "directory over file"),
        ("e/f", "directory over link"),
        ("g", "file over link"),
        ("h", "2"),
        ("i", "kept"),
        ("j/k", "merged"),
    ] {
        assert_eq!(fs::read_to_string(layer.join(name)).unwrap(), content, "{name}");
    }
    assert_eq!(fs::read_dir(layer.join("c")).unwrap().count(), 1, "nothing went through the link");
}

fn every_compression_gives_the_same_layer() {
    let tar = Archive::new().file("a", &"content ".repeat(100_000)).tar();
    let (first, second) = tar.split_at(1000);
    let members = [gzip(first), gzip(second)].concat();
    for archive in [tar.clone(), gzip(&tar), members, zstd(&tar)] {
        let world = World::new();
        let (layer, unpacked) = world.unpack(&archive).unwrap();
        assert_eq!((unpacked.diff_id, unpacked.bytes, unpacked.entries), (Digest::of(&tar), 800_000, 1));
        assert_eq!(fs::metadata(layer.join("a")).unwrap().len(), 800_000);
    }
}

fn nothing_is_written_outside_of_the_layer() {
    let world = World::new();
    let outside = world.directory.path().to_str().unwrap().to_owned();
    let secret = world.secret().display().to_string();
    let new = Archive::new;
    for (archive, inside) in [
        (new().file("/absolute", ""), "absolute"),
        (new().symlink("l", "/").file("l/escaped", ""), "escaped"),
        (new().symlink("l", "../../..").file("l/escaped", ""), "escaped"),
        (new().symlink("l", &outside).file("l/escaped", ""), &format!("{outside}/escaped")[1..]),
        (new().symlink("l", &secret).file("l", "mine"), "l"),
        (new().file("a/../b", ""), "b"),
        (new().symlink("l", &outside).file("l/.wh.secret", ""), &format!("{outside}/secret")[1..]),
    ] {
        let (layer, _) = world.unpack(&archive.tar()).unwrap();
        assert!(fs::symlink_metadata(layer.join(inside)).is_ok(), "{inside}");
        assert!(world.is_untouched(), "{inside}");
    }
    for (archive, why) in [
        (new().file("../escaped", ""), "'../escaped' cannot be unpacked: it leads out of the layer"),
        (new().file("a/../../escaped", ""), "it leads out of the layer"),
        (new().link("l", "../secret"), "it leads out of the layer"),
        (new().link("l", &secret), "which is not in the layer"),
        (new().symlink("d", &outside).link("l", "d/secret"), "which is not in the layer"),
        (new().file("../.wh.secret", ""), "it leads out of the layer"),
    ] {
        let error = world.unpack(&archive.tar()).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
        assert!(world.is_untouched(), "{why}");
    }
}

fn archives_that_cannot_be_say_why() {
    let new = Archive::new;
    let mut checksum = new().file("a", "").tar();
    checksum[0] = b'b';
    let long = "x".repeat(300);
    for (archive, why) in [
        (new().file("a", "").file("a/b", "").tar(), "entry 'a/b' cannot be unpacked: Not a directory"),
        (new().file("./", "").entry(EntryType::Fifo, ".", b"", |_| {}).tar(), "the layer itself is a directory"),
        (new().symlink("a", "b").symlink("b", "a").file("a/x", "").tar(), "entry 'a/x' cannot be unpacked: Too many"),
        (new().records(&[("path", long.as_bytes())]).file("a", "").tar(), "File name too long"),
        (new().entry(EntryType::new(b'Q'), "a", b"", |_| {}).tar(), "entries of the kind 'Q' are not supported"),
        (new().records(&[("uid", b"4294967296")]).file("a", "").tar(), "its owner 4294967296 cannot be"),
        (new().records(&[("path", b"a\0b")]).file("a", "").tar(), "'a\\x00b' cannot be unpacked: it has a zero byte"),
        (new().records(&[("path", b"a\n/../../b")]).file("a", "").tar(), "'a\\n/../../b' cannot be unpacked"),
        (new().entry(EntryType::XHeader, "pax", b"99 path=a\n", |_| {}).tar(), "an extended header has the record"),
        (new().entry(EntryType::GNULongName, "a", &[b'x'; 1_100_000], |_| {}).tar(), "the description of an entry has"),
        (new().directory("d/").link("l", "d").tar(), "entry 'l' cannot be unpacked: Operation not permitted"),
        (new().symlink("l", ".").symlink("l/l", "..").tar(), "entry 'l/l' cannot be unpacked: No such file"),
        (new().symlink("l", "").tar(), "entry 'l' cannot be unpacked: No such file"),
        (new().file("a/.wh.", "").tar(), "it hides nothing that has a name"),
        (checksum, "a header's checksum is wrong"),
        (b"<html>This is no archive, but the page of a proxy.</html>".repeat(100), "the archive cannot be read: "),
        (gzip(b"no archive"), "it ends in the middle of an entry"),
        ([&[0x28, 0xb5, 0x2f, 0xfd][..], &[0xff; 100]].concat(), "the archive cannot be read"),
    ] {
        let error = refused(&archive);
        assert!(error.contains(why), "{error} ({why})");
        assert!(!error.contains('\n') && error.len() < 500, "{error}");
    }
}

fn bombs_are_refused() {
    let most = BOUNDS.bytes;
    let zeros = vec![0; most as usize + 1];
    let sparse: &[(&str, &[u8])] = &[("GNU.sparse.major", b"1"), ("GNU.sparse.realsize", b"99999999999999")];
    let map = format!("1\n0\n0\n{}", "\0".repeat(506));
    let links = (0..=BOUNDS.entries).fold(Archive::new(), |archive, _| archive.symlink("l", "x"));
    for (archive, why) in [
        (Archive::new().entry(EntryType::Regular, "zeros", &zeros, |_| {}).gzip(), "more than 8388608 bytes"),
        (gzip(&[Archive::new().tar(), zeros.clone()].concat()), "more than 8388608 bytes"),
        (Archive::new().entry(EntryType::Regular, "a", b"", |header| header.set_size(1 << 50)).tar(), "8388608 bytes"),
        (Archive::new().entry(EntryType::Regular, "a", b"", |header| header.set_size(u64::MAX)).tar(), "bytes"),
        (Archive::new().records(sparse).file("sparse", &map).tar(), "more than 8388608 bytes"),
        (Archive::new().entry(EntryType::GNULongName, "n", b"", |header| header.set_size(u64::MAX)).tar(), "bytes"),
        (links.tar(), "more than 1000 entries"),
    ] {
        let error = refused(&archive);
        assert!(error.contains(why), "{error} ({why})");
    }
}

fn an_archive_that_is_cut_off_anywhere_is_no_layer() {
    let archive =
        Archive::new().directory("d/").file("d/a", &"x".repeat(3000)).records(&[("path", b"b")]).file("b", "y");
    let (tar, compressed, zstd) = (archive.clone().tar(), archive.clone().gzip(), zstd(&archive.tar()));
    let whole = Digest::of(&tar);
    let world = World::new();
    let places = |length: usize, step: usize| (1..length).step_by(step);
    let cuts = places(tar.len() - 1024, 211).map(|at| &tar[..at]);
    let cuts = cuts.chain(places(compressed.len(), 13).map(|at| &compressed[..at]));
    for cut in cuts.chain(places(zstd.len(), 397).map(|at| &zstd[..at])) {
        match world.unpack(cut) {
            Ok((_, unpacked)) => assert_ne!(unpacked.diff_id, whole, "{}", cut.len()),
            Err(UnpackError::Archive(_)) => {}
            Err(other) => panic!("{other}"),
        }
    }
}

/// The child says of any bytes what they are to it, or why they are nothing; it never ends without a word.
fn noise_never_panics() {
    let archive = Archive::new().directory("d/").file("d/a", "x").records(&[("mtime", b"1.5"), ("path", b"b")]);
    let archive = archive.file("b", "y").symlink("l", "d").link("h", "b").tar();
    let world = World::new();
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..150 {
        let mut noisy = archive.clone();
        for _ in 0..random.usize(1..6) {
            let place = random.usize(..noisy.len());
            noisy[place] = random.u8(..);
        }
        fix_checksums(&mut noisy);
        let result = world.unpack(&noisy);
        assert!(!matches!(result, Err(UnpackError::Killed | UnpackError::NotStarted(_))), "{result:?}");
        assert!(world.is_untouched());
    }
}

/// Makes headers pass for whole, so that more than their checksums is tried.
fn fix_checksums(archive: &mut [u8]) {
    for block in archive.chunks_mut(512).filter(|block| block.len() == 512 && &block[257..262] == b"ustar") {
        let mut header = Header::from_byte_slice(block).clone();
        header.set_cksum();
        block.copy_from_slice(header.as_bytes());
    }
}
