//! Calls of the four APIs: whether everything is there that a call of its type needs. In: calls. Out: what is missing,
//! in the words of the answer's body.

use std::ops::RangeInclusive;

use super::{Invalid, Verdict, check_status, ensure, known};
use crate::v1::{FrameworkId, FrameworkInfo, TaskState, agent, executor, master, scheduler, task_status};

/// Raw bytes of a UUID.
const UUID_BYTES: usize = 16;

/// Which of them has its version in its upper half.
const VERSION_BYTE: usize = 6;

/// The versions that Mesos knows.
const VERSIONS: RangeInclusive<u8> = 1..=5;

/// The part of a call that its type needs, or an error naming it.
macro_rules! part {
    ($call:ident . $part:ident) => {
        $call.$part.as_ref().ok_or_else(|| Invalid::new(concat!("Expecting '", stringify!($part), "' to be present")))
    };
}

/// A call of the scheduler API.
pub fn scheduler_call(call: &scheduler::Call) -> Verdict {
    of_scheduler(call).map_err(|invalid| invalid.within("Failed to validate scheduler::Call"))
}

/// A call of the executor API.
pub fn executor_call(call: &executor::Call) -> Verdict {
    of_executor(call).map_err(|invalid| invalid.within("Failed to validate Executor::Call"))
}

/// A call of the master's operator API.
pub fn master_call(call: &master::Call) -> Verdict {
    of_master(call).map_err(|invalid| invalid.within("Failed to validate master::Call"))
}

/// A call of the agent's operator API.
pub fn agent_call(call: &agent::Call) -> Verdict {
    of_agent(call).map_err(|invalid| invalid.within("Failed to validate agent::Call"))
}

fn typed<T: TryFrom<i32>>(value: Option<i32>) -> Result<T, Invalid> {
    known(value).ok_or_else(|| Invalid::new("Expecting 'type' to be present"))
}

/// Whether a SUBSCRIBE comes from the principal that it names, if somebody was authenticated and it names one.
pub fn scheduler_principal(call: &scheduler::Call, authenticated: Option<&str>) -> Verdict {
    let named = call.subscribe.as_ref().and_then(|subscribe| subscribe.framework_info.principal.as_deref());
    let same = authenticated.is_none() || named.is_none() || authenticated == named;
    let (authenticated, named) = (authenticated.unwrap_or_default(), named.unwrap_or_default());
    let differs = || {
        format!("Authenticated principal '{authenticated}' does not match principal '{named}' set in `FrameworkInfo`")
    };
    ensure(same, differs).map_err(|invalid| invalid.within("Failed to validate scheduler::Call"))
}

fn uuid(bytes: &[u8]) -> Verdict {
    let version = bytes.get(VERSION_BYTE).map(|byte| byte >> 4);
    let valid = bytes.len() == UUID_BYTES && version.is_some_and(|version| VERSIONS.contains(&version));
    ensure(valid, || "Not a valid UUID".to_owned())
}

fn of_scheduler(call: &scheduler::Call) -> Verdict {
    use scheduler::call::Type;
    let kind = typed::<Type>(call.r#type)?;
    if kind == Type::Subscribe {
        return same_framework(call, "subscribe", &part!(call.subscribe)?.framework_info);
    }
    part!(call.framework_id)?;
    match kind {
        Type::Accept => part!(call.accept).map(drop),
        Type::Decline => part!(call.decline).map(drop),
        Type::AcceptInverseOffers => part!(call.accept_inverse_offers).map(drop),
        Type::DeclineInverseOffers => part!(call.decline_inverse_offers).map(drop),
        Type::Kill => part!(call.kill).map(drop),
        Type::Shutdown => part!(call.shutdown).map(drop),
        Type::Acknowledge => uuid(&part!(call.acknowledge)?.uuid),
        Type::Reconcile => part!(call.reconcile).map(drop),
        Type::Message => part!(call.message).map(drop),
        Type::Request => part!(call.request).map(drop),
        Type::UpdateFramework => {
            same_framework(call, "update_framework", &part!(call.update_framework)?.framework_info)
        }
        Type::Teardown | Type::Revive | Type::Suppress | Type::Unknown | Type::Subscribe => Ok(()),
        // Operation feedback: whoever takes these calls has to look at them.
        Type::AcknowledgeOperationStatus | Type::ReconcileOperations => Ok(()),
    }
}

/// No id and an empty one are the same.
fn same_framework(call: &scheduler::Call, part: &str, info: &FrameworkInfo) -> Verdict {
    let value = |id: &Option<FrameworkId>| id.as_ref().map_or_else(String::new, |id| id.value.clone());
    ensure(value(&info.id) == value(&call.framework_id), || {
        format!("'framework_id' differs from '{part}.framework_info.id'")
    })
}

fn of_executor(call: &executor::Call) -> Verdict {
    use executor::call::Type;
    match typed::<Type>(call.r#type)? {
        Type::Subscribe => part!(call.subscribe).map(drop),
        Type::Update => update(call, part!(call.update)?),
        Type::Message => part!(call.message).map(drop),
        Type::Heartbeat | Type::Unknown => Ok(()),
    }
}

fn update(call: &executor::Call, update: &executor::call::Update) -> Verdict {
    let (status, sender) = (&update.status, &call.executor_id);
    uuid(part!(status.uuid)?)?;
    if let Some(id) = status.executor_id.as_ref().filter(|id| *id != sender) {
        let message = format!("ExecutorID in Call: {sender} does not match ExecutorID in TaskStatus: {id}");
        return Err(Invalid(message));
    }
    let who = || format!("executor {sender} of framework {}", call.framework_id);
    ensure(known(status.source) == Some(task_status::Source::Executor), || {
        format!("Received Call from {} with invalid source, expecting 'SOURCE_EXECUTOR'", who())
    })?;
    ensure(status.state() != TaskState::TaskStaging, || {
        format!("Received TASK_STAGING from {} which is not allowed", who())
    })?;
    status.check_status.as_ref().map_or(Ok(()), check_status)
}

fn of_master(call: &master::Call) -> Verdict {
    use master::call::Type;
    match typed::<Type>(call.r#type)? {
        Type::GetMetrics => part!(call.get_metrics).map(drop),
        Type::SetLoggingLevel => part!(call.set_logging_level).map(drop),
        Type::ListFiles => part!(call.list_files).map(drop),
        Type::ReadFile => part!(call.read_file).map(drop),
        Type::UpdateWeights => part!(call.update_weights).map(drop),
        Type::Teardown => part!(call.teardown).map(drop),
        Type::MarkAgentGone => part!(call.mark_agent_gone).map(drop),
        Type::DrainAgent => part!(call.drain_agent).map(drop),
        Type::DeactivateAgent => part!(call.deactivate_agent).map(drop),
        Type::ReactivateAgent => part!(call.reactivate_agent).map(drop),
        // The rest needs nothing, or is not taken at all.
        _ => Ok(()),
    }
}

fn of_agent(call: &agent::Call) -> Verdict {
    use agent::call::Type;
    match typed::<Type>(call.r#type)? {
        Type::GetMetrics => part!(call.get_metrics).map(drop),
        Type::SetLoggingLevel => part!(call.set_logging_level).map(drop),
        Type::ListFiles => part!(call.list_files).map(drop),
        Type::ReadFile => part!(call.read_file).map(drop),
        Type::LaunchNestedContainer => part!(call.launch_nested_container).map(drop),
        Type::WaitNestedContainer => part!(call.wait_nested_container).map(drop),
        Type::KillNestedContainer => part!(call.kill_nested_container).map(drop),
        Type::RemoveNestedContainer => part!(call.remove_nested_container).map(drop),
        Type::LaunchNestedContainerSession => part!(call.launch_nested_container_session).map(drop),
        Type::AttachContainerInput => part!(call.attach_container_input).map(drop),
        Type::AttachContainerOutput => part!(call.attach_container_output).map(drop),
        Type::LaunchContainer => part!(call.launch_container).map(drop),
        Type::WaitContainer => part!(call.wait_container).map(drop),
        Type::KillContainer => part!(call.kill_container).map(drop),
        Type::RemoveContainer => part!(call.remove_container).map(drop),
        // The rest needs nothing, or is not taken at all.
        _ => Ok(()),
    }
}
