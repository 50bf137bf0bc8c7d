//! The operator API's calls, except SUBSCRIBE.

use mesos::v1;
use mesos::v1::master::{Call, Response, call, response};

use super::Core;
use super::agent_removal::NoSuchAgent;
use super::framework_removal::NoSuchFramework;
use crate::now::Now;
use crate::version;

/// Why an operator's call is refused, each with the status it is answered with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OperatorRefusal {
    #[error("No framework found with ID {0}")]
    NoSuchFramework(v1::FrameworkId),
    #[error("Agent {0} not found")]
    NoSuchAgent(v1::AgentId),
    #[error("{0} is not implemented")]
    NotImplemented(&'static str),
}

impl Core {
    /// Carries a valid call out; some are answered with nothing but success.
    pub(crate) fn operate(&mut self, now: Now, call: Call) -> Result<Option<Response>, OperatorRefusal> {
        self.now = now;
        match call.r#type() {
            call::Type::Teardown => self.operate_teardown(call).map(|()| None),
            call::Type::MarkAgentGone => self.operate_mark_gone(call).map(|()| None),
            _ => self.look_up(&call).map(Some),
        }
    }

    fn operate_teardown(&mut self, call: Call) -> Result<(), OperatorRefusal> {
        let id = call.teardown.unwrap_or_default().framework_id;
        self.teardown(self.now, &id).map_err(|NoSuchFramework| OperatorRefusal::NoSuchFramework(id))
    }

    fn operate_mark_gone(&mut self, call: Call) -> Result<(), OperatorRefusal> {
        let id = call.mark_agent_gone.unwrap_or_default().agent_id;
        self.mark_agent_gone(self.now, &id).map_err(|NoSuchAgent| OperatorRefusal::NoSuchAgent(id))
    }

    fn look_up(&self, call: &Call) -> Result<Response, OperatorRefusal> {
        use response::Type;
        let of = |kind: Type| Response { r#type: Some(kind.into()), ..Response::default() };
        Ok(match call.r#type() {
            call::Type::GetHealth => {
                Response { get_health: Some(response::GetHealth { healthy: true }), ..of(Type::GetHealth) }
            }
            call::Type::GetVersion => Response { get_version: Some(get_version()), ..of(Type::GetVersion) },
            call::Type::GetFlags => Response { get_flags: Some(self.get_flags()), ..of(Type::GetFlags) },
            call::Type::GetMetrics => Response { get_metrics: Some(self.get_metrics()), ..of(Type::GetMetrics) },
            call::Type::GetLoggingLevel => {
                let get_logging_level = Some(response::GetLoggingLevel { level: 0 });
                Response { get_logging_level, ..of(Type::GetLoggingLevel) }
            }
            call::Type::GetMaster => Response { get_master: Some(self.get_master()), ..of(Type::GetMaster) },
            call::Type::GetAgents => Response { get_agents: Some(self.get_agents()), ..of(Type::GetAgents) },
            call::Type::GetFrameworks => {
                Response { get_frameworks: Some(self.get_frameworks()), ..of(Type::GetFrameworks) }
            }
            call::Type::GetExecutors => {
                Response { get_executors: Some(self.get_executors()), ..of(Type::GetExecutors) }
            }
            call::Type::GetTasks => Response { get_tasks: Some(self.get_tasks()), ..of(Type::GetTasks) },
            call::Type::GetState => Response { get_state: Some(self.get_state()), ..of(Type::GetState) },
            call::Type::GetRoles => Response { get_roles: Some(self.get_roles()), ..of(Type::GetRoles) },
            kind => return Err(OperatorRefusal::NotImplemented(kind.as_str_name())),
        })
    }

    fn get_flags(&self) -> response::GetFlags {
        let flag = |(name, value): (&String, &String)| v1::Flag { name: name.clone(), value: Some(value.clone()) };
        response::GetFlags { flags: self.settings.flags.iter().map(flag).collect() }
    }

    fn get_metrics(&self) -> response::GetMetrics {
        let metric = |(name, value)| v1::Metric { name, value: Some(value) };
        response::GetMetrics { metrics: self.metrics().into_iter().map(metric).collect() }
    }
}

fn get_version() -> response::GetVersion {
    response::GetVersion { version_info: version::info() }
}
