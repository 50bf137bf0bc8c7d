//! The readiness of a task to die when the machine, not the task, has no more memory.

use std::fs;

use containers::cgroup::Demand;
use mesos::v1::TaskInfo;
use processes::Confinement;
use rustix::process::geteuid;
use rustix::system::sysinfo;

use crate::config::ExecutorConfig;

/// The points of this process, which its children begin with.
const OWN: &str = "/proc/self/oom_score_adj";

/// The bounds of a task, with the points that its limits come to. Those that only root could give it are said.
pub(super) fn adjusted(bounds: Option<Confinement>, config: &ExecutorConfig, task: &TaskInfo) -> Option<Confinement> {
    let machine = sysinfo();
    let machine_bytes = machine.totalram.saturating_mul(machine.mem_unit.into());
    let policy = config.cgroup.as_ref().map(|cgroup| cgroup.policy).unwrap_or_default();
    let Some(points) = policy.oom_score_adjustment(Demand::from(task), machine_bytes) else { return bounds };
    let own = fs::read_to_string(OWN).ok().and_then(|own| own.trim().parse().ok()).unwrap_or(0);
    if points < own && !geteuid().is_root() {
        tracing::warn!(task = %task.task_id, points, own, "a task may stay as ready to die as its executor, which is not root");
    }
    Some(Confinement { oom_score_adjustment: Some(points), ..bounds.unwrap_or_default() })
}
