//! The memory of a task: whether the kernel has killed in its cgroup for want of some.
//!
//! A container in which that has happened is over, whichever of its processes it was: so the kernel's count is all that
//! has to be known, before and after a restart of anybody.

use containers::cgroup::{Cgroup, CgroupError, Demand, OomWatch};
use mesos::v1::TaskInfo;

use crate::config::ExecutorConfig;
use crate::life::Ending;

/// The cgroup of a task that was started.
#[derive(Debug)]
pub(super) struct Memory {
    cgroup: Cgroup,
    /// It is this task's alone, and goes with it.
    own: bool,
    watch: Option<OomWatch>,
    /// The ending that it leads to, as it was when memory ran out.
    ran_out: Option<Ending>,
}

impl Memory {
    /// The cgroup that a task runs in, if it has one; its own one is made.
    pub(super) fn make(config: &ExecutorConfig, task: &TaskInfo) -> Result<Option<Memory>, CgroupError> {
        let Some(assignment) = &config.cgroup else { return Ok(None) };
        let cgroup = assignment.cgroup()?;
        if config.own_cgroup {
            cgroup.create(&assignment.policy.limits(&[Demand::from(task)]))?;
        }
        Ok(Some(Memory { cgroup, own: config.own_cgroup, watch: None, ran_out: None }))
    }

    /// The same of a task that was started before.
    pub(super) fn again(config: &ExecutorConfig) -> Option<Memory> {
        let cgroup = config.cgroup.as_ref()?.cgroup().ok()?;
        Some(Memory { cgroup, own: config.own_cgroup, watch: None, ran_out: None })
    }

    /// Begins to watch.
    pub(super) fn watch(&mut self) {
        match OomWatch::new(&self.cgroup) {
            Ok(watch) => self.watch = Some(watch),
            Err(error) => tracing::warn!(%error, "only a task's end tells whether its memory ran out"),
        }
    }

    /// Comes back once, when memory has run out.
    pub(super) async fn ran_out(&mut self) {
        let Some(watch) = &mut self.watch else { return std::future::pending().await };
        let killed = watch.killed().await;
        self.watch = None;
        match killed {
            Ok(()) => self.ran_out = self.look(),
            // The cgroup is gone, and so is the task.
            Err(_) => std::future::pending().await,
        }
    }

    fn look(&self) -> Option<Ending> {
        let killed = self.cgroup.oom_kills().is_ok_and(|kills| kills > 0);
        let report = killed.then(|| self.cgroup.memory_report().ok()).flatten()?;
        Some(Ending::OutOfMemory { message: report.message(), limitation: report.limitation() })
    }

    /// The task is over. The kernel's word on why comes before that of its process. A cgroup of its own goes with it; one
    /// that does not, its agent removes with that of the executor.
    pub(super) fn ended(self, ending: Ending) -> Ending {
        let ran_out = self.ran_out.clone().or_else(|| self.look());
        if self.own && self.cgroup.remove().is_err() {
            let _left = self.cgroup.kill().and_then(|()| self.cgroup.remove());
        }
        ran_out.unwrap_or(ending)
    }
}
