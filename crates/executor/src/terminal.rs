//! The terminal of a task. Its shim holds it, as nobody else lives exactly as long: what the task prints goes to its log
//! and to everybody who watches, and one at a time may type.
//!
//! ```text
//! pair     the two ends of a new terminal
//! server   in the shim, a thread of its own     client   whoever watches or types
//! ```
//!
//! They meet at the socket [`SOCKET`] in the shim's directory. A client says with one byte what it wants to be. One who
//! watches gets everything from then on, as it was printed. One who types gets [`LENT`] and the terminal's descriptor,
//! to write to and to tell the size of the window, or [`TAKEN`]. Connections end with the terminal.

pub mod client;
pub mod pair;
pub(crate) mod server;

use mesos::v1::ContainerInfo;
use serde::{Deserialize, Serialize};

/// The name of the socket.
const SOCKET: &str = "terminal";

/// A client that watches.
const WATCH: u8 = b'w';

/// A client that types.
const TYPE: u8 = b't';

/// The answer to one who may type.
const LENT: u8 = b'+';

/// The answer to one who may not, because somebody else does.
const TAKEN: u8 = b'-';

/// The size of a terminal's window, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Its height.
    pub rows: u16,
    /// Its width.
    pub columns: u16,
}

/// A terminal to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terminal {
    /// The size of its window; the kernel's default if absent.
    pub window: Option<Window>,
}

/// A window that no terminal can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'tty_info.window_size' is {rows} rows of {columns} columns; a terminal has at most 65535 of each")]
pub struct TooLarge {
    rows: u32,
    columns: u32,
}

impl Window {
    /// The window as the API has it.
    pub fn of(window: &mesos::v1::tty_info::WindowSize) -> Result<Window, TooLarge> {
        let too_large = |_| TooLarge { rows: window.rows, columns: window.columns };
        let [rows, columns] = [window.rows, window.columns].map(|size| u16::try_from(size).map_err(too_large));
        Ok(Window { rows: rows?, columns: columns? })
    }
}

impl Terminal {
    /// The terminal that a container is to have, if any.
    pub fn of(container: Option<&ContainerInfo>) -> Result<Option<Terminal>, TooLarge> {
        let Some(terminal) = container.and_then(|container| container.tty_info.as_ref()) else { return Ok(None) };
        Ok(Some(Terminal { window: terminal.window_size.as_ref().map(Window::of).transpose()? }))
    }
}
