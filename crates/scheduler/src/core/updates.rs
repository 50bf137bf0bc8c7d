//! News from the master: that we are subscribed, and what became of tasks.

use checks::Verdict;
use health::verdict::{of_healthy, of_wire};
use mesos::states;
use mesos::v1::cygnet::HealthCheckResult;
use mesos::v1::scheduler::call;
use mesos::v1::{TaskState, TaskStatus, task_status::Reason};

use super::figures::UNTOLD;
use super::reconciliation::Request;
use super::{AGENTS_RETURN, Core, calls};
use crate::definition::HealthCheck;
use crate::events;
use crate::health::{Attempt, Health};
use crate::ids::InstanceId;
use crate::instance::failure::TaskFailure;
use crate::instance::termination::Termination;
use crate::instance::{Condition, Instance, Network};
use crate::time::Now;

/// The number of tasks that one reconciliation call names.
const TASKS_PER_CALL: usize = 1000;

impl Core {
    /// The master at this address knows us by this id, and listens.
    pub(crate) fn subscribed(&mut self, framework_id: &str, master: &str, now: Now) {
        let again = self.link.subscribed(framework_id, now.moment);
        let registered = || events::registered(framework_id, master, now.wall);
        self.out.tell(if again { events::reregistered(master, now.wall) } else { registered() });
        self.queue.subscribed(now.moment);
        self.kill_again(self.kills.all(), now);
        self.reconcile(now);
    }

    /// The master does not hear us.
    pub(crate) fn disconnected(&mut self, now: Now) {
        if self.link.disconnected() {
            self.out.tell(events::disconnected(now.wall));
        }
    }

    /// The master has removed us, and with us all tasks: begin anew under another id.
    pub(crate) fn framework_removed(&mut self, now: Now) {
        self.link.removed();
        self.kills.departed_mut().clear();
        let lost: Vec<_> = self.instances.with_task().map(|found| found.id.clone()).collect();
        for id in lost {
            self.task_ended(&id, TaskState::TaskKilled, now);
        }
    }

    /// Asks for the state of every task we know, and, by the implicit form, of those we do not.
    pub(super) fn reconcile(&mut self, now: Now) {
        let all = self.instances.with_task().map(|found| found.id.clone());
        self.reconciliation.begin(all.collect(), now.moment);
        self.kills.departed_mut().ask_all();
        self.ask_unanswered();
        self.out.call([calls::reconcile(Vec::new())]);
    }

    /// Asks again for those without an answer, less and less often; for all once in a while.
    pub(super) fn reconcile_again(&mut self, now: Now) {
        if !self.link.is_connected() {
            return;
        }
        let is_open = |id: &InstanceId| self.instances.get(id).is_some_and(|instance| instance.has_task());
        let more = self.kills.departed().unanswered().next().is_some();
        let request = self.reconciliation.next(is_open, more, now.moment);
        match request {
            Request::Unanswered => self.ask_unanswered(),
            Request::All => self.reconcile(now),
            Request::None => {}
        }
    }

    fn ask_unanswered(&mut self) {
        let task = |id: String, agent_id: Option<&str>| call::reconcile::Task {
            task_id: id.into(),
            agent_id: agent_id.map(Into::into),
        };
        let instances = self.reconciliation.unanswered().iter().filter_map(|id| self.instances.get(id));
        let known = instances.flat_map(|instance| {
            instance.task_ids().into_iter().map(move |id| task(id, instance.place.agent_id.as_deref()))
        });
        let departed = self.kills.departed().unanswered();
        let departed = departed.map(|absent| task(absent.task_id.clone(), absent.agent_id.as_deref()));
        let tasks: Vec<_> = known.chain(departed).collect();
        self.out.call(tasks.chunks(TASKS_PER_CALL).map(|tasks| calls::reconcile(tasks.to_vec())));
    }

    /// An update of a task. It is acknowledged once what follows from it is on disk.
    pub(crate) fn update(&mut self, status: &TaskStatus, now: Now) {
        self.out.counters().updated(status.state());
        self.out.call(calls::acknowledge(status));
        let task_id = &status.task_id.value;
        let known = self.instances.find(task_id).map(|found| found.id.clone());
        match known {
            Some(id) if self.may_return(status, now) => {
                tracing::warn!(instance = %id, "the master does not know its task; it is asked again before another is launched");
            }
            Some(id) if self.instances.get(&id).is_some_and(|found| !found.members.is_empty()) => {
                self.member_update(&id, status, now);
            }
            Some(id) => self.known_update(&id, status, now),
            None => self.unknown_update(status, now),
        }
    }

    /// True if a task may be unknown to the master only because it has lost what it knew, and the agents have not told it
    /// yet: to launch all again would make each run twice.
    fn may_return(&self, status: &TaskStatus, now: Now) -> bool {
        status.state() == TaskState::TaskUnknown && now.moment < self.link.subscribed_at().plus(AGENTS_RETURN)
    }

    /// A task we do not want, or not any more.
    fn unknown_update(&mut self, status: &TaskStatus, now: Now) {
        let task_id = &status.task_id.value;
        if is_over(status.state()) {
            self.kills.departed_mut().is_over(task_id);
            self.out.tell(events::unknown_terminated(task_id, status.state(), now.wall));
        } else {
            self.stray_update(status, now);
        }
    }

    fn known_update(&mut self, id: &InstanceId, status: &TaskStatus, now: Now) {
        let Some(before) = self.instances.get(id).map(|instance| instance.condition) else { return };
        self.reconciliation.answered(id);
        self.doubt_kill(id, status.state());
        if Condition::of_state(status.state()).is_some_and(|condition| !before.leads_to(condition)) {
            return;
        }
        self.take_note(id, status, now);
        let state = status.state();
        let repeated = Condition::of_state(state) == Some(before);
        if let Some(instance) = self.instances.get(id).filter(|_| !repeated) {
            self.out.tell(events::status_update(instance, status, now.wall));
        }
        if is_over(state) {
            self.ended_by(id, status, now);
        } else if let Some(condition) = Condition::of_state(state) {
            self.goes_on(id, condition, status, now);
        }
    }

    fn goes_on(&mut self, id: &InstanceId, condition: Condition, status: &TaskStatus, now: Now) {
        self.enter(id, condition, now);
        let native = self.native_checks(id);
        self.native_health(id, &native, status, now);
        if condition == Condition::Running {
            self.start_checks(id, now);
        } else {
            self.stop_checks(id);
        }
        self.part_with_killed(id, now);
    }

    /// An instance enters this condition, which is told if it is another one. Held is only what runs.
    pub(super) fn enter(&mut self, id: &InstanceId, condition: Condition, now: Now) {
        if self.instances.get(id).is_some_and(|instance| instance.condition != condition) {
            self.note_delay(id, condition, now);
            self.change(id, now, |instance| instance.enter(condition, now.wall));
            let changed = self.instances.get(id).map(|instance| events::instance_changed(instance, now.wall));
            changed.into_iter().for_each(|event| self.out.tell(event));
            if condition != Condition::Running {
                self.let_go(id, now);
            }
        }
    }

    /// An instance that first runs now has done so for so long after it was wanted.
    fn note_delay(&mut self, id: &InstanceId, condition: Condition, now: Now) {
        let Some(instance) = self.instances.get(id).filter(|_| condition == Condition::Running) else { return };
        if let Some(wanted) = self.instances.wanted(id).filter(|_| instance.times.started_at.is_none()) {
            self.figures.runs_after(&instance.app, now.moment.since(wanted));
        }
    }

    /// Addresses, agent and check result, as far as the update has them. Most have nothing new: when a hundred thousand
    /// tasks are reconciled, nothing is to be written.
    pub(super) fn take_note(&mut self, id: &InstanceId, status: &TaskStatus, now: Now) {
        let infos = status.container_status.as_ref().map(|container| container.network_infos.as_slice());
        let networks = Network::all(infos.unwrap_or_default());
        let agent_id = status.agent_id.as_ref().map(|id| id.value.clone());
        let check_result = crate::instance::member::check_result(status);
        self.note_launch(id, status, now);
        let Some(known) = self.instances.get(id) else { return };
        let new_agent = agent_id.is_some() && agent_id != known.place.agent_id;
        if known.place.knows(&networks)
            && !new_agent
            && (check_result.is_none() || check_result == known.checked.check_result)
        {
            return;
        }
        self.change(id, now, |instance| {
            instance.place.joined(&networks);
            instance.place.agent_id = agent_id.or_else(|| instance.place.agent_id.take());
            instance.checked.check_result = check_result.or_else(|| instance.checked.check_result.take());
        });
    }

    /// Takes up how far the launch of a task is. Agents of ours tell it while they pull an image, and with every word the
    /// task has its time to start anew; an answer to a question only repeats one.
    pub(super) fn note_launch(&mut self, id: &InstanceId, status: &TaskStatus, now: Now) {
        let Some(message) = status.message.as_deref().filter(|_| status.state() == TaskState::TaskStaging) else {
            return;
        };
        let is_answer = status.reason.is_some() && status.reason() == Reason::Reconciliation;
        self.instances.staging(id, &status.task_id.value, message, (!is_answer).then_some(now.moment));
    }

    /// Findings of the executor's health checks, which come with the update: of each check from an executor of ours, in sum
    /// from any other. A result is found by the id of its check. One without, of a task with one check or from an older
    /// executor, stands where its check does.
    pub(super) fn native_health(&mut self, id: &InstanceId, native: &[usize], status: &TaskStatus, now: Now) {
        let results = status.health.as_ref().map(|health| health.checks.as_slice()).unwrap_or_default();
        let index_of = |(place, result): (usize, &HealthCheckResult)| match &result.id {
            Some(check) => check.parse().ok().filter(|index| native.contains(index)),
            None => native.get(place).copied().filter(|_| results.len() == native.len()),
        };
        let indexes: Vec<Option<usize>> = results.iter().enumerate().map(index_of).collect();
        if indexes.iter().all(Option::is_none) {
            return self.sum_of_health(id, native, status, now);
        }
        for (index, result) in indexes.into_iter().zip(results) {
            index.into_iter().for_each(|index| self.one_result(id, index, result, now));
        }
    }

    fn one_result(&mut self, id: &InstanceId, index: usize, result: &HealthCheckResult, now: Now) {
        let Some(known) = self.instances.get(id).and_then(|instance| instance.checked.health.get(index)) else {
            return;
        };
        let failures = result.consecutive_failures();
        let verdict = of_wire(result.verdict());
        let is_known =
            known.verdict == verdict && (verdict == Verdict::Healthy || known.consecutive_failures == failures);
        self.told_of(id, index, result, now);
        if verdict == Verdict::Unknown || is_known {
            return;
        }
        let cause = result.cause().to_owned();
        self.health_result(id, index, now, |health: &mut Health| match verdict {
            Verdict::Healthy => health.succeeded(now.wall),
            _ => health.failed(now.wall, &cause, failures),
        });
        if verdict == Verdict::Unhealthy && self.is_enough(id, index, failures) {
            self.kill_for_health(id, now);
        }
    }

    /// The attempt that the result is of, if it is another one than that known: worth writing, for nobody tells it again.
    fn told_of(&mut self, id: &InstanceId, index: usize, result: &HealthCheckResult, now: Now) {
        let Some(attempt) = Attempt::told(result, now.wall) else { return };
        let known =
            self.instances.get(id).and_then(|instance| instance.checked.health.get(index)?.last_attempt.clone());
        if known.is_some_and(|known| known.is(&attempt)) {
            return;
        }
        self.note_kind(id, index, &attempt.kind);
        let (successes, forgiven) = (result.consecutive_successes(), result.forgiven_failures());
        self.change(id, now, |instance| {
            let health = instance.checked.health.get_mut(index);
            health.into_iter().for_each(|health| health.attempted(Some(attempt.clone()), successes, forgiven));
        });
    }

    /// True if so many failures are enough to kill for; an executor of ours was told to leave that to us.
    fn is_enough(&self, id: &InstanceId, index: usize, failures: u32) -> bool {
        self.health_check(id, index).and_then(HealthCheck::kills_at).is_some_and(|most| failures >= most)
    }

    fn sum_of_health(&mut self, id: &InstanceId, native: &[usize], status: &TaskStatus, now: Now) {
        let Some(healthy) = status.healthy else { return };
        let Some(&index) = native.first() else { return };
        let counts = status.reason() == Reason::TaskHealthCheckStatusUpdated && status.reason.is_some();
        let known =
            self.instances.get(id).and_then(|instance| instance.checked.health.get(index)).cloned().unwrap_or_default();
        if known.verdict == of_healthy(Some(healthy)) && (healthy || !counts) {
            return;
        }
        let cause = status.message.clone().unwrap_or_else(|| "the executor's health check failed".into());
        let failures = known.consecutive_failures + 1;
        if !healthy {
            self.note_kind(id, index, UNTOLD);
        }
        self.health_result(id, index, now, |health: &mut Health| {
            if healthy { health.succeeded(now.wall) } else { health.failed(now.wall, &cause, failures) }
        });
    }

    /// The numbers of an instance's health checks that the executor makes.
    fn native_checks(&self, id: &InstanceId) -> Vec<usize> {
        let app = self.view().spec_of(id);
        let checks = app.iter().flat_map(|app| app.health_checks.iter().enumerate());
        checks.filter(|(_, check)| check.protocol.is_native()).map(|(index, _)| index).collect()
    }

    pub(super) fn ended_by(&mut self, id: &InstanceId, status: &TaskStatus, now: Now) {
        let Some(instance) = self.instances.get(id).cloned() else { return };
        let killed = status.state() == TaskState::TaskKilled;
        let by_executor =
            killed && status.healthy == Some(false) && !instance.killed.is_asked() && !is_of_drain(status);
        if by_executor {
            self.note_health_kill(id, now);
        }
        if is_failure(status.state()) || by_executor || (killed && instance.killed.is_asked_for_health()) {
            self.note_failure(&instance, status, now);
        }
        self.remember_end(id, status, now);
        self.task_ended(id, status.state(), now);
    }

    /// The end of a task is kept, but for one that somebody asked for.
    fn remember_end(&mut self, id: &InstanceId, status: &TaskStatus, now: Now) {
        let Some(instance) = self.instances.get(id) else { return };
        let is_asked = instance.killed.is_asked() || is_of_drain(status);
        if !is_asked || instance.killed.is_asked_for_health() || is_failure(status.state()) {
            self.endings.remember(instance, self.definitions.of(instance), status, now.wall);
        }
    }

    fn note_failure(&mut self, instance: &Instance, status: &TaskStatus, now: Now) {
        let failure = TaskFailure::of(instance, status, now.wall);
        let is_pod = !instance.members.is_empty();
        let termination = is_pod.then(|| Termination::of(instance, &failure.message, now.wall));
        self.definitions.failed(failure, termination);
    }
}

/// True if a task in this state is nowhere any more, or will not be told of again.
fn is_over(state: TaskState) -> bool {
    states::is_terminal(state) || state == TaskState::TaskUnknown
}

/// True if the task was ended because its agent is emptied: it moves, and has not failed.
fn is_of_drain(status: &TaskStatus) -> bool {
    status.state() == TaskState::TaskKilled && status.reason.is_some() && status.reason() == Reason::AgentDraining
}

fn is_failure(state: TaskState) -> bool {
    !matches!(state, TaskState::TaskFinished | TaskState::TaskKilled)
}
