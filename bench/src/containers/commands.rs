//! The command `true` in a container, confined as its program is, beside the floor in C and `docker exec` by API.

use std::time::Duration;

use super::finding::{Cost, Finding, Side, compare};
use super::ground::{Ground, IMAGE, Room};
use crate::clock::Moment;
use crate::load::{Ask, Load, Time};
use crate::measured::Measured;
use crate::sides::{self, Exec, Programs};
use crate::targets::Target;

const FLOOR: &str = "C vfork + setns + exec";
const DOCKER: &str = "docker exec by API";

/// The memory of the process that starts commands, in MiB.
const RESIDENT: usize = 500;

pub(crate) fn measure(ground: &Ground, quick: bool) -> anyhow::Result<Finding> {
    let room = ground.start()?;
    // Many short ones rather than few long ones: each differs from its neighbour by more than the bar leaves room for.
    let (rounds, counted) = if quick { (5, 1) } else { (25, 2) };
    let time = Time { warm_up: Duration::from_secs(1), counted: Duration::from_secs(counted) };
    let load = Load { resident: RESIDENT, confined: true, ..Load::new(Ask::Command, 200, Duration::from_secs(1)) };
    let target = [Target { namespace: Some(namespace(&room, "net")), port: 0 }];
    let own = Side::new("confined, in a container", || cost(sides::engine_round(&load, time, &target)?));
    let others = format!("{},{}", namespace(&room, "mnt"), namespace(&room, "pid"));
    let programs = Programs::compile(&ground.results);
    let floor = match &programs {
        Ok(programs) => Side::new(FLOOR, || cost(sides::vfork_round(programs, &load, time, &others, &target)?)),
        Err(lacking) => Side::lacking(FLOOR, lacking),
    };
    let exec = ground.docker().and_then(|docker| Exec::start(docker, IMAGE));
    let docker = match &exec {
        Ok(exec) => Side::new(DOCKER, || {
            let (before, from) = (sides::spent(exec.docker()), Moment::now());
            let checks = exec.work(time.counted)?;
            let cpu = sides::spent(exec.docker()).saturating_sub(before);
            let cpu_us = cpu.as_secs_f64() * 1e6;
            cost(Measured { checks, cpu_us, seconds: from.age().as_secs_f64(), ..Measured::default() })
        }),
        Err(lacking) => Side::lacking(DOCKER, lacking),
    };
    let title = "the command 'true' in a container, from a process of 500 MiB".to_owned();
    let finding = compare("command", title, rounds, vec![own, floor, docker])?;
    Ok(finding.cpu_at_most(FLOOR, 1.3).cpu_at_most(DOCKER, 1.0 / 30.0))
}

fn namespace(room: &Room<'_>, kind: &str) -> String {
    format!("/proc/{}/ns/{kind}", room.app().pid)
}

fn cost(measured: Measured) -> anyhow::Result<Cost> {
    anyhow::ensure!(measured.failures == 0, "{} of {} commands failed", measured.failures, measured.checks);
    Ok(Cost { cpu_us: measured.us_per_check(), seconds: None })
}
