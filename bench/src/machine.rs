//! The place and time of figures, without which they say little.

use std::fs;

use serde::Serialize;

#[derive(Serialize)]
pub(crate) struct Machine {
    /// By the calendar, UTC.
    pub(crate) date: String,
    pub(crate) cores: usize,
    pub(crate) processor: String,
    pub(crate) kernel: String,
    pub(crate) haproxy: Option<String>,
    /// True if this program was compiled with optimisation.
    pub(crate) optimised: bool,
    /// The number that the targets were in; 0 if they were in our own.
    pub(crate) namespaces: usize,
}

impl Machine {
    pub(crate) fn this(namespaces: usize, haproxy: Option<String>) -> Machine {
        Machine {
            date: today(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            processor: processor(),
            kernel: read("/proc/sys/kernel/osrelease"),
            haproxy,
            optimised: !cfg!(debug_assertions),
            namespaces,
        }
    }

    /// In a line.
    pub(crate) fn line(&self) -> String {
        let haproxy = self.haproxy.as_ref().map(|version| format!(", HAProxy {version}")).unwrap_or_default();
        let namespaces = match self.namespaces {
            0 => "without network namespaces (they need root)".to_owned(),
            count => format!("targets in {count} network namespaces"),
        };
        let debug = if self.optimised { "" } else { "; NOT OPTIMISED: build with --release" };
        let Machine { date, cores, processor, kernel, .. } = self;
        format!("{date}, {cores} cores ({processor}), Linux {kernel}{haproxy}, {namespaces}{debug}")
    }
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default().trim().to_owned()
}

fn processor() -> String {
    let all = read("/proc/cpuinfo");
    let name = all.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    name.map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, name)| name.to_owned())
}

fn today() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%d").to_string()
}
