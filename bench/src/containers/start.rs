//! The start of a container whose image is unpacked, from the request until its program runs, beside `docker run -d`.

use std::process::{Command, Stdio};

use anyhow::Context;
use harness::docker::Docker;

use super::finding::{Cost, Finding, Side, compare};
use super::ground::{Ground, IMAGE, Room};
use crate::clock::Moment;
use crate::{cpu, sides};

const DOCKER: &str = "docker run -d";

pub(crate) fn measure(ground: &Ground, quick: bool) -> anyhow::Result<Finding> {
    let (rounds, own, others) = if quick { (5, 10, 2) } else { (5, 40, 5) };
    let docker = match ground.docker() {
        Ok(docker) => {
            docker_round(docker, 1)?;
            Side::new(DOCKER, move || docker_round(docker, others))
        }
        Err(lacking) => Side::lacking(DOCKER, lacking),
    };
    // The first ones find nothing in the page cache, neither ours nor Docker's.
    own_round(ground, own)?;
    let sides = vec![Side::new("shim, pause, program", move || own_round(ground, own)), docker];
    let title = "a container with a network namespace, from request to running".to_owned();
    Ok(compare("start", title, rounds, sides)?.cpu_at_most(DOCKER, 1.0 / 20.0))
}

fn own_round(ground: &Ground, count: u32) -> anyhow::Result<Cost> {
    let (before, from) = (cpu::of_process("self")?, Moment::now());
    let rooms: Vec<Room<'_>> = (0..count).map(|_| ground.start()).collect::<anyhow::Result<_>>()?;
    let seconds = from.age().as_secs_f64();
    let mut cpu = cpu::of_process("self")?.saturating_sub(before);
    for room in &rooms {
        for pid in room.beside()?.into_iter().chain([room.app().pid]) {
            cpu += cpu::of_process(&pid.to_string())?;
        }
    }
    Ok(Cost { cpu_us: cpu.as_secs_f64() * 1e6 / f64::from(count), seconds: Some(seconds / f64::from(count)) })
}

/// The CPU is that of the client, the daemon, and whatever it starts.
fn docker_round(docker: &Docker, count: u32) -> anyhow::Result<Cost> {
    let spent = || -> anyhow::Result<_> { Ok(cpu::of_children()? + sides::spent(docker)) };
    let (before, from) = (spent()?, Moment::now());
    for _ in 0..count {
        run(docker)?;
    }
    let (cpu, seconds) = (spent()?.saturating_sub(before), from.age().as_secs_f64());
    docker.remove_containers();
    Ok(Cost { cpu_us: cpu.as_secs_f64() * 1e6 / f64::from(count), seconds: Some(seconds / f64::from(count)) })
}

fn run(docker: &Docker) -> anyhow::Result<()> {
    let mut command = Command::new("docker");
    command.arg("--host").arg(format!("unix://{}", docker.socket().display()));
    // As ours: a network namespace, and nothing in it.
    command.args(["run", "-d", "--network", "none", IMAGE]).stdout(Stdio::null());
    let status = command.status().context("there is no docker client")?;
    anyhow::ensure!(status.success(), "docker run fails: {status}");
    Ok(())
}
