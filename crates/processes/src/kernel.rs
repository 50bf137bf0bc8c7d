//! The one place with `unsafe`: what the kernel offers and no safe interface does.
//!
//! * [`Spawn`] starts a program the way `vfork` does, because nothing else can do all of this without copying the page
//!   tables of this process: enter namespaces, lead a session, take another user, die with the parent.
//!   `posix_spawn` (and so `std::process::Command`) knows neither namespaces nor the death signal, and with `pre_exec`
//!   std falls back to `fork`, which in a big process costs tens of milliseconds and stops every check meanwhile.
//!   `libc` is here for `clone` with a stack of its own, `execve` and the signal calls, which rustix does not offer.
//! * [`BirthWatch`] ends a child that is stopped before it is its program.
//! * [`fork`] makes a copy of a process without threads, in namespaces of its own.
//! * [`mount`] sets the attributes of mounts.
//! * [`namespace`] moves the calling thread between namespaces.
//! * [`reap`] takes the exit status of a child with the CPU time it used.
//! * [`signals`] lets a process ignore signals; [`Waiting`] waits for them, and one of them tells of writes.
//! * [`scheduling`] gives up a policy of real time.
//! * [`defer_acknowledgement`] sets an option of sockets.
//! * [`raise_file_limit`] raises the limit of open files; children get the old one back.

#![allow(unsafe_code, reason = "this module holds all of it")]

mod birth_watch;
mod clone;
mod confine;
mod file_limit;
pub(crate) mod fork;
pub(crate) mod mount;
pub mod namespace;
mod news;
mod plan;
pub(crate) mod scheduling;
pub mod signals;
mod sockets;
mod spawn;
mod step;
mod wait;

pub use birth_watch::BirthWatch;
pub use file_limit::raise_file_limit;
pub(crate) use news::{Waiting, notify_of_writes};
pub use sockets::defer_acknowledgement;
pub use spawn::{Child, Enter, Session, Spawn, null};
pub use step::{SpawnError, Step};
pub use wait::{Ended, Reaped, reap};
