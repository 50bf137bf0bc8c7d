//! The things that a task wants to have in its container.

use std::path::{Component, Path, PathBuf};

use processes::rootfs::{Content, Entry, Flags, Kind, Propagation};

use super::{PlanError, Wanted, place};

/// Something that is put into a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume {
    /// Its place there; in the sandbox, if it does not begin with a slash.
    pub at: PathBuf,
    /// The thing.
    pub source: VolumeSource,
    /// True if it may not be written.
    pub read_only: bool,
}

/// The things that are put into containers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VolumeSource {
    /// A file or directory of the host, with all that is mounted in it.
    Host {
        /// Its path.
        path: PathBuf,
        /// The way later mounts spread.
        propagation: Propagation,
    },
    /// A path of a sandbox: the container's own, or that of the one above it.
    Sandbox {
        /// The sandbox on the host.
        sandbox: PathBuf,
        /// The path in it; a directory is made if nothing is there.
        path: PathBuf,
    },
    /// The layers of an image, the topmost first, which nobody writes to.
    Layers(Vec<PathBuf>),
    /// A copy of an image, which nobody writes to.
    Copied(PathBuf),
    /// A directory in memory.
    Memory {
        /// The most it may hold, in bytes.
        size: Option<u64>,
        /// The permission bits.
        mode: u32,
    },
    /// A file in memory that its user alone may read.
    Secret(Content),
}

impl Volume {
    /// The entry that has to be made for it.
    pub(super) fn entry(&self, wanted: &Wanted) -> Result<Entry, PlanError> {
        let path = place(&self.at, &wanted.sandbox_at)?;
        Ok(Entry { path, kind: self.kind(wanted)? })
    }

    fn kind(&self, wanted: &Wanted) -> Result<Kind, PlanError> {
        let flags = Flags { read_only: self.read_only, ..Flags::default() };
        let contained = Flags { nosuid: true, nodev: true, ..flags };
        match &self.source {
            VolumeSource::Host { path, .. } if path.is_relative() => Err(PlanError::Relative(path.clone())),
            VolumeSource::Host { path, propagation } => {
                let (from, propagation) = (path.clone(), *propagation);
                let flags = Flags { nodev: wanted.closes_devices(), ..flags };
                Ok(Kind::Bind { from, within: None, recursive: true, propagation, flags })
            }
            VolumeSource::Sandbox { sandbox, path } => {
                let (from, within) = (within(path)?, Some(sandbox.clone()));
                Ok(Kind::Bind { from, within, recursive: true, propagation: Propagation::Slave, flags: contained })
            }
            VolumeSource::Layers(lower) => {
                let flags = Flags { read_only: true, ..contained };
                Ok(Kind::Layers { lower: lower.clone(), flags })
            }
            VolumeSource::Copied(copy) => {
                let flags = Flags { read_only: true, ..contained };
                let (from, propagation) = (copy.clone(), Propagation::Private);
                Ok(Kind::Bind { from, within: None, recursive: false, propagation, flags })
            }
            VolumeSource::Memory { size, mode } => memory(*size, *mode, wanted.owner, contained),
            VolumeSource::Secret(content) => {
                let flags = Flags { read_only: true, noexec: true, ..contained };
                Ok(Kind::File { content: content.clone(), mode: 0o400, owner: wanted.owner, flags })
            }
        }
    }
}

fn within(path: &Path) -> Result<PathBuf, PlanError> {
    let stays = path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if stays { Ok(path.to_owned()) } else { Err(PlanError::Outside(path.to_owned())) }
}

fn memory(size: Option<u64>, mode: u32, (uid, gid): (u32, u32), flags: Flags) -> Result<Kind, PlanError> {
    // The kernel takes that for no limit at all.
    if size == Some(0) {
        return Err(PlanError::Size(0));
    }
    let size = size.map(|size| ("size", size.to_string()));
    let others = [("mode", format!("{mode:o}")), ("uid", uid.to_string()), ("gid", gid.to_string())];
    let options = size.into_iter().chain(others).map(|(key, value)| (key.to_owned(), Some(value))).collect();
    Ok(Kind::FileSystem { name: "tmpfs".to_owned(), options, flags: Flags { noexec: true, ..flags } })
}
