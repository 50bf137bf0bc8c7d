//! Broken connections, and whose fault they are. Pure.
//!
//! In: how long the engine's loop was away during an attempt; its failure. Out: whether the peer may have given up on an
//! engine that did not go on.
//!
//! A peer has a patience of its own, which we do not know. No peer's is below 100 ms; a second may be too much for
//! some, whatever time the attempt has. Only real absences matter, not that the loop was busy with others.

use std::time::Duration;

use super::patience::{Absences, CONSIDERABLE, NOTICEABLE};
use crate::outcome::{Failure, Outcome, Reason};
use crate::probe::prepared::Prepared;

/// The bounds of what is taken for the peer's patience; in between it is the attempt's timeout. As with that, a quarter of
/// it is considerable.
const SHORTEST: Duration = Duration::from_millis(400);
const LONGEST: Duration = Duration::from_secs(4);

/// Request Timeout: the server did not want to wait for our request any longer.
const GAVE_UP: u16 = 408;

/// The attention that an attempt got from the engine's loop.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attendance {
    begun: Duration,
    patience: Duration,
    away_before: Duration,
}

impl Attendance {
    pub(super) fn begin(now: Duration, timeout: Option<Duration>, absences: &Absences) -> Attendance {
        let patience = timeout.unwrap_or(LONGEST).clamp(SHORTEST, LONGEST);
        Attendance { begun: now, patience, away_before: absences.beside(patience) }
    }

    /// The outcome of the attempt, unless the peer may have given up on us. The loop looked at its clock at `looked`
    /// and is not back yet: the time since then is an absence, too.
    pub(super) fn excuse(
        self,
        outcome: Outcome,
        probe: &Prepared,
        (now, looked): (Duration, Duration),
        absences: &Absences,
    ) -> Outcome {
        let lost = self.lost(now, looked, absences);
        match outcome {
            Outcome::Failure(failure) if lost >= self.patience / CONSIDERABLE && is_parting(&failure, probe) => {
                let cause = Outcome::Failure(failure).cause();
                Outcome::Inconclusive(Reason::PeerGaveUp { cause, lost })
            }
            outcome => outcome,
        }
    }

    fn lost(self, now: Duration, looked: Duration, absences: &Absences) -> Duration {
        let noted = absences.beside(self.patience).saturating_sub(self.away_before);
        let since = now.saturating_sub(looked.max(self.begun));
        if since >= self.patience / NOTICEABLE { noted.saturating_add(since) } else { noted }
    }
}

/// True if the failure is one by which peers give up: they end the connection, or say so. In an exchange, what they
/// said until then is held against what is expected.
fn is_parting(failure: &Failure, probe: &Prepared) -> bool {
    match failure {
        Failure::Connection { .. } | Failure::Closed { .. } | Failure::Alert { .. } => true,
        Failure::Status(status) => *status == GAVE_UP,
        Failure::Body { .. } => probe.is_exchange(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{HttpProbe, Probe, Reach};

    const MS: Duration = Duration::from_millis(1);

    /// The outcome of an attempt with this timeout that fails after 2 s, during which the loop was away for so long.
    fn found(failure: Failure, timeout: Option<Duration>, absences: &[Duration]) -> Outcome {
        let probe = Prepared::of(Probe::Http(HttpProbe::default()), &Reach::Anywhere).unwrap();
        let mut away = Absences::default();
        away.note(9000 * MS);
        let attendance = Attendance::begin(1000 * MS, timeout, &away);
        absences.iter().for_each(|absence| away.note(*absence));
        attendance.excuse(Outcome::Failure(failure), &probe, (3000 * MS, 2999 * MS), &away)
    }

    fn broken() -> Failure {
        Failure::Connection { cause: "connection reset by peer".to_owned() }
    }

    #[test]
    fn a_broken_connection_counts_unless_the_loop_was_away() {
        let second = Some(1000 * MS);
        assert_eq!(found(broken(), second, &[]), Outcome::Failure(broken()));
        assert_eq!(found(broken(), second, &[240 * MS]), Outcome::Failure(broken()));
        let given_up = found(broken(), second, &[260 * MS]);
        assert_eq!(given_up.cause(), "connection reset by peer, but the engine itself was away for 260ms");
        assert!(matches!(given_up, Outcome::Inconclusive(_)));
    }

    #[test]
    fn a_long_timeout_is_not_the_patience_of_the_peer() {
        for timeout in [None, Some(60_000 * MS)] {
            assert!(matches!(found(broken(), timeout, &[1000 * MS]), Outcome::Inconclusive(_)), "{timeout:?}");
            assert_eq!(found(broken(), timeout, &[900 * MS]), Outcome::Failure(broken()), "{timeout:?}");
        }
    }

    #[test]
    fn a_loop_that_is_busy_with_others_hides_nothing() {
        let busy = [9 * MS; 200];
        assert_eq!(found(broken(), Some(20 * MS), &busy), Outcome::Failure(broken()));
    }

    #[test]
    fn an_answer_counts_however_late_it_is_seen() {
        let away = [2000 * MS];
        let cause = || "no".to_owned();
        let [body, garbage] = [Failure::Body { cause: cause() }, Failure::Protocol { cause: cause() }];
        for failure in [Failure::Status(500), Failure::Refused, body, garbage, Failure::Tls { cause: cause() }] {
            assert_eq!(found(failure.clone(), Some(1000 * MS), &away), Outcome::Failure(failure));
        }
        assert!(matches!(found(Failure::Status(408), Some(1000 * MS), &away), Outcome::Inconclusive(_)));
    }

    #[test]
    fn an_absence_within_this_turn_of_the_loop_is_one_but_for_what_was_before_the_attempt() {
        let absences = Absences::default();
        let attendance = Attendance::begin(1000 * MS, Some(1000 * MS), &absences);
        assert_eq!(attendance.lost(1500 * MS, 1100 * MS, &absences), 400 * MS);
        assert_eq!(attendance.lost(1100 * MS, Duration::ZERO, &absences), 100 * MS);
    }
}
