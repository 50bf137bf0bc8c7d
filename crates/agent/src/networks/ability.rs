//! The means of this machine to give containers networks of their own: tried out, and nothing of it stays.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use processes::in_words;
use rustix::fs::{Access, access};

/// The reason that an agent cannot give its containers networks.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum Lack {
    #[error("this agent may make no network namespaces: {}", in_words(&.0.to_string()))]
    Namespaces(Arc<io::Error>),
    #[error("a bridge needs the program 'nft', which is not on the PATH of this agent")]
    Nft,
    #[error("a bridge needs packets to be forwarded, and this agent may not write {SWITCH}: {}", in_words(.0))]
    Forwarding(String),
}

/// The switch that a bridge turns on, among others beside it: who may not write it may not write those.
const SWITCH: &str = "/proc/sys/net/ipv4/ip_forward";

/// The ability to make namespaces: a thread makes one, and both end at once.
pub(super) fn of_namespaces() -> Result<(), Lack> {
    let thread = thread::Builder::new().name("ability".to_owned()).spawn(processes::namespace::new_network);
    let made = thread.and_then(|thread| thread.join().unwrap_or_else(|_| Err(io::Error::other("the try ended early"))));
    made.map_err(|error| Lack::Namespaces(Arc::new(error)))
}

/// The ability to map ports of the host, and to have packets forwarded.
pub(super) fn of_bridge() -> Result<(), Lack> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_there = std::env::split_paths(&path).any(|directory| is_program(&directory.join("nft")));
    is_there.then_some(()).ok_or(Lack::Nft)?;
    access(SWITCH, Access::WRITE_OK).map_err(|errno| Lack::Forwarding(errno.to_string()))
}

fn is_program(path: &Path) -> bool {
    access(path, Access::EXEC_OK).is_ok()
}
