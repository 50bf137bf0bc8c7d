//! The agent's own return: what was written down becomes the books again, and whoever is alive gets time to come back.

use std::collections::BTreeSet;
use std::time::Duration;

use shell::Now;

use super::frameworks::{Executor, State};
use super::life::Life;
use super::{Action, Core, Job, Owner, Timer};
use crate::ids::ExecutorKey;
use crate::log::Recovered;
use crate::strangers::Known;

/// The time that the end of unowned processes may take beyond coming back and shutting down.
const MARGIN: Duration = Duration::from_secs(3);

/// The time between two looks for remains of runs.
const SWEEP_INTERVAL: Duration = Duration::from_secs(300);

impl Core {
    /// Takes in what was written. Must come before anything else.
    pub(crate) fn recover(&mut self, now: Now, recovered: Recovered) {
        self.at(now);
        recovered.agent.into_iter().for_each(|agent| self.link.recover(agent));
        for (id, info) in recovered.frameworks {
            self.frameworks.know(&id, &info);
        }
        for record in recovered.executors {
            let executor = Executor::recover(&record, now.elapsed, &self.settings.timeouts);
            executor.into_iter().for_each(|executor| self.frameworks.add(&record.framework(), executor));
        }
        for record in recovered.tasks {
            self.frameworks.recover_task(record);
        }
        for (key, number, record) in recovered.updates {
            self.updates.recover(&key, number, record);
        }
        self.frameworks.recall(|key| self.updates.oldest(key));
        for record in recovered.pools {
            self.pools(|pools, around| pools.expect(around, &record));
        }
        self.abandon_unsaved();
        self.resume_executors();
        for framework in self.pools.ids() {
            self.pool_may_be_idle(&framework);
        }
        self.sweep();
        let until = now.elapsed + self.settings.timeouts.executor_reregistration;
        self.life = Life::Recovering { until };
        self.out.look_at(until, Timer::Recovery);
    }

    /// Clears away what is not in the books. Without a record of its former life the agent cannot tell remains from
    /// what nobody remembers: that gets time.
    fn sweep(&mut self) {
        let runs = self.live_runs();
        if self.link.id().is_some() {
            self.out.act(Job::Sweep(runs.clone()));
        }
        let timeouts = &self.settings.timeouts;
        let patience = timeouts.executor_reregistration + timeouts.executor_shutdown_grace + MARGIN;
        // Not before the strangers have had their time.
        self.out.look_at(self.now.elapsed + patience + SWEEP_INTERVAL, Timer::Sweep);
        self.out.act(Job::EndStrangers(Known { runs, pools: self.pools.names().collect() }, patience));
    }

    /// Clears away what could not be when its run ended: a plugin failed, a daemon was away, a disk was full.
    pub(super) fn sweep_again(&mut self) {
        if !self.life.is_stopping() {
            self.out.act(Job::Sweep(self.live_runs()));
            self.out.look_at(self.now.elapsed + SWEEP_INTERVAL, Timer::Sweep);
        }
    }

    fn live_runs(&self) -> BTreeSet<String> {
        let live = self.frameworks.executors().filter(|executor| executor.is_live());
        live.map(|executor| executor.container().value.clone()).collect()
    }

    /// Frameworks that do not checkpoint do not expect anything to survive the agent.
    fn abandon_unsaved(&mut self) {
        let unsaved = self.frameworks.live().filter(|framework| !framework.info().checkpoint());
        for id in unsaved.map(|framework| framework.id().clone()).collect::<Vec<_>>() {
            self.shutdown_framework(&id);
            for key in self.frameworks.keys_of(&id) {
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
        for id in self.frameworks.ids() {
            for key in self.frameworks.keys_of(&id) {
                self.resume_executor(&key);
            }
            if self.frameworks.has_pooled_executors(&id) && !self.pools.contains(&id) {
                self.pools(|pools, around| pools.need(around, &id));
            }
            self.complete_framework_if_done(&id);
        }
    }

    fn resume_executor(&mut self, key: &ExecutorKey) {
        self.complete_executor_if_done(key);
        let Some(executor) = self.frameworks.executor(key).filter(|executor| executor.is_live()) else { return };
        let (process, container) = (executor.hosting().process(), executor.container().clone());
        match executor.state() {
            State::Provisioning | State::Preparing { .. } => return self.provision(key),
            State::Registering { until } | State::Terminating { until, .. } => {
                // One of an agent that knew of no cgroups gets one, for what it starts from now on.
                self.limit(key);
                self.out.look_at(until, Timer::Executor(key.clone()));
            }
            State::Running | State::Terminated => {}
        }
        self.provision_queued(key);
        if let Some(process) = process {
            self.out.act(Action::Watch(Owner::Executor(key.clone(), container), process));
        }
    }

    /// Ends recovery early when no executor is missing.
    pub(super) fn go_on_recovering(&mut self) {
        let missing = |executor: &Executor| executor.is_started() && executor.stream().is_none();
        if self.life.is_recovering() && !self.frameworks.executors().any(missing) {
            self.finish_recovery();
        }
    }

    /// From here on the agent speaks to its master. Pools that are still missing are started by their own timers.
    pub(super) fn finish_recovery(&mut self) {
        self.life.run();
        self.recovery = self.now.elapsed.saturating_sub(self.started.elapsed);
        self.link_name();
        self.out.act(Action::Register);
    }
}
