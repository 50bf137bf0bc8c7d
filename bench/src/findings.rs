//! The measurements, row by row, and what follows from them. Pure.

use crate::measured::Measured;
use crate::rows::Row;
use crate::sides::Side;

pub(crate) struct Finding {
    pub(crate) row: &'static Row,
    /// The engine first.
    pub(crate) sides: Vec<Rounds>,
    /// Sides that are not there, and why.
    pub(crate) skipped: Vec<(Side, String)>,
    /// Sockets in TIME_WAIT after the engine's last round, less those before its first.
    pub(crate) time_wait: Option<u64>,
}

/// The measurements of a side, in turns with the others.
pub(crate) struct Rounds {
    pub(crate) side: Side,
    pub(crate) rounds: Vec<Measured>,
}

impl Rounds {
    pub(crate) fn median(&self, number: impl Fn(&Measured) -> f64) -> f64 {
        median(self.rounds.iter().map(number).collect())
    }

    pub(crate) fn worst(&self, number: impl Fn(&Measured) -> Option<f64>) -> Option<f64> {
        self.rounds.iter().filter_map(number).max_by(f64::total_cmp)
    }

    /// CPU per check: the least and the most.
    pub(crate) fn range(&self) -> (f64, f64) {
        let all = || self.rounds.iter().map(Measured::us_per_check);
        (all().fold(f64::NAN, f64::min), all().fold(f64::NAN, f64::max))
    }
}

impl Finding {
    pub(crate) fn of(&self, side: Side) -> Option<&Rounds> {
        self.sides.iter().find(|rounds| rounds.side == side)
    }

    /// The engine's CPU per check as a multiple of this side's: the median of the rounds, each with its neighbour, so
    /// that what else the machine does falls on both.
    pub(crate) fn ratio(&self, side: Side) -> Option<f64> {
        let (engine, other) = (self.of(Side::Engine)?, self.of(side)?);
        let pairs = engine.rounds.iter().zip(&other.rounds);
        Some(median(pairs.map(|(engine, other)| engine.us_per_check() / other.us_per_check()).collect()))
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::ROWS;

    fn rounds(side: Side, per_check: &[f64]) -> Rounds {
        let round = |us: &f64| Measured { checks: 10, cpu_us: us * 10.0, seconds: 1.0, ..Measured::default() };
        Rounds { side, rounds: per_check.iter().map(round).collect() }
    }

    fn finding(engine: &[f64], floor: &[f64]) -> Finding {
        let row = ROWS.iter().find(|row| row.name == "tcp-1000").unwrap();
        let sides = vec![rounds(Side::Engine, engine), rounds(Side::Loop, floor)];
        Finding { row, sides, skipped: Vec::new(), time_wait: None }
    }

    #[test]
    fn rounds_are_compared_with_their_neighbours() {
        // The machine slowed down after the first round.
        let finding = finding(&[11.0, 24.0, 22.0], &[10.0, 20.0, 20.0]);
        assert!((finding.ratio(Side::Loop).unwrap() - 1.1).abs() < 1e-9);
        assert_eq!(finding.ratio(Side::HaProxy), None);
        assert_eq!(finding.of(Side::Engine).unwrap().range(), (11.0, 24.0));
    }

    #[test]
    fn bars_hold_or_not_or_are_not_measured() {
        let words = |finding: Finding| finding.judged().map(|judged| judged.word()).collect::<Vec<_>>();
        assert_eq!(words(finding(&[12.0], &[10.0])), ["holds", "holds"]);
        assert_eq!(words(finding(&[12.1], &[10.0])), ["DOES NOT HOLD", "holds"]);
        assert_eq!(words(finding(&[12.1], &[])), ["skipped", "holds"]);
    }

    #[test]
    fn a_quick_run_is_broken_by_a_failure_and_not_by_a_ratio() {
        let mut finding = finding(&[12.1], &[10.0]);
        assert!(finding.holds(true) && !finding.holds(false));
        finding.sides[0].rounds[0].failures = 1;
        assert!(!finding.holds(true));
    }
}
