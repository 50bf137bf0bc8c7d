//! The cgroup that a process is in, as the place for another one, whoever made it.

use std::fs;
use std::path::{Component, Path, PathBuf};

use processes::Birthplace;

use super::find::{Mount, mounts_below};

/// The cgroups of a process in all hierarchies of version 1, or else its cgroup of version 2; nothing where they cannot be
/// seen from here.
pub fn birthplace_of(pid: i32) -> Option<Birthplace> {
    let read = |path: &str| fs::read_to_string(path).ok();
    let (groups, mounts) = (read(&format!("/proc/{pid}/cgroup"))?, read("/proc/self/mountinfo")?);
    let found = places(&groups, &mounts);
    let exists = |place: &Birthplace| match place {
        Birthplace::Tasks(files) => files.iter().all(|file| file.exists()),
        Birthplace::Directory(directory) => directory.exists(),
    };
    found.filter(exists)
}

/// The path of a process' cgroup from the root of the hierarchy of memory, which all of a container have in common. None of
/// one in the root, with the rest of the machine, or outside of what is seen here.
pub(super) fn name_of(pid: i32) -> Option<PathBuf> {
    name(&fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?)
}

fn name(groups: &str) -> Option<PathBuf> {
    let lines = groups.lines().filter_map(|line| line.splitn(3, ':').skip(1).collect::<Vec<_>>().try_into().ok());
    let lines: Vec<[&str; 2]> = lines.collect();
    let of_memory = lines.iter().find(|[controllers, _]| controllers.split(',').any(|it| it == "memory"));
    let [_, path] = of_memory.or_else(|| lines.iter().find(|[controllers, _]| controllers.is_empty()))?;
    let path = Path::new(path.trim_start_matches('/'));
    let is_below = path.components().next().is_some_and(|first| matches!(first, Component::Normal(_)));
    is_below.then(|| path.to_owned())
}

/// By the lines of `/proc/<pid>/cgroup`: number, controllers, path.
fn places(groups: &str, mounts: &str) -> Option<Birthplace> {
    let lines = groups.lines().filter_map(|line| line.splitn(3, ':').skip(1).collect::<Vec<_>>().try_into().ok());
    let lines: Vec<[&str; 2]> = lines.collect();
    let mounts: Vec<Mount<'_>> = mounts_below(mounts, Path::new("/")).collect();
    let below = |mount: &Mount<'_>, path: &str| mount.path().join(path.trim_start_matches('/'));
    let of_version1 = |[controllers, path]: &[&str; 2]| -> Option<PathBuf> {
        let has = |mount: &&Mount<'_>| {
            let options: Vec<&str> = mount.options.split(',').collect();
            mount.kind == "cgroup" && controllers.split(',').all(|controller| options.contains(&controller))
        };
        Some(below(mounts.iter().find(has)?, path).join("tasks"))
    };
    let tasks: Vec<PathBuf> =
        lines.iter().filter(|[controllers, _]| !controllers.is_empty()).filter_map(of_version1).collect();
    if !tasks.is_empty() {
        return Some(Birthplace::Tasks(tasks));
    }
    let [_, path] = lines.iter().find(|[controllers, _]| controllers.is_empty())?;
    let mount = mounts.iter().find(|mount| mount.kind == "cgroup2")?;
    Some(Birthplace::Directory(below(mount, path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "31 30 0:27 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw,nsdelegate\n\
        33 30 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:11 - cgroup cgroup rw,cpu,cpuacct\n\
        34 30 0:30 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
        35 30 0:31 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd\n";

    #[test]
    fn a_name_is_of_one_below_the_root() {
        let named = |groups| name(groups).map(|name| name.display().to_string());
        assert_eq!(named("4:memory:/docker/1f\n0::/x\n").as_deref(), Some("docker/1f"));
        assert_eq!(named("0::/system.slice/x\n").as_deref(), Some("system.slice/x"));
        for none in ["", "0::/\n", "4:memory:/\n0::/x\n", "0::/../x\n"] {
            assert_eq!(named(none), None, "{none}");
        }
    }

    #[test]
    fn a_place_is_where_the_process_is() {
        let groups =
            "4:memory:/docker/1f\n3:cpu,cpuacct:/docker/1f\n2:name=systemd:/docker/1f\n1:net_cls:/\n0::/docker/1f\n";
        let file = |name: &str| PathBuf::from(format!("/sys/fs/cgroup/{name}/docker/1f/tasks"));
        let tasks = vec![file("memory"), file("cpu,cpuacct"), file("systemd")];
        assert_eq!(places(groups, MOUNTS), Some(Birthplace::Tasks(tasks)));
        let directory = PathBuf::from("/sys/fs/cgroup/unified/system.slice/x");
        assert_eq!(places("0::/system.slice/x\n", MOUNTS), Some(Birthplace::Directory(directory)));
        assert_eq!(places("", MOUNTS), None);
        assert_eq!(places("0::/x\n", ""), None);
    }

    #[test]
    fn this_process_is_somewhere() {
        let own = i32::try_from(std::process::id()).unwrap();
        assert_eq!(birthplace_of(own).is_some(), !fs::read_to_string("/proc/self/cgroup").unwrap().is_empty());
        assert_eq!(birthplace_of(i32::MAX), None);
    }
}
