//! The experiment itself: scale up step by step, look every two seconds, measure when all is still.

use std::time::Duration;

use super::cluster::Cluster;
use super::control::{self, ControlPlane};
use super::interrupt;
use super::options::Options;
use super::poll::{self, Poll, States};
use super::punctuality::{self, Lag};
use super::step::{Costs, Step};
use super::verdicts::Verdicts;
use crate::clock::{Moment, pause};
use crate::progress::Progress;

/// The time that tasks may take to become healthy, at least, and for each ten that are expected to start meanwhile.
const PATIENCE: (Duration, u32) = (Duration::from_secs(120), 10);

/// All that was found.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) polls: Vec<Poll>,
    pub(crate) steps: Vec<Step>,
    /// The trials with simulated agents.
    pub(crate) control: ControlPlane,
    /// Why it ended before the last step.
    pub(crate) broken: Option<String>,
}

impl Findings {
    /// The number of tasks that were well, without a false verdict.
    pub(crate) fn carried(&self) -> u32 {
        self.steps.last().map_or(0, |step| step.tasks)
    }
}

/// The phase of a run.
pub(super) struct Run<'a> {
    pub(super) options: &'a Options,
    pub(super) cluster: &'a mut Cluster,
    pub(super) findings: Findings,
    pub(super) progress: Progress,
    verdicts: Verdicts,
    /// Health changes on purpose: verdicts are not false, and the stream of events may break.
    pub(super) is_shaken: bool,
    began: Moment,
    next_poll: Duration,
}

/// Why a run ends early.
pub(super) type Broken = String;

pub(crate) fn run(options: &Options, cluster: &mut Cluster) -> anyhow::Result<Findings> {
    cluster.create_apps(options)?;
    let steps = options.steps();
    let (rows, guess) = (steps.len() + control::rows(options), guess(options, steps.len()));
    let mut run = Run {
        options,
        verdicts: Verdicts::listen(cluster.scheduler.address)?,
        cluster,
        progress: Progress::new(rows, guess),
        is_shaken: false,
        began: Moment::now(),
        next_poll: Duration::ZERO,
        findings: Findings::default(),
    };
    run.findings.broken = run.all(steps).err();
    run.progress.clear();
    Ok(run.findings)
}

fn guess(options: &Options, steps: usize) -> Duration {
    let steps = options.hold * u32::try_from(steps).unwrap_or(1) + per_task(options) * options.up_to;
    steps + control::guess(options) * u32::try_from(control::rows(options)).unwrap_or(1)
}

/// The time that a task takes to start, to guess with.
fn per_task(options: &Options) -> Duration {
    Duration::from_millis(if options.is_simulated() { 1 } else { 10 })
}

impl Run<'_> {
    fn all(&mut self, steps: Vec<u32>) -> Result<(), Broken> {
        let empty = self.costs();
        let mut tasks = 0;
        for wanted in steps {
            self.step(wanted, wanted - tasks)?;
            tasks = wanted;
        }
        control::try_all(self, &empty)
    }

    fn step(&mut self, wanted: u32, more: u32) -> Result<(), Broken> {
        let known = self.verdicts.false_ones();
        let expected = per_task(self.options) * more;
        self.progress.begin("tasks", self.options.hold + expected);
        let begin = self.costs();
        self.cluster.scale(self.options, wanted).map_err(|error| format!("{error:#}"))?;
        self.wait_healthy(wanted, PATIENCE.0.max(expected * PATIENCE.1))?;
        let healthy = self.costs();
        self.wait_told()?;
        let still = self.costs();
        self.forget_lag();
        self.hold(self.options.hold, |_, _| ())?;
        let end = self.costs();
        let ramp = (begin, healthy);
        let step = Step::new(wanted, ramp, (still, end), self.lag(), self.verdicts.false_ones() - known);
        self.progress.clear();
        println!("{}", super::table::row(&step));
        self.findings.steps.push(step);
        Ok(())
    }

    fn wait_healthy(&mut self, wanted: u32, limit: Duration) -> Result<(), Broken> {
        self.wait(limit, Duration::from_millis(200), |_, states| states.all_healthy(wanted)).map(drop)
    }

    /// Acknowledgements come last: when simulated agents have all of theirs, all is still.
    fn wait_told(&mut self) -> Result<(), Broken> {
        let is_told = |cluster: &Cluster| cluster.fleet().is_none_or(|fleet| fleet.counts().unacknowledged == 0);
        self.wait(PATIENCE.0, Duration::from_millis(200), |cluster, _| is_told(cluster)).map(drop)
    }

    /// Looks so often until all is as it should be; says how long that took.
    pub(super) fn wait(
        &mut self,
        limit: Duration,
        every: Duration,
        holds: impl Fn(&Cluster, &States) -> bool,
    ) -> Result<Duration, Broken> {
        let since = Moment::now();
        loop {
            let states = self.look()?;
            if states.is_some_and(|states| holds(self.cluster, &states)) {
                return Ok(since.age());
            }
            if since.age() > limit {
                return Err(format!("tasks were not as they should be after {} s: {states:?}", limit.as_secs()));
            }
            self.progress.say(&format!("{} healthy", states.unwrap_or_default().healthy));
            pause(every);
        }
    }

    /// All is well, and has to remain so. `meanwhile` gets the time that has passed.
    pub(super) fn hold(&mut self, time: Duration, mut meanwhile: impl FnMut(&Cluster, Duration)) -> Result<(), Broken> {
        let since = Moment::now();
        while since.age() < time {
            pause(Duration::from_millis(100).min(self.until_poll()));
            self.look_if_due()?;
            meanwhile(self.cluster, since.age());
            self.progress.say("all is still");
        }
        Ok(())
    }

    fn until_poll(&self) -> Duration {
        self.next_poll.saturating_sub(self.began.age()).max(Duration::from_millis(10))
    }

    fn look_if_due(&mut self) -> Result<(), Broken> {
        if self.until_poll() > Duration::from_millis(10) { Ok(()) } else { self.look().map(drop) }
    }

    /// Asks, and keeps the answer if it is time for a bar.
    fn look(&mut self) -> Result<Option<States>, Broken> {
        if interrupt::asked() {
            return Err("interrupted".to_owned());
        }
        let at = self.began.age();
        let states = poll::states(self.cluster.scheduler.address);
        if at >= self.next_poll {
            self.next_poll = at + poll::EVERY;
            self.findings.polls.push(Poll { at, states });
        }
        match (self.verdicts.false_ones(), self.verdicts.breaks()) {
            _ if self.is_shaken => Ok(states),
            (0, 0) => Ok(states),
            (0, _) => Err("the stream of events broke, and verdicts may have been missed".to_owned()),
            (count, _) => Err(format!("{count} verdicts against tasks that are well")),
        }
    }

    pub(super) fn costs(&self) -> Costs {
        Costs::now(self.cluster, self.began.age())
    }

    /// Gaps that simulated targets saw while tasks were started do not count.
    fn forget_lag(&mut self) {
        let _nothing_to_forget = self.lag_of_targets();
    }

    fn lag(&mut self) -> Option<Lag> {
        match self.options.is_simulated() {
            true => self.lag_of_targets(),
            false => punctuality::of_tasks(self.cluster.scheduler.address, self.options.netns),
        }
    }

    fn lag_of_targets(&mut self) -> Option<Lag> {
        punctuality::lag(self.cluster.targets.as_mut()?.gaps().ok()?)
    }
}
