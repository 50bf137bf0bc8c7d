//! The arguments of the command line.

use std::time::Duration;

use crate::hostile::Neighbours;
use crate::load::{Ask, Load, Time};
use crate::targets::{Grid, Size};

/// A subcommand.
pub(crate) enum Command {
    Checks(Options),
    /// Started by `checks` itself: a process with targets.
    Targets(Size),
    /// Started by `scale` itself: the same at the addresses of simulated agents.
    Grid(Grid),
    /// Started by `checks` itself: a process with an engine that carries out a load.
    Engine(Load, Time),
    /// The same, of which nothing is due.
    Idle(Load),
    /// Started by `checks` itself: a process with hostile targets.
    Hostile,
    Scale(crate::scale::Command),
}

#[derive(Clone, Default)]
pub(crate) struct Options {
    /// Little, and soon.
    pub(crate) quick: bool,
    pub(crate) json: bool,
    /// Whether to watch for ten minutes, too.
    pub(crate) soak: bool,
    /// The names of the only rows that count; all if there are none.
    pub(crate) only: Vec<String>,
}

pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Option<Command> {
    match arguments.next()?.as_str() {
        "checks" => options(arguments).map(Command::Checks),
        "targets" => {
            let mut number = || arguments.next()?.parse().ok();
            Some(Command::Targets(Size { namespaces: number()?, listeners_in_each: number()? }))
        }
        "target-grid" => {
            let mut number = || arguments.next()?.parse::<u16>().ok();
            Some(Command::Grid(Grid { addresses: number()?.into(), first_port: number()?, ports: number()? }))
        }
        "scale" => crate::scale::Command::parse(arguments).map(Command::Scale),
        "hostile" => Some(Command::Hostile),
        "engine" => engine(&arguments.collect::<Vec<_>>()),
        _ => None,
    }
}

fn options(mut arguments: impl Iterator<Item = String>) -> Option<Options> {
    let mut options = Options::default();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--quick" => options.quick = true,
            "--json" => options.json = true,
            "--soak" => options.soak = true,
            "--only" => options.only.push(arguments.next()?),
            _ => return None,
        }
    }
    Some(options)
}

fn engine(arguments: &[String]) -> Option<Command> {
    let [ask, interval, checks, resident, warm_up, counted, neighbours @ ..] = arguments else { return None };
    let interval = Duration::from_millis(interval.parse().ok()?);
    let (ask, checks, resident) = (Ask::parse(ask)?, checks.parse().ok()?, resident.parse().ok()?);
    let load = Load { ask, checks, interval, resident, neighbours: crowd(neighbours)? };
    let seconds = |text: &str| Some(Duration::from_secs_f64(text.parse().ok()?));
    let time = Time { warm_up: seconds(warm_up)?, counted: seconds(counted)? };
    Some(if time.counted.is_zero() { Command::Idle(load) } else { Command::Engine(load, time) })
}

/// None, or how many of each manner.
fn crowd(numbers: &[String]) -> Option<Option<Neighbours>> {
    if numbers.is_empty() {
        return Some(None);
    }
    let numbers = numbers.iter().map(|number| number.parse().ok()).collect::<Option<Vec<usize>>>()?;
    let [drips, silent, resets, floods_of_a_kind] = numbers[..] else { return None };
    Some(Some(Neighbours { drips, silent, resets, floods_of_a_kind }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(line: &str) -> Option<Command> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn options_are_taken_in_any_order() {
        let Some(Command::Checks(options)) = given("checks --only http-1000 --json --quick --only listen") else {
            panic!("not understood")
        };
        assert!(options.json && options.quick && !options.soak);
        assert_eq!(options.only, ["http-1000", "listen"]);
        assert!(given("checks --fast").is_none() && given("checks --only").is_none() && given("").is_none());
    }

    #[test]
    fn a_load_survives_the_command_line() {
        let Some(Command::Engine(load, time)) = given("engine half-open 1000 20 500 0.5 2") else {
            panic!("not understood")
        };
        assert_eq!((load.ask, load.checks, load.resident), (Ask::HalfOpen, 20, 500));
        assert_eq!((time.warm_up.as_millis(), time.counted.as_secs()), (500, 2));
        assert!(matches!(given("engine listen 1000 20 0 0 0"), Some(Command::Idle(_))));
        assert!(load.neighbours.is_none() && given("engine http 1000 20 0 1 2 3").is_none());
        let Some(Command::Engine(load, _)) = given("engine http 1000 20 0 1 2 3 4 5 6") else {
            panic!("not understood")
        };
        let numbers = Neighbours { drips: 3, silent: 4, resets: 5, floods_of_a_kind: 6 };
        assert_eq!(load.neighbours, Some(numbers));
    }
}
