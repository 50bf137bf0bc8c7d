//! Copies of images: all is as the kernel shows it where it lays the layers over each other.

use std::fs::{self, File};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use containers::copy::{Copy, CopyError, Watch, copy};
use containers::rootfs::overlay_works;
use harness::archive::Archive;
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsconfig_set_string, fsmount, fsopen};
use tar::EntryType;

use crate::compare::{make, tree};
use crate::world::World;

pub(crate) const TESTS: &[(&str, fn())] = &[
    ("a_copy_is_as_the_kernel_lays_layers", a_copy_is_as_the_kernel_lays_layers),
    ("a_copy_has_all_that_belongs_to_files", a_copy_has_all_that_belongs_to_files),
    ("a_copy_follows_no_link", a_copy_follows_no_link),
    ("a_copy_says_how_far_it_is_and_can_be_stopped", a_copy_says_how_far_it_is_and_can_be_stopped),
];

const LAYERS: u32 = 4;
const ROUNDS: u64 = 60;

/// The layers over each other, by the kernel, in no place.
fn overlay(layers: &[PathBuf]) -> OwnedFd {
    let new = fsopen("overlay", FsOpenFlags::FSOPEN_CLOEXEC).unwrap();
    layers.iter().for_each(|layer| fsconfig_set_string(&new, "lowerdir+", layer).unwrap());
    fsconfig_create(&new).unwrap();
    fsmount(&new, FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::MOUNT_ATTR_RDONLY).unwrap()
}

fn copied(world: &World, layers: &[PathBuf]) -> PathBuf {
    let to = world.directory.path().join("copy");
    let _first = fs::remove_dir_all(&to);
    copy(&Copy { layers: layers.to_vec(), to: to.clone() }, &Watch::default()).unwrap();
    to
}

#[track_caller]
fn same(world: &World, layers: &[PathBuf]) {
    let mount = overlay(layers);
    let seen = tree(Path::new(&format!("/proc/self/fd/{}/.", mount.as_raw_fd())));
    let copied = tree(&copied(world, layers));
    for (path, facts) in &seen {
        assert_eq!(copied.get(path), Some(facts), "{}", path.display());
    }
    assert_eq!(copied.keys().collect::<Vec<_>>(), seen.keys().collect::<Vec<_>>());
}

/// A layer with anything at any of a few places.
fn noise(random: &mut fastrand::Rng) -> Archive {
    let name = |random: &mut fastrand::Rng| {
        let parts = (0..random.usize(1..4)).map(|_| ["a", "b", "c"][random.usize(..3)]);
        parts.collect::<Vec<_>>().join("/")
    };
    (0..random.usize(1..8)).fold(Archive::new(), |archive, number| {
        let name = name(random);
        let (above, last) = name.rsplit_once('/').map_or(("", &name[..]), |(above, last)| (above, last));
        let (owner, mode, time) = (random.u64(..3), random.u32(..0o10000), random.u64(1..1 << 31));
        let file = |archive: Archive, kind, data: &[u8]| {
            archive.entry(kind, &name, data, |header| {
                header.set_uid(owner);
                header.set_mode(mode);
                header.set_mtime(time);
            })
        };
        match random.u8(..6) {
            0 => file(archive, EntryType::Regular, format!("content {number}").as_bytes()),
            1 | 2 => file(archive, EntryType::Directory, b""),
            3 => archive.symlink(&name, "../a"),
            4 => archive.file(&format!("{above}/.wh.{last}"), ""),
            _ => archive.file(&format!("{name}/.wh..wh..opq"), ""),
        }
    })
}

/// Unpacks a layer; none if it makes no sense, such as a parent that is a file.
fn layer(world: &World, number: u32, archive: Archive) -> Option<PathBuf> {
    let (made, _) = world.unpack(&archive.tar()).ok()?;
    let kept = world.directory.path().join(format!("layer-{number}"));
    let _first = fs::remove_dir_all(&kept);
    fs::rename(made, &kept).unwrap();
    Some(kept)
}

fn a_copy_is_as_the_kernel_lays_layers() {
    let world = World::new();
    if let Err(error) = overlay_works(world.directory.path()) {
        return println!("SKIPPED a_copy_is_as_the_kernel_lays_layers: needs overlayfs: {error}");
    }
    let mut compared = 0;
    for seed in 0..ROUNDS {
        let mut random = fastrand::Rng::with_seed(seed);
        let layers = (0..LAYERS).filter_map(|number| layer(&world, number, noise(&mut random)));
        let layers: Vec<PathBuf> = layers.collect();
        if layers.len() > 1 {
            println!("seed {seed}");
            same(&world, &layers);
            compared += 1;
        }
    }
    assert!(compared > ROUNDS / 2, "{compared}");
}

fn a_copy_has_all_that_belongs_to_files() {
    let world = World::new();
    let made = make();
    fs::hard_link(made.path().join("set"), made.path().join("tmp/set")).unwrap();
    assert_eq!(tree(&copied(&world, &[made.path().to_owned()])), tree(made.path()));
    let blocks = |path: &Path| std::os::unix::fs::MetadataExt::blocks(&fs::metadata(path).unwrap());
    let holes = [made.path(), &world.directory.path().join("copy")].map(|root| blocks(&root.join("sparse")));
    assert_eq!(holes[0], holes[1], "holes stay holes");
}

fn a_copy_follows_no_link() {
    let world = World::new();
    let [high, low] = ["high", "low"].map(|name| world.directory.path().join(name));
    fs::create_dir(&high).unwrap();
    fs::create_dir_all(low.join("out")).unwrap();
    fs::write(low.join("out/stolen"), "x").unwrap();
    symlink(world.directory.path(), high.join("out")).unwrap();
    symlink(world.secret(), high.join("secret")).unwrap();
    let copied = copied(&world, &[high.clone(), low]);
    assert_eq!(fs::read_link(copied.join("out")).unwrap(), world.directory.path());
    assert_eq!(fs::read_link(copied.join("secret")).unwrap(), world.secret());
    assert!(!world.directory.path().join("stolen").exists());
    // A layer that is a link is its caller's fault; a place that is taken is not written to.
    let error = copy(&Copy { layers: vec![high], to: copied.clone() }, &Watch::default()).unwrap_err();
    assert!(error.to_string().contains("File exists"), "{error}");
}

fn a_copy_says_how_far_it_is_and_can_be_stopped() {
    let world = World::new();
    let made = world.directory.path().join("image");
    fs::create_dir(&made).unwrap();
    fs::write(made.join("large"), vec![1; 8 << 20]).unwrap();
    let watch = Watch::default();
    let to = world.directory.path().join("copy");
    copy(&Copy { layers: vec![made.clone()], to: to.clone() }, &watch).unwrap();
    assert_eq!(watch.bytes(), 8 << 20);
    fs::remove_dir_all(&to).unwrap();
    watch.stop();
    let stopped = copy(&Copy { layers: vec![made], to: to.clone() }, &watch).unwrap_err();
    assert!(matches!(stopped, CopyError::Stopped));
    assert!(File::open(to.join("large")).is_err());
}
