//! A thousand containers: how long they take to start, and what stands beside a program.

use std::fs;

use anyhow::Context;
use futures_util::future::try_join_all;

use super::finding::{Cost, Finding, Side, compare};
use super::ground::{Ground, Room};
use crate::clock::Moment;
use crate::cpu;

/// The number of containers started at a time.
const AT_ONCE: usize = 16;

/// The time for a thousand.
const SECONDS: f64 = 15.0;

/// The cores of the machine that this time is meant for.
const CORES: f64 = 2.0;

pub(crate) fn measure(ground: &Ground, quick: bool) -> anyhow::Result<Finding> {
    let count = if quick { 200 } else { 1000 };
    let part = count as f64 / 1000.0;
    let mut kib = 0.0;
    let side = Side::new("shim, pause, program", || {
        let cost = round(ground, count, &mut kib)?;
        Ok(cost)
    });
    let title = format!("{count} containers with a network namespace each");
    let finding = compare("thousand", title, 1, vec![side])?;
    let cost = finding.sides.first().and_then(|side| side.rounds.first()).copied().unwrap_or_default();
    let seconds = cost.seconds.unwrap_or(f64::NAN) * count as f64;
    let cpu = cost.cpu_us * count as f64 / 1e6;
    // Another's work makes it longer, and the CPU hardly more.
    let finding = finding.at_most("all of them run within", "s", SECONDS * part, seconds);
    let finding = finding.at_most("CPU of all of them", "s", SECONDS * CORES * part, cpu);
    Ok(finding.at_most("memory beside a program", "KiB", 1024.0, kib))
}

fn round(ground: &Ground, count: usize, kib: &mut f64) -> anyhow::Result<Cost> {
    let places: Vec<_> = (0..count).map(|_| ground.place()).collect::<anyhow::Result<_>>()?;
    let (before, from) = (cpu::of_process("self")?, Moment::now());
    let mut rooms: Vec<Room<'_>> = Vec::with_capacity(count);
    for places in places.chunks(AT_ONCE) {
        let starting = places.iter().map(|place| ground.starting(place.clone()));
        rooms.extend(ground.block_on(try_join_all(starting))?);
    }
    let seconds = from.age().as_secs_f64();
    let mut cpu = cpu::of_process("self")?.saturating_sub(before);
    for room in &rooms {
        let beside = room.beside()?;
        *kib += beside.iter().map(|pid| share(*pid)).sum::<anyhow::Result<f64>>()? / count as f64;
        for pid in beside.into_iter().chain([room.app().pid]) {
            cpu += cpu::of_process(&pid.to_string())?;
        }
    }
    Ok(Cost { cpu_us: cpu.as_secs_f64() * 1e6 / count as f64, seconds: Some(seconds / count as f64) })
}

/// The proportional share of a process, in KiB.
fn share(pid: i32) -> anyhow::Result<f64> {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:")).context("no Pss in smaps_rollup")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
