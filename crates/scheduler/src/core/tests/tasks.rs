//! The master and the agents of a world: offers, and what becomes of the tasks on them.

use super::*;

impl World {
    /// Takes the calls of this type that were made since.
    pub(super) fn take(&mut self, kind: call::Type) -> Vec<Call> {
        let (taken, rest) = std::mem::take(&mut self.calls).into_iter().partition(|call| call.r#type() == kind);
        self.calls = rest;
        taken
    }

    /// The operations on these offers.
    pub(super) fn operations(&mut self, offers: &[Offer]) -> impl Iterator<Item = Operation> + use<> {
        self.take(call::Type::Accept);
        self.tell(|core, now| core.offers(offers, now));
        let accepts = self.take(call::Type::Accept).into_iter().filter_map(|call| call.accept);
        accepts.flat_map(|accept| accept.operations)
    }

    /// The tasks that are launched on these offers.
    pub(super) fn offer_these(&mut self, offers: &[Offer]) -> Vec<TaskInfo> {
        let launches = self.operations(offers).filter_map(|operation| operation.launch);
        launches.flat_map(|launch| launch.task_infos).collect()
    }

    /// A large offer, and what is launched on it.
    pub(super) fn offer(&mut self) -> Vec<TaskInfo> {
        self.offer_these(&[large_offer()])
    }

    /// The same; the ids of the tasks.
    pub(super) fn launch(&mut self) -> Vec<String> {
        self.offer().into_iter().map(|task| task.task_id.value).collect()
    }

    /// The tasks that were told to end since.
    pub(super) fn killed(&mut self) -> Vec<String> {
        self.take(call::Type::Kill).into_iter().filter_map(|call| Some(call.kill?.task_id.value)).collect()
    }

    /// Ends every task that was told to end since.
    pub(super) fn bury(&mut self) -> Vec<String> {
        let tasks = self.killed();
        tasks.iter().for_each(|task| self.update(task, TaskState::TaskKilled, None));
        tasks
    }

    /// Lets everything happen that can.
    pub(super) fn run(&mut self) {
        while self.bring_up().len() + self.bury().len() > 0 {}
    }

    pub(super) fn update(&mut self, task: &str, state: TaskState, healthy: Option<bool>) {
        let mut status = status(task, state);
        if let Some(healthy) = healthy {
            status.healthy = Some(healthy);
            status.reason = (state == TaskState::TaskRunning).then(|| Reason::TaskHealthCheckStatusUpdated.into());
        }
        self.tell(|core, now| core.update(&status, now));
    }

    /// An executor of ours reports these results of a task's checks.
    pub(super) fn results(&mut self, task: &str, checks: Vec<HealthCheckResult>) {
        let health = TaskHealth { checks, ..TaskHealth::default() };
        let status = TaskStatus { health: Some(health), ..status(task, TaskState::TaskRunning) };
        self.tell(|core, now| core.update(&status, now));
    }

    /// A scheduler-level check found something.
    pub(super) fn find(&mut self, start: &CheckStart, success: bool, verdict: Option<VerdictEvent>) {
        self.tell(|core, now| core.checked(&found(start, success, verdict), now));
    }

    /// Launches what waits, and lets it run; healthy, if it has a check.
    pub(super) fn bring_up(&mut self) -> Vec<String> {
        let tasks = self.launch();
        for task in &tasks {
            self.update(task, TaskState::TaskStarting, None);
            self.update(task, TaskState::TaskRunning, None);
            self.update(task, TaskState::TaskRunning, Some(true));
        }
        tasks
    }
}

/// The finding of one attempt of a check.
pub(super) fn found(start: &CheckStart, success: bool, verdict: Option<VerdictEvent>) -> Finding {
    Finding {
        instance: start.instance.clone(),
        incarnation: start.incarnation,
        index: start.index,
        verdict,
        success,
        failure: !success,
        status: None,
        attempt: attempt("404 Not Found", 0),
        state: VerdictState::default(),
        said: None,
    }
}

/// An attempt that ended so many seconds after 1970.
pub(super) fn attempt(cause: &str, seconds: i64) -> Attempt {
    let result = HealthCheckResult {
        reported_at: Some(seconds as f64),
        kind: Some("status".into()),
        cause: Some(cause.into()),
        ..HealthCheckResult::default()
    };
    Attempt::told(&result, Timestamp::from_millis(seconds * 1000)).unwrap()
}

/// The result of an executor's check; none: it has found nothing yet.
pub(super) fn result(healthy: Option<bool>) -> HealthCheckResult {
    let verdict = match healthy {
        None => task_health::Verdict::Unknown,
        Some(true) => task_health::Verdict::Healthy,
        Some(false) => task_health::Verdict::Unhealthy,
    };
    HealthCheckResult {
        verdict: Some(verdict.into()),
        consecutive_failures: Some(u32::from(healthy == Some(false))),
        cause: Some("connection refused".into()),
        ..HealthCheckResult::default()
    }
}

pub(super) fn large_offer() -> Offer {
    let [cpus, mem] = [Resource::scalar("cpus", 100.0), Resource::scalar("mem", 10_000.0)];
    let resources = vec![cpus, mem, Resource::ports(31000..=32000)];
    Offer { agent_id: "agent".into(), hostname: "127.0.0.1".into(), resources, ..Offer::default() }
}

pub(super) fn status(task: &str, state: TaskState) -> TaskStatus {
    TaskStatus {
        task_id: task.into(),
        state: state.into(),
        agent_id: Some("agent".into()),
        uuid: Some(vec![0; 16]),
        message: Some("said so".into()),
        ..TaskStatus::default()
    }
}
