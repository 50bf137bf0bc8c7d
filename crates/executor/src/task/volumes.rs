//! The volumes of a task that are more than links.

use containers::provision::Provision;
use containers::spec::{Sandboxes, VolumeError, Volumes};
use mesos::v1::TaskInfo;

use super::group_sandbox::unlinked;
use crate::config::ExecutorConfig;

/// The volumes of a task that are no links in its sandbox.
pub(super) fn of(config: &ExecutorConfig, task: &TaskInfo, provision: &Provision) -> Result<Volumes, VolumeError> {
    let sandboxes = Sandboxes { own: &config.sandbox, parent: config.outer_sandbox.as_deref() };
    let Some(container) = &task.container else { return Ok(Volumes::default()) };
    match config.outer_sandbox.is_some() {
        true => Volumes::of(unlinked(container), provision, sandboxes),
        false => Volumes::of(&container.volumes, provision, sandboxes),
    }
}
