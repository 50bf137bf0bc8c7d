//! The trials with simulated agents once all tasks are there: the control plane alone. Only for native checks, whose
//! verdicts are the agents' own.

use std::time::Duration;

use simulated::Fleet;

use super::cluster::Cluster;
use super::http;
use super::options::Options;
use super::poll::States;
use super::run::{Broken, Run};
use super::step::{Costs, MASTER};

/// The time that anything may take before it counts as broken.
const PATIENCE: Duration = Duration::from_secs(120);

/// The time between two looks whether all has been seen.
const GLANCE: Duration = Duration::from_millis(50);

/// The part of the tasks that flips while the scheduler is away.
const MEANWHILE: u64 = 100;

/// The findings, as far as it got.
#[derive(Clone, Debug, Default)]
pub(crate) struct ControlPlane {
    pub(crate) memory: Option<Memory>,
    pub(crate) steady: Option<Steady>,
    pub(crate) burst: Option<Burst>,
    pub(crate) fail_over: Option<FailOver>,
}

/// Bytes a task takes of the master.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    pub(crate) resident_per_task: f64,
    /// Of its definition alone, as it is sent.
    pub(crate) definition: f64,
}

/// Some tasks flip all the time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Steady {
    pub(crate) flips_per_s: u32,
    /// CPU of each role, as a part of one core.
    pub(crate) cpu: [f64; 4],
    pub(crate) updates_per_s: f64,
}

/// Many flip at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Burst {
    pub(crate) flips: u32,
    /// Until the scheduler knows.
    pub(crate) seen: Duration,
    /// The CPU that it took, of each role.
    pub(crate) cpu: [Duration; 4],
}

/// The scheduler is killed, and another takes its place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FailOver {
    /// Flips that the scheduler did not hear of: only reconciliation tells.
    pub(crate) missed: u64,
    /// Until all tasks were known, and known as they are.
    pub(crate) known: Duration,
}

/// The number of rows of progress it takes.
pub(super) fn rows(options: &Options) -> usize {
    if options.is_simulated() && options.check.is_native() { 3 } else { 0 }
}

/// The time that one of them takes.
pub(super) fn guess(options: &Options) -> Duration {
    options.hold
}

/// One after the other.
pub(super) fn try_all(run: &mut Run<'_>, empty: &Costs) -> Result<(), Broken> {
    if rows(run.options) == 0 {
        return Ok(());
    }
    run.is_shaken = true;
    memory(run, empty);
    steady(run)?;
    burst(run)?;
    fail_over(run)
}

fn memory(run: &mut Run<'_>, empty: &Costs) {
    let Some(fleet) = run.cluster.fleet() else { return };
    let tasks = fleet.counts().tasks.max(1) as f64;
    let grown = run.costs().roles[MASTER].rss_mib - empty.roles[MASTER].rss_mib;
    let resident_per_task = grown * 1024.0 * 1024.0 / tasks;
    let definition = fleet.counts().definition_bytes as f64 / tasks;
    run.findings.control.memory = Some(Memory { resident_per_task, definition });
}

fn steady(run: &mut Run<'_>) -> Result<(), Broken> {
    let (time, per_s) = (run.options.hold, run.options.flips_per_second);
    let before = counts(run).flips;
    run.progress.begin("flips all the time", time);
    let begin = run.costs();
    let mut flipped = 0;
    run.hold(time, |cluster, over| {
        let wanted = (over.as_secs_f64() * f64::from(per_s)) as usize;
        cluster.fleet().into_iter().for_each(|fleet| fleet.flip(wanted - flipped));
        flipped = wanted;
    })?;
    let end = run.costs();
    run.findings.control.steady =
        Some(Steady { flips_per_s: per_s, cpu: begin.cpu_per_s(&end), updates_per_s: begin.updates_per_s(&end) });
    settle(run, before + flipped as u64).map(drop)
}

fn burst(run: &mut Run<'_>) -> Result<(), Broken> {
    let flips = run.options.flips;
    run.progress.begin("a burst of flips", guess(run.options));
    let (before, begin) = (counts(run).flips, run.costs());
    run.cluster.fleet().into_iter().for_each(|fleet| fleet.flip(flips as usize));
    let seen = settle(run, before + u64::from(flips))?;
    let end = run.costs();
    run.findings.control.burst = Some(Burst { flips, seen, cpu: begin.cpu_until(&end) });
    Ok(())
}

fn fail_over(run: &mut Run<'_>) -> Result<(), Broken> {
    run.progress.begin("fail-over", guess(run.options));
    let before = counts(run);
    let missed = (before.tasks / MEANWHILE).max(1);
    let broken = |error: anyhow::Error| format!("{error:#}");
    run.cluster.kill_scheduler().map_err(broken)?;
    run.cluster.fleet().into_iter().for_each(|fleet| fleet.flip(missed as usize));
    run.cluster.start_scheduler().map_err(broken)?;
    let known = agree(run, before.flips + missed)?;
    run.findings.control.fail_over = Some(FailOver { missed, known });
    Ok(())
}

fn counts(run: &Run<'_>) -> simulated::Counts {
    run.cluster.fleet().map(Fleet::counts).unwrap_or_default()
}

/// Waits until the scheduler has seen and acknowledged every single one of so many flips since the beginning.
fn settle(run: &mut Run<'_>, flips: u64) -> Result<Duration, Broken> {
    run.wait(PATIENCE, GLANCE, |cluster, states| {
        let is_told = |fleet: &Fleet| fleet.counts().unacknowledged == 0;
        is_as_told(cluster, states, flips) && cluster.fleet().is_none_or(is_told)
    })
}

/// Waits until the scheduler knows of all tasks how they are after so many flips, from wherever it knows.
fn agree(run: &mut Run<'_>, flips: u64) -> Result<Duration, Broken> {
    run.wait(PATIENCE, GLANCE, |cluster, states| {
        is_as_told(cluster, states, flips) && unanswered(cluster.scheduler.address) == Some(0)
    })
}

fn is_as_told(cluster: &Cluster, states: &States, flips: u64) -> bool {
    let Some(fleet) = cluster.fleet() else { return true };
    let simulated::Counts { healthy, unhealthy, flips: made, .. } = fleet.counts();
    made == flips && *states == States { healthy, unhealthy, ..States::default() }
}

/// Of how many tasks the scheduler has asked how they are, and not heard.
fn unanswered(scheduler: std::net::SocketAddr) -> Option<u64> {
    let metrics = http::get(scheduler, "/metrics").ok()?;
    metrics["gauges"]["cygnet.reconciliation.unanswered.gauge"]["value"].as_u64()
}
