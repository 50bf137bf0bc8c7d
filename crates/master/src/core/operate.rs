//! The operator API's calls that change something, or that the core alone can answer. What is answered from a snapshot,
//! by this process or by the machine is not asked here.

use mesos::v1;
use mesos::v1::master::call::{self, Content};
use mesos::v1::master::{Response, response};

use super::drain::StandingRefusal;
use super::weights::WeightRefusal;
use super::{Core, status};
use shell::Now;

/// Why an operator's call is refused, each with the status it is answered with.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(crate) enum OperatorRefusal {
    #[error("No framework found with specified ID")]
    NoSuchFramework,
    #[error("Agent '{0}' not found")]
    NoSuchAgent(v1::AgentId),
    #[error(transparent)]
    Standing(#[from] StandingRefusal),
    #[error(transparent)]
    Weights(#[from] WeightRefusal),
    #[error("{call} is not supported: this master knows no {what}")]
    NotSupported { call: &'static str, what: &'static str },
    #[error("{0} is not implemented")]
    NotImplemented(&'static str),
}

impl Core {
    /// Carries a valid call out; some are answered with nothing but success.
    pub(crate) fn operate(&mut self, now: Now, call: Content) -> Result<Option<Response>, OperatorRefusal> {
        self.now = now;
        match call {
            Content::Teardown(of) => self.teardown(&of.framework_id)?,
            Content::MarkAgentGone(of) => self.mark_agent_gone(&of.agent_id)?,
            Content::DeactivateAgent(of) => self.deactivate_agent(&of.agent_id)?,
            Content::ReactivateAgent(of) => self.reactivate_agent(&of.agent_id)?,
            Content::DrainAgent(drain) => self.operate_drain(drain)?,
            Content::UpdateWeights(update) => self.update_weights(&update.weight_infos)?,
            call => return self.look_up(call.kind()).map(Some),
        }
        Ok(None)
    }

    fn operate_drain(&mut self, drain: call::DrainAgent) -> Result<(), OperatorRefusal> {
        let grace = drain.max_grace_period.map(|grace| {
            let seconds = grace.seconds().saturating_mul(1_000_000_000);
            v1::DurationInfo { nanoseconds: seconds.saturating_add(grace.nanos().into()) }
        });
        let config = v1::DrainConfig { max_grace_period: grace, mark_gone: Some(drain.mark_gone()) };
        Ok(self.drain_agent(&drain.agent_id, config)?)
    }

    fn look_up(&self, kind: call::Type) -> Result<Response, OperatorRefusal> {
        Ok(match kind {
            call::Type::GetFlags => Response::get_flags(self.get_flags()),
            call::Type::GetMaster => Response::get_master(self.get_master()),
            call::Type::GetWeights => {
                // While nobody has set any, there is nothing to get.
                let weights = response::GetWeights { weight_infos: self.weights() };
                Response::get_weights(Some(weights).filter(|weights| !weights.weight_infos.is_empty()))
            }
            call::Type::GetOperations => Response::get_operations(response::GetOperations {}),
            call::Type::GetQuota => Response::get_quota(response::GetQuota::default()),
            call::Type::GetMaintenanceStatus => {
                Response::get_maintenance_status(response::GetMaintenanceStatus::default())
            }
            call::Type::GetMaintenanceSchedule => {
                Response::get_maintenance_schedule(response::GetMaintenanceSchedule::default())
            }
            kind => return Err(refusal(kind)),
        })
    }

    fn get_flags(&self) -> response::GetFlags {
        let flag = |(name, value): (&String, &String)| v1::Flag { name: name.clone(), value: Some(value.clone()) };
        response::GetFlags { flags: self.identity.flags.iter().map(flag).collect() }
    }

    fn get_master(&self) -> response::GetMaster {
        let started = status::seconds(self.identity.started);
        let master_info = Some(self.identity.master_info());
        response::GetMaster { master_info, start_time: Some(started), elected_time: Some(started) }
    }
}

/// A call that nobody answers, named with what it would need.
fn refusal(kind: call::Type) -> OperatorRefusal {
    use call::Type;
    let what = match kind {
        Type::ReserveResources | Type::UnreserveResources => "dynamic reservations",
        Type::CreateVolumes | Type::DestroyVolumes | Type::GrowVolume | Type::ShrinkVolume => "persistent volumes",
        Type::UpdateMaintenanceSchedule | Type::StartMaintenance | Type::StopMaintenance => "maintenance windows",
        Type::UpdateQuota | Type::SetQuota | Type::RemoveQuota => "quota",
        _ => return OperatorRefusal::NotImplemented(kind.as_str_name()),
    };
    OperatorRefusal::NotSupported { call: kind.as_str_name(), what }
}
