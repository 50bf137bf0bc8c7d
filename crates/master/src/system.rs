//! What the machine says of itself: load, processors, memory. The shell's eyes; nothing is decided here.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// What could be read; the rest is left out.
#[derive(Debug, Default)]
pub(crate) struct Machine {
    load: Option<[f64; 3]>,
    cpus: Option<usize>,
    mem_total_bytes: Option<u64>,
    mem_free_bytes: Option<u64>,
}

impl Machine {
    pub(crate) fn look() -> Machine {
        let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
        Machine {
            load: std::fs::read_to_string("/proc/loadavg").ok().and_then(|text| load(&text)),
            cpus: std::thread::available_parallelism().ok().map(usize::from),
            mem_total_bytes: bytes(&memory, "MemTotal:"),
            mem_free_bytes: bytes(&memory, "MemFree:"),
        }
    }

    /// `/system/stats.json`
    pub(crate) fn stats(&self) -> Value {
        let names = [
            ("load_1min", "avg_load_1min"),
            ("load_5min", "avg_load_5min"),
            ("load_15min", "avg_load_15min"),
            ("cpus_total", "cpus_total"),
            ("mem_total_bytes", "mem_total_bytes"),
            ("mem_free_bytes", "mem_free_bytes"),
        ];
        let figures = self.figures();
        let named = |(name, shown): (&str, &str)| figures.get(name).map(|value| (shown.to_owned(), json!(value)));
        Value::Object(names.into_iter().filter_map(named).collect())
    }

    /// As metrics: `system/load_1min` and so on.
    pub(crate) fn metrics(&self) -> impl Iterator<Item = (String, f64)> {
        self.figures().into_iter().map(|(name, value)| (format!("system/{name}"), value))
    }

    fn figures(&self) -> BTreeMap<&'static str, f64> {
        let load =
            self.load.map(|[one, five, fifteen]| [("load_1min", one), ("load_5min", five), ("load_15min", fifteen)]);
        let others = [
            ("cpus_total", self.cpus.map(|cpus| cpus as f64)),
            ("mem_total_bytes", self.mem_total_bytes.map(|bytes| bytes as f64)),
            ("mem_free_bytes", self.mem_free_bytes.map(|bytes| bytes as f64)),
        ];
        let others = others.into_iter().filter_map(|(name, value)| Some((name, value?)));
        load.into_iter().flatten().chain(others).collect()
    }
}

fn load(text: &str) -> Option<[f64; 3]> {
    let mut figures = text.split_whitespace().map_while(|figure| figure.parse().ok());
    Some([figures.next()?, figures.next()?, figures.next()?])
}

/// A line of `/proc/meminfo`.
fn bytes(memory: &str, name: &str) -> Option<u64> {
    let line = memory.lines().find_map(|line| line.strip_prefix(name))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proc_is_read_as_it_is_written() {
        assert_eq!(load("0.52 1.25 3.00 2/345 6789\n"), Some([0.52, 1.25, 3.0]));
        assert_eq!(load("soon"), None);
        let memory = "MemTotal:       24684096 kB\nMemFree:        20118360 kB\n";
        assert_eq!(bytes(memory, "MemTotal:"), Some(24_684_096 * 1024));
        assert_eq!(bytes(memory, "MemAvailable:"), None);
    }
}
