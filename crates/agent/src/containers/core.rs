//! The containers there are, who waits for their ends, and what is to be done with them. Pure, and without a clock:
//! nothing here depends on the time.
//!
//! Comes in: launches, ends, removals. Goes out: [`ContainerAction`]s, to be carried out in their order, and the ends,
//! to all that wait for them.
//!
//! A container is starting, running, or over. One that is over stays, so that its end can still be asked for, until it
//! is removed or the outermost container it was nested in is gone. Invariants: a name is one container's until then;
//! what is nested in a container that is over, or that is gone, is told to end and never begins.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use mesos::v1::{ContainerId, Resource, TaskResourceLimitation};
use processes::Process;
use shell::Answer;

use super::order::{Class, Order};
use super::parent::Parent;
use super::{LaunchRefusal, Launched, Listed};

/// The end of a container.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Termination {
    /// As wait(2) tells it, if anybody can.
    pub(crate) status: Option<i32>,
    pub(crate) message: Option<String>,
    /// The memory that was too much, if that is why.
    pub(crate) limitation: Option<TaskResourceLimitation>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RemoveRefusal {
    #[error("Nested container has not terminated yet")]
    Running,
}

/// Something to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ContainerAction {
    /// SIGKILL for everything in it.
    Kill(ContainerId),
    /// Its start need not come to an end.
    GiveUp(ContainerId),
    /// The sandbox of its own is no longer needed.
    RemoveSandbox(ContainerId),
    /// Nothing of it is needed any more, but its sandbox. Its name may be taken anew right afterwards.
    Clear(ContainerId),
    /// SIGKILL for what sessions below this container left when they ended.
    KillLeftovers(ContainerId),
}

/// The facts about a container that runs.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Running {
    pub(super) class: Class,
    pub(super) process: Process,
    /// The place of the sandboxes of those nested in it.
    pub(super) sandbox: PathBuf,
    pub(super) resources: Vec<Resource>,
}

#[derive(Debug)]
enum Phase {
    /// A start under way; a doomed one ends as soon as it has begun.
    Starting {
        doomed: bool,
    },
    Running(Running),
    Over(Termination),
}

#[derive(Debug)]
struct Container {
    id: ContainerId,
    phase: Phase,
    waiting: Vec<Answer<Option<Termination>>>,
    /// The container around it is gone: so is this, once it is over.
    orphaned: bool,
}

#[derive(Debug, Default)]
pub(super) struct Containers {
    containers: BTreeMap<String, Container>,
    /// The outermost containers in which there have been sessions: what these started may have left their groups.
    joined: BTreeSet<String>,
    /// True once everything is to end with the agent, not sessions alone; and the one that waits for that.
    finishing: Option<(bool, Answer<()>)>,
    actions: Vec<ContainerAction>,
}

impl Containers {
    /// The actions decided since this was last asked.
    pub(super) fn take_actions(&mut self) -> Vec<ContainerAction> {
        std::mem::take(&mut self.actions)
    }

    /// Takes the name of a container that is to be launched. Gives what it is nested in, if that is known here.
    pub(super) fn launch(&mut self, order: &Order) -> Result<Option<Parent>, Result<Launched, LaunchRefusal>> {
        if self.finishing.is_some() {
            return Err(Err(LaunchRefusal::Order("The agent is shutting down".to_owned())));
        }
        if !self.begin(&order.id) {
            return Err(Ok(Launched::Already));
        }
        if order.class == Class::Session {
            self.joined.insert(order.id.root().to_string());
        }
        let parent = order.id.parent.as_deref().and_then(|parent| self.running(parent));
        Ok(parent.map(|on| Parent { sandbox: on.sandbox.clone(), main: Some(on.process), user: None, is_apart: true }))
    }

    /// Takes a name; `false` if it is taken.
    pub(super) fn begin(&mut self, id: &ContainerId) -> bool {
        let name = id.to_string();
        if self.containers.contains_key(&name) {
            return false;
        }
        let (phase, waiting) = (Phase::Starting { doomed: false }, Vec::new());
        self.containers.insert(name, Container { id: id.clone(), phase, waiting, orphaned: false });
        true
    }

    /// It runs, and ends at once if it must not.
    pub(super) fn started(&mut self, id: &ContainerId, running: Running) {
        let Some(container) = self.containers.get_mut(&id.to_string()) else { return };
        if matches!(container.phase, Phase::Starting { doomed: true }) {
            self.actions.push(ContainerAction::Kill(id.clone()));
        }
        container.phase = Phase::Running(running);
    }

    /// It never ran: its name is free again.
    pub(super) fn failed(&mut self, id: &ContainerId) {
        let failed = self.containers.remove(&id.to_string());
        failed.into_iter().flat_map(|container| container.waiting).for_each(|answer| drop(answer.send(None)));
    }

    /// It was not launched, and what was made for it goes.
    pub(super) fn refused(&mut self, id: &ContainerId) {
        self.failed(id);
        self.actions.push(ContainerAction::Clear(id.clone()));
    }

    /// It is over. Containers nested in it go with it.
    pub(super) fn ended(&mut self, id: &ContainerId, termination: Termination) {
        let below = self.containers.values().filter(|container| is_below(&container.id, id));
        self.actions.extend(below.filter_map(Container::kill));
        let known = self.containers.get_mut(&id.to_string());
        let kept = known.filter(|container| !container.orphaned).map(|container| container.end(&termination));
        if kept.is_none() {
            let orphan = self.containers.remove(&id.to_string());
            orphan.into_iter().for_each(|mut container| container.end(&termination));
            self.actions.push(ContainerAction::Clear(id.clone()));
        }
    }

    /// Answers when it is over, or at once.
    pub(super) fn wait(&mut self, id: &ContainerId, answer: Answer<Option<Termination>>) {
        match self.containers.get_mut(&id.to_string()) {
            None => drop(answer.send(None)),
            Some(Container { phase: Phase::Over(termination), .. }) => drop(answer.send(Some(termination.clone()))),
            Some(container) => {
                container.waiting.retain(|waiting| !waiting.is_closed());
                container.waiting.push(answer);
            }
        }
    }

    /// Forgets one that is over, and the containers nested in it. An unknown one counts as removed.
    pub(super) fn remove(&mut self, id: &ContainerId) -> Result<(), RemoveRefusal> {
        match self.containers.get(&id.to_string()).map(|container| &container.phase) {
            None => {}
            Some(Phase::Over(_)) => {
                self.containers.remove(&id.to_string());
                self.actions.extend([ContainerAction::RemoveSandbox(id.clone()), ContainerAction::Clear(id.clone())]);
                self.destroy(id);
            }
            Some(Phase::Starting { .. } | Phase::Running(_)) => return Err(RemoveRefusal::Running),
        }
        Ok(())
    }

    fn running(&self, id: &ContainerId) -> Option<&Running> {
        self.containers.get(&id.to_string())?.running()
    }

    pub(super) fn is_over(&self, id: &ContainerId) -> bool {
        self.containers.get(&id.to_string()).is_some_and(|container| matches!(container.phase, Phase::Over(_)))
    }

    /// Ends one that has not begun as soon as it has. `false` if it is no such one.
    pub(super) fn doom(&mut self, id: &ContainerId) -> bool {
        match self.containers.get_mut(&id.to_string()).map(|container| &mut container.phase) {
            Some(Phase::Starting { doomed }) => {
                *doomed = true;
                self.actions.push(ContainerAction::GiveUp(id.clone()));
                true
            }
            _ => false,
        }
    }

    /// The client that launched a session is gone: so is the session.
    pub(super) fn left(&mut self, id: &ContainerId) {
        if !self.doom(id) {
            self.actions.extend(self.containers.get(&id.to_string()).and_then(Container::kill));
        }
    }

    /// A container is gone, and everything nested in it goes too: what is over is forgotten, what runs is ended, and is
    /// forgotten when it has.
    pub(super) fn destroy(&mut self, root: &ContainerId) {
        let belongs = |id: &ContainerId| id == root || is_below(id, root);
        let over = |container: &Container| matches!(container.phase, Phase::Over(_));
        for container in self.containers.values_mut().filter(|container| belongs(&container.id) && !over(container)) {
            container.orphaned = true;
            self.actions.extend(container.kill());
            if let Phase::Starting { doomed } = &mut container.phase {
                *doomed = true;
                self.actions.push(ContainerAction::GiveUp(container.id.clone()));
            }
        }
        let gone = self.containers.extract_if(.., |_, container| belongs(&container.id) && over(container));
        self.actions.extend(gone.map(|(_, container)| ContainerAction::Clear(container.id)));
        if self.joined.remove(&root.to_string()) {
            self.actions.push(ContainerAction::KillLeftovers(root.clone()));
        }
    }

    /// Containers that are not over.
    pub(super) fn list(&self) -> Vec<Listed> {
        let alive = self.containers.values().filter(|container| !matches!(container.phase, Phase::Over(_)));
        let listed = |container: &Container| Listed {
            id: container.id.clone(),
            process: container.running().map(|running| running.process),
            resources: container.running().map_or_else(Vec::new, |running| running.resources.clone()),
        };
        alive.map(listed).collect()
    }

    /// The agent ends. Sessions end with it; everything does if the agent leaves for good.
    pub(super) fn finish(&mut self, everything: bool, done: Answer<()>) {
        let ends = |container: &&Container| everything || container.is(Class::Session);
        self.actions.extend(self.containers.values().filter(ends).filter_map(Container::kill));
        self.finishing = Some((everything, done));
    }

    /// True if the agent ends, and nothing is left that must not outlive it.
    pub(super) fn is_finished(&self) -> bool {
        let over = |container: &Container| matches!(container.phase, Phase::Over(_));
        self.finishing.as_ref().is_some_and(|(everything, _)| {
            self.containers.values().all(|container| over(container) || (!everything && container.is(Class::Task)))
        })
    }
}

impl Container {
    fn running(&self) -> Option<&Running> {
        match &self.phase {
            Phase::Running(running) => Some(running),
            Phase::Starting { .. } | Phase::Over(_) => None,
        }
    }

    fn is(&self, class: Class) -> bool {
        self.running().is_some_and(|running| running.class == class)
    }

    fn kill(&self) -> Option<ContainerAction> {
        self.running().map(|_| ContainerAction::Kill(self.id.clone()))
    }

    fn end(&mut self, termination: &Termination) {
        self.waiting.drain(..).for_each(|answer| drop(answer.send(Some(termination.clone()))));
        self.phase = Phase::Over(termination.clone());
    }
}

/// True if a container is nested in another, however deep.
fn is_below(id: &ContainerId, ancestor: &ContainerId) -> bool {
    std::iter::successors(id.parent.as_deref(), |parent| parent.parent.as_deref()).any(|parent| parent == ancestor)
}

#[cfg(test)]
mod tests {
    use mesos::v1::CommandInfo;
    use tokio::sync::oneshot;

    use super::*;

    fn id(text: &str) -> ContainerId {
        let mut parts = text.split('.');
        let root = ContainerId::from(parts.next().unwrap());
        parts.fold(root, |parent, part| parent.child(part))
    }

    fn over(status: i32) -> Termination {
        Termination { status: Some(status), ..Termination::default() }
    }

    fn order(name: &str, class: Class) -> Order {
        let (command, resources, limits) = (CommandInfo::default(), Vec::new(), BTreeMap::new());
        Order { id: id(name), class, command, container: None, resources, limits }
    }

    fn facts(class: Class) -> Running {
        Running { class, process: Process { pid: 7, start: 1 }, sandbox: "/s".into(), resources: Vec::new() }
    }

    fn running(names: &[(&str, Class)]) -> Containers {
        let mut containers = Containers::default();
        for (name, class) in names {
            containers.launch(&order(name, *class)).unwrap();
            containers.started(&id(name), facts(*class));
        }
        assert_eq!(containers.take_actions(), []);
        containers
    }

    fn waiting(containers: &mut Containers, name: &str) -> oneshot::Receiver<Option<Termination>> {
        let (answer, answered) = oneshot::channel();
        containers.wait(&id(name), answer);
        answered
    }

    #[test]
    fn whoever_waits_hears_of_the_end_early_or_late() {
        let mut containers = running(&[("r.a", Class::Task)]);
        assert_eq!(containers.launch(&order("r.a", Class::Task)), Err(Ok(Launched::Already)));
        let mut early = waiting(&mut containers, "r.a");
        assert!(early.try_recv().is_err());
        containers.ended(&id("r.a"), over(256));
        assert_eq!(early.try_recv().unwrap(), Some(over(256)));
        assert_eq!(waiting(&mut containers, "r.a").try_recv().unwrap(), Some(over(256)));
        assert!(!containers.begin(&id("r.a")), "its name is taken until it is removed");
        assert_eq!(containers.take_actions(), []);
        assert_eq!(containers.remove(&id("r.a")), Ok(()));
        let cleared = [ContainerAction::RemoveSandbox(id("r.a")), ContainerAction::Clear(id("r.a"))];
        assert_eq!(containers.take_actions(), cleared);
        assert_eq!(containers.remove(&id("r.a")), Ok(()));
        assert_eq!(containers.take_actions(), []);
        assert_eq!(waiting(&mut containers, "r.a").try_recv().unwrap(), None);
    }

    #[test]
    fn what_runs_is_not_removed_and_what_failed_was_never_there() {
        let mut containers = running(&[("r.a", Class::Task)]);
        assert_eq!(containers.remove(&id("r.a")), Err(RemoveRefusal::Running));
        assert!(containers.begin(&id("r.b")));
        let mut waits = waiting(&mut containers, "r.b");
        containers.refused(&id("r.b"));
        assert_eq!(waits.try_recv().unwrap(), None);
        assert_eq!(containers.take_actions(), [ContainerAction::Clear(id("r.b"))]);
        assert!(containers.begin(&id("r.b")));
    }

    #[test]
    fn a_kill_before_the_start_is_not_lost_nor_is_a_launcher_that_went_away() {
        let mut containers = Containers::default();
        for (name, early) in [("r.a", true), ("r.b", false)] {
            containers.launch(&order(name, Class::Session)).unwrap();
            if early {
                containers.left(&id(name));
                assert!(!containers.doom(&id("r.x")));
            }
            containers.started(&id(name), facts(Class::Session));
            containers.left(&id(name));
            let kill = ContainerAction::Kill(id(name));
            let early = early.then(|| [ContainerAction::GiveUp(id(name)), kill.clone()]).into_iter().flatten();
            assert_eq!(containers.take_actions(), early.chain([kill]).collect::<Vec<_>>());
        }
    }

    #[test]
    fn everything_below_goes_with_the_outermost_one() {
        let tasks = ["r.a", "r.a.b", "r.c", "other.a"].map(|name| (name, Class::Task));
        let mut containers = running(&tasks);
        containers.launch(&order("r.d", Class::Session)).unwrap();
        containers.ended(&id("r.c"), over(0));
        containers.destroy(&id("r"));
        let kill = |name| ContainerAction::Kill(id(name));
        let late = [ContainerAction::GiveUp(id("r.d")), ContainerAction::Clear(id("r.c"))];
        let left = ContainerAction::KillLeftovers(id("r"));
        let expected: Vec<_> = [kill("r.a"), kill("r.a.b")].into_iter().chain(late).chain([left]).collect();
        assert_eq!(containers.take_actions(), expected);
        containers.started(&id("r.d"), facts(Class::Session));
        assert_eq!(containers.take_actions(), [kill("r.d")], "it began too late");
        containers.ended(&id("r.a"), over(9));
        assert_eq!(containers.take_actions(), [kill("r.a.b"), ContainerAction::Clear(id("r.a"))]);
        assert_eq!(waiting(&mut containers, "r.a").try_recv().unwrap(), None);
        assert!(containers.running(&id("other.a")).is_some());
    }

    #[test]
    fn an_agent_that_ends_takes_sessions_along_and_tasks_only_if_it_leaves() {
        let both = [("r.s", Class::Session), ("r.t", Class::Task)];
        let mut containers = running(&both);
        containers.finish(false, oneshot::channel().0);
        assert_eq!(containers.take_actions(), [ContainerAction::Kill(id("r.s"))]);
        assert!(containers.launch(&order("r.n", Class::Task)).is_err_and(|refused| refused.is_err()));
        assert!(!containers.is_finished());
        containers.ended(&id("r.s"), over(9));
        assert!(containers.is_finished());
        let mut containers = running(&both);
        containers.finish(true, oneshot::channel().0);
        assert_eq!(containers.take_actions(), both.map(|(name, _)| ContainerAction::Kill(id(name))));
        containers.ended(&id("r.s"), over(9));
        assert!(!containers.is_finished());
        containers.ended(&id("r.t"), over(9));
        assert!(containers.is_finished());
    }

    #[test]
    fn what_is_nested_finds_the_one_it_is_nested_in() {
        let mut containers = running(&[("r.a", Class::Task)]);
        let parent =
            Parent { sandbox: "/s".into(), main: Some(Process { pid: 7, start: 1 }), user: None, is_apart: true };
        assert_eq!(containers.launch(&order("r.a.b", Class::Session)), Ok(Some(parent)));
        assert_eq!(containers.launch(&order("r.b", Class::Task)), Ok(None), "the agent's books have it");
        let listed: Vec<_> = containers.list().into_iter().map(|one| (one.id, one.process.is_some())).collect();
        assert_eq!(listed, [(id("r.a"), true), (id("r.a.b"), false), (id("r.b"), false)]);
    }
}
