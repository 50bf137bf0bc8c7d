//! The files a task's command names by URI, where no agent has fetched it: tasks of a group, and tasks of a framework that
//! starts this executor itself.

use fetcher::{Fetcher, Item, Space, Want};
use mesos::v1::TaskInfo;
use processes::Credentials;
use tokio::task::spawn_blocking;

use crate::config::ExecutorConfig;
use crate::task::Unrunnable;

/// Fetches everything into the task's sandbox. Nothing is kept for others: tasks that want that let their agent fetch.
pub(crate) async fn fetch(
    task: &TaskInfo,
    config: &ExecutorConfig,
    user: Option<&Credentials>,
) -> Result<(), Unrunnable> {
    let uris = task.command.iter().flat_map(|command| &command.uris);
    let uncached = uris.map(|uri| Item::of(&mesos::v1::command_info::Uri { cache: None, ..uri.clone() }));
    let items = uncached.collect::<Result<Vec<_>, _>>()?;
    if items.is_empty() {
        return Ok(());
    }
    let want = Want { items, sandbox: config.sandbox.clone(), user: user.cloned() };
    let fetcher = Fetcher::uncached().with_bound(config.fetcher_download_bytes);
    Ok(fetcher.fetch(want).await?)
}

/// Gives what the agent has fetched to the task's user: with an image, that is one whom only the image knows.
pub(crate) async fn give(config: &ExecutorConfig, user: &Credentials) -> Result<(), Unrunnable> {
    let (sandbox, user) = (config.sandbox.clone(), user.clone());
    let given = spawn_blocking(move || Space::open(&sandbox)?.give(&user)).await;
    given.map_err(|error| Unrunnable::Start(error.into()))?.map_err(Unrunnable::Sandbox)
}
