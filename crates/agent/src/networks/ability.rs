//! The means of this machine to give containers networks of their own: tried out, and nothing of it stays.

use std::io;
use std::path::Path;
use std::thread;

/// The reason that an agent cannot give its containers networks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Lack {
    #[error("this agent may make no network namespaces: {0}")]
    Namespaces(String),
    #[error("a bridge needs the program 'nft', which is not on the PATH of this agent")]
    Nft,
}

/// The ability to make namespaces: a thread makes one, and both end at once.
pub(super) fn of_namespaces() -> Result<(), Lack> {
    let thread = thread::Builder::new().name("ability".to_owned()).spawn(processes::namespace::new_network);
    let made = thread.and_then(|thread| thread.join().unwrap_or_else(|_| Err(io::Error::other("the try ended early"))));
    made.map_err(|error| Lack::Namespaces(error.to_string()))
}

/// The ability to map ports of the host.
pub(super) fn of_bridge() -> Result<(), Lack> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_there = std::env::split_paths(&path).any(|directory| is_program(&directory.join("nft")));
    is_there.then_some(()).ok_or(Lack::Nft)
}

fn is_program(path: &Path) -> bool {
    rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok()
}
