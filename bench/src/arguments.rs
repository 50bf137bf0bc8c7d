//! The arguments of the command line.

use clap::{Args, Parser};

use crate::load::{Load, Time};
use crate::selection::Selection;
use crate::targets::{Grid, Size};
use crate::{containers, scale};

/// Experiments: what something costs beside its baselines
#[derive(Debug, Parser)]
#[command(name = "bench")]
pub(crate) enum Command {
    /// The cost of a health check, beside others who make them
    Checks(Options),
    /// The cost of containers, beside Docker, CNI's plugins and tar
    Containers(containers::Options),
    /// How many health-checked tasks a cluster carries
    Scale(scale::Command),
    /// Started by `checks` itself: a process with targets
    #[command(hide = true)]
    Targets(Size),
    /// Started by `scale` itself: the same at the addresses of simulated agents
    #[command(hide = true)]
    TargetGrid(Grid),
    /// Started by `containers` itself: the same in namespaces that are there, by their paths, `-` for our own
    #[command(hide = true)]
    TargetsIn { listeners_in_each: usize, namespaces: Vec<String> },
    /// Started by `checks` itself: a process with an engine that carries out a load, or holds it if no time counts
    #[command(hide = true)]
    Engine {
        #[command(flatten)]
        load: Load,
        #[command(flatten)]
        time: Time,
    },
    /// Started by `checks` itself: a process with hostile targets
    #[command(hide = true)]
    Hostile,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct Options {
    /// A few rows, in a minute
    #[arg(long)]
    pub(crate) quick: bool,
    /// JSON on standard output instead of the table
    #[arg(long)]
    pub(crate) json: bool,
    /// Watch for ten minutes, too
    #[arg(long)]
    pub(crate) soak: bool,
    #[command(flatten)]
    pub(crate) rows: Selection,
}

pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> Result<Command, clap::Error> {
    match Command::try_parse_from(arguments)? {
        Command::Scale(scale) => scale.checked().map(Command::Scale),
        other => Ok(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hostile::Neighbours;
    use crate::load::Ask;

    fn given(line: &str) -> Option<Command> {
        parse(std::iter::once("bench").chain(line.split_whitespace()).map(str::to_owned)).ok()
    }

    #[test]
    fn options_are_taken_in_any_order() {
        let Some(Command::Checks(options)) = given("checks --only http-1000 --json --quick --only listen") else {
            panic!("not understood")
        };
        assert!(options.json && options.quick && !options.soak);
        assert!(options.rows.names("http-1000") && options.rows.names("listen") && !options.rows.names("tcp"));
        assert!(given("checks --fast").is_none() && given("checks --only").is_none() && given("").is_none());
        assert!(given("scale --quick").is_some() && given("scale --agents 3 --netns").is_none());
    }

    #[test]
    fn a_load_survives_the_command_line() {
        let Some(Command::Engine { load, time }) = given("engine half-open 1000 20 500 0.5 2") else {
            panic!("not understood")
        };
        assert_eq!((load.ask, load.checks, load.resident), (Ask::HalfOpen, 20, 500));
        assert_eq!((time.warm_up.as_millis(), time.counted.as_secs()), (500, 2));
        assert!(!load.confined && load.neighbours.is_none() && given("engine http 1000 20 0 1 2 --drips 3").is_none());
        let numbers = Neighbours { drips: 3, silent: 4, resets: 5, floods_of_a_kind: 6 };
        let line = "engine http 1000 20 0 1 2 --drips 3 --silent 4 --resets 5 --floods-of-a-kind 6";
        assert!(matches!(given(line), Some(Command::Engine { load, .. }) if load.neighbours == Some(numbers)));
        let line = "engine command 1000 20 0 1 2 --confined";
        assert!(matches!(given(line), Some(Command::Engine { load, .. }) if load.confined));
    }
}
