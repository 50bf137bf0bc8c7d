//! One logical executor: what it turns out to be, and its whole life.
//!
//! An executor is not told beforehand whether it will run one task or groups of them: the first thing it is given
//! decides. What an earlier process was, this one is.

mod command;
mod group;

use std::sync::Arc;

use mesos::v1::executor::event::{self, Content};
use mesos::v1::{TaskGroupInfo, TaskId, TaskInfo};
use processes::contained::{self, shims_below};
use tokio::sync::mpsc;

use self::command::{CommandExecutor, Left};
use self::group::GroupExecutor;
use crate::config::ExecutorConfig;
use crate::error::ExecutorError;
use crate::life::{ExitStatus, duration};
use crate::runner::{Command, Runner, Shared};
use crate::state::{Exclusion, StateDirectory};
use crate::wire::{Incoming, Outgoing, Subscription, Unacknowledged};

/// The most events of the agent that may wait for the executor.
const WAITING_EVENTS: usize = 16;

/// A subscription's ends: what the executor says, and what it hears.
#[derive(Debug)]
struct Ends {
    agent: mpsc::UnboundedSender<Outgoing>,
    events: mpsc::Receiver<Incoming>,
}

/// A word of the agent, or the lack of one, as far as a host is concerned.
#[derive(Debug)]
enum Asked {
    Subscribed(Box<event::Subscribed>),
    Launch(Box<TaskInfo>),
    LaunchGroup(TaskGroupInfo),
    /// A command to one task, or to all there are.
    Obey(Option<TaskId>, Command),
    Nothing,
}

impl Asked {
    /// True if this task is to end.
    fn ends(&self, task: &TaskId) -> bool {
        matches!(self, Asked::Obey(of, command) if command.ends() && of.as_ref().is_none_or(|of| of == task))
    }
}

impl From<Incoming> for Asked {
    fn from(said: Incoming) -> Asked {
        let event = match said {
            Incoming::Away => return Asked::Obey(None, Command::Disconnected),
            Incoming::Lost => return Asked::Obey(None, Command::Abandoned),
            Incoming::Event(event) => *event,
        };
        match event {
            Content::Subscribed(subscribed) => Asked::Subscribed(Box::new(subscribed)),
            Content::Launch(launch) => Asked::Launch(Box::new(launch.task)),
            Content::LaunchGroup(launch) => Asked::LaunchGroup(launch.task_group),
            Content::Kill(kill) => {
                let grace = kill.kill_policy.and_then(|policy| policy.grace_period).as_ref().map(duration);
                Asked::Obey(Some(kill.task_id), Command::Kill { grace })
            }
            Content::Acknowledged(event) => Asked::Obey(Some(event.task_id), Command::Acknowledged(event.uuid)),
            Content::History(event) => {
                let command = if event.check_now() { Command::CheckNow } else { Command::History };
                Asked::Obey(Some(event.task_id), command(event.uuid))
            }
            Content::Shutdown => Asked::Obey(None, Command::Shutdown),
            Content::Error(error) => {
                tracing::error!(error = error.message, "the agent reports an error");
                Asked::Nothing
            }
            content => {
                tracing::debug!(kind = ?content.kind(), "nothing to do for an event");
                Asked::Nothing
            }
        }
    }
}

/// Runs the executor to its end: fresh, or from where an earlier process stopped.
pub async fn host(config: ExecutorConfig, shared: Shared) -> Result<ExitStatus, ExecutorError> {
    let config = Arc::new(config);
    let state = StateDirectory::open(&config, shared.exclusion).await?;
    let Some(groups) = state.groups()? else { return one(config, shared, state).await };
    let (subscription, ends) = subscription(&config, &shared);
    let recovered = Box::pin(GroupExecutor::recover(config, shared, state, groups, ends));
    let (executor, unacknowledged) = recovered.await?;
    tokio::spawn(Subscription { unacknowledged, ..subscription }.run());
    Ok(Box::pin(executor.live()).await)
}

/// A command executor, unless it is given a group.
async fn one(config: Arc<ExecutorConfig>, shared: Shared, state: StateDirectory) -> Result<ExitStatus, ExecutorError> {
    let (subscription, ends) = subscription(&config, &shared);
    let framework = state.framework()?.map(Arc::new);
    let mut runner = Runner::new(config.clone(), shared.clone(), state, ends.agent.clone())?.of_framework(framework);
    if runner.is_over() {
        return Ok(ExitStatus::Success);
    }
    let unacknowledged = runner.unacknowledged()?;
    Box::pin(runner.recover()).await?;
    // Only now: a new process knows how its task stands before it speaks to the agent.
    tokio::spawn(Subscription { unacknowledged, ..subscription }.run());
    match Box::new(CommandExecutor::new(config, runner, ends)).live().await? {
        Left::Done(exit) => Ok(exit),
        Left::Group(group, executor) => {
            let mut groups = Box::new(GroupExecutor::instead_of(*executor, shared));
            groups.launch(group);
            Ok(Box::pin(groups.live()).await)
        }
    }
}

/// A subscription that is not running yet, and the executor's ends of it.
fn subscription(config: &Arc<ExecutorConfig>, shared: &Shared) -> (Subscription, Ends) {
    let (agent, outgoing) = mpsc::unbounded_channel();
    let (incoming, events) = mpsc::channel(WAITING_EVENTS);
    let (config, connections, dismissal) = (config.clone(), shared.connections.clone(), shared.dismissal.subscribe());
    let unacknowledged = Unacknowledged::default();
    (Subscription { config, connections, dismissal, unacknowledged, outgoing, incoming }, Ends { agent, events })
}

/// Ends everything of an executor that could not go on, so that whoever is told of its end is told the truth. Unless
/// somebody else has its directory.
pub(crate) async fn end_all(config: &ExecutorConfig, exclusion: Exclusion) {
    let mut directories = vec![config.state_directory.clone()];
    match StateDirectory::open(config, exclusion).await {
        Ok(state) => directories.extend(state.members().iter().map(|member| member.path().to_path_buf())),
        Err(ExecutorError::Taken { .. }) => return,
        Err(_) => {}
    }
    match shims_below(&config.state_directory).await {
        Ok(shims) => directories.extend(shims.into_iter().map(|(_, directory)| directory)),
        Err(error) => tracing::error!(%error, "cannot look for the shims of an executor that ends"),
    }
    for directory in directories {
        contained::end(&directory).await;
    }
}
