//! Agents an operator takes out of use: deactivated ones get no more offers, draining ones lose their tasks as well.
//!
//! An operator's word about an agent survives its absence and the master's restart.

use mesos::v1::{self, DrainConfig, DrainState, KillPolicy};

use super::agents::{Agent, Agents};
use super::{Action, Core, commands};
use crate::ids::{AgentId, FrameworkId, TaskId};
use crate::memory::Change;
use crate::memory::{Drain, Standing};

/// The time that a task has to end when nobody says otherwise, as the executors have it.
const DEFAULT_GRACE_NANOSECONDS: i64 = 3_000_000_000;

/// Why an operator's wish about an agent is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum StandingRefusal {
    #[error("Unknown agent")]
    NoSuchAgent,
    #[error("Agent is not deactivated")]
    NotDeactivated,
    #[error("Agent {0} is still in the DRAINING state")]
    StillDraining(AgentId),
    #[error("'max_grace_period' is not a valid duration")]
    InvalidGrace,
}

impl Core {
    /// DEACTIVATE_AGENT: no more offers of it; what runs there runs on.
    pub(super) fn deactivate_agent(&mut self, id: &AgentId) -> Result<(), StandingRefusal> {
        self.agents.check_known(id)?;
        let standing = Standing { deactivated: true, ..self.agents.standing(id).cloned().unwrap_or_default() };
        self.set_standing(id, standing);
        Ok(())
    }

    /// REACTIVATE_AGENT: offers again, unless it is still being emptied.
    pub(super) fn reactivate_agent(&mut self, id: &AgentId) -> Result<(), StandingRefusal> {
        let standing = self.agents.standing(id).ok_or(StandingRefusal::NotDeactivated)?;
        if standing.is_draining() {
            return Err(StandingRefusal::StillDraining(id.clone()));
        }
        self.set_standing(id, Standing::default());
        self.allocate_soon();
        Ok(())
    }

    /// DRAIN_AGENT: no more offers, and every task is killed. Once none is left the agent is drained, and gone if that
    /// was asked for.
    pub(super) fn drain_agent(&mut self, id: &AgentId, config: DrainConfig) -> Result<(), StandingRefusal> {
        self.agents.check_known(id)?;
        if config.max_grace_period.is_some_and(|grace| grace.nanoseconds < 0) {
            return Err(StandingRefusal::InvalidGrace);
        }
        tracing::info!(agent = %id, ?config, "draining");
        let drain = Drain { state: DrainState::Draining, config, since: self.now.unix };
        self.set_standing(id, Standing { deactivated: true, drain: Some(drain) });
        self.kill_drained(id);
        self.look_whether_drained(id);
        Ok(())
    }

    fn set_standing(&mut self, id: &AgentId, standing: Standing) {
        self.out.push(Action::Persist(Change::Standing(id.clone(), standing.clone())));
        let deactivated = standing.deactivated;
        self.agents.set_standing(id, standing);
        let connected = self.agents.get(id).is_some_and(Agent::is_connected);
        self.allocator.set_agent_active(id, connected && !deactivated);
        if deactivated {
            self.rescind_offers(|offer| offer.agent == *id);
        }
    }

    /// The agent is back: what was said about it holds.
    pub(super) fn resume_standing(&mut self, id: &AgentId) {
        if self.agents.standing(id).is_some_and(|standing| standing.deactivated) {
            self.allocator.set_agent_active(id, false);
            self.kill_drained(id);
            self.look_whether_drained(id);
        }
    }

    /// Nothing is remembered of an agent that is never seen again.
    pub(super) fn forget_standing(&mut self, id: &AgentId) {
        if self.agents.standing(id).is_some() {
            self.agents.set_standing(id, Standing::default());
            self.out.push(Action::Persist(Change::Standing(id.clone(), Standing::default())));
        }
    }

    /// Asks a draining agent to end what runs there.
    pub(super) fn kill_drained(&mut self, id: &AgentId) {
        let Some(drain) = self.agents.standing(id).and_then(|standing| standing.drain.clone()) else { return };
        if drain.state != DrainState::Draining {
            return;
        }
        for (framework, task) in self.agents.tasks_on(id) {
            let Some(known) = self.frameworks.task(&framework, &task).filter(|task| !task.is_terminal()) else {
                continue;
            };
            let policy = policy_of(&known.definition(), &drain.config);
            self.command_kill(id, &framework, &task, policy);
        }
    }

    pub(super) fn command_kill(
        &mut self,
        agent: &AgentId,
        framework: &FrameworkId,
        task: &TaskId,
        policy: Option<KillPolicy>,
    ) {
        if let Some(agent) = self.agents.get_mut(agent) {
            agent.work_mut().ask_to_kill(framework, task, policy);
        }
        self.command(agent, commands::kill(framework, task, policy));
    }

    /// The last task of a draining agent is over, acknowledged and all.
    pub(super) fn look_whether_drained(&mut self, id: &AgentId) {
        let empty = self.agents.get(id).is_some_and(|agent| agent.work().tasks().is_empty());
        let Some(drain) =
            self.agents.standing(id).filter(|of| empty && of.is_draining()).and_then(|of| of.drain.clone())
        else {
            return;
        };
        tracing::info!(agent = %id, "drained");
        let drained = Drain { state: DrainState::Drained, ..drain.clone() };
        self.set_standing(id, Standing { deactivated: true, drain: Some(drained) });
        if drain.config.mark_gone() {
            // It was looked up a moment ago.
            let _ = self.mark_agent_gone(id);
        }
    }
}

impl Agents {
    fn check_known(&self, id: &AgentId) -> Result<(), StandingRefusal> {
        if self.contains(id) || self.absent().may_return(id) { Ok(()) } else { Err(StandingRefusal::NoSuchAgent) }
    }
}

/// The task's own grace period stands, unless the drain allows less.
fn policy_of(task: &v1::Task, config: &DrainConfig) -> Option<KillPolicy> {
    let allowed = config.max_grace_period?;
    let own = task.kill_policy.and_then(|policy| policy.grace_period);
    let own = own.map_or(DEFAULT_GRACE_NANOSECONDS, |grace| grace.nanoseconds);
    (own > allowed.nanoseconds).then_some(KillPolicy { grace_period: Some(allowed) })
}
