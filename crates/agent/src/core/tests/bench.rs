//! A core whose jobs are done by the test that asks for them.

use std::time::Duration;

use mesos::v1::AgentInfo;
use mesos::v1::cygnet::agent_event::Content;
use shell::Now;

use super::disk::Disk;
use super::wire::{fresh, launch, settings, subscribed};
use crate::core::{Action, Core, Job, Owner, Preparation};
use crate::layout::Layout;

/// A core whose jobs are done, or not, by the test.
pub(super) struct Bench {
    pub(super) core: Core,
    pub(super) now: Now,
    disk: Disk,
    layout: Layout,
    _directory: tempfile::TempDir,
}

impl Bench {
    pub(super) fn new() -> Bench {
        let directory = tempfile::tempdir().unwrap();
        let layout = Layout::create(directory.path()).unwrap();
        let (core, now, disk) = (fresh(&layout), Now::default(), Disk::default());
        let mut bench = Bench { core, now, disk, layout, _directory: directory };
        bench.jobs();
        bench.hear(subscribed("S".into()));
        bench
    }

    /// Dies and comes back, with what it wrote down.
    pub(super) fn restart(&mut self) -> Vec<Job> {
        self.core = Core::new(settings(&self.layout), AgentInfo::default(), self.now);
        self.core.recover(self.now, self.disk.recovered());
        self.jobs()
    }

    /// The master says something.
    pub(super) fn hear(&mut self, content: Content) -> Vec<Job> {
        self.core.master_event(self.now, content);
        self.jobs()
    }

    pub(super) fn launch(&mut self, task: &str, executor: Option<&str>) -> Vec<Job> {
        self.hear(launch(task, executor))
    }

    pub(super) fn prepared(&mut self, preparation: &Preparation) -> Owner {
        self.core.prepared(self.now, preparation, Ok(()));
        start(self.jobs()).expect("its process is started")
    }

    pub(super) fn pass(&mut self, seconds: u64) -> Vec<Job> {
        self.now = self.now.plus(Duration::from_secs(seconds));
        self.core.wake(self.now);
        self.jobs()
    }

    pub(super) fn jobs(&mut self) -> Vec<Job> {
        let actions = self.core.take_actions();
        for action in &actions {
            if let Action::Persist(change) = action {
                self.disk.apply(change);
            }
        }
        actions.into_iter().filter_map(|action| if let Action::Job(job) = action { Some(job) } else { None }).collect()
    }
}

pub(super) fn start(jobs: Vec<Job>) -> Option<Owner> {
    jobs.into_iter().find_map(|job| if let Job::Start(owner, ..) = job { Some(owner) } else { None })
}

pub(super) fn preparation(jobs: Vec<Job>) -> Box<Preparation> {
    let preparation = |job| if let Job::Prepare(preparation) = job { Some(preparation) } else { None };
    jobs.into_iter().find_map(preparation).expect("a sandbox is made")
}
