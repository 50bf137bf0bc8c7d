//! The program of a task, who it is, and what it finds: by the host, or by its image.

use containers::identity::{Identity, InImage};
use containers::provision::{Provision, ProvisionedImage, Settings};
use mesos::command::SHELL_IN_PATH;
use mesos::v1::{FrameworkInfo, TaskInfo};
use processes::Credentials;

use super::user::{named, user_of};
use crate::config::ExecutorConfig;
use crate::task::{self, Unrunnable};

/// The identity of a task with the host's files.
pub(super) fn of_host(
    config: &ExecutorConfig,
    framework: Option<&FrameworkInfo>,
    task: &TaskInfo,
    settings: &Settings,
) -> Result<Identity, Unrunnable> {
    let look_up = Credentials::to_become;
    let user = if config.switch_user { user_of(framework, task, look_up)? } else { None };
    let mut environment = config.task_environment.clone();
    environment.extend(task::own_environment(task, settings)?);
    let command = task.command.as_ref().ok_or(Unrunnable::NoCommand)?;
    let (path, arguments) = mesos::command::program(command, SHELL_IN_PATH)?;
    Ok(Identity { user, environment, path, arguments, working_directory: config.sandbox.clone() })
}

/// The identity of a task with an image. The user that the task names goes before the image's; the framework's is one of
/// its scheduler's machine, and does not count.
pub(super) fn of_image(
    config: &ExecutorConfig,
    task: &TaskInfo,
    image: &ProvisionedImage,
    provision: &Provision,
) -> Result<Identity, Unrunnable> {
    let own = task::own_environment(task, &provision.settings)?;
    let wanted = InImage {
        image,
        provision,
        command: task.command.as_ref(),
        user: named(task).filter(|_| config.switch_user),
        inherited: &config.task_environment,
        own,
    };
    Ok(wanted.identity()?)
}
