//! The costs of a row, side by side, and the bars that they are held against. Pure, but for [`compare`], which lets the
//! sides work in turns.

use serde::Serialize;

/// The cost of one of something: a container, a check, a pull.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Cost {
    pub(crate) cpu_us: f64,
    /// The time that it took, where somebody waits for it.
    pub(crate) seconds: Option<f64>,
}

/// Somebody who does the work of a row; why not, where this machine lacks something.
pub(crate) struct Side<'a> {
    pub(crate) name: &'static str,
    pub(crate) round: anyhow::Result<Box<dyn FnMut() -> anyhow::Result<Cost> + 'a>>,
}

/// The rounds of a side.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Rounds {
    pub(crate) side: &'static str,
    pub(crate) rounds: Vec<Cost>,
}

/// A side that is not here.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Lacking {
    pub(crate) side: &'static str,
    pub(crate) reason: String,
}

/// A bar, and how it stands. What was not measured is not judged.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Judged {
    pub(crate) wanted: String,
    pub(crate) found: Option<String>,
    pub(crate) standing: Standing,
    /// The number that was found, as a multiple of the bar.
    pub(crate) of_bar: Option<f64>,
}

/// The state of a bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Standing {
    Holds,
    Broken,
    NotMeasured,
}

impl Judged {
    fn new(wanted: String, found: Option<String>, of_bar: Option<f64>) -> Judged {
        let standing = match of_bar {
            None => Standing::NotMeasured,
            Some(multiple) if multiple <= 1.0 => Standing::Holds,
            Some(_) => Standing::Broken,
        };
        Judged { wanted, found, standing, of_bar }
    }

    /// True if it holds, or was not measured, or may hold in a whole run.
    fn may_hold(&self) -> bool {
        self.of_bar.is_none_or(|multiple| multiple <= DOUBT)
    }
}

/// A row that was measured.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Finding {
    pub(crate) name: &'static str,
    pub(crate) title: String,
    /// Ours first.
    pub(crate) sides: Vec<Rounds>,
    pub(crate) lacking: Vec<Lacking>,
    pub(crate) bars: Vec<Judged>,
}

/// Below this, a ratio is told as a fraction.
const FRACTION: f64 = 0.1;

/// The multiple of a bar that a few short rounds find on a machine with other work, though a whole run holds it: such a run
/// tells faults apart, no shades.
const DOUBT: f64 = 3.0;

impl<'a> Side<'a> {
    pub(crate) fn new(name: &'static str, round: impl FnMut() -> anyhow::Result<Cost> + 'a) -> Side<'a> {
        Side { name, round: Ok(Box::new(round)) }
    }

    pub(crate) fn lacking(name: &'static str, reason: impl std::fmt::Display) -> Side<'a> {
        Side { name, round: Err(anyhow::anyhow!("{reason}")) }
    }
}

/// Lets the sides, ours first, work in turns.
pub(crate) fn compare(
    name: &'static str,
    title: String,
    rounds: usize,
    sides: Vec<Side<'_>>,
) -> anyhow::Result<Finding> {
    let (mut working, mut lacking) = (Vec::new(), Vec::new());
    for Side { name, round } in sides {
        match round {
            Ok(round) => working.push((Rounds { side: name, rounds: Vec::new() }, round)),
            Err(reason) => lacking.push(Lacking { side: name, reason: reason.to_string() }),
        }
    }
    for _ in 0..rounds {
        for (side, round) in &mut working {
            side.rounds.push(round()?);
        }
    }
    let sides = working.into_iter().map(|(side, _)| side).collect();
    Ok(Finding { name, title, sides, lacking, bars: Vec::new() })
}

impl Finding {
    /// Our CPU is to be at most so many times this side's.
    pub(crate) fn cpu_at_most(self, side: &str, limit: f64) -> Finding {
        let ratio = self.ratio(side, |cost| Some(cost.cpu_us));
        self.bar_of_ratio("CPU", side, limit, ratio)
    }

    /// Our time is to be at most so many times this side's.
    pub(crate) fn time_at_most(self, side: &str, limit: f64) -> Finding {
        let ratio = self.ratio(side, |cost| cost.seconds);
        self.bar_of_ratio("time", side, limit, ratio)
    }

    fn bar_of_ratio(mut self, what: &str, side: &str, limit: f64, ratio: Option<f64>) -> Finding {
        let words = |ratio: f64| if ratio < FRACTION { format!("1/{:.0}", 1.0 / ratio) } else { format!("{ratio:.2}") };
        let wanted = format!("{what} at most {} of {side}'s", words(limit));
        self.bars.push(Judged::new(wanted, ratio.map(words), ratio.map(|ratio| ratio / limit)));
        self
    }

    /// A number is to be at most this.
    pub(crate) fn at_most(mut self, what: &str, unit: &str, limit: f64, found: f64) -> Finding {
        let wanted = format!("{what} at most {limit} {unit}");
        self.bars.push(Judged::new(wanted, Some(format!("{found:.1} {unit}")), Some(found / limit)));
        self
    }

    /// Our number as a multiple of this side's: the median of the rounds, each with its neighbour, so that what else the
    /// machine does falls on both.
    pub(crate) fn ratio(&self, side: &str, number: impl Fn(&Cost) -> Option<f64>) -> Option<f64> {
        let (own, other) = (self.sides.first()?, self.sides.iter().find(|rounds| rounds.side == side)?);
        let pairs = own.rounds.iter().zip(&other.rounds);
        let ratios = pairs.filter_map(|(own, other)| Some(number(own)? / number(other)?)).collect();
        median(ratios).filter(|ratio| ratio.is_finite())
    }

    /// True if every bar holds, or was not measured. A quick run asks only that it may.
    pub(crate) fn holds(&self, quick: bool) -> bool {
        self.bars.iter().all(|bar| if quick { bar.may_hold() } else { bar.standing != Standing::Broken })
    }
}

impl Rounds {
    pub(crate) fn median(&self, number: impl Fn(&Cost) -> Option<f64>) -> Option<f64> {
        median(self.rounds.iter().filter_map(number).collect())
    }
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(own: &[f64], other: &[f64]) -> Finding {
        let rounds = |side, costs: &[f64]| {
            let rounds = costs.iter().map(|cpu_us| Cost { cpu_us: *cpu_us, seconds: None }).collect();
            Rounds { side, rounds }
        };
        let sides = if other.is_empty() { vec![rounds("a", own)] } else { vec![rounds("a", own), rounds("b", other)] };
        Finding { name: "row", title: String::new(), sides, lacking: Vec::new(), bars: Vec::new() }
    }

    #[test]
    fn rounds_are_compared_with_their_neighbours() {
        // The machine slowed down after the first round.
        let finding = finding(&[1.0, 20.0, 30.0], &[10.0, 200.0, 100.0]).cpu_at_most("b", 0.05);
        assert_eq!(finding.bars[0].found.as_deref(), Some("0.10"));
        assert_eq!(finding.bars[0].wanted, "CPU at most 1/20 of b's");
        let standing = finding.bars[0].standing;
        assert_eq!((standing, finding.holds(false)), (Standing::Broken, false));
    }

    #[test]
    fn a_short_run_is_broken_by_what_is_far_beyond_a_bar_and_none_by_what_was_not_measured() {
        let near = finding(&[12.0], &[10.0]).cpu_at_most("b", 1.05);
        assert!(near.holds(true) && !near.holds(false));
        let far = finding(&[12.0], &[10.0]).cpu_at_most("b", 0.3);
        assert!(!far.holds(true) && !far.holds(false));
        let missing = finding(&[12.0], &[]).cpu_at_most("b", 0.05).time_at_most("b", 1.0);
        assert!(missing.holds(false) && missing.bars.iter().all(|bar| bar.found.is_none()));
    }

    #[test]
    fn a_side_that_is_not_here_is_named() {
        let sides = vec![Side::new("a", || Ok(Cost::default())), Side::lacking("b", "no b")];
        let finding = compare("row", String::new(), 3, sides).unwrap();
        assert_eq!((finding.sides[0].rounds.len(), finding.lacking[0].reason.as_str()), (3, "no b"));
    }
}
