//! Our own terminal while a command far away has it: what is typed goes there letter by letter, also Ctrl-C.

use std::io::IsTerminal;

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};

/// The terminal, lent; given back as it was.
pub(super) struct Terminal {
    before: Termios,
}

impl Terminal {
    /// Lends it, if both ends are one.
    pub(super) fn borrow() -> anyhow::Result<Option<Terminal>> {
        if !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
            return Ok(None);
        }
        let before = tcgetattr(std::io::stdin())?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(std::io::stdin(), OptionalActions::Now, &raw)?;
        Ok(Some(Terminal { before }))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // A terminal that is gone has nothing to be given back.
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, &self.before);
    }
}
