//! Ctrl-C, SIGTERM, and a terminal that is closed: asked to stop.

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
    /// Of what goes with its terminal.
    hangup: Option<Signal>,
}

impl Stop {
    /// From now on, the signals no longer end the process by themselves.
    pub(crate) fn listen() -> anyhow::Result<Stop> {
        let (interrupt, terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        Ok(Stop { interrupt, terminate, hangup: None })
    }

    /// The same, and the end of the terminal is one, too; not for whom it was told to mean nothing (`nohup`).
    pub(crate) fn listen_with_terminal() -> anyhow::Result<Stop> {
        let hangup = if ignores_hangup() { None } else { Some(signal(SignalKind::hangup())?) };
        Ok(Stop { hangup, ..Stop::listen()? })
    }

    /// Comes back at the next signal.
    pub(crate) async fn asked(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            () = of(self.hangup.as_mut()) => {}
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

/// Comes back at a signal that is listened to.
async fn of(signal: Option<&mut Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}

/// True if whoever started this process wants it to outlive its terminal.
fn ignores_hangup() -> bool {
    std::fs::read_to_string("/proc/self/status").is_ok_and(|status| has_hangup(&status))
}

/// True if SIGHUP, the lowest bit, is among the signals that a status says are ignored.
fn has_hangup(status: &str) -> bool {
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok()).is_some_and(|bits| bits & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hangup_that_is_ignored_is_the_lowest_bit() {
        assert!(has_hangup("SigBlk:\t0\nSigIgn:\t0000000000001001\n"));
        assert!(!has_hangup("SigIgn:\t0000000000001000\nSigCgt:\t1\n") && !has_hangup(""));
    }
}
