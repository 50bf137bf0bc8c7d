//! One logical executor: what it turns out to be, and its whole life.
//!
//! An executor is not told beforehand whether it will run one task or groups of them: the first thing it is given
//! decides. What an earlier process was, this one is.

mod command;
mod group;

use std::sync::Arc;

use processes::contained::{self, shims_below};
use tokio::sync::mpsc;

use self::command::{CommandExecutor, Left};
use self::group::GroupExecutor;
use crate::config::ExecutorConfig;
use crate::error::ExecutorError;
use crate::life::ExitStatus;
use crate::runner::{Runner, Shared};
use crate::state::{Exclusion, Groups, StateDirectory};
use crate::wire::Unacknowledged;
use crate::wire::{Incoming, Outgoing, Subscription};

/// How many events of the agent may wait for the executor.
const WAITING_EVENTS: usize = 16;

/// Both ends of a subscription that is not running yet.
struct Channels {
    agent: mpsc::UnboundedSender<Outgoing>,
    outgoing: mpsc::UnboundedReceiver<Outgoing>,
    incoming: mpsc::Sender<Incoming>,
    events: mpsc::Receiver<Incoming>,
}

/// Runs the executor to its end: fresh, or from where an earlier process stopped.
pub async fn host(config: ExecutorConfig, shared: Shared) -> Result<ExitStatus, ExecutorError> {
    let config = Arc::new(config);
    let state = StateDirectory::open(&config, shared.exclusion).await?;
    match state.groups()? {
        Some(groups) => Box::pin(groups_again(config, shared, state, groups)).await,
        None => one(config, shared, state).await,
    }
}

/// A command executor, unless it is given a group.
async fn one(config: Arc<ExecutorConfig>, shared: Shared, state: StateDirectory) -> Result<ExitStatus, ExecutorError> {
    let Channels { agent, outgoing, incoming, events } = channels();
    let framework = state.framework()?.map(Arc::new);
    let mut runner = Runner::new(config.clone(), shared.clone(), state, agent.clone())?.of_framework(framework);
    if runner.is_over() {
        return Ok(ExitStatus::Success);
    }
    let (updates, tasks) = runner.unacknowledged()?;
    let unacknowledged = Unacknowledged::new(updates, tasks);
    Box::pin(runner.recover()).await?;
    // Only now: a new process knows how its task stands before it speaks to the agent.
    let (connections, dismissal) = (shared.connections.clone(), shared.dismissal.subscribe());
    let subscription =
        Subscription { config: config.clone(), connections, dismissal, unacknowledged, outgoing, incoming };
    tokio::spawn(subscription.run());
    let executor = Box::new(CommandExecutor { config, runner, agent, events, subscribed: None });
    match executor.live().await? {
        Left::Done(exit) => Ok(exit),
        Left::Group(group, executor) => {
            Box::pin(async {
                let mut groups = GroupExecutor::instead_of(*executor, shared);
                groups.launch(group);
                groups.live().await
            })
            .await
        }
    }
}

async fn groups_again(
    config: Arc<ExecutorConfig>,
    shared: Shared,
    state: StateDirectory,
    groups: Groups,
) -> Result<ExitStatus, ExecutorError> {
    let Channels { agent, outgoing, incoming, events } = channels();
    let (connections, dismissal) = (shared.connections.clone(), shared.dismissal.subscribe());
    let (executor, unacknowledged) =
        GroupExecutor::recover(config.clone(), shared, state, groups, (agent, events)).await?;
    tokio::spawn(Subscription { config, connections, dismissal, unacknowledged, outgoing, incoming }.run());
    executor.live().await
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
    directories.extend(shims_below(&config.state_directory).await.into_iter().map(|(_, directory)| directory));
    for directory in directories {
        contained::end(&directory).await;
    }
}

fn channels() -> Channels {
    let (agent, outgoing) = mpsc::unbounded_channel();
    let (incoming, events) = mpsc::channel(WAITING_EVENTS);
    Channels { agent, outgoing, incoming, events }
}
