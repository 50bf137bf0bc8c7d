//! Volumes that are parts of sandboxes: seen in one sandbox as links to another, or to other parts of its own.

use std::io;
use std::path::{Component, Path, PathBuf};

use mesos::v1::Volume;
use mesos::v1::volume::Mode;
use mesos::v1::volume::source::{self, sandbox_path};
use processes::{Credentials, give};

use crate::space::Space;

/// A part of a sandbox that is seen under another name in a container's own one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    of_parent: bool,
    source: PathBuf,
    name: PathBuf,
}

impl Link {
    /// The link that a volume asks for, if it is one of those: one cannot be read-only.
    pub fn of(volume: &Volume) -> Option<Link> {
        let source = volume.source.as_ref().filter(|source| source.r#type() == source::Type::SandboxPath)?;
        let path = source.sandbox_path.as_ref().filter(|path| path.r#type() != sandbox_path::Type::Unknown)?;
        if volume.mode() != Mode::Rw {
            return None;
        }
        let name = inside(&volume.container_path)?;
        Some(Link { of_parent: path.r#type() == sandbox_path::Type::Parent, source: inside(&path.path)?, name })
    }

    /// Makes it in a container's own sandbox. A part that is not there yet is made as a directory of the user's; one that
    /// is there is left as it is: somebody else's task may have made it.
    pub fn make(&self, parent: (&Space, &Path), own: (&Space, &Path), user: Option<&Credentials>) -> io::Result<()> {
        let (space, path) = if self.of_parent { parent } else { own };
        space.make(&self.source)?.map_or(Ok(()), |made| give(&made, user))?;
        own.0.link(&path.join(&self.source), &self.name)
    }
}

/// A path that leads nowhere else.
fn inside(path: &str) -> Option<PathBuf> {
    let path = Path::new(path);
    let plain = path.components().all(|part| matches!(part, Component::Normal(_)));
    (plain && !path.as_os_str().is_empty()).then(|| path.to_owned())
}
