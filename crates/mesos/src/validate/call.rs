//! Calls of the four APIs: whether everything is there that a call of its type needs. In: calls. Out: what is missing,
//! in the words of the answer's body.

use std::ops::RangeInclusive;

use super::{Invalid, Verdict, check_status, ensure, known};
use crate::union::{MissingPart, Union};
use crate::v1::{FrameworkId, FrameworkInfo, TaskState, agent, executor, master, scheduler, task_status};

/// Raw bytes of a UUID.
const UUID_BYTES: usize = 16;

/// Which of them has its version in its upper half.
const VERSION_BYTE: usize = 6;

/// The versions that Mesos knows.
const VERSIONS: RangeInclusive<u8> = 1..=5;

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
    typed::<master::call::Type>(call.r#type)
        .and_then(|_| complete(call))
        .map_err(|invalid| invalid.within("Failed to validate master::Call"))
}

/// A call of the agent's operator API.
pub fn agent_call(call: &agent::Call) -> Verdict {
    typed::<agent::call::Type>(call.r#type)
        .and_then(|_| complete(call))
        .map_err(|invalid| invalid.within("Failed to validate agent::Call"))
}

fn typed<T: TryFrom<i32>>(value: Option<i32>) -> Result<T, Invalid> {
    known(value).ok_or_else(|| MissingPart("type").into())
}

fn complete(call: &impl Union) -> Verdict {
    call.missing_part().map_or(Ok(()), |part| Err(MissingPart(part).into()))
}

impl From<MissingPart> for Invalid {
    fn from(missing: MissingPart) -> Self {
        Self(missing.to_string())
    }
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
    if kind != Type::Subscribe && call.framework_id.is_none() {
        return Err(MissingPart("framework_id").into());
    }
    complete(call)?;
    match (kind, &call.subscribe, &call.update_framework, &call.acknowledge) {
        (Type::Subscribe, Some(subscribe), ..) => same_framework(call, "subscribe", &subscribe.framework_info),
        (Type::UpdateFramework, _, Some(update), _) => same_framework(call, "update_framework", &update.framework_info),
        (Type::Acknowledge, _, _, Some(acknowledge)) => uuid(&acknowledge.uuid),
        _ => Ok(()),
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
    let kind = typed::<executor::call::Type>(call.r#type)?;
    complete(call)?;
    match &call.update {
        Some(of) if kind == executor::call::Type::Update => update(call, of),
        _ => Ok(()),
    }
}

fn update(call: &executor::Call, update: &executor::call::Update) -> Verdict {
    let (status, sender) = (&update.status, &call.executor_id);
    uuid(status.uuid.as_ref().ok_or(MissingPart("uuid"))?)?;
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
