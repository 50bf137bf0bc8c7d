//! The health checks of a task. In: its definition. Out: what is wrong with them together.

use std::collections::BTreeSet;

use super::{Verdict, ensure, health_check, known};
use crate::v1::{TaskInfo, health_check::Type};

/// Checks that all further health checks of a task can be run, and can be told apart.
pub(super) fn further(task: &TaskInfo) -> Verdict {
    for (index, check) in task.health_checks.iter().enumerate() {
        health_check(check).map_err(|invalid| invalid.within(&format!("'health_checks[{index}]'")))?;
    }
    let mut names = BTreeSet::new();
    let mut named = task.health_check.iter().chain(&task.health_checks).filter_map(|check| check.name.as_deref());
    named.try_for_each(|name| ensure(names.insert(name), || format!("Two health checks have the name '{name}'")))
}

/// Fills in the type that the health check of a launched task may leave out when there is only one it can be. Mesos
/// does so for LAUNCH, before validation, and not for LAUNCH_GROUP.
pub fn back_fill_type(task: &mut TaskInfo) {
    let Some(check) = task.health_check.as_mut().filter(|check| known::<Type>(check.r#type).is_none()) else {
        return;
    };
    match (&check.command, &check.http) {
        (Some(_), None) => check.set_type(Type::Command),
        (None, Some(_)) => check.set_type(Type::Http),
        _ => {}
    }
}
