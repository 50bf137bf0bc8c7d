//! The two ends of a new terminal.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{Mode, OFlags, Uid, fchown, fcntl_setfl, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use super::{Terminal, Window};

/// Both ends.
#[derive(Debug)]
pub struct Pair {
    /// The end of whoever watches and types. It does not block.
    pub ours: OwnedFd,
    /// The end of the program.
    pub theirs: OwnedFd,
}

/// A new terminal, which belongs to this user, so that its programs may open it by name.
pub fn open_pair(terminal: Terminal, owner: Option<u32>) -> io::Result<Pair> {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    grantpt(&ours)?;
    unlockpt(&ours)?;
    let name = ptsname(&ours, Vec::new())?;
    let theirs = open(name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())?;
    owner.map_or(Ok(()), |owner| fchown(&theirs, Some(Uid::from_raw(owner)), None))?;
    terminal.window.map_or(Ok(()), |window| resize(&ours, window))?;
    fcntl_setfl(&ours, OFlags::RDWR | OFlags::NONBLOCK)?;
    Ok(Pair { ours, theirs })
}

/// Tells a terminal how large its window is.
pub fn resize(terminal: impl AsFd, window: Window) -> io::Result<()> {
    let size = Winsize { ws_row: window.rows, ws_col: window.columns, ws_xpixel: 0, ws_ypixel: 0 };
    Ok(tcsetwinsize(terminal, size)?)
}
