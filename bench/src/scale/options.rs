//! The options of a run. Pure.

use std::num::ParseIntError;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, RangedU64ValueParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{ArgAction, Args, CommandFactory, Parser, ValueEnum};

/// The verb, as it was typed.
#[derive(Clone, Debug, Parser)]
#[command(name = "scale")]
pub(crate) struct Command {
    /// One of each, up to the bars
    #[arg(long, conflicts_with = "Options")]
    pub(crate) all: bool,
    /// Little, and soon
    #[arg(long)]
    pub(crate) quick: bool,
    #[command(flatten)]
    pub(crate) options: Options,
}

/// The checker, and its kind of check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// By the scheduler
    Http,
    /// By the scheduler
    Tcp,
    /// By the executor, next to the task
    MesosHttp,
    /// By the executor, next to the task
    MesosTcp,
    /// By the executor, next to the task
    Command,
}

/// The number of tasks, the steps, and the manner of checks.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub(crate) struct Options {
    /// The checker, and its kind of check
    #[arg(long, default_value = "mesos-http")]
    pub(crate) check: Kind,
    /// With curl, the same once more with a process of it for every check, as in 2017, drawn below
    #[arg(long = "prober", value_name = "PROBER", default_value = "engine", action = ArgAction::Set,
        value_parser = PossibleValuesParser::new(["engine", "curl"]).map(|name| name == "curl"))]
    pub(crate) curl: bool,
    /// The number of tasks at the end
    #[arg(long, default_value = "1000", default_value_if("quick", "true", "100"), value_parser = positive())]
    pub(crate) up_to: u32,
    /// The number of tasks in a step
    #[arg(long, default_value = "200", default_value_if("quick", "true", "50"), value_parser = positive())]
    pub(crate) step: u32,
    /// The seconds for which a step is watched once all are healthy
    #[arg(long, default_value = "20s", default_value_if("quick", "true", "6s"), value_parser = seconds)]
    pub(crate) hold: Duration,
    /// The seconds that a check may take
    #[arg(long, default_value = "20s", value_parser = seconds)]
    pub(crate) timeout: Duration,
    /// Give every task a network namespace of its own
    #[arg(long)]
    pub(crate) netns: bool,
    /// The number of simulated agents; without any, there is one real one
    #[arg(long, value_parser = positive().range(1..=10_000))]
    agents: Option<u32>,
    /// The number of tasks of simulated agents that change their health at once
    #[arg(long, default_value = "10000", default_value_if("quick", "true", "25"))]
    pub(crate) flips: u32,
    /// The number of those that do each second, for a while
    #[arg(long, default_value_t = 100)]
    pub(crate) flips_per_second: u32,
}

fn positive() -> RangedU64ValueParser<u32> {
    RangedU64ValueParser::new().range(1..)
}

/// With or without an `s`.
fn seconds(text: &str) -> Result<Duration, ParseIntError> {
    text.trim_end_matches('s').parse().map(Duration::from_secs)
}

impl Command {
    /// A line as it is typed behind `bench scale`.
    pub(crate) fn given(line: &str) -> Result<Command, clap::Error> {
        Command::try_parse_from(std::iter::once("scale").chain(line.split_whitespace()))?.checked()
    }

    /// The command, if its options go together.
    pub(crate) fn checked(self) -> Result<Command, clap::Error> {
        let error = || Command::command().error(ErrorKind::ArgumentConflict, "these options do not go together");
        if self.options.go_together() { Ok(self) } else { Err(error()) }
    }
}

impl Kind {
    /// As on the command line, and in the names of files.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Kind::Http => "http",
            Kind::Tcp => "tcp",
            Kind::MesosHttp => "mesos-http",
            Kind::MesosTcp => "mesos-tcp",
            Kind::Command => "command",
        }
    }

    /// In a title.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Kind::Http => "HTTP health checks by the scheduler",
            Kind::Tcp => "TCP health checks by the scheduler",
            Kind::MesosHttp => "native HTTP health checks",
            Kind::MesosTcp => "native TCP health checks",
            Kind::Command => "native command health checks",
        }
    }

    pub(crate) fn is_native(self) -> bool {
        !matches!(self, Kind::Http | Kind::Tcp)
    }
}

impl Options {
    fn go_together(&self) -> bool {
        let place = !self.netns || (self.check.is_native() && !self.is_simulated());
        let prober = !self.curl || (self.check == Kind::MesosHttp && !self.is_simulated());
        // Agents would have more ports each than there are.
        let ports = self.agents.is_none_or(|agents| self.up_to.div_ceil(agents) <= 20_000);
        place && prober && ports
    }

    pub(crate) fn is_simulated(&self) -> bool {
        self.agents.is_some()
    }

    /// The same run without processes of curl.
    pub(crate) fn by_the_engine(&self) -> Options {
        Options { curl: false, ..self.clone() }
    }

    /// The number of simulated agents.
    pub(crate) fn agents(&self) -> u32 {
        self.agents.unwrap_or(0)
    }

    /// True if simulated tasks are what is checked, by the scheduler.
    pub(crate) fn has_simulated_targets(&self) -> bool {
        self.is_simulated() && !self.check.is_native()
    }

    /// The numbers of tasks, step by step.
    pub(crate) fn steps(&self) -> Vec<u32> {
        let whole = (1..=self.up_to / self.step).map(|number| number * self.step);
        let rest = (!self.up_to.is_multiple_of(self.step)).then_some(self.up_to);
        whole.chain(rest).collect()
    }

    /// The beginning of the names of files.
    pub(crate) fn name(&self) -> String {
        let mark = |set, text| if set { text } else { "" };
        let marks = [(self.curl, "-curl"), (self.netns, "-netns"), (self.is_simulated(), "-simulated")];
        format!("scale-{}{}", self.check.as_str(), marks.map(|(set, text)| mark(set, text)).concat())
    }

    pub(crate) fn title(&self) -> String {
        let mut title = format!("{} tasks, {}", thousands(self.up_to), self.check.words());
        if self.curl {
            title += ", by the engine and by curl";
        }
        if self.netns {
            title += ", in network namespaces";
        }
        if self.is_simulated() {
            title += &format!(", {} simulated agents", thousands(self.agents()));
        }
        title + &format!(", interval 1 s, timeout {} s", self.timeout.as_secs())
    }
}

/// 12000 as 12,000.
pub(crate) fn thousands(number: u32) -> String {
    let digits = number.to_string();
    let comma = |index: usize| index > 0 && (digits.len() - index).is_multiple_of(3);
    let chars = digits.char_indices().flat_map(|(index, digit)| comma(index).then_some(',').into_iter().chain([digit]));
    chars.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(line: &str) -> Option<Options> {
        Command::given(line).ok().map(|command| command.options)
    }

    #[test]
    fn the_last_step_is_what_was_asked_for() {
        let options = given("--check tcp --up-to 450 --step 200 --timeout 5s").unwrap();
        assert_eq!(options.steps(), [200, 400, 450]);
        assert_eq!((options.check, options.timeout), (Kind::Tcp, Duration::from_secs(5)));
        assert_eq!(options.title(), "450 tasks, TCP health checks by the scheduler, interval 1 s, timeout 5 s");
    }

    #[test]
    fn nonsense_is_refused() {
        for line in ["--check icmp", "--step 0", "--check http --netns", "--check tcp --prober curl", "--up-to"] {
            assert_eq!(given(line), None, "{line}");
        }
        for line in ["--agents 0", "--agents 10 --netns", "--agents 3 --prober curl", "--agents 1 --up-to 30000"] {
            assert_eq!(given(line), None, "{line}");
        }
    }

    #[test]
    fn all_is_asked_for_alone() {
        let command = |line: &str| Command::given(line).ok();
        assert!(command("--all").is_some_and(|command| command.all && !command.quick));
        assert!(command("--quick --all").is_some_and(|command| command.all && command.quick));
        assert!(command("--all --step 3").is_none());
        let simulated = command("--agents 100 --up-to 100000");
        assert!(simulated.is_some_and(|command| !command.all && command.options.agents() == 100));
    }

    #[test]
    fn a_quick_run_is_little_unless_it_is_told() {
        let options = given("--quick --step 20").unwrap();
        assert_eq!((options.up_to, options.step, options.hold, options.flips), (100, 20, Duration::from_secs(6), 25));
    }

    #[test]
    fn numbers_read_well() {
        assert_eq!([1, 999, 1000, 1234567].map(thousands), ["1", "999", "1,000", "1,234,567"]);
    }
}
