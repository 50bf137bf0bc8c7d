//! Ctrl-C and SIGTERM: asked to stop.

use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::sleep;

/// The time in which one wish to stop may arrive again: from the terminal, and from the process that started us.
const ECHO: Duration = Duration::from_millis(500);

/// Waits for the signals that mean stop.
#[derive(Debug)]
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

    /// Comes back at a second wish, echoes of the first one not counted.
    pub(crate) async fn asked_again(&mut self) {
        let echoes = sleep(ECHO);
        tokio::pin!(echoes);
        loop {
            tokio::select! {
                () = &mut echoes => break,
                () = self.asked() => {}
            }
        }
        self.asked().await;
    }
}
