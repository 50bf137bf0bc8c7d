//! The bars of a run, and whether they hold. Pure.
//!
//! A bar that a run was not asked to reach is not judged. A verdict against a task that is well breaks any run.

use std::time::Duration;

use super::control::ControlPlane;
use super::options::{Kind, Options, thousands};
use super::run::Findings;
use super::step::{MASTER, SCHEDULER, Step};

/// The most a core is used by master and scheduler each while all is still.
const STILL: f64 = 0.01;

/// The part by which it may be more with all tasks than with the first of them: no more than measuring errs.
const FLAT: f64 = 0.005;

const SCALE_UP: (u32, Duration) = (1000, Duration::from_secs(15));
const STEADY: u32 = 100_000;
const BURST: (u32, Duration) = (10_000, Duration::from_secs(5));
const MASTER_BYTES: f64 = 2048.0;
const FAIL_OVER: Duration = Duration::from_secs(30);

/// One of them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Bar {
    pub(crate) what: String,
    pub(crate) wanted: String,
    pub(crate) found: String,
    pub(crate) holds: bool,
}

impl Bar {
    fn new(what: &str, wanted: String, found: String, holds: bool) -> Bar {
        Bar { what: what.to_owned(), wanted, found, holds }
    }

    /// For people.
    pub(crate) fn line(&self) -> String {
        let Bar { what, wanted, found, holds } = self;
        format!("{:<5}{what}: {wanted}; found {found}", if *holds { "pass" } else { "FAIL" })
    }
}

/// All that can be judged of a run. One with curl is for comparison, and has none.
pub(crate) fn judge(options: &Options, findings: &Findings) -> Vec<Bar> {
    if options.curl {
        return Vec::new();
    }
    let mut bars: Vec<Bar> = [carries(options, findings), scale_up(options, findings)].into_iter().flatten().collect();
    if options.check.is_native() && options.up_to >= tasks_wanted(options) {
        bars.extend(still(findings));
    }
    bars.extend(control(options, &findings.control));
    bars.push(nobody_blamed(findings));
    bars
}

/// The number of tasks that a run of this kind must carry.
fn tasks_wanted(options: &Options) -> u32 {
    match (options.is_simulated(), options.check) {
        (true, Kind::Http) => 15_000,
        (true, Kind::Tcp) => 15_000,
        (true, _) => STEADY,
        (false, Kind::Http) => 6000,
        (false, Kind::Tcp | Kind::MesosHttp | Kind::MesosTcp) => 8000,
        // A process a second each: there is no telling what a machine carries of these.
        (false, Kind::Command) => u32::MAX,
    }
}

fn carries(options: &Options, findings: &Findings) -> Option<Bar> {
    let wanted = tasks_wanted(options);
    let found = findings.carried();
    (options.up_to >= wanted && !options.netns).then(|| {
        let what = format!("tasks with {} at 1 s", options.check.words());
        let simulated = if options.is_simulated() { ", simulated" } else { "" };
        Bar::new(&(what + simulated), thousands(wanted), thousands(found), found >= wanted)
    })
}

fn scale_up(options: &Options, findings: &Findings) -> Option<Bar> {
    let first = findings.steps.first().filter(|step| step.tasks == SCALE_UP.0)?;
    let took = first.ramp?;
    (options.check.is_native() && !options.is_simulated() && !options.netns).then(|| {
        let what = format!("{} instances from request to all healthy", thousands(SCALE_UP.0));
        Bar::new(&what, at_most(SCALE_UP.1), seconds(took), took <= SCALE_UP.1)
    })
}

fn still(findings: &Findings) -> Vec<Bar> {
    let (Some(first), Some(last)) = (findings.steps.first(), findings.steps.last()) else { return Vec::new() };
    let bar = |name: &str, role: usize| {
        let of = |step: &Step| step.cpu[role];
        let percent = |part: f64| format!("{:.2} %", part * 100.0);
        let what = format!("CPU of the {name} while all is still");
        let wanted = "less than 1 % of a core, flat in the number of tasks".to_owned();
        let found = format!(
            "{} with {}, {} with {}",
            percent(of(first)),
            thousands(first.tasks),
            percent(of(last)),
            thousands(last.tasks)
        );
        Bar::new(&what, wanted, found, of(last) < STILL && of(last) <= of(first) + FLAT)
    };
    vec![bar("scheduler", SCHEDULER), bar("master", MASTER)]
}

fn control(options: &Options, control: &ControlPlane) -> Vec<Bar> {
    let enough = options.is_simulated() && options.check.is_native() && options.up_to >= STEADY;
    if !enough {
        return Vec::new();
    }
    let missing = || "nothing: it ended before".to_owned();
    let burst = control.burst.filter(|burst| burst.flips >= BURST.0);
    let beyond = control.memory.map(|memory| memory.resident_per_task - memory.definition);
    let over = control.fail_over;
    vec![
        Bar::new(
            &format!("{} health flips at once, all seen by the scheduler", thousands(BURST.0)),
            at_most(BURST.1),
            burst.map_or_else(missing, |burst| seconds(burst.seen)),
            burst.is_some_and(|burst| burst.seen <= BURST.1),
        ),
        Bar::new(
            "memory of the master for a task, beyond its definition",
            format!("at most {MASTER_BYTES} bytes"),
            beyond.map_or_else(missing, |bytes| format!("{bytes:.0} bytes")),
            beyond.is_some_and(|bytes| bytes <= MASTER_BYTES),
        ),
        Bar::new(
            "scheduler killed and started again, until all tasks are reconciled",
            at_most(FAIL_OVER),
            over.map_or_else(missing, |over| seconds(over.known)),
            over.is_some_and(|over| over.known <= FAIL_OVER),
        ),
    ]
}

fn nobody_blamed(findings: &Findings) -> Bar {
    let found = findings.broken.clone().unwrap_or_else(|| "just that".to_owned());
    let wanted = "no verdict against a task that is well".to_owned();
    Bar::new("to the end of the run", wanted, found, findings.broken.is_none())
}

fn at_most(time: Duration) -> String {
    format!("at most {} s", time.as_secs())
}

fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::super::control::{Burst, Memory};
    use super::super::options::Command;
    use super::*;

    fn given(line: &str) -> Options {
        Command::given(line).unwrap().options
    }

    fn step(tasks: u32, ramp: u64, cpu: f64) -> Step {
        Step {
            tasks,
            ramp: Some(Duration::from_secs(ramp)),
            ramp_updates_per_s: 0.0,
            cpu: [cpu; 4],
            rss_mib: [0.0; 4],
            machine_cpu: 0.0,
            machine_mib: 0.0,
            updates_per_s: 0.0,
            lag: None,
            false_verdicts: 0,
        }
    }

    fn held(bars: &[Bar]) -> Vec<bool> {
        bars.iter().map(|bar| bar.holds).collect()
    }

    #[test]
    fn native_checks_are_to_cost_the_control_plane_nothing() {
        let options = given("--up-to 8000 --step 1000");
        let steps = vec![step(1000, 9, 0.004), step(8000, 60, 0.006)];
        let good = Findings { steps, ..Findings::default() };
        assert_eq!(held(&judge(&options, &good)), [true; 5]);
        let steps = vec![step(1000, 16, 0.001), step(8000, 60, 0.007)];
        let bad = Findings { steps, broken: Some("1 verdict".to_owned()), ..Findings::default() };
        assert_eq!(held(&judge(&options, &bad)), [true, false, false, false, false]);
    }

    #[test]
    fn what_was_not_asked_for_is_not_judged() {
        let options = given("--up-to 100 --step 50");
        let findings = Findings { steps: vec![step(50, 1, 0.5), step(100, 1, 0.5)], ..Findings::default() };
        assert_eq!(held(&judge(&options, &findings)), [true]);
        assert!(judge(&given("--up-to 100 --step 50 --prober curl"), &findings).is_empty());
    }

    #[test]
    fn the_control_plane_has_bars_of_its_own() {
        let options = given("--agents 100 --up-to 100000 --step 100000");
        let burst = Some(Burst { flips: 10_000, seen: Duration::from_secs(4), cpu: [Duration::ZERO; 4] });
        let memory = Some(Memory { resident_per_task: 2700.0, definition: 600.0 });
        let control = ControlPlane { burst, memory, ..ControlPlane::default() };
        let findings = Findings { steps: vec![step(100_000, 60, 0.001)], control, ..Findings::default() };
        assert_eq!(held(&judge(&options, &findings)), [true, true, true, true, false, false, true]);
    }
}
