//! The layers of an image as one tree, where the kernel cannot lay them over each other.
//!
//! ```text
//!   merge   pure: the names that a directory has, by those of its layers
//!   tree    directory after directory, all that is in them
//!   node    one file, link or device, with its owner, mode, attributes and times
//!   make    all that a container needs, or nothing
//! ```
//!
//! In: directories as overlayfs wants layers to be, with whiteouts and opaque directories, and the place of the tree, which
//! is not there yet. Out: a tree in which all is as it would be seen in an overlay. Links are never followed, in the layers
//! or in the tree. The tree of [`copy`] is its caller's to remove, also after a failure. It blocks; [`Watch`] tells how far it is, and
//! stops it.

mod error;
mod make;
mod merge;
mod node;
mod tree;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

pub use self::error::CopyError;
pub use self::make::{make, unless};
pub use self::tree::copy;
use crate::rootfs::overlay_works;

/// The way in which layers become one file system: Mesos' `image_provisioner_backend`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Backend {
    /// The kernel lays them over each other.
    Overlay,
    /// They are copied.
    Copy,
}

/// A tree that has to be copied before a container can have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copy {
    /// The layers, the topmost first.
    pub layers: Vec<PathBuf>,
    /// The place of the tree.
    pub to: PathBuf,
}

/// The sight of a copy from outside.
#[derive(Debug, Default)]
pub struct Watch {
    bytes: AtomicU64,
    stops: AtomicBool,
}

impl Backend {
    /// The one for trees in this directory: the operator's, or the first that works. An error is the kernel's reason
    /// against an overlay that the operator wants.
    pub fn choose(wanted: Option<Backend>, directory: &Path) -> io::Result<Backend> {
        match wanted {
            Some(Backend::Copy) => Ok(Backend::Copy),
            Some(Backend::Overlay) => overlay_works(directory).map(|()| Backend::Overlay),
            None => Ok(overlay_works(directory).map_or_else(copied, |()| Backend::Overlay)),
        }
    }

    /// Its name, as Mesos has it.
    pub fn name(self) -> &'static str {
        match self {
            Backend::Overlay => "overlay",
            Backend::Copy => "copy",
        }
    }

    /// The one of this name.
    pub fn named(name: &str) -> Option<Backend> {
        [Backend::Overlay, Backend::Copy].into_iter().find(|backend| backend.name() == name)
    }
}

fn copied(cause: io::Error) -> Backend {
    tracing::info!(%cause, "layers cannot be laid over each other here: the image is copied");
    Backend::Copy
}

impl Watch {
    /// The bytes that were copied so far.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Has the copy end at once, with [`CopyError::Stopped`].
    pub fn stop(&self) {
        self.stops.store(true, Ordering::Relaxed);
    }

    fn copied(&self, bytes: u64) -> Result<(), CopyError> {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        if self.stops.load(Ordering::Relaxed) { Err(CopyError::Stopped) } else { Ok(()) }
    }
}
