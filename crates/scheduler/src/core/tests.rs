//! Stories of the core, in simulated time: a world with a clock, a master that offers, and nothing else.

mod asking;
mod clock;
mod deployments;
mod drains;
mod dry_runs;
mod events;
mod groups;
mod health;
mod kills;
mod lateness;
mod launches;
mod monitoring;
mod overview;
mod placement;
mod pods;
mod results;
mod roles;
mod rollout;
mod rows;
mod scale;
mod tasks;
mod undo;
mod unreachable;
mod why;
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ::checks::{VerdictEvent, VerdictState};
use mesos::v1::cygnet::{CheckAttempt, CheckHistory, HealthCheckResult, TaskEnd, TaskHealth, task_health};
use mesos::v1::offer::Operation;
use mesos::v1::scheduler::call;
use mesos::v1::task_status::Reason;
use mesos::v1::{Offer, Resource, TaskInfo, TaskState, TaskStatus};
use serde_json::{Value, json};

use self::tasks::{found, large_offer, result, status};
use self::world::{World, definition, web};
use super::kills::KILL_AGAIN;
use super::*;
use crate::api::answer;
use crate::definition::{AppUpdate, GroupUpdate};
use crate::health::Attempt;
use crate::situation::Situation;
use crate::time::Timestamp;
use crate::view::{AppFilter, AppText, Embed, GroupEmbed, Texts};

impl Refusal {
    fn status(&self) -> u16 {
        answer::status(self)
    }

    fn body(&self) -> Value {
        answer::explanation(self)
    }
}
