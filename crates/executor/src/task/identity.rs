//! The program of a task, who it is, and what it finds: by the host, or by its image.

use std::path::PathBuf;

use containers::provision::{Provision, ProvisionedImage, Settings};
use containers::rootfs::overlay_works;
use containers::spec::{self, Inside};
use containers::users::Users;
use mesos::command::SHELL_IN_PATH;
use mesos::v1::{FrameworkInfo, TaskInfo};
use processes::Credentials;

use super::user::{in_image, named, user_of};
use crate::config::{ExecutorConfig, Variables};
use crate::task::{self, Unrunnable};

/// A program, its user, and its surroundings.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) user: Option<Credentials>,
    pub(super) environment: Variables,
    pub(super) path: PathBuf,
    pub(super) arguments: Vec<String>,
    pub(super) working_directory: PathBuf,
}

impl Identity {
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

    /// The identity of a task with an image. The user that the task names goes before the image's; the framework's
    /// is one of its scheduler's machine, and does not count.
    pub(super) fn of_image(
        config: &ExecutorConfig,
        task: &TaskInfo,
        image: &ProvisionedImage,
        provision: &Provision,
    ) -> Result<Identity, Unrunnable> {
        let no_overlay = |cause| Unrunnable::NoOverlay { directory: config.state_directory.clone(), cause };
        overlay_works(&config.state_directory).map_err(no_overlay)?;
        let users = Users::read(&image.layers)?;
        let account = match named(task).filter(|_| config.switch_user) {
            Some(name) => in_image(&users, name)?,
            None => users.account(&image.config.user)?,
        };
        let sandbox = &provision.settings.sandbox_directory;
        let own_network = provision.network.is_some();
        let inside = Inside { image: &image.config, home: &account.home, sandbox, own_network };
        let environment =
            spec::environment(inside, &config.task_environment, task::own_environment(task, &provision.settings)?);
        let (path, arguments) = spec::program(task.command.as_ref(), &image.config)?;
        let working_directory = spec::working_directory(&image.config, sandbox);
        Ok(Identity { user: Some(account.credentials), environment, path, arguments, working_directory })
    }
}
