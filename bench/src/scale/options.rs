//! What was asked for. Pure.

use std::time::Duration;

/// Who checks, and how.
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
            quick: false,
        }
    }
}

impl Options {
    /// None if it makes no sense.
    pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> Option<Options> {
        let mut arguments = arguments.peekable();
        let mut options = Options::default();
        while let Some(name) = arguments.next() {
            match name.as_str() {
                "--quick" => options = options.quick(),
                "--netns" => options.netns = true,
                _ => options.take(&name, &arguments.next()?)?,
            }
        }
        let sane = options.step > 0 && options.up_to > 0 && (!options.netns || options.check.is_native());
        (sane && (!options.curl || options.check == Kind::MesosHttp)).then_some(options)
    }

    fn take(&mut self, name: &str, value: &str) -> Option<()> {
        match name {
            "--check" => self.check = Kind::ALL.into_iter().find(|kind| kind.as_str() == value)?,
            "--up-to" => self.up_to = value.parse().ok()?,
            "--step" => self.step = value.parse().ok()?,
            "--hold" => self.hold = duration(value)?,
            "--timeout" => self.timeout = duration(value)?,
            "--prober" => self.curl = matches!(value, "curl" | "engine").then_some(value == "curl")?,
            _ => return None,
        }
        Some(())
    }

    fn quick(self) -> Options {
        Options { quick: true, up_to: 100, step: 50, hold: Duration::from_secs(6), ..self }
    }

    /// How many tasks there are to be, step by step.
    pub(crate) fn steps(&self) -> Vec<u32> {
        let whole = (1..=self.up_to / self.step).map(|number| number * self.step);
        let rest = (!self.up_to.is_multiple_of(self.step)).then_some(self.up_to);
        whole.chain(rest).collect()
    }

    /// The beginning of the names of files.
    pub(crate) fn name(&self) -> String {
        let mark = |set, text| if set { text } else { "" };
        format!("scale-{}{}{}", self.check.as_str(), mark(self.curl, "-curl"), mark(self.netns, "-netns"))
    }

    pub(crate) fn title(&self) -> String {
        let prober = if self.curl { ", a process of curl each" } else { "" };
        let places = if self.netns { ", in network namespaces" } else { "" };
        format!("{} tasks, {}{prober}{places}, interval 1 s", thousands(self.up_to), self.check.words())
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
        assert_eq!(options.title(), "450 tasks, TCP health checks by the scheduler, interval 1 s");
    }

    #[test]
    fn nonsense_is_refused() {
        for line in ["--check icmp", "--step 0", "--check http --netns", "--check tcp --prober curl", "--up-to"] {
            assert_eq!(given(line), None, "{line}");
        }
    }

    #[test]
    fn numbers_read_well() {
        assert_eq!([1, 999, 1000, 1234567].map(thousands), ["1", "999", "1,000", "1,234,567"]);
    }
}
