//! The record of an instance, as it is read: all on one level. To read the parts of an instance with `flatten` takes about
//! twice as long, as serde keeps every field of theirs until it has seen them all.

use serde::Deserialize;
use serde_json::Value;

use super::place::Network;
use super::{Checked, Condition, Goal, Instance, Killed, Member, Moving, Paused, Place, Response, Times};
use crate::health::{Changes, Health};
use crate::ids::{AppId, InstanceId};
use crate::spread::Site;
use crate::time::Timestamp;

/// The fields of [`Instance`] and its parts.
#[derive(Deserialize)]
pub(super) struct Record {
    id: InstanceId,
    incarnation: u32,
    app: AppId,
    config: Timestamp,
    condition: Condition,
    goal: Goal,
    host: Option<String>,
    #[serde(default)]
    site: Site,
    agent_id: Option<String>,
    ports: Vec<u16>,
    ip: Option<String>,
    #[serde(default)]
    networks: Vec<Network>,
    since: Timestamp,
    /// Not in records of before it was stored.
    #[serde(default)]
    fails_since: Option<Timestamp>,
    staged_at: Option<Timestamp>,
    started_at: Option<Timestamp>,
    health: Vec<Health>,
    #[serde(default)]
    awaits_readiness: bool,
    last_response: Option<Response>,
    check_result: Option<Value>,
    checks_paused_until: Option<Paused>,
    #[serde(default)]
    verdict_changes: Changes,
    killed_for_health_at: Option<Timestamp>,
    /// None in records of before it was stored.
    killed_for_health: Option<bool>,
    kill_asked_at: Option<Timestamp>,
    #[serde(default)]
    members: Vec<Member>,
    #[serde(default)]
    given_up: bool,
    #[serde(default)]
    moves: bool,
}

impl From<Record> for Instance {
    fn from(record: Record) -> Instance {
        let place = Place {
            host: record.host,
            site: record.site,
            agent_id: record.agent_id,
            ports: record.ports,
            ip: record.ip,
            networks: record.networks,
        };
        let times = Times {
            since: record.since,
            fails_since: record.fails_since,
            staged_at: record.staged_at,
            started_at: record.started_at,
        };
        let checked = Checked {
            health: record.health,
            awaits_readiness: record.awaits_readiness,
            last_response: record.last_response,
            check_result: record.check_result,
            paused: record.checks_paused_until,
            changes: record.verdict_changes,
        };
        let (last, asked) = (record.killed_for_health_at, record.kill_asked_at);
        let by_times = || Killed::is_for_health_by(last, asked, times.staged_at);
        let for_health = record.killed_for_health.unwrap_or_else(by_times);
        Instance {
            id: record.id,
            incarnation: record.incarnation,
            app: record.app,
            config: record.config,
            condition: record.condition,
            goal: record.goal,
            killed: Killed::recorded(last, for_health, asked),
            place,
            times,
            checked,
            members: record.members,
            given_up: record.given_up,
            moving: Moving::recorded(record.moves),
            message: None,
        }
    }
}
