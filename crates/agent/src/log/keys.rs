//! Keys of the durable records. Ids come from outside: what has a meaning in a key is escaped.

use std::fmt;

use mesos::v1::{ContainerId, FrameworkId};

use crate::ids::TaskKey;

pub(super) const AGENT: &str = "agent";
pub(super) const FRAMEWORKS: &str = "framework/";
pub(super) const EXECUTORS: &str = "executor/";
pub(super) const TASKS: &str = "task/";
pub(super) const POOLS: &str = "pool/";
pub(super) const UPDATES: &str = "update/";

/// The place of a record.
pub(super) enum Key<'a> {
    Agent,
    Framework(&'a FrameworkId),
    Executor(&'a FrameworkId, &'a ContainerId),
    Task(&'a ContainerId, &'a TaskKey),
    Pool(&'a FrameworkId),
    Update(&'a TaskKey, u64),
}

impl fmt::Display for Key<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Key::Agent => f.write_str(AGENT),
            Key::Framework(id) => write!(f, "{FRAMEWORKS}{}", escaped(&id.value)),
            Key::Executor(framework, container) => {
                write!(f, "{EXECUTORS}{}/{}", escaped(&framework.value), escaped(&container.value))
            }
            Key::Task(container, key) => {
                let (framework, task) = (escaped(&key.framework.value), escaped(&key.task.value));
                write!(f, "{TASKS}{framework}/{}/{task}", escaped(&container.value))
            }
            Key::Pool(framework) => write!(f, "{POOLS}{}", escaped(&framework.value)),
            // As many digits as the largest number has, so that keys sort like numbers.
            Key::Update(key, number) => {
                let (framework, task) = (escaped(&key.framework.value), escaped(&key.task.value));
                write!(f, "{UPDATES}{framework}/{task}/{number:020}")
            }
        }
    }
}

/// The task and the number of the update that a key names.
pub(super) fn parse_update(key: &str) -> Option<(TaskKey, u64)> {
    let mut parts = key.strip_prefix(UPDATES)?.split('/');
    let (framework, task, number) = (parts.next()?, parts.next()?, parts.next()?);
    let key = TaskKey { framework: unescaped(framework).into(), task: unescaped(task).into() };
    Some((key, number.parse().ok()?)).filter(|_| parts.next().is_none())
}

fn escaped(id: &str) -> String {
    id.replace('%', "%25").replace('/', "%2F")
}

fn unescaped(part: &str) -> String {
    part.replace("%2F", "/").replace("%25", "%")
}
