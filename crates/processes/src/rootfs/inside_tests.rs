//! A directory with links of every sort, as an image may have them.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};

use super::*;

struct World {
    outer: tempfile::TempDir,
}

impl World {
    fn new() -> World {
        let outer = tempfile::tempdir().unwrap();
        fs::create_dir_all(outer.path().join("root/etc")).unwrap();
        fs::create_dir(outer.path().join("secret")).unwrap();
        World { outer }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.outer.path().join("root").join(path)
    }

    fn link(&self, path: &str, to: impl AsRef<Path>) {
        symlink(to, self.path(path)).unwrap();
    }

    /// The directory made for a path, as seen from outside.
    fn make(&self, path: &str, wanted: Wanted) -> Result<(u64, u64)> {
        let root = File::open(self.path("")).unwrap();
        let made = File::from(find_or_make(root.as_fd(), Path::new(path), wanted)?);
        let metadata = made.metadata().unwrap();
        assert_eq!(metadata.is_dir(), wanted == Wanted::Directory);
        Ok((metadata.dev(), metadata.ino()))
    }

    fn id(&self, path: &str) -> (u64, u64) {
        let metadata = fs::symlink_metadata(self.path(path)).unwrap();
        (metadata.dev(), metadata.ino())
    }
}

#[test]
fn what_is_missing_is_made_with_all_above_it() {
    let world = World::new();
    assert_eq!(world.make("/a/b/c", Wanted::Directory).unwrap(), world.id("a/b/c"));
    assert_eq!(world.make("a/b/file", Wanted::File).unwrap(), world.id("a/b/file"));
    assert_eq!(world.make("/a/b", Wanted::Directory).unwrap(), world.id("a/b"));
    assert_eq!(world.make("/a/b/file/x", Wanted::File), Err(Errno::NOTDIR));
}

#[test]
fn links_lead_nowhere_else() {
    let world = World::new();
    world.link("absolute", world.outer.path().join("secret"));
    world.link("up", "../secret");
    world.link("far", "../../../../../../../../tmp");
    world.link("run", "/var/run");
    world.link("loop", "loop");
    world.link("magic", "/proc/self/root");
    let made = world.make("/up/x", Wanted::Directory).unwrap();
    assert_eq!(made, world.id("secret/x"), "above the root is the root");
    let inside = world.outer.path().strip_prefix("/").unwrap().join("secret/y");
    assert_eq!(world.make("/absolute/y", Wanted::File).unwrap(), world.id(inside.to_str().unwrap()));
    assert_eq!(world.make("/far/z", Wanted::Directory).unwrap(), world.id("tmp/z"));
    assert_eq!(world.make("/run/lock", Wanted::Directory).unwrap(), world.id("var/run/lock"));
    assert_eq!(world.make("/../../outside", Wanted::Directory).unwrap(), world.id("outside"));
    assert_eq!(world.make("/loop/x", Wanted::Directory), Err(Errno::LOOP));
    world.make("/magic/w", Wanted::File).unwrap();
    assert_eq!(fs::read_dir(world.outer.path().join("secret")).unwrap().count(), 0);
    assert_eq!(fs::read_dir(world.outer.path()).unwrap().count(), 2);
}

#[test]
fn a_path_without_links_is_asked_for() {
    let world = World::new();
    world.link("proc", "etc");
    let root = File::open(world.path("")).unwrap();
    assert_eq!(find_without_links(root.as_fd(), Path::new("/proc")).unwrap_err(), Errno::LOOP);
    assert!(find_without_links(root.as_fd(), Path::new("/etc")).is_ok());
    assert!(find(root.as_fd(), Path::new("/proc")).is_ok());
}
