//! The world around the core. What an executor knows survives its pool, as its state directory does; what is on disk
//! survives the agent; the rest dies with whoever has it.

mod executors;
mod sandboxes;

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use mesos::states::is_terminal;
use mesos::v1::cygnet::agent_event::{self, Content};
use mesos::v1::cygnet::{pool_call, pool_event};
use mesos::v1::{AgentInfo, TaskId, TaskState, TaskStatus};
use processes::{Logged, Process};

use self::executors::Executor;
use self::sandboxes::Sandboxes;
use super::disk::Disk;
use super::wire::{FRAMEWORK, fresh, launch, settings, subscribed};
use crate::core::{Action, Core, Job, Owner, SandboxError};
use crate::ids::StreamId;
use crate::layout::Layout;
use shell::Now;

#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    Launch,
    /// The content of one of the sandboxes has come.
    Fetched(usize),
    /// It cannot be had.
    FetchFails(usize),
    ConnectPool,
    ConnectExecutor(usize),
    /// The executor makes the next update of its task.
    Progress(usize),
    KillTask(usize),
    /// The framework acknowledges the last update it got of a task.
    Acknowledge(usize),
    ConnectMaster,
    LoseMaster,
    PoolDies,
    Pass(u64),
    /// After this many more actions, which are on disk by then.
    AgentDies(usize),
}

#[derive(Default)]
struct Pool {
    id: String,
    process: Option<Process>,
    stream: Option<StreamId>,
    hosted: Vec<String>,
}

pub(super) struct World {
    core: Core,
    layout: Layout,
    _directory: tempfile::TempDir,
    disk: Disk,
    now: Now,
    connected: bool,
    registering: bool,
    launched: Vec<String>,
    received: Vec<TaskStatus>,
    acknowledged: Vec<Vec<u8>>,
    sandboxes: Sandboxes,
    pool: Pool,
    executors: BTreeMap<String, Executor>,
    next: u64,
    fuse: Option<usize>,
}

impl World {
    fn new() -> World {
        let directory = tempfile::tempdir().unwrap();
        let layout = Layout::create(directory.path()).unwrap();
        let now = Now::default();
        let mut world = World {
            core: fresh(&layout),
            layout,
            _directory: directory,
            disk: Disk::default(),
            now,
            connected: false,
            registering: false,
            launched: Vec::new(),
            received: Vec::new(),
            acknowledged: Vec::new(),
            sandboxes: Sandboxes::default(),
            pool: Pool::default(),
            executors: BTreeMap::new(),
            next: 0,
            fuse: None,
        };
        world.carry_out();
        world.step(Step::ConnectMaster);
        world
    }

    pub(super) fn after(steps: impl IntoIterator<Item = Step>) -> World {
        let mut world = World::new();
        steps.into_iter().for_each(|step| world.step(step));
        world
    }

    /// The states of a task its framework has heard of, each once.
    pub(super) fn heard(&self, task: &str) -> Vec<TaskState> {
        let mut heard: Vec<&TaskStatus> = Vec::new();
        for status in self.received.iter().filter(|status| status.task_id.value == task) {
            if !heard.iter().any(|known| known.uuid == status.uuid) {
                heard.push(status);
            }
        }
        heard.iter().map(|status| status.state()).collect()
    }

    /// The executors the pool hosts, in the order in which it was told.
    pub(super) fn hosted_now(&self) -> &[String] {
        &self.pool.hosted
    }

    pub(super) fn step(&mut self, step: Step) {
        match step {
            Step::Launch => self.launch(),
            Step::Fetched(index) => self.fetched(index, Ok(())),
            Step::FetchFails(index) => self.fetched(index, Err(SandboxError::Disk(io::ErrorKind::StorageFull.into()))),
            Step::ConnectPool => self.connect_pool(),
            Step::ConnectExecutor(index) => self.connect_executor(index),
            Step::Progress(index) => self.progress(index),
            Step::KillTask(index) => {
                // A master passes no kill on of a task it knows to be over.
                let alive = |task: &&String| !self.heard(task).into_iter().any(is_terminal);
                if let Some(task) = self.launched.get(index).filter(alive).cloned() {
                    let kill =
                        agent_event::Kill { framework_id: FRAMEWORK.into(), task_id: task.into(), kill_policy: None };
                    self.tell(Content::Kill(kill));
                }
            }
            Step::Acknowledge(index) => self.acknowledge(index),
            Step::ConnectMaster => self.connect_master(),
            Step::LoseMaster => {
                self.connected = false;
                self.core.master_lost(self.now);
                self.carry_out();
            }
            Step::PoolDies => self.pool_dies(),
            Step::Pass(seconds) => {
                self.now.elapsed += Duration::from_secs(seconds);
                self.core.wake(self.now);
                self.carry_out();
            }
            Step::AgentDies(after) => self.fuse = Some(after),
        }
    }

    fn launch(&mut self) {
        if !self.connected || self.launched.len() >= 4 {
            return;
        }
        let id = format!("t{}", self.launched.len());
        self.launched.push(id.clone());
        self.tell(launch(&id, None));
    }

    fn tell(&mut self, event: Content) {
        if self.connected {
            self.core.master_event(self.now, event);
            self.carry_out();
        }
    }

    /// As a master does it: what the agent does not know is reconciled.
    fn connect_master(&mut self) {
        if self.connected || !self.registering {
            return;
        }
        let registration = self.core.registration().subscribe.unwrap();
        let reported: Vec<TaskId> =
            registration.frameworks.iter().flat_map(|known| &known.tasks).map(|task| task.task_id.clone()).collect();
        self.connected = true;
        let agent_id = registration.agent_info.id.unwrap_or_else(|| "S".into());
        self.tell(subscribed(agent_id));
        let open = |task: &&String| !self.heard(task).into_iter().any(is_terminal);
        let missing = self.launched.iter().filter(open).map(|task| TaskId::from(task.as_str()));
        let task_ids: Vec<TaskId> = missing.filter(|task| !reported.contains(task)).collect();
        self.tell(Content::Reconcile(agent_event::Reconcile { framework_id: FRAMEWORK.into(), task_ids }));
    }

    fn acknowledge(&mut self, index: usize) {
        let Some(task) = self.launched.get(index) else { return };
        let Some(status) = self.received.iter().rfind(|status| status.task_id.value == *task).cloned() else { return };
        self.acknowledged.push(status.uuid().to_vec());
        let acknowledge = agent_event::Acknowledge {
            framework_id: FRAMEWORK.into(),
            task_id: status.task_id.clone(),
            uuid: status.uuid().to_vec(),
        };
        self.tell(Content::Acknowledge(acknowledge));
    }

    fn stream(&mut self) -> StreamId {
        self.next += 1;
        StreamId(self.next)
    }

    fn connect_pool(&mut self) {
        if self.pool.process.is_none() || self.pool.stream.is_some() {
            return;
        }
        let stream = self.stream();
        self.pool.stream = Some(stream);
        self.core.subscribe_pool(self.now, stream, &FRAMEWORK.into(), &self.pool.id);
        self.carry_out();
        self.report_ended();
    }

    /// The pool repeats who has ended until the agent has heard it.
    fn report_ended(&mut self) {
        let over = |id: &&String| self.executors.get(*id).is_some_and(|executor| executor.ended);
        let ended: Vec<String> = self.pool.hosted.iter().filter(over).cloned().collect();
        for id in ended {
            if self.pool.stream.is_none() {
                return;
            }
            let exited = pool_call::Exited {
                executor_id: id.as_str().into(),
                container_id: self.executors[&id].container.clone(),
                status: Some(0),
            };
            self.core.pool_exited(self.now, FRAMEWORK.into(), &exited);
            self.carry_out();
        }
    }

    fn pool_dies(&mut self) {
        if self.pool.process.take().is_none() {
            return;
        }
        let stream = self.pool.stream.take();
        self.pool.hosted.clear();
        let streams: Vec<StreamId> =
            self.executors.values_mut().filter_map(|executor| executor.stream.take()).collect();
        self.core.process_ended(self.now, &Owner::Pool(FRAMEWORK.into()), None);
        self.carry_out();
        for stream in streams.into_iter().chain(stream) {
            self.core.stream_closed(self.now, stream);
            self.carry_out();
        }
    }

    fn agent_dies(&mut self) {
        self.fuse = None;
        self.connected = false;
        self.registering = false;
        self.sandboxes.interrupt();
        self.pool.stream = None;
        self.executors.values_mut().for_each(|executor| executor.stream = None);
        self.core = Core::new(settings(&self.layout), AgentInfo::default(), self.now);
        self.core.recover(self.now, self.disk.recovered());
        self.carry_out();
    }

    fn carry_out(&mut self) {
        loop {
            let actions = self.core.take_actions();
            self.core.frameworks.check();
            if actions.is_empty() {
                return;
            }
            if self.fuse == Some(0) {
                return self.agent_dies();
            }
            for action in &actions {
                if let Action::Persist(change) = action {
                    self.disk.apply(change);
                }
            }
            for action in actions.into_iter().filter(|action| !matches!(action, Action::Persist(_))) {
                if let Some(fuse) = self.fuse {
                    if fuse <= 1 {
                        return self.agent_dies();
                    }
                    self.fuse = Some(fuse - 1);
                }
                self.perform(action);
            }
        }
    }

    fn perform(&mut self, action: Action) {
        match action {
            Action::Job(Job::Prepare(preparation)) => self.prepare(*preparation),
            Action::Job(Job::Start(owner, program, _)) => self.start(&owner, &program),
            Action::Watch(owner, process) if self.pool.process != Some(process) => {
                self.core.process_ended(self.now, &owner, None);
            }
            Action::ToPool(stream, event) if self.pool.stream == Some(stream) => match event.r#type() {
                pool_event::Type::Add => self.add(event.add.unwrap()),
                _ => self.dismissed(),
            },
            Action::ToExecutor(stream, event) => self.tell_executor(stream, &event),
            Action::CloseStream(stream) => self.close(stream),
            Action::ToMaster(call) if self.connected => {
                self.received.extend(call.update.map(|update| update.status));
            }
            Action::Job(Job::KillTree(process)) if self.pool.process == Some(process) => self.dismissed(),
            Action::Job(Job::RemoveState(container)) => self.keep(|executor| executor.container != container),
            Action::Job(Job::Sweep(live)) => self.keep(|executor| live.contains(&executor.container.value)),
            Action::Register => self.registering = true,
            _ => {}
        }
    }

    fn keep(&mut self, is_kept: impl Fn(&Executor) -> bool) {
        self.executors.retain(|_, executor| is_kept(executor));
        self.pool.hosted.retain(|id| self.executors.contains_key(id));
    }

    /// Only one pool can have the lock; a second one ends at once.
    fn start(&mut self, owner: &Owner, program: &Logged) {
        let id = program.program.environment.iter().find(|(name, _)| name == "CYGNET_POOL_ID");
        self.next += 1;
        let process = Process { pid: 1, start: self.next };
        self.core.started(self.now, owner, Ok(process));
        match self.pool.process {
            None => (self.pool.process, self.pool.id) = (Some(process), id.unwrap().1.clone()),
            Some(_) => self.core.process_ended(self.now, owner, Some(1 << 8)),
        }
    }

    fn dismissed(&mut self) {
        let running = |id: &String| self.executors.get(id).is_some_and(|executor| !executor.ended);
        assert!(!self.pool.hosted.iter().any(running), "a pool is not dismissed while it hosts somebody");
        self.pool = Pool::default();
        self.core.process_ended(self.now, &Owner::Pool(FRAMEWORK.into()), Some(0));
    }

    fn close(&mut self, stream: StreamId) {
        if self.pool.stream == Some(stream) {
            self.pool.stream = None;
        }
        self.executors.values_mut().filter(|known| known.stream == Some(stream)).for_each(|known| known.stream = None);
    }

    /// From here on nobody dies, and everybody does their duty.
    pub(super) fn settle(&mut self) {
        self.fuse = None;
        for _ in 0..30 {
            self.step(Step::Pass(3));
            self.step(Step::ConnectMaster);
            self.step(Step::ConnectPool);
            for index in 0..4 {
                self.step(Step::Fetched(0));
                self.step(Step::ConnectExecutor(index));
                self.step(Step::Progress(index));
                self.step(Step::Acknowledge(index));
            }
            self.report_ended();
        }
    }

    pub(super) fn check(&self) {
        for task in &self.launched {
            let heard = self.heard(task);
            let ends = heard.iter().filter(|state| is_terminal(**state)).count();
            assert!(ends == 1 && heard.last().copied().is_some_and(is_terminal), "{task}: {heard:?}");
            let ranks: Vec<u8> = heard.iter().map(|state| rank(*state)).collect();
            assert!(ranks.is_sorted(), "{task}: {heard:?}");
        }
        self.disk.check_empty();
        assert_eq!(self.executors.keys().collect::<Vec<_>>(), Vec::<&String>::new(), "no executor is left");
        assert_eq!(self.pool.process, None, "no pool is left");
    }
}

fn rank(state: TaskState) -> u8 {
    match state {
        TaskState::TaskStarting => 0,
        TaskState::TaskRunning => 1,
        _ => 2,
    }
}
