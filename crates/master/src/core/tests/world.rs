//! A core with frameworks and agents around it, and what each of them was told.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use mesos::v1::cygnet::{AgentEvent, agent_call, agent_event};
use mesos::v1::master::response::{GetAgents, GetFrameworks, GetTasks};
use mesos::v1::offer::operation;
use mesos::v1::scheduler::call::{self, Content};
use mesos::v1::scheduler::{Event, event};
use mesos::v1::{self, Resource, TaskState, TaskStatus, master};

use super::super::snapshot::{AgentView, FrameworkView, Snapshot, TaskLists};
use super::super::task::Task;
use super::super::{Action, CallRefusal, Core, Depth, Identity, RemovalLimit};
use super::fixtures;
pub(super) use super::fixtures::{framework, plain_framework};
use crate::ids::{AgentId, FrameworkId, StreamId};
use crate::memory::{Absent, Change, Memory};
use crate::settings::Settings;
use shell::Now;

pub(super) const SECOND: Duration = Duration::from_secs(1);
const EPOCH: Duration = Duration::from_secs(1_795_420_000);

#[derive(Debug, Clone)]
pub(super) struct Scheduler {
    pub(super) id: FrameworkId,
    pub(super) stream: StreamId,
    pub(super) info: v1::FrameworkInfo,
}

#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) id: AgentId,
    pub(super) stream: StreamId,
    pub(super) info: v1::AgentInfo,
}

pub(super) struct World {
    pub(super) core: Core,
    pub(super) now: Now,
    next_stream: u32,
    scheduler_events: BTreeMap<StreamId, Vec<Event>>,
    agent_events: BTreeMap<StreamId, Vec<AgentEvent>>,
    pub(super) announced: Vec<master::Event>,
    pub(super) closed: Vec<StreamId>,
    pub(super) registry: Vec<Change>,
    pub(super) given_up: Vec<RemovalLimit>,
}

/// The answers that tests look at.
impl Core {
    pub(super) fn get_agents(&self) -> GetAgents {
        let Snapshot { agents, recovered, .. } = self.snapshot(Depth::WithoutTasks);
        GetAgents {
            agents: agents.iter().map(AgentView::wire).collect(),
            recovered_agents: recovered.iter().map(|info| v1::AgentInfo::clone(info)).collect(),
        }
    }

    pub(super) fn get_frameworks(&self) -> GetFrameworks {
        let snapshot = self.snapshot(Depth::WithoutTasks);
        GetFrameworks {
            frameworks: snapshot.frameworks.iter().map(FrameworkView::wire).collect(),
            completed_frameworks: snapshot.completed_frameworks.iter().map(FrameworkView::wire).collect(),
            ..GetFrameworks::default()
        }
    }

    pub(super) fn get_tasks(&self) -> GetTasks {
        let snapshot = self.snapshot(Depth::WithTasks);
        let tasks = |of: fn(&TaskLists) -> &Vec<Arc<Task>>| {
            snapshot.all_frameworks().flat_map(|framework| of(&framework.tasks)).map(|task| task.wire()).collect()
        };
        GetTasks {
            tasks: tasks(|of| &of.live),
            unreachable_tasks: tasks(|of| &of.unreachable),
            completed_tasks: tasks(|of| &of.completed),
            ..GetTasks::default()
        }
    }
}

impl World {
    pub(super) fn new() -> Self {
        World::start(Settings::default(), Memory::default())
    }

    pub(super) fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings::default();
        change(&mut settings);
        World::start(settings, Memory::default())
    }

    pub(super) fn remembering(absent: Absent) -> Self {
        World::start(Settings::default(), Memory { absent, ..Memory::default() })
    }

    pub(super) fn start(settings: Settings, memory: Memory) -> Self {
        let identity = Identity {
            id: "M".to_owned(),
            address: ([127, 0, 0, 1], 5050).into(),
            hostname: "master.example".to_owned(),
            started: EPOCH,
            flags: Arc::default(),
        };
        let now = Now { elapsed: Duration::ZERO, unix: EPOCH };
        let mut core = Core::new(identity, settings, memory, now);
        core.set_listeners(1);
        World {
            core,
            now,
            next_stream: 0,
            scheduler_events: BTreeMap::new(),
            agent_events: BTreeMap::new(),
            announced: Vec::new(),
            closed: Vec::new(),
            registry: Vec::new(),
            given_up: Vec::new(),
        }
    }

    /// Sorts what the core wants done to whom it concerns.
    pub(super) fn settle(&mut self) {
        for action in self.core.take_actions() {
            match action {
                Action::ToFramework(stream, event) => self.scheduler_events.entry(stream).or_default().push(*event),
                Action::ToAgent(stream, event) => self.agent_events.entry(stream).or_default().push(*event),
                Action::AdmitOperator(..) => {}
                Action::Announce(event) => self.announced.push(*event),
                Action::Close(stream) => self.closed.push(stream),
                Action::Persist(change) => self.registry.push(change),
                Action::GiveUp(limit) => self.given_up.push(limit),
            }
        }
    }

    /// Lets time pass, waking the core whenever it asked for it.
    pub(super) fn pass(&mut self, time: Duration) {
        let end = self.now.elapsed + time;
        while self.core.wake_at() <= end {
            let step = self.core.wake_at().saturating_sub(self.now.elapsed);
            self.advance(step);
            self.core.wake(self.now);
            if self.core.allocates_at() <= self.now.elapsed {
                self.core.allocate();
            }
            self.settle();
        }
        self.advance(end.saturating_sub(self.now.elapsed));
    }

    fn advance(&mut self, step: Duration) {
        self.now.elapsed += step;
        self.now.unix += step;
    }

    pub(super) fn new_stream(&mut self) -> StreamId {
        self.next_stream += 1;
        StreamId::new(format!("stream-{}", self.next_stream))
    }

    pub(super) fn subscribe(&mut self, info: v1::FrameworkInfo) -> Scheduler {
        self.subscribe_with(call::Subscribe { framework_info: info, ..call::Subscribe::default() })
    }

    pub(super) fn subscribe_with(&mut self, subscribe: call::Subscribe) -> Scheduler {
        let stream = self.new_stream();
        let info = subscribe.framework_info.clone();
        self.core.subscribe(self.now, stream.clone(), subscribe);
        self.settle();
        let subscribed = self.scheduler_events.get(&stream).and_then(|events| events.first());
        let id = subscribed.and_then(|event| event.subscribed.as_ref()).map(|of| of.framework_id.clone());
        Scheduler { id: id.unwrap_or_default(), stream, info }
    }

    /// The same framework once more, on a new stream.
    pub(super) fn resubscribe(&mut self, scheduler: &Scheduler) -> Scheduler {
        self.subscribe(v1::FrameworkInfo { id: Some(scheduler.id.clone()), ..scheduler.info.clone() })
    }

    pub(super) fn call(&mut self, scheduler: &Scheduler, call: Content) -> Result<(), CallRefusal> {
        let result = self.core.scheduler_call(self.now, &scheduler.id, (Some(&scheduler.stream), None), call);
        self.settle();
        result
    }

    pub(super) fn drop_scheduler(&mut self, scheduler: &Scheduler) {
        self.core.scheduler_stream_closed(self.now, &scheduler.stream);
        self.settle();
    }

    /// The events that the scheduler was told since the last time.
    pub(super) fn events(&mut self, scheduler: &Scheduler) -> Vec<Event> {
        self.scheduler_events.remove(&scheduler.stream).unwrap_or_default()
    }

    pub(super) fn offers(&mut self, scheduler: &Scheduler) -> Vec<v1::Offer> {
        self.events(scheduler).into_iter().filter_map(|event| event.offers).flat_map(|of| of.offers).collect()
    }

    pub(super) fn updates(&mut self, scheduler: &Scheduler) -> Vec<TaskStatus> {
        self.events(scheduler).into_iter().filter_map(|event| event.update).map(|update| update.status).collect()
    }

    pub(super) fn register(&mut self, info: v1::AgentInfo) -> Node {
        self.register_with(info, Vec::new())
    }

    pub(super) fn register_with(&mut self, info: v1::AgentInfo, frameworks: Vec<agent_call::Framework>) -> Node {
        let stream = self.new_stream();
        let subscribe = agent_call::Subscribe {
            agent_info: info.clone(),
            pid: Some(format!("slave(1)@{}:5051", info.hostname)),
            frameworks,
            ..agent_call::Subscribe::default()
        };
        self.core.subscribe_agent(self.now, stream.clone(), subscribe);
        self.settle();
        let events = self.agent_events.get(&stream);
        let subscribed = events.and_then(|events| events.first()).and_then(|event| event.subscribed.as_ref());
        let id = subscribed.map(|subscribed| subscribed.agent_id.clone()).unwrap_or_default();
        Node { info: v1::AgentInfo { id: Some(id.clone()), ..info }, id, stream }
    }

    /// The same agent once more, on a new stream.
    pub(super) fn reregister(&mut self, node: &Node, frameworks: Vec<agent_call::Framework>) -> Node {
        self.register_with(node.info.clone(), frameworks)
    }

    pub(super) fn drop_agent(&mut self, node: &Node) {
        self.core.agent_stream_closed(self.now, &node.stream);
        self.settle();
    }

    pub(super) fn agent_call(&mut self, node: &Node, call: agent_call::Content) {
        self.core.agent_call(self.now, (&node.id, Some(&node.stream)), call).unwrap();
        self.settle();
    }

    pub(super) fn pong(&mut self, node: &Node) {
        self.agent_call(node, agent_call::Content::Pong);
    }

    pub(super) fn send_update(&mut self, node: &Node, scheduler: &Scheduler, status: TaskStatus) {
        self.send_update_behind(node, scheduler, status, None);
    }

    /// An update that is not the newest state.
    pub(super) fn send_update_behind(
        &mut self,
        node: &Node,
        scheduler: &Scheduler,
        status: TaskStatus,
        latest: Option<TaskState>,
    ) {
        let update =
            agent_call::Update { framework_id: scheduler.id.clone(), status, latest_state: latest.map(Into::into) };
        self.agent_call(node, agent_call::Content::Update(update));
    }

    /// The commands that the agent was given since the last time.
    pub(super) fn commands(&mut self, node: &Node) -> Vec<AgentEvent> {
        self.agent_events.remove(&node.stream).unwrap_or_default()
    }

    pub(super) fn command_kinds(&mut self, node: &Node) -> Vec<agent_event::Type> {
        self.commands(node).iter().map(AgentEvent::r#type).collect()
    }

    pub(super) fn announced_kinds(&mut self) -> Vec<master::event::Type> {
        std::mem::take(&mut self.announced).iter().map(master::Event::r#type).collect()
    }

    /// One agent, and one framework that is offered it, all earlier events read.
    pub(super) fn offered(info: v1::FrameworkInfo) -> (World, Scheduler, Node, Vec<v1::Offer>) {
        World::new().offering(agent("n1", 4.0, 1024.0), info)
    }

    pub(super) fn offering(
        mut self,
        node: v1::AgentInfo,
        framework: v1::FrameworkInfo,
    ) -> (World, Scheduler, Node, Vec<v1::Offer>) {
        let (node, scheduler) = (self.register(node), self.subscribe(framework));
        self.pass(SECOND);
        let offers = self.offers(&scheduler);
        self.commands(&node);
        self.announced.clear();
        (self, scheduler, node, offers)
    }

    /// The same with a task running on it.
    pub(super) fn with_running_task(info: v1::FrameworkInfo) -> (World, Scheduler, Node) {
        let (mut world, scheduler, node, offers) = World::offered(info);
        world.launch(&scheduler, &offers, vec![task("t1", &node, 1.0, 128.0)]);
        world.send_update(&node, &scheduler, status("t1", &node, TaskState::TaskRunning, 1));
        world.acknowledge(&scheduler, &node, "t1", 1);
        world.events(&scheduler);
        world.commands(&node);
        world.announced.clear();
        (world, scheduler, node)
    }

    pub(super) fn launch(&mut self, scheduler: &Scheduler, offers: &[v1::Offer], tasks: Vec<v1::TaskInfo>) {
        self.accept(scheduler, offers, vec![v1::offer::Operation::launch(operation::Launch { task_infos: tasks })]);
    }

    pub(super) fn accept(&mut self, scheduler: &Scheduler, offers: &[v1::Offer], with: Vec<v1::offer::Operation>) {
        let accept = call::Accept {
            offer_ids: offers.iter().map(|offer| offer.id.clone()).collect(),
            operations: with,
            ..call::Accept::default()
        };
        self.call(scheduler, Content::Accept(accept)).unwrap();
    }

    pub(super) fn decline(&mut self, scheduler: &Scheduler, offers: &[v1::Offer], refuse_seconds: f64) {
        let decline = call::Decline {
            offer_ids: offers.iter().map(|offer| offer.id.clone()).collect(),
            filters: Some(v1::Filters { refuse_seconds: Some(refuse_seconds) }),
        };
        self.call(scheduler, Content::Decline(decline)).unwrap();
    }

    pub(super) fn acknowledge(&mut self, scheduler: &Scheduler, node: &Node, task: &str, uuid: u8) {
        let acknowledge = call::Acknowledge { agent_id: node.id.clone(), task_id: task.into(), uuid: vec![uuid; 16] };
        self.call(scheduler, Content::Acknowledge(acknowledge)).unwrap();
    }

    pub(super) fn kill(&mut self, scheduler: &Scheduler, task: &str) {
        self.call(scheduler, Content::Kill(call::Kill { task_id: task.into(), ..call::Kill::default() })).unwrap();
    }

    pub(super) fn reconcile(&mut self, scheduler: &Scheduler, tasks: &[(&str, Option<&AgentId>)]) -> Vec<TaskStatus> {
        let one = |(task, agent): &(&str, Option<&AgentId>)| call::reconcile::Task {
            task_id: (*task).into(),
            agent_id: agent.cloned(),
        };
        self.call(scheduler, Content::Reconcile(call::Reconcile { tasks: tasks.iter().map(one).collect() })).unwrap();
        self.updates(scheduler)
    }
}

pub(super) fn agent(hostname: &str, cpus: f64, mem: f64) -> v1::AgentInfo {
    v1::AgentInfo {
        hostname: hostname.to_owned(),
        resources: vec![Resource::scalar("cpus", cpus), Resource::scalar("mem", mem), Resource::scalar("disk", 1000.0)],
        ..v1::AgentInfo::default()
    }
}

pub(super) fn task(id: &str, node: &Node, cpus: f64, mem: f64) -> v1::TaskInfo {
    fixtures::task(id, &node.id, cpus, mem)
}

pub(super) fn status(task: &str, node: &Node, state: TaskState, uuid: u8) -> TaskStatus {
    TaskStatus {
        task_id: task.into(),
        state: state.into(),
        source: Some(v1::task_status::Source::Executor.into()),
        agent_id: Some(node.id.clone()),
        uuid: Some(vec![uuid; 16]),
        timestamp: Some(1.0),
        ..TaskStatus::default()
    }
}

/// An agent's report at re-registration.
pub(super) fn report(scheduler: &Scheduler, tasks: &[(&str, TaskState)], node: &Node) -> agent_call::Framework {
    let one = |(id, state): &(&str, TaskState)| v1::Task {
        state: (*state).into(),
        ..v1::Task::launched(&scheduler.id, &task(id, node, 1.0, 128.0), None)
    };
    agent_call::Framework {
        framework_info: v1::FrameworkInfo { id: Some(scheduler.id.clone()), ..scheduler.info.clone() },
        tasks: tasks.iter().map(one).collect(),
        ..agent_call::Framework::default()
    }
}

/// The amount of a scalar.
pub(super) fn amount(resources: &[v1::Resource], name: &str) -> f64 {
    let named = resources.iter().filter(|resource| resource.name == name);
    named.filter_map(|resource| resource.scalar.as_ref()).map(|scalar| scalar.value).sum()
}

pub(super) fn kinds(events: &[Event]) -> Vec<event::Type> {
    events.iter().map(Event::r#type).collect()
}
