//! The lateness of checks, as their targets see it: they tell the times between the last checks of them, of which the
//! interval is subtracted. What is left is the lag of the checker and the time a check took.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::AsFd;
use std::thread;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use serde_json::Value;

use super::{http, processes};

/// The number of targets that are asked: more would say the same.
const SAMPLE: usize = 200;

const INTERVAL_MS: f64 = 1000.0;

/// In milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Lag {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
}

/// Of real tasks: each is a server that can be asked, in its own network or in ours. None if none could tell.
pub(crate) fn of_tasks(scheduler: SocketAddr, netns: bool) -> Option<Lag> {
    let all = ports(scheduler)?;
    let chosen = all.iter().copied().step_by((all.len() / SAMPLE).max(1));
    let gaps = if netns { chosen.filter_map(inside).collect() } else { chosen.filter_map(ask).collect::<Vec<_>>() };
    lag(gaps.concat())
}

/// The port of every task.
fn ports(scheduler: SocketAddr) -> Option<Vec<u16>> {
    let list = http::get(scheduler, "/v2/tasks").ok()?;
    let port = |task: &Value| u16::try_from(task["ports"][0].as_u64()?).ok();
    Some(list["tasks"].as_array()?.iter().filter_map(port).collect())
}

fn ask(port: u16) -> Option<Vec<f64>> {
    http::text((Ipv4Addr::LOCALHOST, port).into(), "/gaps").ok().map(|text| parse(&text))
}

/// The same in the network of the server, by a thread that never comes home.
fn inside(port: u16) -> Option<Vec<f64>> {
    let network = File::open(format!("/proc/{}/ns/net", server(port)?)).ok()?;
    let ask_there = move || {
        move_into_link_name_space(network.as_fd(), Some(LinkNameSpaceType::Network)).ok()?;
        ask(port)
    };
    thread::spawn(ask_there).join().ok()?
}

/// The process that serves this port; no two do, wherever they are.
fn server(port: u16) -> Option<u32> {
    let end = format!("demo http --port {port}");
    let pids = fs::read_dir("/proc").ok()?.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.into_iter().find(|pid| {
        let line = processes::command_line(*pid);
        line.trim_end().ends_with(&end) && !line.contains("sh -c")
    })
}

/// The punctuality by these gaps. None if there are none.
pub(crate) fn lag(gaps_ms: Vec<f64>) -> Option<Lag> {
    let mut late: Vec<f64> = gaps_ms.into_iter().map(|gap| gap - INTERVAL_MS).collect();
    late.sort_by(f64::total_cmp);
    Some(Lag { p50: percentile(&late, 50)?, p99: percentile(&late, 99)? })
}

fn parse(text: &str) -> Vec<f64> {
    text.split_whitespace().filter_map(|gap| gap.parse().ok()).collect()
}

fn percentile(sorted: &[f64], percent: usize) -> Option<f64> {
    sorted.get((sorted.len() * percent / 100).min(sorted.len().checked_sub(1)?)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lag_is_what_exceeds_the_interval() {
        assert_eq!(parse("1001.5 1000\n1020"), [1001.5, 1000.0, 1020.0]);
        let gaps = (0..100).map(|late| INTERVAL_MS + f64::from(late)).collect();
        assert_eq!(lag(gaps), Some(Lag { p50: 50.0, p99: 99.0 }));
        assert_eq!(lag(Vec::new()), None);
    }
}
