//! Processes of Linux: how programs are started, as whom and where, how they are watched, found again, and ended.
//!
//! ```text
//!   kernel    all unsafe code: programs started like vfork, namespaces, exit statuses, signals
//!   users     users and groups by name, as the system's resolver knows them
//!   process   one process, and what /proc tells of it       status     how one ended
//!   table     all processes: trees, sessions, marks         usage      what some of them use
//!   watch     a pidfd on a runtime                          orphans    what a process adopts
//!   program   what to run                                   terminal   one that a program is given
//!   rootfs    the file system of a container                pause      the first process in its namespaces
//!   birthplace   the cgroup a program is born in              confinement   what it may do at most
//!   label     what a security module of the kernel says of it
//!   rotation  what a program prints, kept short          log_bounds   how short
//!   shim      the parent of a program, which outlives the process that started it
//!   removal   of directories, however deep
//!   contained a program under a shim, from outside       file      one that somebody else may have put there
//!   executable   that of this process, where nobody can write to it     words      errors for people
//! ```
//!
//! A process that starts programs under shims calls [`shim::main`] first thing in `main` when it is started as a shim, and
//! [`contained::start`] when it is not.

mod birthplace;
mod confinement;
pub mod contained;
pub mod executable;
mod file;
mod kernel;
mod label;
mod log_bounds;
mod orphans;
mod pause;
mod process;
mod program;
mod removal;
pub mod rootfs;
mod rotation;
pub mod shim;
mod status;
mod table;
pub mod terminal;
mod usage;
mod users;
mod watch;
mod words;

pub use birthplace::Birthplace;
pub use confinement::{Capabilities, CapabilitySet, Confinement, Filter, Instruction, Resource, ResourceLimit};
pub use contained::Contained;
pub use file::{read_end, read_file};
pub use kernel::{
    BirthWatch, Child, Ended, Enter, Reaped, Session, Spawn, SpawnError, Step, defer_acknowledgement, namespace, null,
    raise_file_limit, reap, signals,
};
pub use label::Label;
pub use log_bounds::{Rotation, Rotations};
pub use orphans::{end_strays, reap_orphans};
pub use pause::{Namespaces, Network};
pub use process::{Boot, Environment, Process};
pub use program::{DEFAULT_PATH, Logged, Logs, Program, append, furnish, give};
pub use removal::{remove_tree, remove_tree_in};
pub use rotation::{LogWriter, keep_short};
pub use shim::{End, ShimFiles};
pub use status::WaitStatus;
pub use table::{MARK, Table, kill_marked, kill_session, kill_tree, mark};
pub use terminal::{Terminal, Window};
pub use usage::Usage;
pub use users::{Credentials, UserError, group_name, user_name};
pub use watch::{ended, group_ended, watched};
pub use words::in_words;
