//! The operator API's calls that change something, or that the core alone can answer. What is answered from a snapshot,
//! by this process or by the machine is not asked here.

use mesos::v1;
use mesos::v1::master::{Call, Response, call, response};

use super::agent_removal::NoSuchAgent;
use super::drain::StandingRefusal;
use super::framework_removal::NoSuchFramework;
use super::{Core, status};
use shell::Now;

/// Why an operator's call is refused, each with the status it is answered with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OperatorRefusal {
    #[error("No framework found with specified ID")]
    NoSuchFramework,
    #[error("Agent '{0}' not found")]
    NoSuchAgent(v1::AgentId),
    #[error(transparent)]
    Standing(#[from] StandingRefusal),
    #[error("{0}")]
    Weights(String),
    #[error("{call} is not supported: this master knows no {what}")]
    NotSupported { call: &'static str, what: &'static str },
    #[error("{0} is not implemented")]
    NotImplemented(&'static str),
}

impl Core {
    /// Carries a valid call out; some are answered with nothing but success.
    pub(crate) fn operate(&mut self, now: Now, call: Call) -> Result<Option<Response>, OperatorRefusal> {
        self.now = now;
        use call::Type;
        match call.r#type() {
            Type::Teardown => self.operate_teardown(call)?,
            Type::MarkAgentGone => self.operate_mark_gone(call)?,
            Type::DeactivateAgent => self.deactivate_agent(now, &call.deactivate_agent.unwrap_or_default().agent_id)?,
            Type::ReactivateAgent => self.reactivate_agent(now, &call.reactivate_agent.unwrap_or_default().agent_id)?,
            Type::DrainAgent => self.operate_drain(call.drain_agent.unwrap_or_default())?,
            Type::UpdateWeights => {
                let infos = call.update_weights.unwrap_or_default().weight_infos;
                self.update_weights(now, &infos).map_err(OperatorRefusal::Weights)?;
            }
            kind => return self.look_up(kind).map(Some),
        }
        Ok(None)
    }

    fn operate_teardown(&mut self, call: Call) -> Result<(), OperatorRefusal> {
        let id = call.teardown.unwrap_or_default().framework_id;
        self.teardown(self.now, &id).map_err(|NoSuchFramework| OperatorRefusal::NoSuchFramework)
    }

    fn operate_mark_gone(&mut self, call: Call) -> Result<(), OperatorRefusal> {
        let id = call.mark_agent_gone.unwrap_or_default().agent_id;
        self.mark_agent_gone(self.now, &id).map_err(|NoSuchAgent| OperatorRefusal::NoSuchAgent(id))
    }

    fn operate_drain(&mut self, drain: call::DrainAgent) -> Result<(), OperatorRefusal> {
        let grace = drain.max_grace_period.map(|grace| {
            let seconds = grace.seconds().saturating_mul(1_000_000_000);
            v1::DurationInfo { nanoseconds: seconds.saturating_add(grace.nanos().into()) }
        });
        let config = v1::DrainConfig { max_grace_period: grace, mark_gone: Some(drain.mark_gone()) };
        Ok(self.drain_agent(self.now, &drain.agent_id, config)?)
    }

    fn look_up(&self, kind: call::Type) -> Result<Response, OperatorRefusal> {
        use response::Type;
        let of = |kind: Type| Response { r#type: Some(kind.into()), ..Response::default() };
        Ok(match kind {
            call::Type::GetFlags => Response { get_flags: Some(self.get_flags()), ..of(Type::GetFlags) },
            call::Type::GetMaster => Response { get_master: Some(self.get_master()), ..of(Type::GetMaster) },
            call::Type::GetWeights => {
                // While nobody has set any, there is nothing to get.
                let get_weights = Some(response::GetWeights { weight_infos: self.weights() });
                let get_weights = get_weights.filter(|weights| !weights.weight_infos.is_empty());
                Response { get_weights, ..of(Type::GetWeights) }
            }
            call::Type::GetOperations => {
                Response { get_operations: Some(response::GetOperations {}), ..of(Type::GetOperations) }
            }
            call::Type::GetQuota => Response { get_quota: Some(response::GetQuota::default()), ..of(Type::GetQuota) },
            call::Type::GetMaintenanceStatus => {
                let get_maintenance_status = Some(response::GetMaintenanceStatus::default());
                Response { get_maintenance_status, ..of(Type::GetMaintenanceStatus) }
            }
            call::Type::GetMaintenanceSchedule => {
                let get_maintenance_schedule = Some(response::GetMaintenanceSchedule::default());
                Response { get_maintenance_schedule, ..of(Type::GetMaintenanceSchedule) }
            }
            kind => return Err(refusal(kind)),
        })
    }

    fn get_flags(&self) -> response::GetFlags {
        let flag = |(name, value): (&String, &String)| v1::Flag { name: name.clone(), value: Some(value.clone()) };
        response::GetFlags { flags: self.settings.flags.iter().map(flag).collect() }
    }

    fn get_master(&self) -> response::GetMaster {
        let started = status::seconds(self.identity.started);
        let master_info = Some(self.master_info());
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
