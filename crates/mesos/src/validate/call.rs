//! Calls of the four APIs: whether everything is there that a call of its type needs. In: calls. Out: what is missing,
//! in the words of the answer's body.

use std::ops::RangeInclusive;

use super::{Invalid, Verdict, check_status, ensure, known};
use crate::union::Union;
use crate::v1::{
    ExecutorId, FrameworkId, FrameworkInfo, TaskState, TaskStatus, agent, executor, master, scheduler, task_status,
};
use crate::wire::MissingPart;

/// Raw bytes of a UUID.
const UUID_BYTES: usize = 16;

/// The byte of them that has the version in its upper half.
const VERSION_BYTE: usize = 6;

/// The versions that Mesos knows.
const VERSIONS: RangeInclusive<u8> = 1..=5;

/// A call of the scheduler API.
pub fn scheduler_call(call: scheduler::Call) -> Result<scheduler::call::Content, Invalid> {
    of_scheduler(call).map_err(|invalid| invalid.within("Failed to validate scheduler::Call"))
}

/// A call of the executor API.
pub fn executor_call(call: executor::Call) -> Result<executor::call::Content, Invalid> {
    of_executor(call).map_err(|invalid| invalid.within("Failed to validate Executor::Call"))
}

/// A call of the master's operator API.
pub fn master_call(call: master::Call) -> Result<master::call::Content, Invalid> {
    let content = typed::<master::call::Type>(call.r#type).and_then(|_| Ok(call.content()?));
    content.map_err(|invalid| invalid.within("Failed to validate master::Call"))
}

/// A call of the agent's operator API.
pub fn agent_call(call: agent::Call) -> Result<agent::call::Content, Invalid> {
    let content = typed::<agent::call::Type>(call.r#type).and_then(|_| Ok(call.content()?));
    content.map_err(|invalid| invalid.within("Failed to validate agent::Call"))
}

fn typed<T: TryFrom<i32>>(value: Option<i32>) -> Result<T, Invalid> {
    known(value).ok_or_else(|| MissingPart("type").into())
}

impl From<MissingPart> for Invalid {
    fn from(missing: MissingPart) -> Self {
        Self(missing.to_string())
    }
}

/// Checks that a SUBSCRIBE comes from the principal that it names, if somebody was authenticated and it names one.
pub fn scheduler_principal(subscribe: &scheduler::call::Subscribe, authenticated: Option<&str>) -> Verdict {
    let named = subscribe.framework_info.principal.as_deref();
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

fn of_scheduler(call: scheduler::Call) -> Result<scheduler::call::Content, Invalid> {
    use scheduler::call::{Content, Type};
    let framework = call.framework_id.clone();
    if typed::<Type>(call.r#type)? != Type::Subscribe && framework.is_none() {
        return Err(MissingPart("framework_id").into());
    }
    let content = call.content()?;
    match &content {
        Content::Subscribe(of) => same_framework(framework.as_ref(), "subscribe", &of.framework_info)?,
        Content::UpdateFramework(of) => same_framework(framework.as_ref(), "update_framework", &of.framework_info)?,
        Content::Acknowledge(acknowledge) => uuid(&acknowledge.uuid)?,
        _ => {}
    }
    Ok(content)
}

/// No id and an empty one are the same.
fn same_framework(framework: Option<&FrameworkId>, part: &str, info: &FrameworkInfo) -> Verdict {
    let value = |id: Option<&FrameworkId>| id.map_or_else(String::new, |id| id.value.clone());
    ensure(value(info.id.as_ref()) == value(framework), || {
        format!("'framework_id' differs from '{part}.framework_info.id'")
    })
}

fn of_executor(call: executor::Call) -> Result<executor::call::Content, Invalid> {
    use executor::call::{Content, Type};
    typed::<Type>(call.r#type)?;
    let (framework, sender) = (call.framework_id.clone(), call.executor_id.clone());
    let content = call.content()?;
    if let Content::Update(of) = &content {
        update(&framework, &sender, &of.status)?;
    }
    Ok(content)
}

fn update(framework: &FrameworkId, sender: &ExecutorId, status: &TaskStatus) -> Verdict {
    uuid(status.uuid.as_ref().ok_or(MissingPart("uuid"))?)?;
    if let Some(id) = status.executor_id.as_ref().filter(|id| *id != sender) {
        let message = format!("ExecutorID in Call: {sender} does not match ExecutorID in TaskStatus: {id}");
        return Err(Invalid(message));
    }
    let who = || format!("executor {sender} of framework {framework}");
    ensure(known(status.source) == Some(task_status::Source::Executor), || {
        format!("Received Call from {} with invalid source, expecting 'SOURCE_EXECUTOR'", who())
    })?;
    ensure(status.state() != TaskState::TaskStaging, || {
        format!("Received TASK_STAGING from {} which is not allowed", who())
    })?;
    status.check_status.as_ref().map_or(Ok(()), check_status)
}
