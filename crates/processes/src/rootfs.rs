//! The file system of a container, as data that is complete: whoever builds it looks nothing up.
//!
//! In: a plan, from who knows images and volumes. Out: the file system, built by the one process that then lives in it
//! (`build`), in a mount namespace of its own, so that no mount is ever seen outside, or left behind. Every path in it is
//! resolved `inside`: links of an image lead nowhere else.

mod build;
mod error;
mod inside;
mod place;
mod prepare;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub(crate) use build::build;
pub use error::RootfsError;
pub(crate) use prepare::copy_of_mount;

/// The file system of a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rootfs {
    /// The files it begins with.
    pub root: Root,
    /// All that is put into it, in this order.
    pub entries: Vec<Entry>,
    /// True if nothing but what is mounted in it may be written.
    #[serde(default)]
    pub read_only: bool,
}

/// The files that a container begins with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Root {
    /// Layers, over which what is changed is kept. No device in them can be opened.
    Overlay {
        /// The layers, the topmost first.
        lower: Vec<PathBuf>,
        /// The directory that what is changed is kept in.
        upper: PathBuf,
        /// An empty directory on the same file system, for the kernel.
        work: PathBuf,
    },
    /// A directory as it is. No device in it can be opened.
    Directory(PathBuf),
    /// A directory with all that is mounted below it, which is not the container's: things are mounted only on what is
    /// there, and what the host mounts and unmounts below it is mounted and unmounted here.
    Tree(PathBuf),
}

/// One thing in the file system of a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its place, from the container's root.
    pub path: PathBuf,
    /// The thing.
    pub kind: Kind,
}

/// The kinds of things in the file system of a container. Where something is mounted, a directory or a file to mount it on
/// is made if there is none, but not in a [`Root::Tree`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A new file system of the kernel's, such as `proc` or `tmpfs`.
    FileSystem {
        /// Its name.
        name: String,
        /// Its options, in the kernel's words; one without a value is a flag.
        options: Vec<(String, Option<String>)>,
        /// The things that are not allowed in it.
        flags: Flags,
    },
    /// A file or a directory of the host.
    Bind {
        /// Its path there.
        from: PathBuf,
        /// The directory that the path begins in and must not leave, whatever links a task may have put there; a directory
        /// is made if nothing is there.
        #[serde(default)]
        within: Option<PathBuf>,
        /// True if what is mounted below comes, too.
        recursive: bool,
        /// The way mounts spread between here and there.
        propagation: Propagation,
        /// The things that are not allowed in it.
        flags: Flags,
    },
    /// Directories that lie over each other, the topmost first, to be read only.
    Layers {
        /// The directories.
        lower: Vec<PathBuf>,
        /// The things that are not allowed in it; to write is not in any case.
        flags: Flags,
    },
    /// A file in memory, which ends with the container.
    File {
        /// The text or bytes in it.
        content: Content,
        /// The permission bits.
        mode: u32,
        /// The user and the group it belongs to.
        owner: (u32, u32),
        /// The things that are not allowed with it.
        flags: Flags,
    },
    /// A character device, which can be opened whatever is not allowed around it, but not be changed.
    Device {
        /// The number of its driver.
        major: u32,
        /// Its number with the driver.
        minor: u32,
        /// The permission bits.
        mode: u32,
    },
    /// A symbolic link to this, unless there is something already.
    Link(PathBuf),
    /// A directory, and those above it; owned so if it is new.
    Directory {
        /// The permission bits.
        mode: u32,
        /// The user and the group it belongs to.
        owner: (u32, u32),
    },
    /// Something that, if it is there, must not be seen.
    Masked,
    /// Something that, if it is there, must not be written to, nor anything below it.
    ReadOnly,
}

/// The content of a file in memory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// This.
    Text(String),
    /// This, which is a secret: whoever writes the program down leaves it out.
    Bytes(Vec<u8>),
    /// The content that a file of the host has at the start, for what must be written nowhere else.
    Of(PathBuf),
}

/// The way mounts spread between a container and the host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Propagation {
    /// Not at all.
    #[default]
    Private,
    /// From the host to the container.
    Slave,
    /// Both ways.
    Shared,
}

/// The things that are not allowed in a mount.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Flags {
    /// To write.
    pub read_only: bool,
    /// To become somebody else by running a program.
    pub nosuid: bool,
    /// To use devices.
    pub nodev: bool,
    /// To run programs.
    pub noexec: bool,
}
