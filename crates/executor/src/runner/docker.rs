//! The start and the recovery of a task whose container Docker makes. All else is as with any other.

use mesos::command::SANDBOX_MODE;
use mesos::v1::executor::call::Pulling;
use mesos::v1::{HealthCheck, TaskInfo};
use processes::furnish;
use tokio::task::spawn_blocking;

use super::Runner;
use super::container::Container;
use super::running::Unstarted;
use crate::docker::{self, Fate, Site, Started};
use crate::life::{Action, Ending, Input};
use crate::task::{Unrunnable, fetch};
use crate::wire::Outgoing;

impl Runner {
    /// Starts the container; the answer is the next input of the task's life.
    pub(super) async fn start_docker(&mut self, task: &TaskInfo) -> Result<Vec<Input>, Unstarted> {
        if self.group.is_some() {
            return Err(Unrunnable::Unsupported("Docker containers of task groups").into());
        }
        let site = self.unless_left("secrets were read", self.site(task)).await?;
        furnish(&self.config.sandbox, SANDBOX_MODE, None).map_err(Unrunnable::Start)?;
        if task.executor.is_some() {
            self.unless_left("URIs were fetched", fetch(task, &self.config, None)).await?;
        }
        let pull = docker::pull(&site, &self.config, task, |words| self.tell_pulling(task, words));
        let pull = async { pull.await.map_err(Unrunnable::Docker) };
        let image = self.unless_left("image was pulled", pull).await?;
        let started = docker::start(&site, &self.config, task, &image).await.map_err(Unrunnable::Docker)?;
        self.adopt(docker::adopt(task, &image).as_ref().and_then(docker::adopted));
        Ok(match started {
            Started::Runs(docker) => {
                self.container = Some(Container::Docker(docker));
                vec![Input::Spawned]
            }
            Started::Ended(ending) => vec![Input::Spawned, Input::Exited(ending)],
        })
    }

    /// The site of its container, with checks that make sense. Secrets may be on disks that take their time.
    async fn site(&self, task: &TaskInfo) -> Result<Site, Unrunnable> {
        let (config, state, task) = (self.config.clone(), self.state.path().to_owned(), task.clone());
        let look = move || {
            let site = Site::of(&config, &state, &task).map_err(Unrunnable::Docker)?;
            site.check(&task).map_err(Unrunnable::Check)?;
            Ok(site)
        };
        spawn_blocking(look).await.map_err(|error| Unrunnable::Start(error.into()))?
    }

    /// Goes on with the container of an earlier executor.
    pub(super) async fn go_on_with_docker(&mut self, starting: bool, actions: Vec<Action>) {
        let Some(task) = &self.task else { return };
        let found = docker::recover(&self.config, self.state.path(), task).await;
        tracing::info!(executor = self.config.executor_id, ?found, "going on where an earlier executor stopped");
        self.adopt(found.adopted.as_ref().and_then(docker::adopted));
        match found.fate {
            Fate::Runs(docker) => self.go_on(Container::Docker(docker), starting, actions).await,
            Fate::Ended(ending) => self.began_and_ended(starting, ending).await,
            Fate::NotStarted(why) if starting => self.feed(Input::SpawnFailed(why)).await,
            Fate::NotStarted(why) => self.feed(Input::Exited(Ending::Unknown(why))).await,
        }
    }

    /// Tells how far the image of the task is. Nobody acknowledges that, and nobody keeps it.
    fn tell_pulling(&self, task: &TaskInfo, message: String) {
        self.say(Outgoing::Pulling(Pulling { task_id: task.task_id.clone(), message }));
    }

    /// The check of its image becomes the task's.
    fn adopt(&mut self, check: Option<HealthCheck>) {
        if let (Some(task), Some(check)) = (&mut self.task, check) {
            task.health_check = Some(check);
        }
    }
}
