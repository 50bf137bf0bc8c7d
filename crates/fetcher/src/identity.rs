//! Work that is done as the user a sandbox belongs to, so that it may do no more than that user's task may.
//!
//! Each piece of work has a thread of its own: to the kernel a thread has a user, and one that gave up being root
//! cannot be root again.

use std::io;
use std::thread;

use processes::Credentials;
use rustix::process::{Gid, Uid};
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};
use tokio::task::spawn_blocking;

use crate::error::Reason;

/// Does it as this user, or as this process.
pub(crate) async fn as_user<T: Send + 'static>(
    user: Option<&Credentials>,
    work: impl FnOnce() -> Result<T, Reason> + Send + 'static,
) -> Result<T, Reason> {
    let user = user.cloned();
    let done = spawn_blocking(move || match user {
        None => work(),
        Some(user) => apart(user, work),
    });
    done.await.map_err(|error| Reason::File(io::Error::other(error)))?
}

fn apart<T: Send + 'static>(
    user: Credentials,
    work: impl FnOnce() -> Result<T, Reason> + Send + 'static,
) -> Result<T, Reason> {
    let thread = thread::Builder::new().name("fetch".into()).spawn(move || {
        become_user(&user)?;
        work()
    })?;
    thread.join().map_err(|_panicked| Reason::File(io::Error::other("the work on a sandbox broke off")))?
}

fn become_user(user: &Credentials) -> io::Result<()> {
    let groups: Vec<Gid> = user.groups.iter().map(|group| Gid::from_raw(*group)).collect();
    let (uid, gid) = (Uid::from_raw(user.uid), Gid::from_raw(user.gid));
    set_thread_groups(&groups)?;
    set_thread_res_gid(gid, gid, gid)?;
    Ok(set_thread_res_uid(uid, uid, uid)?)
}
