//! The faults of calls, tasks and checks, worded as Mesos words it: frameworks and their tests go by these texts.
//! In: messages. Out: nothing, or the first thing that is wrong. Pure; who asks decides what a refusal means.

mod call;
mod check;
mod command;
mod container;
mod extension;
mod group;
mod health;
mod task;

use crate::duration;

pub use self::{
    call::{agent_call, executor_call, master_call, scheduler_call, scheduler_principal},
    check::{check, check_status, health_check},
    command::{command, environment},
    group::{executor, group_executor, task_executor, task_group},
    health::back_fill_type,
    task::{Taken, alone, fits, task, task_id},
};

/// The first thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(String);

/// Nothing wrong, or what is.
pub type Verdict = Result<(), Invalid>;

impl Invalid {
    /// Something is wrong.
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    /// The fault.
    pub fn message(&self) -> &str {
        &self.0
    }

    fn within(self, context: &str) -> Self {
        Self(format!("{context}: {}", self.0))
    }
}

/// An error unless the condition holds.
fn ensure(holds: bool, message: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(Invalid(message())) }
}

/// An enumeration's value; a number it does not know counts as unset.
fn known<E: TryFrom<i32>>(value: Option<i32>) -> Option<E> {
    value.and_then(|value| E::try_from(value).ok())
}

/// Seconds must not be negative, and must fit into 64 bits of nanoseconds, which is what they are measured in.
fn seconds(field: &str, value: Option<f64>) -> Verdict {
    match value {
        Some(value) if value < 0.0 => Err(Invalid(format!("Expecting '{field}' to be non-negative"))),
        Some(value) => ensure(duration::from_seconds(value).is_some(), || {
            format!("Expecting '{field}' to be a number of seconds less than 292 years")
        }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
