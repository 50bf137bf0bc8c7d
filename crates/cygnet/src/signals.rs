//! Ctrl-C and SIGTERM: asked to stop.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Waits for the signals that mean stop.
pub(crate) struct Stop {
    interrupt: Signal,
    terminate: Signal,
}

impl Stop {
    /// From now on, the signals no longer end the process by themselves.
    pub(crate) fn listen() -> anyhow::Result<Stop> {
        Ok(Stop { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Comes back at the next signal.
    pub(crate) async fn asked(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
