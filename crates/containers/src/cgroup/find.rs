//! The hierarchies that are mounted on this machine, from `/proc/self/mountinfo`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::CgroupError;
use super::driver::Driver;
use super::files;
use super::v1::V1;
use super::v2::V2;

/// Version 1 if CPU and memory are mounted there or below, else version 2: with both mounted, a controller is in one of
/// them.
pub(super) fn driver(below: &Path) -> Result<Arc<dyn Driver>, CgroupError> {
    let mounts = files::read(Path::new("/proc/self/mountinfo"))?;
    match v1(&mounts, below) {
        Ok(v1) => Ok(Arc::new(v1)),
        Err(absent) => Ok(Arc::new(v2(&mounts, below)?.ok_or(absent)?)),
    }
}

pub(super) fn mounts_below<'a>(mounts: &'a str, below: &'a Path) -> impl Iterator<Item = Mount<'a>> {
    mounts.lines().filter_map(Mount::parse).filter(move |mount| mount.path().starts_with(below))
}

fn v1(mounts: &str, below: &Path) -> Result<V1, CgroupError> {
    let hierarchy = |controller: &'static str| {
        let has = |mount: &Mount<'_>| mount.kind == "cgroup" && mount.options.split(',').any(|has| has == controller);
        let found = mounts_below(mounts, below).find(has);
        found.map(|mount| mount.path()).ok_or(CgroupError::NoController(controller))
    };
    Ok(V1 {
        cpu: hierarchy("cpu")?,
        cpuacct: hierarchy("cpuacct")?,
        memory: hierarchy("memory")?,
        pids: hierarchy("pids").ok(),
    })
}

/// The hierarchy of version 2, if it has what limits need.
fn v2(mounts: &str, below: &Path) -> Result<Option<V2>, CgroupError> {
    let Some(mount) = mounts_below(mounts, below).find(|mount| mount.kind == "cgroup2") else { return Ok(None) };
    let mount = mount.path();
    let controllers = files::read(&mount.join("cgroup.controllers"))?;
    let has = |wanted| controllers.split_whitespace().any(|controller| controller == wanted);
    Ok(Some(V2 { mount }).filter(|_| has("cpu") && has("memory") && has("pids")))
}

/// A line of `mountinfo`.
pub(super) struct Mount<'a> {
    target: &'a str,
    pub(super) kind: &'a str,
    /// The options of the file system, not of the mount: for version 1, its controllers.
    pub(super) options: &'a str,
}

impl Mount<'_> {
    fn parse(line: &str) -> Option<Mount<'_>> {
        let (mount, file_system) = line.split_once(" - ")?;
        let mut words = file_system.split(' ');
        let (kind, _source, options) = (words.next()?, words.next()?, words.next()?);
        Some(Mount { target: mount.split(' ').nth(4)?, kind, options })
    }

    /// The place, whose blanks the kernel writes as octal numbers.
    pub(super) fn path(&self) -> PathBuf {
        let unescaped = [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")];
        let target = unescaped.iter().fold(self.target.to_owned(), |text, (code, blank)| text.replace(code, blank));
        PathBuf::from(target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEPARATE: &str = "30 25 0:26 / /sys/fs/cgroup ro shared:9 - tmpfs tmpfs ro,mode=755\n\
        31 30 0:27 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw,nsdelegate\n\
        33 30 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:11 - cgroup cgroup rw,cpu,cpuacct\n\
        34 30 0:30 / /sys/fs/cgroup/me\\040mory rw - cgroup cgroup rw,memory\n\
        35 30 0:31 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n";

    const NONE: &str = "no hierarchy of control groups has the controller 'memory'";

    #[test]
    fn hierarchies_are_where_they_are_mounted() {
        let path = |name: &str| Path::new("/sys/fs/cgroup").join(name);
        let found = v1(SEPARATE, Path::new("/sys/fs/cgroup")).unwrap();
        let shared = path("cpu,cpuacct");
        let (memory, pids) = (path("me mory"), Some(path("pids")));
        assert_eq!(found, V1 { cpu: shared.clone(), cpuacct: shared, memory, pids });
        let without = SEPARATE.replace(",memory", "");
        assert_eq!(v1(&without, Path::new("/")).unwrap_err().to_string(), NONE);
        assert!(v1(SEPARATE, Path::new("/sys/fs/cgroup/cpu,cpuacct")).is_err());
    }

    #[test]
    fn version_2_needs_its_controllers() {
        let directory = tempfile::tempdir().unwrap();
        let line = format!("31 30 0:27 / {} rw - cgroup2 cgroup2 rw\n", directory.path().display());
        for (controllers, enough) in [("cpuset cpu io memory pids\n", true), ("hugetlb\n", false), ("\n", false)] {
            std::fs::write(directory.path().join("cgroup.controllers"), controllers).unwrap();
            assert_eq!(v2(&line, directory.path()).unwrap().is_some(), enough, "{controllers}");
        }
        assert_eq!(v2("", Path::new("/")).unwrap(), None);
    }
}
