//! The end of a process, as wait(2) tells it, and in words.

use std::fmt;

use rustix::process::WaitIdStatus;
use serde::{Deserialize, Serialize};

use crate::kernel::signals;

/// A wait status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitStatus(i32);

impl WaitStatus {
    /// The status as wait(2) spells it.
    pub const fn from_raw(raw: i32) -> WaitStatus {
        WaitStatus(raw)
    }

    /// As wait(2) spells it.
    pub const fn as_raw(self) -> i32 {
        self.0
    }

    /// The exit status, if the process ended by itself.
    pub const fn exit_status(self) -> Option<i32> {
        if self.0 & 0x7f == 0 { Some(self.0 >> 8 & 0xff) } else { None }
    }

    /// The number of the signal that ended the process, if one did.
    pub const fn signal(self) -> Option<i32> {
        if self.0 & 0x7f == 0 { None } else { Some(self.0 & 0x7f) }
    }
}

impl From<WaitIdStatus> for WaitStatus {
    fn from(status: WaitIdStatus) -> WaitStatus {
        let core = if status.dumped() { 0x80 } else { 0 };
        WaitStatus(match (status.exit_status(), status.terminating_signal()) {
            (Some(code), _) => (code & 0xff) << 8,
            (None, signal) => signal.map_or(0, |signal| signal | core),
        })
    }
}

/// `exited with status 3`, `terminated with signal Killed`: the C library's words, which is what people search for.
impl fmt::Display for WaitStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.exit_status(), self.signal()) {
            (None, Some(signal)) => {
                let core = if self.0 & 0x80 == 0 { "" } else { " (core dumped)" };
                write!(f, "terminated with signal {}{core}", signals::description(signal))
            }
            (status, _) => write!(f, "exited with status {}", status.unwrap_or(0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_read_and_told() {
        let told = |raw| WaitStatus::from_raw(raw).to_string();
        assert_eq!(told(3 << 8), "exited with status 3");
        assert_eq!(told(9), "terminated with signal Killed");
        assert_eq!(told(11 | 0x80), "terminated with signal Segmentation fault (core dumped)");
        assert_eq!(told(15), "terminated with signal Terminated");
        assert_eq!(told(10), "terminated with signal User defined signal 1");
        let status = WaitStatus::from_raw(0x0700);
        assert_eq!((status.exit_status(), status.signal(), status.as_raw()), (Some(7), None, 0x0700));
        assert_eq!((WaitStatus::from_raw(9).exit_status(), WaitStatus::from_raw(9).signal()), (None, Some(9)));
    }
}
