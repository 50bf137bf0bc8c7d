//! Processes of Linux: how programs are started, as whom and where, how they are watched, found again, and ended.
//!
//! ```text
//!   kernel    all unsafe code: programs started like vfork, namespaces, exit statuses, signals
//!   users     users and groups by name, as the system's resolver knows them
//!   process   one process, and what /proc tells of it       status   how one ended
//!   table     all processes: trees, sessions, marks         usage    what some of them use
//!   watch     a pidfd on a runtime                          orphans  what a process adopts
//! ```
//!
//! To know nothing of tasks and clusters is what makes it of use to all who start programs.

mod kernel;
mod orphans;
mod process;
mod status;
mod table;
mod usage;
mod users;
mod watch;

pub use kernel::{
    Child, Ended, Enter, Reaped, Spawn, SpawnError, Step, defer_acknowledgement, namespace, null, raise_file_limit,
    reap, signals,
};
pub use orphans::{end_strays, reap_orphans};
pub use process::{Boot, Environment, Process};
pub use status::WaitStatus;
pub use table::{MARK, Table, kill_marked, kill_session, kill_tree, kill_while_found, leftovers, mark};
pub use usage::Usage;
pub use users::{Credentials, UserError, group_name, user_name};
pub use watch::{ended, group_ended, watched};
