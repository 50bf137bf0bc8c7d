//! The agent's own return: what was written down becomes the books again, and whoever is alive gets time to come back.

use std::collections::BTreeSet;
use std::time::Duration;

use mesos::states::is_terminal;
use mesos::v1::FrameworkId;

use super::executor::{Executor, Hosting, State};
use super::framework::Framework;
use super::task::Task;
use super::{Action, Core, Job, Owner, Phase, Timer};
use crate::ids::{ExecutorKey, TaskKey};
use crate::log::{ExecutorRecord, Recovered, TaskRecord};
use crate::processes::Known;
use shell::Now;

/// The time that the end of unowned processes may take beyond coming back and shutting down.
const MARGIN: Duration = Duration::from_secs(3);

impl Core {
    /// Takes in what was written. Must come before anything else.
    pub(crate) fn recover(&mut self, now: Now, recovered: Recovered) {
        self.now = now;
        if let Some(agent) = recovered.agent {
            self.registered_time = Some(agent.registered_time);
            self.agent_id = agent.id;
        }
        for (id, info) in recovered.frameworks {
            self.frameworks.insert(id.clone(), Framework::new(id, info));
        }
        for record in recovered.executors {
            self.recover_executor(&record);
        }
        for record in recovered.tasks {
            self.recover_task(record);
        }
        for (key, number, record) in recovered.updates {
            self.updates.recover(&key, number, record);
        }
        self.recall_what_was_heard();
        for pool in recovered.pools {
            self.expect_pool(&pool);
        }
        self.abandon_unsaved();
        self.resume_executors();
        for framework in self.pools.keys().cloned().collect::<Vec<_>>() {
            self.pool_may_be_idle(&framework);
        }
        self.sweep();
        self.meet_strangers();
        let until = now.elapsed + self.settings.executor_reregistration_timeout;
        self.phase = Phase::Recovering { until };
        self.look_at(until, Timer::Recovery);
    }

    /// Without a record of its former life the agent cannot tell remains from what nobody remembers: that gets time.
    fn sweep(&mut self) {
        if self.agent_id.is_some() {
            let live = self.live_runs();
            self.act(Job::Sweep(live));
        }
    }

    fn meet_strangers(&mut self) {
        let settings = &self.settings;
        let patience = settings.executor_reregistration_timeout + settings.executor_shutdown_grace_period + MARGIN;
        let pools = self.pools.values().map(|pool| pool.id().to_owned()).collect();
        let known = Known { runs: self.live_runs(), pools };
        self.act(Job::EndStrangers(known, patience));
    }

    fn live_runs(&self) -> BTreeSet<String> {
        let executors = self.frameworks.values().flat_map(|framework| framework.executors.values());
        executors.filter(|executor| executor.is_live()).map(|executor| executor.container.value.clone()).collect()
    }

    fn recover_executor(&mut self, record: &ExecutorRecord) {
        let now = self.now.elapsed;
        let settings = &self.settings;
        let Some(info) = record.info.clone() else { return };
        let Some(framework) = self.frameworks.get_mut(record.framework()) else { return };
        let hosting = match Hosting::of(&info, record.generated) {
            Hosting::Pool => Hosting::Pool,
            Hosting::Process(_) => Hosting::Process(record.process.map(Into::into)),
        };
        let patience = match hosting {
            _ if record.preparing => settings.executor_registration_timeout,
            Hosting::Pool => settings.executor_registration_timeout,
            Hosting::Process(_) => settings.executor_reregistration_timeout,
        };
        let mut executor = Executor {
            generated: record.generated,
            container: record.container(),
            directory: record.directory.clone().into(),
            hosting,
            state: State::Registering { until: now + patience },
            fresh: false,
            stream: None,
            queued: Vec::new(),
            launched: Default::default(),
            terminated: Default::default(),
            completed: Default::default(),
            kills: Default::default(),
            loss: (hosting != Hosting::Pool && !record.preparing).then(Executor::not_back),
            info,
        };
        if record.preparing {
            executor.state = State::Preparing { until: now + patience };
        }
        if record.terminating {
            let until = now + executor.grace(settings.executor_shutdown_grace_period);
            executor.state = State::Terminating { until, killed: false };
        }
        if record.terminated {
            executor.state = State::Terminated;
        }
        framework.executors.insert(executor.info.executor_id.clone(), executor);
    }

    fn recover_task(&mut self, record: TaskRecord) {
        let (Some(info), Some(wire)) = (record.info, record.task) else { return };
        let Some(framework) = self.frameworks.get_mut(&wire.framework_id) else { return };
        let mut executors = framework.executors.values_mut();
        let Some(executor) = executors.find(|executor| executor.container.value == record.container) else { return };
        let id = info.task_id.clone();
        framework.tasks.insert(id.clone(), executor.info.executor_id.clone());
        let task = Task { info, wire, group: record.group };
        match (is_terminal(task.state()), record.launched) {
            (true, _) => drop(executor.terminated.insert(id, task)),
            (false, true) => drop(executor.launched.insert(id, task)),
            (false, false) => executor.queued.push(task),
        }
    }

    /// How far each framework has heard is not written down by itself: to what waits for it, or else to the last status.
    fn recall_what_was_heard(&mut self) {
        for framework in self.frameworks.values_mut() {
            for (task, executor) in &framework.tasks {
                let key = TaskKey { framework: framework.id.clone(), task: task.clone() };
                let Some(executor) = framework.executors.get_mut(executor) else { continue };
                executor.change_task(task, |task| task.heard(self.updates.oldest(&key)));
            }
        }
    }

    /// Frameworks that do not checkpoint do not expect anything to survive the agent.
    fn abandon_unsaved(&mut self) {
        let unsaved = self.frameworks.values().filter(|framework| !framework.info.checkpoint());
        for id in unsaved.map(|framework| framework.id.clone()).collect::<Vec<_>>() {
            self.shutdown_framework(&id);
            for key in self.executors_of(&id) {
                self.kill_executor(&key);
                self.executor_terminated(&key, None);
                // One that was over before has not been completed by that.
                self.complete_executor_if_done(&key);
            }
            self.complete_framework_if_done(&id);
        }
    }

    /// Watches over everyone who may come back.
    fn resume_executors(&mut self) {
        for id in self.frameworks.keys().cloned().collect::<Vec<_>>() {
            for key in self.executors_of(&id) {
                self.resume_executor(&key);
            }
            if self.frameworks.get(&id).is_some_and(Framework::has_pooled_executors) && !self.pools.contains_key(&id) {
                self.need_pool(&id);
            }
            self.complete_framework_if_done(&id);
        }
    }

    fn resume_executor(&mut self, key: &ExecutorKey) {
        self.complete_executor_if_done(key);
        let Some(executor) = self.executor(key).filter(|executor| executor.is_live()) else { return };
        let (hosting, container) = (executor.hosting, executor.container.clone());
        match executor.state {
            State::Preparing { .. } => self.prepare(key),
            State::Registering { until } | State::Terminating { until, .. } => {
                self.look_at(until, Timer::Executor(key.clone()));
            }
            State::Running | State::Terminated => {}
        }
        if let Hosting::Process(Some(process)) = hosting {
            self.act(Action::Watch(Owner::Executor(key.clone(), container), process));
        }
    }

    pub(super) fn executors_of(&self, framework: &FrameworkId) -> Vec<ExecutorKey> {
        let executors = self.frameworks.get(framework).into_iter().flat_map(|known| known.executors.keys());
        executors.map(|executor| ExecutorKey { framework: framework.clone(), executor: executor.clone() }).collect()
    }

    /// Recovery is over early when nobody is missing.
    pub(super) fn go_on_recovering(&mut self) {
        if !self.is_recovering() {
            return;
        }
        let mut executors = self.frameworks.values().flat_map(|framework| framework.executors.values());
        if executors.all(|executor| !executor.is_started() || executor.stream.is_some()) {
            self.finish_recovery();
        }
    }

    /// From here on the agent speaks to its master. Pools that are still missing are started by their own timers.
    pub(super) fn finish_recovery(&mut self) {
        self.phase = Phase::Running;
        self.counters.recovery = self.now.elapsed.saturating_sub(self.started.elapsed);
        if let Some(id) = self.agent_id.clone() {
            self.act(Job::LinkName(id));
        }
        self.act(Action::Register);
    }
}
