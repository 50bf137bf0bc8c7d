//! The same archives, unpacked by GNU tar and by us: the trees are equal in everything.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use containers::image::Digest;
use containers::unpack::{Bounds, run};
use rustix::fs::{lgetxattr, llistxattr};

use crate::world::{World, unpack};

pub(crate) const TESTS: &[(&str, fn())] = &[("trees_are_as_gnu_tar_makes_them", trees_are_as_gnu_tar_makes_them)];

/// Directories of this machine that have links, owners, modes and many files.
const REAL: [(&str, &str); 3] = [("/", "etc"), ("/usr/share", "zoneinfo"), ("/usr/lib", "git-core")];

fn trees_are_as_gnu_tar_makes_them() {
    let name = "trees_are_as_gnu_tar_makes_them";
    if !Command::new("tar").arg("--version").output().is_ok_and(|output| output.stdout.starts_with(b"tar (GNU")) {
        return println!("SKIPPED {name}: there is no GNU tar here");
    }
    if let Some(archive) = std::env::var_os("CYGNET_TEST_LAYER") {
        return compare(Path::new(&archive));
    }
    let made = make();
    let is_here = |(place, name): &(&str, &str)| Path::new(place).join(name).is_dir();
    let real: Vec<_> = REAL.into_iter().filter(is_here).flat_map(|(place, name)| ["-C", place, name]).collect();
    let directory = tempfile::tempdir().unwrap();
    for (options, real) in [
        (&["--format=gnu", "--sparse"][..], &[][..]),
        (&["--format=pax", "--xattrs", "--xattrs-include=*"], &real),
        (&["--format=pax", "--sparse", "--sparse-version=0.0"], &[]),
        (&["--format=pax", "--sparse", "--sparse-version=0.1"], &[]),
        (&["--format=pax", "--sparse", "--sparse-version=1.0", "--gzip"], &[]),
    ] {
        let archive = directory.path().join("archive");
        let mut tar = Command::new("tar");
        tar.args(options).arg("-cf").arg(&archive).arg("-C").arg(made.path()).arg(".").args(real);
        assert!(tar.output().unwrap().status.success(), "{options:?}");
        compare(&archive);
    }
}

/// Files that a machine may lack.
pub(crate) fn make() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let sparse = fs::File::create(directory.path().join("sparse")).unwrap();
    for place in 0..100 {
        sparse.write_all_at(b"data", place * 100_000 + 4096).unwrap();
    }
    sparse.set_len(20_000_000).unwrap();
    fs::File::create(directory.path().join("hole")).unwrap().set_len(1_000_000).unwrap();
    let script = "mkfifo fifo; mknod null c 1 3; mknod disk b 8 1; ln null hard; echo x > $(printf 'new\\nline'); \
                  echo x > set; chown 12:34 set; chmod 6755 set; ln -s /no/where soft; chown -h 56:78 soft; \
                  echo x > capable; chmod 755 capable; setcap cap_net_raw+ep capable; setfattr -n user.a -v b set; \
                  mkdir -m 1777 tmp; touch -d '1960-01-01 00:00:00.5 UTC' old; touch -d '2100-01-01 UTC' new; true";
    Command::new("sh").args(["-c", script]).current_dir(directory.path()).output().unwrap();
    directory
}

fn compare(archive: &Path) {
    let world = World::new();
    let (theirs, ours) = (world.directory.path().join("theirs"), world.directory.path().join("ours"));
    fs::create_dir(&theirs).unwrap();
    fs::create_dir(&ours).unwrap();
    let options = ["--xattrs", "--xattrs-include=*", "--numeric-owner", "--same-owner", "-xpf"];
    let status = Command::new("tar").arg("-C").arg(&theirs).args(options).arg(archive).output().unwrap();
    assert!(status.status.success(), "{}", String::from_utf8_lossy(&status.stderr));
    let file = fs::File::open(archive).unwrap();
    let length = file.metadata().unwrap().len();
    let unpacked = run(&unpack(), &file, length, &ours, Bounds::default()).unwrap();
    let (theirs, ours) = (tree(&theirs), tree(&ours));
    assert!(unpacked.entries as usize + 10 >= ours.len() && ours.len() > 10);
    for (path, facts) in &theirs {
        assert_eq!(ours.get(path), Some(facts), "{}", path.display());
    }
    assert_eq!(ours.len(), theirs.len());
}

/// Each file, and all that can be known of it.
pub(crate) fn tree(root: &Path) -> BTreeMap<PathBuf, String> {
    let (mut facts, mut open, mut links) = (BTreeMap::new(), vec![root.to_owned()], BTreeMap::new());
    while let Some(path) = open.pop() {
        let metadata = fs::symlink_metadata(&path).unwrap();
        let name = path.strip_prefix(root).unwrap().to_owned();
        let kind = metadata.file_type();
        let first = links.entry(metadata.ino()).or_insert_with(|| name.clone()).clone();
        let hard = if kind.is_dir() { 0 } else { metadata.nlink() };
        let content = match () {
            () if kind.is_file() => Digest::of(&fs::read(&path).unwrap()).to_string(),
            () if kind.is_symlink() => fs::read_link(&path).unwrap().display().to_string(),
            () => String::new(),
        };
        if kind.is_dir() {
            open.extend(children(&path));
        }
        // The root's own times are those of its making where the archive says nothing of it.
        let modified = if path == root { (0, 0) } else { (metadata.mtime(), metadata.mtime_nsec()) };
        let length = if kind.is_dir() { 0 } else { metadata.len() };
        let (mode, owner, device) = (metadata.mode(), (metadata.uid(), metadata.gid()), metadata.rdev());
        let linked = (hard, if hard > 1 { first } else { PathBuf::new() });
        let all = (mode, owner, device, length, modified, linked, attributes(&path), content);
        facts.insert(name, format!("{all:?}"));
    }
    facts
}

/// In the order of their names, so that of hard links the same one is met first. An overlay lists whiteouts of a directory
/// that it has not merged, though nothing is there.
fn children(directory: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| fs::symlink_metadata(path).is_ok());
    paths.sort();
    paths
}

fn attributes(path: &Path) -> BTreeMap<OsString, Vec<u8>> {
    let mut names = [0; 4096];
    let length = llistxattr(path, &mut names[..]).unwrap_or(0);
    let names = names[..length].split(|byte| *byte == 0).filter(|name| !name.is_empty());
    let value = |name: &[u8]| {
        let mut value = [0; 4096];
        let length = lgetxattr(path, name, &mut value[..]).unwrap();
        (OsString::from_vec(name.to_vec()), value[..length].to_vec())
    };
    names.map(value).collect()
}
