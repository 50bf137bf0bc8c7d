//! The options of a run. Pure.

use std::time::Duration;

/// The checker, and its kind of check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Http,
    Tcp,
    MesosHttp,
    MesosTcp,
    Command,
}

/// How much, and in what steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) check: Kind,
    /// Whether the executor runs a process of curl for every check, as in 2017.
    pub(crate) curl: bool,
    pub(crate) up_to: u32,
    pub(crate) step: u32,
    /// How long a step is watched once all are healthy.
    pub(crate) hold: Duration,
    /// How long a check may take.
    pub(crate) timeout: Duration,
    /// Whether every task has a network namespace of its own.
    pub(crate) netns: bool,
    /// How many simulated agents there are; without any, one real one.
    pub(crate) agents: u32,
    /// How many tasks of simulated agents change their health at once.
    pub(crate) flips: u32,
    /// And how many each second, for a while.
    pub(crate) flips_per_second: u32,
    /// Little, and soon.
    pub(crate) quick: bool,
}

impl Kind {
    pub(crate) const ALL: [Kind; 5] = [Kind::Http, Kind::Tcp, Kind::MesosHttp, Kind::MesosTcp, Kind::Command];

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

impl Default for Options {
    fn default() -> Options {
        Options {
            check: Kind::MesosHttp,
            curl: false,
            up_to: 1000,
            step: 200,
            hold: Duration::from_secs(20),
            timeout: Duration::from_secs(20),
            netns: false,
            agents: 0,
            flips: 10_000,
            flips_per_second: 100,
            quick: false,
        }
    }
}

/// The verb, as it was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    One(Options),
    /// One of each, up to the bars, or up to little.
    All {
        quick: bool,
    },
}

impl Command {
    /// None if it makes no sense.
    pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> Option<Command> {
        let (all, others): (Vec<String>, Vec<String>) = arguments.partition(|argument| argument == "--all");
        match (all.len(), others.iter().map(String::as_str).collect::<Vec<_>>().as_slice()) {
            (1, []) => Some(Command::All { quick: false }),
            (1, ["--quick"]) => Some(Command::All { quick: true }),
            (0, _) => Options::parse(others.into_iter()).map(Command::One),
            _ => None,
        }
    }
}

impl Options {
    /// None if it makes no sense.
    fn parse(arguments: impl Iterator<Item = String>) -> Option<Options> {
        let mut arguments = arguments.peekable();
        let mut options = Options::default();
        while let Some(name) = arguments.next() {
            match name.as_str() {
                "--quick" => options = options.quick(),
                "--netns" => options.netns = true,
                _ => options.take(&name, &arguments.next()?)?,
            }
        }
        options.is_sane().then_some(options)
    }

    fn is_sane(&self) -> bool {
        let counts = self.step > 0 && self.up_to > 0 && self.agents <= 10_000;
        let place = !self.netns || (self.check.is_native() && !self.is_simulated());
        let prober = !self.curl || (self.check == Kind::MesosHttp && !self.is_simulated());
        // Agents would have more ports each than there are.
        let ports = !self.is_simulated() || self.up_to.div_ceil(self.agents) <= 20_000;
        counts && place && prober && ports
    }

    fn take(&mut self, name: &str, value: &str) -> Option<()> {
        match name {
            "--check" => self.check = Kind::ALL.into_iter().find(|kind| kind.as_str() == value)?,
            "--up-to" => self.up_to = value.parse().ok()?,
            "--step" => self.step = value.parse().ok()?,
            "--hold" => self.hold = duration(value)?,
            "--timeout" => self.timeout = duration(value)?,
            "--prober" => self.curl = matches!(value, "curl" | "engine").then_some(value == "curl")?,
            "--agents" => self.agents = value.parse().ok().filter(|agents| *agents > 0)?,
            "--flips" => self.flips = value.parse().ok()?,
            "--flips-per-second" => self.flips_per_second = value.parse().ok()?,
            _ => return None,
        }
        Some(())
    }

    pub(crate) fn quick(self) -> Options {
        Options { quick: true, up_to: 100, step: 50, hold: Duration::from_secs(6), flips: 25, ..self }
    }

    pub(crate) fn is_simulated(&self) -> bool {
        self.agents > 0
    }

    /// Whether simulated tasks are what is checked, by the scheduler.
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
            title += &format!(", {} simulated agents", thousands(self.agents));
        }
        title + &format!(", interval 1 s, timeout {} s", self.timeout.as_secs())
    }
}

/// Seconds, with or without an `s`.
fn duration(text: &str) -> Option<Duration> {
    text.trim_end_matches('s').parse().ok().map(Duration::from_secs)
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
        Options::parse(line.split_whitespace().map(str::to_owned))
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
        let command = |line: &str| Command::parse(line.split_whitespace().map(str::to_owned));
        assert_eq!(command("--all"), Some(Command::All { quick: false }));
        assert_eq!(command("--quick --all"), Some(Command::All { quick: true }));
        assert_eq!(command("--all --step 3"), None);
        assert!(matches!(command("--agents 100 --up-to 100000"), Some(Command::One(options)) if options.agents == 100));
    }

    #[test]
    fn numbers_read_well() {
        assert_eq!([1, 999, 1000, 1234567].map(thousands), ["1", "999", "1,000", "1,234,567"]);
    }
}
