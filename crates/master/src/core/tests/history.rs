//! Random histories: whatever happens in whatever order, the books stay right.

use std::collections::BTreeSet;

use mesos::v1::TaskState;
use mesos::v1::scheduler::event;
use proptest::prelude::*;

use super::world::{Node, SECOND, Scheduler, World, agent, amount, framework, report, status, task};

/// One thing that can happen; numbers choose among what is there.
#[derive(Debug, Clone)]
enum Step {
    Pass(u64),
    Accept { framework: usize, tasks: usize },
    Decline { framework: usize },
    Update { task: usize, state: TaskState },
    Acknowledge { framework: usize },
    Kill { task: usize },
    BreakScheduler(usize),
    Resubscribe(usize),
    BreakAgent(usize),
    Reregister(usize),
    Reconcile(usize),
}

fn step() -> impl Strategy<Value = Step> {
    use TaskState::{TaskFailed, TaskFinished, TaskRunning, TaskStarting};
    let state = prop::sample::select(vec![TaskStarting, TaskRunning, TaskFinished, TaskFailed]);
    prop_oneof![
        3 => (1..20u64).prop_map(Step::Pass),
        4 => (0..3usize, 0..4usize).prop_map(|(framework, tasks)| Step::Accept { framework, tasks }),
        2 => (0..3usize).prop_map(|framework| Step::Decline { framework }),
        6 => (any::<prop::sample::Index>(), state).prop_map(|(task, state)| Step::Update { task: task.index(1000), state }),
        4 => (0..3usize).prop_map(|framework| Step::Acknowledge { framework }),
        1 => (0..1000usize).prop_map(|task| Step::Kill { task }),
        1 => (0..3usize).prop_map(Step::BreakScheduler),
        1 => (0..3usize).prop_map(Step::Resubscribe),
        1 => (0..2usize).prop_map(Step::BreakAgent),
        1 => (0..2usize).prop_map(Step::Reregister),
        1 => (0..3usize).prop_map(Step::Reconcile),
    ]
}

/// A task as the outside remembers it.
#[derive(Debug, Clone)]
struct Launched {
    id: String,
    owner: usize,
    node: usize,
    over: bool,
}

struct Play {
    world: World,
    schedulers: Vec<Scheduler>,
    connected: Vec<bool>,
    nodes: Vec<Node>,
    up: Vec<bool>,
    offers: Vec<Vec<mesos::v1::Offer>>,
    pending: Vec<Vec<(usize, String, u8)>>,
    launched: Vec<Launched>,
    next_task: usize,
    next_uuid: u8,
}

impl Play {
    fn new() -> Self {
        let mut world = World::new();
        let nodes = vec![world.register(agent("n0", 4.0, 1024.0)), world.register(agent("n1", 8.0, 2048.0))];
        let endless = |name: &str| mesos::v1::FrameworkInfo { failover_timeout: Some(1e6), ..framework(name) };
        let schedulers: Vec<_> = ["f0", "f1", "f2"].iter().map(|name| world.subscribe(endless(name))).collect();
        Play {
            world,
            connected: vec![true; schedulers.len()],
            up: vec![true; nodes.len()],
            offers: vec![Vec::new(); schedulers.len()],
            pending: vec![Vec::new(); schedulers.len()],
            schedulers,
            nodes,
            launched: Vec::new(),
            next_task: 0,
            next_uuid: 0,
        }
    }

    /// Reads what every scheduler was told, and checks that it was meant for it.
    fn listen(&mut self) {
        for (at, scheduler) in self.schedulers.clone().iter().enumerate() {
            for event in self.world.events(scheduler) {
                match event.r#type() {
                    event::Type::Offers => {
                        let offers = event.offers.unwrap().offers;
                        assert!(offers.iter().all(|offer| offer.framework_id == scheduler.id));
                        self.offers[at].extend(offers);
                    }
                    event::Type::Rescind => {
                        let id = event.rescind.unwrap().offer_id;
                        self.offers[at].retain(|offer| offer.id != id);
                    }
                    event::Type::Update => self.hear(at, event.update.unwrap().status),
                    _ => {}
                }
            }
        }
    }

    fn hear(&mut self, at: usize, status: mesos::v1::TaskStatus) {
        let task = self.launched.iter_mut().find(|task| task.id == status.task_id.value);
        if let Some(task) = task {
            assert_eq!(task.owner, at, "an update reached the wrong framework");
            task.over |= mesos::states::is_terminal(status.state());
        }
        if let (Some(uuid), Some(agent)) = (status.uuid, status.agent_id)
            && let Some(node) = self.nodes.iter().position(|node| node.id == agent)
        {
            self.pending[at].push((node, status.task_id.value, uuid[0]));
        }
    }

    fn act(&mut self, step: Step) {
        match step {
            Step::Pass(seconds) => {
                for (node, _) in self.nodes.iter().zip(&self.up).filter(|(_, up)| **up) {
                    self.world.pong(node);
                }
                self.world.pass(SECOND * u32::try_from(seconds).unwrap());
            }
            Step::Accept { framework, tasks } => self.accept(framework, tasks),
            Step::Decline { framework } if self.connected[framework] => {
                let offers = std::mem::take(&mut self.offers[framework]);
                self.world.decline(&self.schedulers[framework].clone(), &offers, 0.0);
            }
            Step::Update { task, state } => self.update(task, state),
            Step::Acknowledge { framework } if self.connected[framework] => {
                for (node, task, uuid) in std::mem::take(&mut self.pending[framework]) {
                    let (scheduler, node) = (self.schedulers[framework].clone(), self.nodes[node].clone());
                    self.world.acknowledge(&scheduler, &node, &task, uuid);
                }
            }
            Step::Kill { task } => {
                if let Some(task) = self.choose(task).filter(|task| self.connected[task.owner]) {
                    self.world.kill(&self.schedulers[task.owner].clone(), &task.id);
                }
            }
            Step::BreakScheduler(at) if self.connected[at] => {
                self.world.drop_scheduler(&self.schedulers[at].clone());
                self.connected[at] = false;
                self.offers[at].clear();
            }
            Step::Resubscribe(at) => {
                self.schedulers[at] = self.world.resubscribe(&self.schedulers[at].clone());
                self.connected[at] = true;
                self.offers[at].clear();
            }
            Step::BreakAgent(at) if self.up[at] => {
                self.world.drop_agent(&self.nodes[at].clone());
                self.up[at] = false;
            }
            Step::Reregister(at) => self.reregister(at),
            Step::Reconcile(at) if self.connected[at] => {
                self.listen();
                self.world.reconcile(&self.schedulers[at].clone(), &[]);
            }
            _ => {}
        }
        self.listen();
    }

    fn choose(&self, task: usize) -> Option<Launched> {
        if self.launched.is_empty() { None } else { self.launched.get(task % self.launched.len()).cloned() }
    }

    fn accept(&mut self, framework: usize, tasks: usize) {
        if !self.connected[framework] || self.offers[framework].is_empty() {
            return;
        }
        let offer = self.offers[framework].remove(0);
        let node = self.nodes.iter().position(|node| node.id == offer.agent_id).unwrap();
        let mut infos = Vec::new();
        for _ in 0..tasks {
            let id = format!("t{}", self.next_task);
            self.next_task += 1;
            infos.push(task(&id, &self.nodes[node], 1.0, 128.0));
            self.launched.push(Launched { id, owner: framework, node, over: false });
        }
        self.world.launch(&self.schedulers[framework].clone(), &[offer], infos);
    }

    fn update(&mut self, task: usize, state: TaskState) {
        let Some(task) = self.choose(task).filter(|task| self.up[task.node] && !task.over) else { return };
        self.next_uuid = self.next_uuid.wrapping_add(1);
        let (node, scheduler) = (self.nodes[task.node].clone(), self.schedulers[task.owner].clone());
        self.world.send_update(&node, &scheduler, status(&task.id, &node, state, self.next_uuid));
    }

    /// The agent comes back with whatever the outside believes to run on it.
    fn reregister(&mut self, at: usize) {
        let node = self.nodes[at].clone();
        let mut frameworks = Vec::new();
        for (owner, scheduler) in self.schedulers.iter().enumerate() {
            let alive = self.launched.iter().filter(|task| task.node == at && task.owner == owner && !task.over);
            let tasks: Vec<(&str, TaskState)> = alive.map(|task| (task.id.as_str(), TaskState::TaskRunning)).collect();
            frameworks.push(report(scheduler, &tasks, &node));
        }
        self.nodes[at] = self.world.reregister(&node, frameworks);
        self.up[at] = true;
    }

    /// Once everybody is back and time has passed, everything there is is either used or offered: nothing was lost.
    fn finish(mut self) {
        for at in 0..self.schedulers.len() {
            self.act(Step::Resubscribe(at));
        }
        for at in 0..self.nodes.len() {
            self.act(Step::Reregister(at));
        }
        self.act(Step::Pass(10));
        self.check();
        for agent in self.world.core.get_agents().agents {
            for name in ["cpus", "mem", "disk"] {
                let held = amount(&agent.allocated_resources, name) + amount(&agent.offered_resources, name);
                let total = amount(&agent.total_resources, name);
                assert!((held - total).abs() < 1e-6, "{name}: {held} of {total} on {}", agent.agent_info.hostname);
            }
        }
    }

    /// Resources used and offered are never more than there are, and the books agree with each other.
    fn check(&self) {
        let agents = self.world.core.get_agents().agents;
        for agent in agents {
            for name in ["cpus", "mem", "disk"] {
                let total = amount(&agent.total_resources, name);
                let held = amount(&agent.allocated_resources, name) + amount(&agent.offered_resources, name);
                assert!(held <= total + 1e-6, "{name}: {held} of {total} on {}", agent.agent_info.hostname);
            }
        }
        let tasks = self.world.core.get_tasks();
        let known: BTreeSet<&str> = (tasks.tasks.iter().chain(&tasks.unreachable_tasks).chain(&tasks.completed_tasks))
            .map(|task| task.task_id.value.as_str())
            .collect();
        for task in self.launched.iter().filter(|task| !task.over) {
            assert!(known.contains(task.id.as_str()), "{} is not known any more", task.id);
        }
        let alive = tasks.tasks.iter().filter(|task| !mesos::states::is_terminal(task.state()));
        let needed: f64 = alive.map(|task| amount(&task.resources, "cpus")).sum();
        let used: f64 =
            self.world.core.get_agents().agents.iter().map(|of| amount(&of.allocated_resources, "cpus")).sum();
        assert!((needed - used).abs() < 1e-6, "tasks hold {needed} cpus, agents say {used}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn the_books_stay_right(steps in prop::collection::vec(step(), 1..80)) {
        let mut play = Play::new();
        for step in steps {
            play.act(step);
            play.check();
        }
        play.finish();
    }
}
