//! The kernel's files that every container has, as Docker gives them.

use std::path::{Path, PathBuf};

use processes::rootfs::{Entry, Flags, Kind, Propagation};

use super::{Cgroups, Wanted};

/// Nobody may see these: they tell of the host, or let it be controlled. Docker's, and of Mesos' `/proc/key-users`.
const MASKED: [&str; 13] = [
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/key-users",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/devices/virtual/powercap",
    "/sys/firmware",
];

/// Nobody may write to these.
const READ_ONLY: [&str; 5] = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/// Names, and the numbers of what the driver of memory and that of terminals have.
const DEVICES: [(&str, u32, u32); 6] = [
    ("/dev/null", 1, 3),
    ("/dev/zero", 1, 5),
    ("/dev/full", 1, 7),
    ("/dev/random", 1, 8),
    ("/dev/urandom", 1, 9),
    ("/dev/tty", 5, 0),
];

const LINKS: [(&str, &str); 5] = [
    ("/dev/fd", "/proc/self/fd"),
    ("/dev/stdin", "/proc/self/fd/0"),
    ("/dev/stdout", "/proc/self/fd/1"),
    ("/dev/stderr", "/proc/self/fd/2"),
    ("/dev/ptmx", "pts/ptmx"),
];

/// Nothing that could be of use to somebody bad.
const PLAIN: Flags = Flags { read_only: false, nosuid: true, nodev: true, noexec: true };

/// The kernel's file systems and devices in a container with an image.
pub(super) fn of_image(wanted: &Wanted) -> Vec<Entry> {
    let locked = Flags { read_only: !wanted.privileged, ..PLAIN };
    let devices = Flags { nosuid: true, nodev: true, ..Flags::default() };
    let terminals = Flags { nosuid: true, noexec: true, ..Flags::default() };
    let mut entries = vec![
        proc(),
        file_system("/dev", "tmpfs", &[("mode", "755"), ("size", "65536k")], devices),
        file_system(
            "/dev/pts",
            "devpts",
            &[("newinstance", ""), ("ptmxmode", "0666"), ("mode", "0620"), ("gid", "5")],
            terminals,
        ),
        file_system("/sys", "sysfs", if wanted.privileged { &[] } else { &[("ro", "")] }, locked),
    ];
    entries.extend(cgroups(&wanted.cgroups, locked));
    entries.push(file_system("/dev/mqueue", "mqueue", &[], PLAIN));
    let size = wanted.shared_memory.to_string();
    entries.push(file_system("/dev/shm", "tmpfs", &[("mode", "1777"), ("size", &size)], PLAIN));
    entries.extend(DEVICES.map(|(path, major, minor)| entry(path, Kind::Device { major, minor, mode: 0o666 })));
    entries.extend(LINKS.map(|(path, to)| entry(path, Kind::Link(to.into()))));
    entries.push(entry("/etc/mtab", Kind::Link("/proc/mounts".into())));
    entries
}

/// The entries that replace some of the host's in a container with its files: the processes that it sees are its own.
pub(super) fn of_host() -> Vec<Entry> {
    vec![proc()]
}

/// The paths that are covered at last.
pub(super) fn hidden() -> impl Iterator<Item = Entry> {
    let masked = MASKED.into_iter().map(|path| entry(path, Kind::Masked));
    masked.chain(READ_ONLY.into_iter().map(|path| entry(path, Kind::ReadOnly)))
}

fn cgroups(cgroups: &Cgroups, flags: Flags) -> Vec<Entry> {
    let place = Path::new("/sys/fs/cgroup");
    let own = |at: PathBuf, from: &Path| {
        let kind = Kind::Bind {
            from: from.to_owned(),
            within: None,
            recursive: false,
            propagation: Propagation::Private,
            flags,
        };
        Entry { path: at, kind }
    };
    match cgroups {
        // What lies below is the host's.
        Cgroups::Nothing => vec![file_system("/sys/fs/cgroup", "tmpfs", &[("mode", "755")], flags)],
        Cgroups::Version2(directory) => vec![own(place.to_owned(), directory)],
        Cgroups::Version1(hierarchies) => {
            let open = Flags { read_only: false, ..flags };
            let base = file_system("/sys/fs/cgroup", "tmpfs", &[("mode", "755")], open);
            let each = hierarchies.iter().map(|(name, directory)| own(place.join(name), directory));
            let links = hierarchies.iter().flat_map(|(name, _)| links(name));
            let locked = flags.read_only.then(|| entry("/sys/fs/cgroup", Kind::ReadOnly));
            std::iter::once(base).chain(each).chain(links).chain(locked).collect()
        }
    }
}

/// Controllers that share a hierarchy are found by their own names, too.
fn links(hierarchy: &str) -> Vec<Entry> {
    let controllers: Vec<&str> = hierarchy.split(',').collect();
    if controllers.len() < 2 {
        return Vec::new();
    }
    let link = |name: &str| Entry { path: Path::new("/sys/fs/cgroup").join(name), kind: Kind::Link(hierarchy.into()) };
    controllers.into_iter().map(link).collect()
}

fn proc() -> Entry {
    file_system("/proc", "proc", &[], PLAIN)
}

fn file_system(path: &str, name: &str, options: &[(&str, &str)], flags: Flags) -> Entry {
    let value = |value: &str| (!value.is_empty()).then(|| value.to_owned());
    let options = options.iter().map(|(key, text)| ((*key).to_owned(), value(text))).collect();
    entry(path, Kind::FileSystem { name: name.to_owned(), options, flags })
}

fn entry(path: &str, kind: Kind) -> Entry {
    Entry { path: path.into(), kind }
}
