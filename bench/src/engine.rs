//! Our side, as a process of its own: one engine, and one thread that reads its events as they come.
//!
//! In: a load on the command line, targets on standard input, then an empty line and hostile targets if there are any.
//! Out: one line of JSON, as of the C programs.

mod checks;
mod siege;
mod tally;

use std::io::BufRead;
use std::time::Duration;

use ::checks::{CheckHandle, Engine, EngineOptions, Event};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::clock::Moment;
use crate::cpu;
use crate::load::{Load, Time};
use crate::measured::Measured;
use crate::targets::Target;
use tally::Tally;

/// The name the engine gives its thread.
const THREAD: &str = "checks";

/// The number of events that are read at once, if so many are there.
const AT_ONCE: usize = 1024;

/// Carries out a load, and says what it cost.
pub(crate) fn carry_out(load: &Load, time: Time) -> anyhow::Result<Measured> {
    let _resident = vec![1_u8; load.resident << 20];
    let before = resident()?;
    let (engine, mut events, handles) = set_up(load)?;
    let mut tally = Tally::new(handles.len().saturating_sub(load.checks));
    read(&mut events, time.warm_up, &mut tally)?;
    let (mut tally, from) = (tally.begin(), Moment::now());
    let (cpu, thread) = (spent(load)?, cpu::of_threads(THREAD)?);
    read(&mut events, time.counted, &mut tally)?;
    let measured = Measured {
        seconds: from.age().as_secs_f64(),
        cpu_us: micros(spent(load)?.saturating_sub(cpu)),
        thread_us: Some(micros(cpu::of_threads(THREAD)?.saturating_sub(thread))),
        bytes_per_check: Some(resident()?.saturating_sub(before) as f64 / load.checks as f64),
        ..tally.into_measured()
    };
    drop(engine);
    Ok(measured)
}

/// Adds checks that are not due for an hour, and says what they weigh.
pub(crate) fn hold(load: &Load) -> anyhow::Result<Measured> {
    let before = resident()?;
    let (engine, _events, _handles) = set_up(load)?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let metrics = runtime.block_on(engine.metrics());
    let added = metrics.map_or(0, |metrics| metrics.checks);
    anyhow::ensure!(added == load.checks, "the engine has {added} checks instead of {}", load.checks);
    let bytes = resident()?.saturating_sub(before);
    Ok(Measured { bytes_per_check: Some(bytes as f64 / load.checks as f64), ..Measured::default() })
}

fn set_up(load: &Load) -> anyhow::Result<(Engine, UnboundedReceiver<Event>, Vec<CheckHandle>)> {
    let mut lines = std::io::stdin().lock().lines();
    let targets: Vec<Target> = lines.by_ref().map_while(|line| Target::parse(&line.ok()?)).collect();
    let hostile: Vec<String> = lines.map_while(Result::ok).collect();
    let engine = Engine::start(EngineOptions::default())?;
    let (sender, events) = unbounded_channel();
    let mut handles = checks::add(&engine, load, &targets, &sender)?;
    if let Some(neighbours) = &load.neighbours {
        handles.extend(siege::add(&engine, neighbours, &hostile, &sender)?);
    }
    Ok((engine, events, handles))
}

/// There is always another event: checks go on.
fn read(events: &mut UnboundedReceiver<Event>, time: Duration, tally: &mut Tally) -> anyhow::Result<()> {
    let from = Moment::now();
    let mut batch = Vec::with_capacity(AT_ONCE);
    while from.age() < time {
        anyhow::ensure!(events.blocking_recv_many(&mut batch, AT_ONCE) > 0, "the engine has died");
        batch.drain(..).for_each(|event| tally.count(&event));
    }
    Ok(())
}

/// With children, which are the price of commands; those that are hostile are targets.
fn spent(load: &Load) -> anyhow::Result<Duration> {
    let children = if load.neighbours.is_none() { cpu::of_children()? } else { Duration::ZERO };
    Ok(cpu::of_process("self")? + children)
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// This process' memory, in bytes.
fn resident() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    Ok(kilobytes.unwrap_or_default().parse::<u64>()? * 1024)
}
