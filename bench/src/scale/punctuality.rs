//! How late checks are, as their targets see it: the demo server tells the times between the last checks of it, of
//! which the interval is subtracted. What is left is the lag of the checker and the time a check took.

use std::net::{Ipv4Addr, SocketAddr};

use serde_json::Value;

use super::{app, http};

/// How many targets are asked: more would say the same.
const SAMPLE: usize = 200;

const INTERVAL_MS: f64 = 1000.0;

/// In milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Lag {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
}

/// The port of every task.
pub(crate) fn ports(scheduler: SocketAddr) -> Option<Vec<u16>> {
    let list = http::get(scheduler, &format!("/v2/apps{}/tasks", app::ID)).ok()?;
    let port = |task: &Value| u16::try_from(task["ports"][0].as_u64()?).ok();
    Some(list["tasks"].as_array()?.iter().filter_map(port).collect())
}

/// None if no target could tell.
pub(crate) fn lag(ports: &[u16]) -> Option<Lag> {
    let chosen = ports.iter().step_by((ports.len() / SAMPLE).max(1));
    let gaps = |port: &u16| http::text((Ipv4Addr::LOCALHOST, *port).into(), "/gaps").ok();
    let mut late: Vec<f64> = chosen.filter_map(gaps).flat_map(|text| parse(&text)).collect();
    late.sort_by(f64::total_cmp);
    Some(Lag { p50: percentile(&late, 50)?, p99: percentile(&late, 99)? })
}

fn parse(text: &str) -> Vec<f64> {
    text.split_whitespace().filter_map(|gap| gap.parse::<f64>().ok()).map(|gap| gap - INTERVAL_MS).collect()
}

fn percentile(sorted: &[f64], percent: usize) -> Option<f64> {
    sorted.get((sorted.len() * percent / 100).min(sorted.len().checked_sub(1)?)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lag_is_what_exceeds_the_interval() {
        assert_eq!(parse("1001.5 1000\n1020"), [1.5, 0.0, 20.0]);
        let all: Vec<f64> = (0..100).map(f64::from).collect();
        assert_eq!((percentile(&all, 50), percentile(&all, 99), percentile(&[], 50)), (Some(50.0), Some(99.0), None));
    }
}
