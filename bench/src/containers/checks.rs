//! HTTP, TCP and LISTEN in containers, beside the same checks outside: an engine that enters fifty containers by their
//! programs' pidfds, and one that goes nowhere.

use std::time::Duration;

use super::finding::{Cost, Finding, Side, compare};
use super::ground::{Ground, Room};
use crate::load::{Ask, Load, Time};
use crate::sides;
use crate::targets::Targets;

const INSIDE: &str = "in containers";
const OUTSIDE: &str = "outside";
const CONTAINERS: usize = 50;
const LISTENERS: usize = 20;
const BAR: f64 = 1.05;

pub(crate) fn http(ground: &Ground, quick: bool) -> anyhow::Result<Finding> {
    measure(ground, quick, "http", Ask::Http)
}

pub(crate) fn tcp(ground: &Ground, quick: bool) -> anyhow::Result<Finding> {
    measure(ground, quick, "tcp", Ask::HalfOpen)
}

pub(crate) fn listen(ground: &Ground, quick: bool) -> anyhow::Result<Finding> {
    measure(ground, quick, "listen", Ask::Listen)
}

fn measure(ground: &Ground, quick: bool, name: &'static str, ask: Ask) -> anyhow::Result<Finding> {
    let rooms: Vec<Room<'_>> = (0..CONTAINERS).map(|_| ground.start()).collect::<anyhow::Result<_>>()?;
    let network = |room: &Room<'_>| format!("/proc/{}/ns/net", room.app().pid);
    let inside = Targets::start_in(&rooms.iter().map(network).collect::<Vec<_>>(), LISTENERS)?;
    let outside = Targets::start_in(&vec!["-".to_owned(); CONTAINERS], LISTENERS)?;
    let load = Load::new(ask, CONTAINERS * LISTENERS, Duration::from_secs(1));
    let (rounds, counted) = if quick { (2, 1) } else { (9, 4) };
    let time = Time { warm_up: Duration::from_millis(1500), counted: Duration::from_secs(counted) };
    let round = |targets: &Targets| -> anyhow::Result<Cost> {
        let measured = sides::engine_round(&load, time, &targets.all)?;
        anyhow::ensure!(measured.failures == 0, "{} of {} checks failed", measured.failures, measured.checks);
        Ok(Cost { cpu_us: measured.us_per_check(), seconds: None })
    };
    let sides = vec![Side::new(INSIDE, || round(&inside)), Side::new(OUTSIDE, || round(&outside))];
    let title = format!("{name}: {} checks a second of {CONTAINERS} containers", CONTAINERS * LISTENERS);
    Ok(compare(name, title, rounds, sides)?.cpu_at_most(OUTSIDE, BAR))
}
