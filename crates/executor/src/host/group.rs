//! The default executor: groups of tasks that live and die together, each task with a sandbox of its own inside the
//! executor's, all of them in the executor's network.
//!
//! In: the agent's events, and what members report. Out: commands to members. One tokio task runs [`GroupExecutor::live`];
//! each member is a task of its own (see `member`). Which groups there are is on file before anything of them is started.
//!
//! A task that fails or is killed takes the others of its group with it; one that finishes leaves them alone,
//! and other groups never notice. The executor ends with its last task.

mod member;

use std::collections::BTreeMap;
use std::sync::Arc;

use mesos::v1::executor::event;
use mesos::v1::{FrameworkInfo, TaskGroupInfo, TaskId, TaskInfo, TaskState};
use tokio::sync::mpsc;

use self::member::{Begin, Report};
use super::command::CommandExecutor;
use super::{Asked, Ends};
use crate::config::ExecutorConfig;
use crate::error::ExecutorError;
use crate::life::ExitStatus;
use crate::runner::{Command, Runner, Shared, fail};
use crate::state::{Groups, Planned, StateDirectory};
use crate::task::GroupSandbox;
use crate::wire::Unacknowledged;

/// A task that is not gone.
#[derive(Debug)]
struct Member {
    /// The number of its group.
    group: u64,
    commands: mpsc::UnboundedSender<Command>,
}

impl Member {
    fn tell(&self, command: Command) {
        // One that has just gone is about to report it.
        let _gone = self.commands.send(command);
    }
}

#[derive(Debug)]
pub(crate) struct GroupExecutor {
    config: Arc<ExecutorConfig>,
    shared: Shared,
    state: StateDirectory,
    ends: Ends,
    framework: Option<Arc<FrameworkInfo>>,
    groups: Groups,
    members: BTreeMap<TaskId, Member>,
    reporting: mpsc::UnboundedSender<Report>,
    reports: mpsc::UnboundedReceiver<Report>,
    exit: ExitStatus,
}

/// The legacy of earlier processes: what is still to be told and done.
#[derive(Default)]
struct Past {
    unacknowledged: Unacknowledged,
    /// Groups of which a task failed or was killed.
    dead: Vec<u64>,
}

impl GroupExecutor {
    /// Takes over from an executor that has not been given a task.
    pub(crate) fn instead_of(executor: CommandExecutor, shared: Shared) -> GroupExecutor {
        let (config, runner, ends, subscribed) = executor.into_parts();
        let (container, framework) = match subscribed {
            Some(subscribed) => (subscribed.container_id, Some(Arc::new(subscribed.framework_info))),
            None => (None, None),
        };
        let groups = Groups::of(container);
        GroupExecutor { framework, ..GroupExecutor::new(config, shared, runner.into_state(), groups, ends) }
    }

    fn new(
        config: Arc<ExecutorConfig>,
        shared: Shared,
        state: StateDirectory,
        groups: Groups,
        ends: Ends,
    ) -> GroupExecutor {
        let (reporting, reports) = mpsc::unbounded_channel();
        let (framework, members, exit) = (None, BTreeMap::new(), ExitStatus::Success);
        GroupExecutor { config, shared, state, ends, framework, groups, members, reporting, reports, exit }
    }

    /// Goes on with the groups of an earlier process, and with what the agent must be told first.
    pub(crate) async fn recover(
        config: Arc<ExecutorConfig>,
        shared: Shared,
        state: StateDirectory,
        groups: Groups,
        ends: Ends,
    ) -> Result<(GroupExecutor, Unacknowledged), ExecutorError> {
        let framework = state.framework()?.map(Arc::new);
        let mut executor = GroupExecutor { framework, ..GroupExecutor::new(config, shared, state, groups, ends) };
        executor.end_unlisted().await;
        let mut past = Past::default();
        for group in executor.groups.groups.clone() {
            for planned in &group.tasks {
                if let Err(error) = executor.take_up(group.number, planned, &mut past).await {
                    executor.give_up(planned, &error).await;
                    past.dead.push(group.number);
                }
            }
            executor.forget_if_over(group.number);
        }
        past.dead.into_iter().for_each(|group| executor.group_died(group));
        Ok((executor, past.unacknowledged))
    }

    /// Goes on with one task of an earlier process.
    async fn take_up(&mut self, group: u64, planned: &Planned, past: &mut Past) -> Result<(), ExecutorError> {
        let directory = self.place(planned).1.state_directory;
        if !directory.exists() {
            // It is there before its group is on file, so the task is over, or what is known of it is lost.
            return Err(ExecutorError::Damaged { path: directory, problem: "it is missing".to_owned() });
        }
        let mut runner = self.runner(planned)?;
        let unacknowledged = runner.unacknowledged()?;
        if !runner.is_over() {
            runner.recover().await?;
            self.begin(group, &planned.task, runner);
        } else if runner.last_state().is_some_and(ends_group) {
            past.dead.push(group);
        }
        past.unacknowledged.extend(unacknowledged);
        Ok(())
    }

    /// Ends a task that cannot be taken up.
    async fn give_up(&self, planned: &Planned, error: &ExecutorError) {
        tracing::error!(task = planned.task.task_id.value, %error, "cannot go on with a task of a group");
        if let Ok(member) = self.state.of_member(&self.place(planned).1.state_directory) {
            processes::contained::end(member.path()).await;
        }
        self.fail(&planned.task, format!("Cannot go on with the task: {error}"));
    }

    /// Ends tasks that are in no group on file: of groups that were forgotten, or by a file that is not the last one.
    async fn end_unlisted(&self) {
        let listed = |planned: &Planned| self.place(planned).1.state_directory;
        let listed: Vec<_> = self.groups.groups.iter().flat_map(|group| group.tasks.iter().map(listed)).collect();
        for member in self.state.members().into_iter().filter(|member| !listed.iter().any(|path| path == member.path()))
        {
            tracing::warn!(path = %member.path().display(), "no group on file has this task; it is ended");
            processes::contained::end(member.path()).await;
            member.forget();
        }
    }

    /// Runs until the last task is gone.
    pub(crate) async fn live(mut self) -> ExitStatus {
        while !self.members.is_empty() {
            tokio::select! {
                biased;
                Some(report) = self.reports.recv() => self.reported(report),
                Some(said) = self.ends.events.recv() => self.heard(said.into()),
            }
        }
        self.exit
    }

    /// Launches a group. If that cannot be, all of its tasks fail.
    pub(crate) fn launch(&mut self, group: TaskGroupInfo) {
        if group.tasks.iter().any(|task| self.members.contains_key(&task.task_id)) {
            tracing::warn!("the task group was launched already");
            return;
        }
        let group = self.groups.plan(group);
        // The directories come first: a task on file without one is never launched again.
        let prepare = |planned: &Planned| self.runner(planned).map_err(|error| error.to_string());
        let prepared: Vec<_> = group.tasks.iter().map(prepare).collect();
        let written = self.state.write_groups(&self.groups).map_err(|error| error.to_string());
        for (planned, prepared) in group.tasks.iter().zip(prepared) {
            match written.clone().and(prepared) {
                Ok(runner) => self.begin(group.number, &planned.task, runner),
                Err(why) => self.fail(&planned.task, format!("Cannot launch the task: {why}")),
            }
        }
    }

    fn place(&self, planned: &Planned) -> (GroupSandbox, ExecutorConfig) {
        let sandbox = GroupSandbox::new(&self.config.sandbox, self.groups.container.as_ref(), &planned.container);
        let config = sandbox.config(&self.config, &planned.task);
        (sandbox, config)
    }

    fn runner(&self, planned: &Planned) -> Result<Runner, ExecutorError> {
        let (sandbox, config) = self.place(planned);
        let config = Arc::new(config);
        let state = self.state.of_member(&config.state_directory)?;
        let runner = Runner::new(config, self.shared.clone(), state, self.ends.agent.clone())?;
        Ok(runner.of_framework(self.framework.clone()).in_group(sandbox))
    }

    /// Lets a member live: a fresh one, or one that goes on.
    fn begin(&mut self, group: u64, task: &TaskInfo, runner: Runner) {
        let (commands, taken) = mpsc::unbounded_channel();
        let begin = Begin { runner, task: task.clone(), commands: taken, reports: self.reporting.clone() };
        self.members.insert(task.task_id.clone(), Member { group, commands });
        tokio::spawn(begin.live());
    }

    fn fail(&self, task: &TaskInfo, why: String) {
        fail(&self.ends.agent, &self.config.executor_id, task.clone(), why);
    }

    fn heard(&mut self, asked: Asked) {
        match asked {
            Asked::Subscribed(subscribed) => self.subscribed(*subscribed),
            Asked::LaunchGroup(group) => self.launch(group),
            Asked::Launch(task) => {
                self.fail(&task, "An executor of task groups runs no single tasks; use LAUNCH_GROUP".to_owned());
            }
            Asked::Obey(Some(task), command) => self.tell(&task, command),
            Asked::Obey(None, command) => self.tell_all(&command),
            Asked::Nothing => {}
        }
    }

    fn subscribed(&mut self, subscribed: event::Subscribed) {
        let framework = Arc::new(subscribed.framework_info);
        self.state.remember_framework(&framework);
        self.tell_all(&Command::Subscribed(framework.clone()));
        self.framework = Some(framework);
    }

    fn tell(&self, task: &TaskId, command: Command) {
        match self.members.get(task) {
            Some(member) => member.tell(command),
            None => tracing::info!(task = task.value, "nothing runs under this id"),
        }
    }

    fn tell_all(&self, command: &Command) {
        self.members.values().for_each(|member| member.tell(command.clone()));
    }

    fn reported(&mut self, report: Report) {
        match report {
            Report::Ended(task, state) if ends_group(state) => {
                if let Some(member) = self.members.get(&task) {
                    self.group_died(member.group);
                }
            }
            Report::Ended(..) => {}
            Report::Gone(task, exit) => self.gone(&task, exit),
        }
    }

    fn group_died(&self, group: u64) {
        let others = self.members.values().filter(|member| member.group == group);
        others.for_each(|member| member.tell(Command::GroupDied));
    }

    /// A task of which nothing is left to say. Its group is forgotten with its last task.
    fn gone(&mut self, task: &TaskId, exit: ExitStatus) {
        if exit == ExitStatus::Failure {
            self.exit = ExitStatus::Failure;
        }
        let Some(Member { group, .. }) = self.members.remove(task) else { return };
        self.forget_if_over(group);
    }

    fn forget_if_over(&mut self, group: u64) {
        if self.members.values().any(|member| member.group == group) {
            return;
        }
        let gone = self.groups.forget(group);
        if let Err(error) = self.state.write_groups(&self.groups) {
            tracing::error!(%error, "a successor would look for tasks that are gone");
        }
        // Last, so that a task on file has its directory.
        gone.iter().for_each(|planned| self.state.forget_member(&planned.task.task_id));
    }
}

/// True if the other tasks of a group go with one that ended like this.
fn ends_group(state: TaskState) -> bool {
    matches!(state, TaskState::TaskFailed | TaskState::TaskKilled)
}
