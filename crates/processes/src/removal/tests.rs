use std::fs::{self, File};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::thread;

use rustix::fs::mkdirat;
use tempfile::TempDir;

use super::*;

/// A directory with so many others in each other.
fn deep(path: &Path, depth: usize) {
    fs::create_dir(path).unwrap();
    let mut directory: OwnedFd = File::open(path).unwrap().into();
    for _ in 0..depth {
        mkdirat(&directory, c"d", Mode::RWXU).unwrap();
        directory = openat(&directory, c"d", DIRECTORY, Mode::empty()).unwrap();
    }
}

fn world() -> (TempDir, PathBuf) {
    let world = tempfile::tempdir().unwrap();
    let tree = world.path().join("tree");
    (world, tree)
}

#[test]
fn the_depth_of_a_tree_does_not_matter() {
    // In memory, as a disk takes its time for so many.
    let world = tempfile::tempdir_in("/dev/shm").unwrap();
    let tree = world.path().join("tree");
    deep(&tree, 60_000);
    let (path, small) = (tree.clone(), thread::Builder::new().stack_size(128 << 10));
    small.spawn(move || remove_tree(&path)).unwrap().join().unwrap().unwrap();
    assert!(!tree.exists());
}

#[test]
fn everything_goes_and_no_link_is_followed() {
    let (world, tree) = world();
    let outside = world.path().join("outside");
    fs::create_dir_all(outside.join("kept")).unwrap();
    let inner = tree.join("a/b/c");
    fs::create_dir_all(&inner).unwrap();
    for place in [&tree, &tree.join("a"), &tree.join("a/b"), &inner] {
        symlink(&outside, place.join("link")).unwrap();
        File::create(place.join(std::ffi::OsString::from_vec(vec![0xff, b'/' + 1, 0xfe]))).unwrap();
        // The names that things are given on the way.
        fs::create_dir_all(place.join(".gone-1/.gone-2")).unwrap();
        File::create(place.join(".gone-3")).unwrap();
    }
    for number in 0..3_000 {
        File::create(inner.join(format!("a name that takes some room {number}"))).unwrap();
        fs::create_dir(inner.join(format!("directory {number}"))).unwrap();
    }
    fs::set_permissions(&inner, fs::Permissions::from_mode(0o000)).unwrap();
    remove_tree(&tree).unwrap();
    assert_eq!(fs::read_dir(world.path()).unwrap().count(), 1);
    assert!(outside.join("kept").exists());
    symlink(&outside, &tree).unwrap();
    remove_tree(&tree).unwrap();
    assert!(outside.exists() && !tree.exists());
    assert_eq!(remove_tree(&tree).unwrap_err().kind(), io::ErrorKind::NotFound);
    assert!(remove_tree(Path::new("/")).is_err());
}

#[test]
fn what_stays_is_an_error_and_everything_else_goes() {
    if !geteuid().is_root() {
        println!("SKIPPED what_stays_is_an_error_and_everything_else_goes: needs root");
        return;
    }
    let (_world, tree) = world();
    let mounted = tree.join("a/mounted");
    fs::create_dir_all(&mounted).unwrap();
    fs::create_dir_all(tree.join("a/gone/deeper")).unwrap();
    File::create(tree.join("a/file")).unwrap();
    rustix::mount::mount_bind(&mounted, &mounted).unwrap();
    File::create(mounted.join("kept")).unwrap();
    let removed = remove_tree(&tree);
    let kept = mounted.join("kept").exists();
    rustix::mount::unmount(&mounted, rustix::mount::UnmountFlags::DETACH).unwrap();
    assert!(removed.is_err() && kept);
    let names: Vec<_> = fs::read_dir(tree.join("a")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["mounted"]);
    remove_tree(&tree).unwrap();
    assert!(!tree.exists());
}
