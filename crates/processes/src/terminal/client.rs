//! Watching a terminal and typing there, from outside its shim.

use std::fs::File;
use std::io::{self, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use tokio::io::{AsyncWriteExt, Interest};
use tokio::net::UnixStream;
use tokio::time::timeout;

use super::{LENT, SOCKET, TAKEN, TYPE, WATCH};

/// The longest that a shim may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why nobody can attach.
#[derive(Debug, thiserror::Error)]
pub enum AttachError {
    /// The program has no terminal.
    #[error("the program has no terminal")]
    NoTerminal,
    /// The terminal ended with its program.
    #[error("the terminal has ended")]
    Over,
    /// Somebody else types.
    #[error("somebody else types there")]
    Taken,
    /// The machine.
    #[error("cannot attach to the terminal: {0}")]
    Io(#[from] io::Error),
}

/// One who may type until this is dropped.
#[derive(Debug)]
pub struct Typist {
    /// The terminal. It does not block.
    pub terminal: OwnedFd,
    /// Ends with the terminal; nothing is said on it.
    pub connection: UnixStream,
}

/// Everything that is printed from now on at the terminal of the program whose shim has this directory.
pub async fn watch(directory: &Path) -> Result<UnixStream, AttachError> {
    connect(directory, WATCH).await
}

/// The right to type at the terminal of the program whose shim has this directory.
pub async fn enter(directory: &Path) -> Result<Typist, AttachError> {
    let connection = connect(directory, TYPE).await?;
    let answer = connection.async_io(Interest::READABLE, || answer(&connection));
    match timeout(PATIENCE, answer).await.map_err(io::Error::from)?? {
        (Some(LENT), Some(terminal)) => Ok(Typist { terminal, connection }),
        (Some(TAKEN), _) => Err(AttachError::Taken),
        _ => Err(AttachError::Over),
    }
}

async fn connect(directory: &Path, role: u8) -> Result<UnixStream, AttachError> {
    let absent = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => AttachError::NoTerminal,
        io::ErrorKind::ConnectionRefused => AttachError::Over,
        _ => AttachError::Io(error),
    };
    let directory = File::open(directory).map_err(absent)?;
    let mut connection = UnixStream::connect(short(&directory)).await.map_err(absent)?;
    connection.write_all(&[role]).await?;
    Ok(connection)
}

/// A path of the socket that is short enough for one, however deep the directory.
pub(super) fn short(directory: &File) -> PathBuf {
    Path::new("/proc/self/fd").join(directory.as_raw_fd().to_string()).join(SOCKET)
}

fn answer(connection: &UnixStream) -> io::Result<(Option<u8>, Option<OwnedFd>)> {
    let mut byte = [0];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut beside = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC;
    let received = recvmsg(connection.as_fd(), &mut [IoSliceMut::new(&mut byte)], &mut beside, flags)?;
    let mut lent = beside.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
        _ => None,
    });
    Ok((byte.into_iter().next().filter(|_| received.bytes == 1), lent.next()))
}
