//! HTTP, TCP and LISTEN in containers, beside the same checks outside: an engine that enters fifty containers by their
//! programs' pidfds, and one that goes nowhere.
//!
//! LISTEN is two calls of the kernel, which has a socket and tables of their own for each network, cold whenever they are
//! asked. The engine asks for all listeners of a container in one turn, so that only the first of them pays for it.

use std::time::Duration;

use super::finding::{Cost, Finding, Side, compare};
use super::ground::{Ground, Room};
use crate::load::{Ask, Load, Time};
use crate::measured::Measured;
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
    let sites = Sites::prepare(ground)?;
    let sides = sites.sides(&load(ask), time(quick));
    Ok(compare(name, title(name), rounds(quick), sides)?.cpu_at_most(OUTSIDE, BAR))
}

/// The listeners in containers, and as many outside.
struct Sites<'a> {
    _rooms: Vec<Room<'a>>,
    inside: Targets,
    outside: Targets,
}

impl<'a> Sites<'a> {
    fn prepare(ground: &'a Ground) -> anyhow::Result<Sites<'a>> {
        let rooms: Vec<Room<'_>> = (0..CONTAINERS).map(|_| ground.start()).collect::<anyhow::Result<_>>()?;
        let network = |room: &Room<'_>| format!("/proc/{}/ns/net", room.app().pid);
        let inside = Targets::start_in(&rooms.iter().map(network).collect::<Vec<_>>(), LISTENERS)?;
        let outside = Targets::start_in(&vec!["-".to_owned(); CONTAINERS], LISTENERS)?;
        Ok(Sites { _rooms: rooms, inside, outside })
    }

    fn sides<'s>(&'s self, load: &Load, time: Time) -> Vec<Side<'s>> {
        let load = *load;
        let side =
            |name, targets: &'s Targets| Side::new(name, move || cost(sides::engine_round(&load, time, &targets.all)?));
        vec![side(INSIDE, &self.inside), side(OUTSIDE, &self.outside)]
    }
}

fn cost(measured: Measured) -> anyhow::Result<Cost> {
    anyhow::ensure!(measured.failures == 0, "{} of {} checks failed", measured.failures, measured.checks);
    Ok(Cost { cpu_us: measured.us_per_check(), seconds: None })
}

fn load(ask: Ask) -> Load {
    Load::new(ask, CONTAINERS * LISTENERS, Duration::from_secs(1))
}

fn time(quick: bool) -> Time {
    Time { warm_up: Duration::from_millis(1500), counted: Duration::from_secs(if quick { 1 } else { 4 }) }
}

fn rounds(quick: bool) -> usize {
    if quick { 2 } else { 9 }
}

fn title(name: &str) -> String {
    format!("{name}: {} checks a second of {CONTAINERS} containers", CONTAINERS * LISTENERS)
}
