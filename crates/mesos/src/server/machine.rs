//! The figures of the machine, as metrics and as `/system/stats` have them: load, processors, memory.

use std::collections::BTreeMap;

use rustix::system::sysinfo;

/// The figures, under the names of `/system/stats`.
pub fn machine_stats() -> BTreeMap<String, f64> {
    let info = sysinfo();
    let unit = f64::from(info.mem_unit);
    // The kernel counts loads in units of 2^-16.
    let load = |index: usize| info.loads.get(index).map_or(0.0, |load| *load as f64 / 65536.0);
    [
        ("cpus_total", std::thread::available_parallelism().map_or(1, usize::from) as f64),
        ("avg_load_1min", load(0)),
        ("avg_load_5min", load(1)),
        ("avg_load_15min", load(2)),
        ("mem_total_bytes", info.totalram as f64 * unit),
        ("mem_free_bytes", info.freeram as f64 * unit),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

/// The same as metrics: `system/load_1min` and so on.
pub fn machine_metrics() -> impl Iterator<Item = (String, f64)> {
    machine_stats().into_iter().map(|(name, value)| (format!("system/{}", name.trim_start_matches("avg_")), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_have_the_figures_of_the_stats_under_their_own_names() {
        let metrics: BTreeMap<String, f64> = machine_metrics().collect();
        let names: Vec<&str> = metrics.keys().map(String::as_str).collect();
        let loads = ["system/load_15min", "system/load_1min", "system/load_5min"];
        assert_eq!((&names[..1], &names[1..4]), (&["system/cpus_total"][..], &loads[..]));
        assert_eq!(names[4..], ["system/mem_free_bytes", "system/mem_total_bytes"]);
        assert!(metrics["system/mem_total_bytes"] >= machine_stats()["mem_free_bytes"]);
    }
}
