//! Many executors in one process. The agent says which (ADD), hears which have ended (EXITED), and ends the
//! pool with all of them (SHUTDOWN). Each executor subscribes, lives and recovers exactly as if it had a process of its own.
//!
//! One tokio task runs the pool and owns the set of executors; each executor is a task of its own. States are
//! methods: `disconnected` tries until it has a stream or gives up, `subscribed` ends when the stream breaks.

mod config;
mod late;

use std::collections::{BTreeMap, HashMap};
use std::process::ExitCode;

use checks::Late;
use mesos::Codec;
use mesos::client::{Client, ClientError, EventStream};
use mesos::v1::cygnet::pool_event::{self, Content};
use mesos::v1::cygnet::{PoolCall, PoolEvent, pool_call};
use mesos::v1::{ContainerId, ExecutorId};
use rustix::process::setsid;
use tokio::task::JoinSet;
use tokio::time::sleep;

pub use self::config::PoolConfig;
use crate::clock::now;
use crate::config::{Absence, ExecutorConfig, Reconnection, Variables, foundation};
use crate::error::ExecutorError;
use crate::host::{end_all, host};
use crate::life::ExitStatus;
use crate::lock;
use crate::monitor::measured;
use crate::runner::Shared;
use crate::state::Exclusion;

/// The agent's path for pools.
const PATH: &str = "/cygnet/v1/pool";

/// The wait statuses the agent is told, as if each executor had been a process.
const EXITED_WELL: i32 = 0;
const EXITED_BADLY: i32 = 1 << 8;

/// The run of an executor.
type Key = (ExecutorId, ContainerId);

#[derive(Debug)]
struct Pool {
    config: PoolConfig,
    shared: Shared,
    /// Each with the number by which the check engine knows it.
    running: HashMap<Key, u32>,
    last: u32,
    executors: JoinSet<(Key, i32)>,
    /// Ended, and the agent does not know.
    ended: BTreeMap<Key, i32>,
    /// Questions for late checks that the engine has not answered yet.
    asked: JoinSet<Option<(Vec<u8>, Vec<Late>)>>,
}

/// The end of a subscription.
enum Left {
    Lost,
    Dismissed,
}

struct Connection {
    client: Client,
    events: EventStream<PoolEvent>,
}

/// Runs the pool until the agent dismisses it, or is lost. Must be called on a tokio runtime; `shim_command` is the
/// program and its first arguments that, given a directory, run [`processes::shim::main`].
pub async fn run(config: PoolConfig, shim_command: Vec<String>) -> ExitCode {
    // A Ctrl-C meant for the agent must not end the tasks' executors.
    let _already_leader = setsid();
    let reaper = tokio::spawn(processes::reap_orphans());
    let ended = be(config, shim_command).await;
    reaper.abort();
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "the pool cannot go on");
            ExitCode::FAILURE
        }
    }
}

async fn be(config: PoolConfig, shim_command: Vec<String>) -> Result<(), ExecutorError> {
    let _lock = lock::hold(&config.lock).await?;
    let shared = Shared::new(shim_command, Exclusion::Host)?;
    let (running, executors, ended, asked) = (HashMap::new(), JoinSet::new(), BTreeMap::new(), JoinSet::new());
    Pool { config, shared, running, last: 0, executors, ended, asked }.run().await;
    Ok(())
}

impl Pool {
    async fn run(mut self) {
        let mut absence = Absence::initial(self.rules(), now());
        while let Some(connection) = self.disconnected(absence).await {
            match self.subscribed(connection).await {
                Left::Dismissed => return self.end().await,
                Left::Lost => absence = Absence::begin(self.rules(), now()),
            }
        }
        tracing::warn!("the agent is lost; ending with all executors");
        self.end().await;
    }

    /// Without anything to lose or to tell there is nothing to wait for: an agent that comes back starts another pool.
    fn rules(&self) -> Reconnection {
        let idle = self.running.is_empty() && self.ended.is_empty();
        let recovery_timeout = self.config.reconnection.recovery_timeout.filter(|_| !idle);
        Reconnection { recovery_timeout, ..self.config.reconnection }
    }

    /// The end of all executors, and then of the pool: no later process would know of them.
    async fn end(mut self) {
        self.shared.dismissal.send_replace(true);
        while let Some(joined) = self.executors.join_next().await {
            self.collect(joined);
        }
    }

    async fn disconnected(&mut self, mut absence: Absence) -> Option<Connection> {
        loop {
            let pause = absence.pause(now(), fastrand::f64())?;
            self.collect_until(sleep(pause)).await;
            match self.connect().await {
                Ok(connection) => return Some(connection),
                Err(error) => tracing::debug!(%error, "cannot subscribe the pool yet"),
            }
        }
    }

    async fn collect_until(&mut self, pause: impl Future<Output = ()>) {
        tokio::pin!(pause);
        loop {
            tokio::select! {
                () = &mut pause => return,
                Some(joined) = self.executors.join_next() => self.collect(joined),
            }
        }
    }

    async fn connect(&self) -> Result<Connection, ClientError> {
        let client = Client::new(self.config.agent.authority(), Codec::Protobuf);
        let call = PoolCall { tells_late: Some(true), ..self.own(PoolCall::subscribe()) };
        let events = client.subscribe(PATH, &call).await?;
        Ok(Connection { client, events })
    }

    async fn subscribed(&mut self, mut connection: Connection) -> Left {
        loop {
            if !self.report(&connection.client).await {
                return Left::Lost;
            }
            tokio::select! {
                event = connection.events.next() => match event {
                    Ok(Some(Content::Add(add))) => self.add(add),
                    Ok(Some(Content::Measure(asked))) => self.tell_measures(&connection.client, asked.uuid),
                    Ok(Some(Content::Late(asked))) => self.look_for_late(asked.uuid),
                    Ok(Some(Content::Shutdown)) => return Left::Dismissed,
                    Ok(Some(Content::Heartbeat | Content::Unknown)) => {}
                    Ok(None) => return Left::Lost,
                    Err(error) => {
                        tracing::info!(%error, "the pool's subscription broke");
                        return Left::Lost;
                    }
                },
                Some(joined) = self.executors.join_next() => self.collect(joined),
                Some(Ok(Some((uuid, late)))) = self.asked.join_next() => self.tell_late(&connection.client, uuid, &late),
            }
        }
    }

    fn add(&mut self, add: pool_event::Add) {
        let key = (add.executor_id, add.container_id);
        if self.ended.contains_key(&key) || self.running.contains_key(&key) {
            return;
        }
        self.last = self.last.wrapping_add(1);
        self.running.insert(key.clone(), self.last);
        let mut variables: Variables = foundation();
        variables.extend(add.environment.into_iter().map(|variable| (variable.name, variable.value)));
        if let Some(directory) = add.directory {
            variables.entry("MESOS_DIRECTORY".to_owned()).or_insert(directory);
        }
        let shared = Shared { engine: self.shared.engine.owned_by(self.last), ..self.shared.clone() };
        self.executors.spawn(async move { (key, one(variables, shared).await) });
    }

    fn collect(&mut self, joined: Result<(Key, i32), tokio::task::JoinError>) {
        let Ok((key, status)) = joined else { return };
        self.running.remove(&key);
        self.ended.insert(key, status);
    }

    /// Tells the agent who has ended. Whether the agent is still there.
    async fn report(&mut self, client: &Client) -> bool {
        while let Some(((executor_id, container_id), status)) = self.ended.first_key_value() {
            let (executor_id, container_id) = (executor_id.clone(), container_id.clone());
            let exited = pool_call::Exited { executor_id, container_id, status: Some(*status) };
            let call = self.own(PoolCall::exited(exited));
            match client.call(PATH, &call, None).await {
                Ok(_) | Err(ClientError::Refused { .. }) => self.ended.pop_first(),
                Err(_) => return false,
            };
        }
        true
    }

    /// Answers a question for counts, beside all else: the agent waits for it, and asks again if it does not come.
    fn tell_measures(&self, client: &Client, uuid: Vec<u8>) {
        let (engine, client, blank) = (self.shared.engine.clone(), client.clone(), self.own(PoolCall::default()));
        tokio::spawn(async move {
            let Some(series) = engine.series().await else { return };
            let measured = PoolCall::measured(measured(uuid, &series));
            answer(&client, &PoolCall { framework_id: blank.framework_id, pool_id: blank.pool_id, ..measured }).await;
        });
    }

    /// Asks the engine for late checks. If its thread hangs, or is dead, the agent gets no answer, and so knows.
    fn look_for_late(&mut self, uuid: Vec<u8>) {
        let engine = self.shared.engine.clone();
        self.asked.spawn(async move { Some((uuid, engine.late().await?)) });
    }

    fn tell_late(&self, client: &Client, uuid: Vec<u8>, late: &[Late]) {
        let named = self.running.iter().map(|((executor, _), number)| (*number, executor));
        let (client, call) = (client.clone(), self.own(PoolCall::late(late::told(uuid, late, named))));
        tokio::spawn(async move { answer(&client, &call).await });
    }

    /// The call with this pool's ids.
    fn own(&self, call: PoolCall) -> PoolCall {
        let framework_id = Some(self.config.framework_id.as_str().into());
        PoolCall { framework_id, pool_id: Some(self.config.pool_id.clone()), ..call }
    }
}

/// Answers the agent. It asks again if nothing comes.
async fn answer(client: &Client, call: &PoolCall) {
    if let Err(error) = client.call(PATH, call, None).await {
        tracing::warn!(%error, "the agent does not take an answer: it is in no metrics, or nowhere told");
    }
}

/// The whole life of one executor, as a wait status. Even a panic is this executor's end and nobody else's.
async fn one(variables: Variables, shared: Shared) -> i32 {
    let config = match ExecutorConfig::from_variables(&variables) {
        Ok(config) => config,
        Err(error) => {
            tracing::error!(%error, "the agent asks for an executor that cannot be");
            return EXITED_BADLY;
        }
    };
    match tokio::spawn(host(config.clone(), shared)).await {
        Ok(Ok(ExitStatus::Success)) => return EXITED_WELL,
        Ok(Ok(ExitStatus::Failure)) => return EXITED_BADLY,
        Ok(Err(error)) => {
            tracing::error!(error = &error as &dyn std::error::Error, "an executor of the pool cannot go on");
        }
        Err(error) => tracing::error!(%error, "an executor of the pool broke"),
    }
    // The agent is told that nothing runs any more.
    end_all(&config, Exclusion::Host).await;
    EXITED_BADLY
}
