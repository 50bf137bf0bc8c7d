//! The plan of a container's file system: what Docker puts into one, what its image brings, and what the task wants.
//!
//! In: [`Wanted`], plain data. Out: a [`Rootfs`], complete and in order, which the container's first process builds; or the
//! [`PlanError`] that names the wrong part. Nothing here looks at a disk, but for [`overlay_works`] and [`is_shared`].
//!
//! The order is: the kernel's file systems and devices, then all that is asked for, by the depth of its place, so that
//! nothing hides what lies in it, and in the end what must not be seen or changed, so that nothing uncovers it.

mod kernel;
mod overlay;
mod shared;
mod volume;

use std::path::{Component, Path, PathBuf};

use processes::rootfs::{Content, Entry, Flags, Kind, Propagation, Root, Rootfs};

pub use self::overlay::{make_changes, overlay_works};
pub use self::shared::is_shared;
pub use self::volume::{Volume, VolumeSource};

/// The place of the sandbox in a container with an image, if the agent has no other wish.
pub const SANDBOX: &str = "/mnt/mesos/sandbox";

/// The shared memory that a container has if nobody asks for more, in bytes: Docker's.
pub const SHARED_MEMORY: u64 = 64 << 20;

/// The wishes for a container's file system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The files it begins with.
    pub base: Base,
    /// The sandbox, on the host.
    pub sandbox: PathBuf,
    /// Its place in the container.
    pub sandbox_at: PathBuf,
    /// All else that is put into it.
    pub volumes: Vec<Volume>,
    /// The names it finds without a name server, the servers it asks, and its own name: the content of `/etc/hosts`,
    /// `/etc/resolv.conf` and `/etc/hostname`; those of the image or of the host where absent. The host must have them.
    pub names: Names,
    /// The size of `/dev/shm` in bytes.
    pub shared_memory: u64,
    /// The control groups it may look at.
    pub cgroups: Cgroups,
    /// The directory it is to run in, made if the image has none.
    pub working_directory: Option<PathBuf>,
    /// The user and the group it runs as: what is made for it is theirs.
    pub owner: (u32, u32),
    /// True if nothing but volumes may be written.
    pub read_only: bool,
    /// True if nothing is hidden, and nothing of the kernel's is read-only.
    pub privileged: bool,
}

/// The files that a container begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Base {
    /// The layers of an image, the topmost first, below a directory for changes; `work` is empty and beside it.
    Image {
        /// The layers.
        layers: Vec<PathBuf>,
        /// The directory for changes.
        upper: PathBuf,
        /// The kernel's.
        work: PathBuf,
    },
    /// An image that was copied to this directory, where layers cannot be laid over each other.
    Copy(PathBuf),
    /// The host's own files.
    Host,
}

/// The files in which programs look for names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// `/etc/hosts`.
    pub hosts: Option<String>,
    /// `/etc/resolv.conf`.
    pub resolv_conf: Option<String>,
    /// `/etc/hostname`, which is not what the kernel says: that is set elsewhere.
    pub hostname: Option<String>,
}

/// The control groups that a container sees below `/sys/fs/cgroup`, to read only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Cgroups {
    /// None: the directory is empty.
    #[default]
    Nothing,
    /// Its own in each hierarchy of version 1: the hierarchy's name, such as `cpu,cpuacct`, and the directory.
    Version1(Vec<(String, PathBuf)>),
    /// Its own, of version 2.
    Version2(PathBuf),
}

/// A wish that cannot be granted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// A place that is none.
    #[error("The path '{}' cannot be a place in a container: {why}", path.display())]
    Place {
        /// The path.
        path: PathBuf,
        /// The reason.
        why: &'static str,
    },
    /// Two things at one place.
    #[error("Two volumes of the container have the path '{}'", .0.display())]
    Twice(PathBuf),
    /// A path of the host that does not say where it begins.
    #[error("The path '{}' of a volume is to be a path of the host, and so has to begin with '/'", .0.display())]
    Relative(PathBuf),
    /// A path in the sandbox that leads out of it.
    #[error("The path '{}' of a volume is to be in the sandbox", .0.display())]
    Outside(PathBuf),
    /// A volume of the container's own, which has no image.
    #[error("The path '{}' cannot be mounted on: without an image, a container has the host's files", .0.display())]
    NoImage(PathBuf),
    /// Options of a volume in memory that the kernel would not understand.
    #[error("The size '{0}' of a volume in memory is none")]
    Size(u64),
}

impl Wanted {
    /// Nothing but these files and a sandbox, for root.
    pub fn new(base: Base, sandbox: PathBuf, sandbox_at: PathBuf) -> Wanted {
        Wanted {
            base,
            sandbox,
            sandbox_at,
            volumes: Vec::new(),
            names: Names::default(),
            shared_memory: SHARED_MEMORY,
            cgroups: Cgroups::Nothing,
            working_directory: None,
            owner: (0, 0),
            read_only: false,
            privileged: false,
        }
    }

    /// The plan.
    pub fn plan(&self) -> Result<Rootfs, PlanError> {
        let is_host = self.base == Base::Host;
        let asked = if is_host { self.volumes_of_host()? } else { self.asked_for()? };
        let mut entries = if is_host { kernel::of_host() } else { kernel::of_image(self) };
        entries.extend(asked);
        if !is_host {
            entries.extend(self.working_directory());
        }
        if !is_host && !self.privileged {
            entries.extend(kernel::hidden());
        }
        Ok(Rootfs { root: self.root(), entries, read_only: self.read_only && !is_host })
    }

    /// False if the container has all devices of the host: with its files it has them, too.
    fn closes_devices(&self) -> bool {
        self.base != Base::Host && !self.privileged
    }

    fn root(&self) -> Root {
        match &self.base {
            Base::Image { layers, upper, work } => {
                Root::Overlay { lower: layers.clone(), upper: upper.clone(), work: work.clone() }
            }
            Base::Copy(directory) => Root::Directory(directory.clone()),
            Base::Host => Root::Tree(PathBuf::from("/")),
        }
    }

    /// The sandbox, the files with names, and the volumes.
    fn asked_for(&self) -> Result<Vec<Entry>, PlanError> {
        let mut entries = vec![self.sandbox_entry()?];
        for volume in &self.volumes {
            let entry = volume.entry(self)?;
            if entries.iter().any(|other| other.path == entry.path) {
                return Err(PlanError::Twice(entry.path));
            }
            entries.push(entry);
        }
        self.add_names(&mut entries);
        Ok(entries)
    }

    /// A container with the host's files cannot have any that are not there.
    fn volumes_of_host(&self) -> Result<Vec<Entry>, PlanError> {
        let mut entries: Vec<Entry> = Vec::new();
        for volume in &self.volumes {
            if volume.at.is_relative() {
                return Err(PlanError::NoImage(volume.at.clone()));
            }
            entries.push(volume.entry(self)?);
        }
        self.add_names(&mut entries);
        Ok(entries)
    }

    /// Adds the files with names. A volume at the same place takes precedence, as with Docker.
    fn add_names(&self, entries: &mut Vec<Entry>) {
        let names = self.names.entries().filter(|name| entries.iter().all(|entry| entry.path != name.path));
        let names: Vec<Entry> = names.collect();
        entries.extend(names);
        entries.sort_by_key(|entry| entry.path.components().count());
    }

    fn sandbox_entry(&self) -> Result<Entry, PlanError> {
        let flags = Flags { nosuid: true, nodev: true, ..Flags::default() };
        let propagation = Propagation::Slave;
        let kind = Kind::Bind { from: self.sandbox.clone(), within: None, recursive: true, propagation, flags };
        Ok(Entry { path: place(&self.sandbox_at, Path::new("/"))?, kind })
    }

    fn working_directory(&self) -> Option<Entry> {
        let path = self.working_directory.clone()?;
        Some(Entry { path, kind: Kind::Directory { mode: 0o755, owner: self.owner } })
    }
}

impl Names {
    /// The files among them that the host has, too.
    pub fn as_far_as(self, there: &Names) -> Names {
        Names {
            hosts: self.hosts.filter(|_| there.hosts.is_some()),
            resolv_conf: self.resolv_conf.filter(|_| there.resolv_conf.is_some()),
            hostname: self.hostname.filter(|_| there.hostname.is_some()),
        }
    }

    fn entries(&self) -> impl Iterator<Item = Entry> {
        let files =
            [("/etc/hosts", &self.hosts), ("/etc/resolv.conf", &self.resolv_conf), ("/etc/hostname", &self.hostname)];
        files.into_iter().filter_map(|(path, content)| {
            let content = Content::Text(content.clone()?);
            let kind = Kind::File { content, mode: 0o644, owner: (0, 0), flags: Flags::default() };
            Some(Entry { path: path.into(), kind })
        })
    }
}

/// The path in the container, which begins in this directory unless it says otherwise.
fn place(path: &Path, from: &Path) -> Result<PathBuf, PlanError> {
    let wrong = |why| Err(PlanError::Place { path: path.to_owned(), why });
    if path.as_os_str().as_encoded_bytes().contains(&0) {
        return wrong("it has a byte that is zero");
    }
    if path.components().any(|part| part == Component::ParentDir) {
        return wrong("it has '..' in it");
    }
    // Without what says nothing: repeated slashes, and dots.
    let whole: PathBuf = from.join(path).components().collect();
    match whole.components().count() {
        0 | 1 => wrong("it is the root"),
        _ => Ok(whole),
    }
}

#[cfg(test)]
mod tests;
