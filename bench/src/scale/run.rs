//! The experiment itself: scale up step by step, look every two seconds, measure when all is still.

use std::time::Duration;

use super::cluster::Cluster;
use super::interrupt;
use super::options::Options;
use super::poll::{self, Poll, States};
use super::punctuality;
use super::step::{Costs, Step};
use super::verdicts::Verdicts;
use crate::clock::{Moment, pause};
use crate::progress::Progress;

/// How long tasks may take to become healthy, at least, and for each.
const PATIENCE: (Duration, Duration) = (Duration::from_secs(60), Duration::from_millis(100));

/// All that was found.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) polls: Vec<Poll>,
    pub(crate) steps: Vec<Step>,
    /// Why it ended before the last step.
    pub(crate) broken: Option<String>,
}

/// What goes on.
struct Run<'a> {
    options: &'a Options,
    cluster: &'a Cluster,
    verdicts: Verdicts,
    progress: Progress,
    began: Moment,
    next_poll: Duration,
    findings: Findings,
}

/// Why a run ends early.
type Broken = String;

pub(crate) fn run(options: &Options, cluster: &Cluster) -> anyhow::Result<Findings> {
    cluster.create_app(options)?;
    let steps = options.steps();
    let guess = options.hold * u32::try_from(steps.len()).unwrap_or(1) + per_task() * options.up_to;
    let mut run = Run {
        options,
        cluster,
        verdicts: Verdicts::listen(cluster.scheduler.address)?,
        progress: Progress::new(steps.len(), guess),
        began: Moment::now(),
        next_poll: Duration::ZERO,
        findings: Findings::default(),
    };
    let mut tasks = 0;
    for wanted in steps {
        let known = run.verdicts.false_ones();
        if let Err(broken) = run.step(wanted, wanted - tasks, known) {
            run.findings.broken = Some(broken);
            break;
        }
        tasks = wanted;
    }
    run.progress.clear();
    Ok(run.findings)
}

/// How long a task takes to start, to guess with.
fn per_task() -> Duration {
    Duration::from_millis(10)
}

impl Run<'_> {
    fn step(&mut self, wanted: u32, more: u32, known: u64) -> Result<(), Broken> {
        self.progress.begin("tasks", self.options.hold + per_task() * more);
        let begin = self.costs();
        self.cluster.scale(wanted).map_err(|error| format!("{error:#}"))?;
        self.wait_healthy(wanted, PATIENCE.0.max(PATIENCE.1 * more))?;
        let still = self.costs();
        self.hold(wanted)?;
        let (end, ports) = (self.costs(), punctuality::ports(self.cluster.scheduler.address));
        let lag = ports.filter(|_| !self.options.netns).and_then(|ports| punctuality::lag(&ports));
        let step = Step::new(wanted, (begin, still), end, lag, self.verdicts.false_ones() - known);
        self.progress.clear();
        println!("{}", super::table::row(&step));
        self.findings.steps.push(step);
        Ok(())
    }

    fn wait_healthy(&mut self, wanted: u32, limit: Duration) -> Result<(), Broken> {
        let since = Moment::now();
        loop {
            let states = self.look()?;
            if states.is_some_and(|states| states.all_healthy(wanted)) {
                return Ok(());
            }
            if since.age() > limit {
                return Err(format!("{wanted} tasks were not all healthy after {} s: {states:?}", limit.as_secs()));
            }
            self.progress.say(&format!("{} of {wanted} healthy", states.unwrap_or_default().healthy));
            pause(Duration::from_millis(200));
        }
    }

    /// All is well, and is to remain so.
    fn hold(&mut self, wanted: u32) -> Result<(), Broken> {
        let since = Moment::now();
        while since.age() < self.options.hold {
            pause(poll::EVERY.saturating_sub(Duration::from_millis(10)).min(self.until_poll()));
            self.look_if_due()?;
            self.progress.say(&format!("{wanted} healthy"));
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
            (0, 0) => Ok(states),
            (0, _) => Err("the stream of events broke, and verdicts may have been missed".to_owned()),
            (count, _) => Err(format!("{count} verdicts against tasks that are well")),
        }
    }

    fn costs(&self) -> Costs {
        Costs::now(self.cluster, self.began.age())
    }
}
