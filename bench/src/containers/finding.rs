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
    pub(crate) holds: Option<bool>,
    /// True if so little lies between it and what is usual that short rounds cannot tell.
    pub(crate) is_close: bool,
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

/// Below this, a bar is far from what is usual.
const FAR: f64 = 0.1;

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
        let words = |ratio: f64| if ratio < FAR { format!("1/{:.0}", 1.0 / ratio) } else { format!("{ratio:.2}") };
        self.bars.push(Judged {
            wanted: format!("{what} at most {} of {side}'s", words(limit)),
            found: ratio.map(words),
            holds: ratio.map(|ratio| ratio <= limit),
            is_close: limit >= FAR,
        });
        self
    }

    /// A number is to be at most this.
    pub(crate) fn at_most(mut self, what: &str, unit: &str, limit: f64, found: f64, is_close: bool) -> Finding {
        self.bars.push(Judged {
            wanted: format!("{what} at most {limit} {unit}"),
            found: Some(format!("{found:.1} {unit}")),
            holds: Some(found <= limit),
            is_close,
        });
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

    /// True if every bar that binds holds, or was not measured. Short rounds break no bar that is close.
    pub(crate) fn holds(&self, quick: bool) -> bool {
        self.bars.iter().filter(|bar| !(quick && bar.is_close)).all(|bar| bar.holds != Some(false))
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
        assert_eq!((finding.bars[0].holds, finding.holds(true), finding.holds(false)), (Some(false), false, false));
    }

    #[test]
    fn a_short_run_is_not_broken_by_a_bar_that_is_close_nor_any_by_one_that_was_not_measured() {
        let close = finding(&[12.0], &[10.0]).cpu_at_most("b", 1.05);
        assert!(close.holds(true) && !close.holds(false));
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
