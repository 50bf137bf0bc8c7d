//! The terminal of a program. Its shim holds it, as nobody else lives exactly as long: what the program prints goes to its log
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
