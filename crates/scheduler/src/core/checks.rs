//! Scheduler-level health checks, and what any health check's result means for its instance.

use std::net::SocketAddr;
use std::time::Duration;

use checks::{Kind, Said, SeriesName, Verdict, VerdictEvent, VerdictState};

use super::Core;
use super::figures::UNTOLD;
use crate::check_name::check_label;
use crate::definition::network::{self, Mode};
use crate::definition::ports::Port;
use crate::definition::{HealthCheck, ReadinessCheck, RunSpec};
use crate::events;
use crate::health::{Attempt, Health};
use crate::ids::InstanceId;
use crate::instance::{Condition, Place};
use crate::probe;
use crate::time::Now;

/// An order to the check engine.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum CheckOrder {
    /// Check a task.
    Start(Box<CheckStart>),
    /// Make all checks of an instance at once.
    Now(InstanceId),
    /// Stop all checks of an instance.
    Stop(InstanceId),
    /// Stop one of them.
    StopOne(InstanceId, usize),
}

/// The question that a check asks of a task.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Asked {
    /// Is it healthy?
    Health(Box<HealthCheck>),
    /// Is it ready?
    Readiness(ReadinessCheck),
}

/// A check of a task that runs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CheckStart {
    pub instance: InstanceId,
    /// The incarnation that is checked; results of another are void.
    pub incarnation: u32,
    /// The number of the check among those of the app; readiness checks are counted on behind these.
    pub index: usize,
    pub asked: Asked,
    /// A host name or address.
    pub host: String,
    pub port: u16,
    /// The knowledge from before, and the time it has been running.
    pub state: VerdictState,
    pub age: Duration,
    /// True if it was never checked.
    pub fresh: bool,
    /// The name that a health check's attempts are counted under.
    pub series: Option<SeriesName>,
}

impl Asked {
    /// The name of a health check in metrics.
    fn label(&self, index: usize) -> Option<String> {
        match self {
            Asked::Health(check) => Some(check_label(check, index)),
            Asked::Readiness(_) => None,
        }
    }

    /// The host and the port to ask. In a network of its own a task is asked at its host's port, if that leads to it, and at
    /// its own address else, which nobody may know yet.
    fn target(&self, app: &RunSpec, place: &Place) -> Option<(String, u16)> {
        let ports = app.ports(&place.ports);
        let (literal, port) = match self {
            Asked::Health(check) => (check.port, check.instance_port(&ports)),
            Asked::Readiness(check) => (None, check.port(&ports)),
        };
        let number = literal.or_else(|| port.map(Port::outside))?;
        let networks = app.networks();
        let of_host = || place.host.clone().unwrap_or_else(|| "127.0.0.1".into());
        if network::is_host(networks) {
            return Some((place.ip.clone().unwrap_or_else(of_host), number));
        }
        let named = networks.iter().any(|network| network.mode == Mode::Container);
        let at_host = port.map_or(!named, |port| port.host.is_some());
        Some((if at_host { of_host() } else { place.ip.clone()? }, number))
    }
}

impl CheckStart {
    /// The check to make at the addresses of the host, with its schedule and judgement. Nothing if the host has none.
    pub(crate) fn spec(&self, addresses: &[SocketAddr]) -> Result<Option<checks::CheckSpec>, health::Problem> {
        let whom = probe::Whom { host: &self.host, port: self.port, addresses };
        match &self.asked {
            Asked::Health(check) => probe::own(check, whom),
            Asked::Readiness(check) => Ok(probe::readiness(check, whom)),
        }
    }
}

/// A finding of a scheduler-level check.
#[derive(Debug, Clone)]
pub(crate) struct Finding {
    pub instance: InstanceId,
    pub incarnation: u32,
    pub index: usize,
    pub verdict: Option<VerdictEvent>,
    /// True if this attempt succeeded.
    pub success: bool,
    /// True if it failed: one that says nothing did neither.
    pub failure: bool,
    /// The HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// The attempt as people are told of it.
    pub attempt: Attempt,
    /// The check after it.
    pub state: VerdictState,
    /// The answer, if the check wants to know.
    pub said: Option<Box<Said>>,
}

impl Core {
    /// Begins the scheduler-level checks of an instance that runs.
    pub(super) fn start_checks(&mut self, id: &InstanceId, now: Now) {
        let Some(instance) = self.instances.get(id) else { return };
        if instance.condition != Condition::Running
            || instance.killed.is_asked()
            || self.checking.is_paused(id, now.moment)
            || self.checking.is_running(id)
        {
            return;
        }
        let Some(app) = self.definitions.of(instance) else { return };
        let order = |index, asked: Asked| {
            let (host, port) = asked.target(app, &instance.place)?;
            let health = instance.checked.health.get(index).cloned().unwrap_or_default();
            let series = asked.label(index).map(|check| SeriesName { subject: app.id.as_str().to_owned(), check });
            Some(CheckOrder::Start(Box::new(CheckStart {
                series,
                instance: id.clone(),
                incarnation: instance.incarnation,
                index,
                asked,
                host,
                port,
                state: verdict_state(&health),
                age: self.instances.started(id).map_or(Duration::ZERO, |at| now.moment.since(at)),
                fresh: health == Health::default(),
            })))
        };
        let own = app
            .health_checks
            .iter()
            .map(|check| (!check.protocol.is_native()).then(|| Asked::Health(Box::new(check.clone()))));
        let readiness = app.readiness_checks.iter().filter(|_| instance.checked.awaits_readiness);
        let all = own.chain(readiness.map(|check| Some(Asked::Readiness(check.clone())))).enumerate();
        let orders: Vec<_> = all.filter_map(|(index, asked)| order(index, asked?)).collect();
        if !orders.is_empty() {
            self.checking.start(id);
            self.out.check(orders);
        }
    }

    pub(super) fn stop_checks(&mut self, id: &InstanceId) {
        if self.checking.stop(id) {
            self.out.check([CheckOrder::Stop(id.clone())]);
        }
    }

    /// A scheduler-level check found something.
    pub(crate) fn checked(&mut self, finding: &Finding, now: Now) {
        let id = &finding.instance;
        let current = self.instances.get(id).is_some_and(|instance| instance.incarnation == finding.incarnation);
        if !current || !self.checking.is_running(id) {
            return;
        }
        if self.instances.get(id).is_some_and(|instance| finding.index >= instance.checked.health.len()) {
            return self.readiness_found(finding, now);
        }
        self.attempted(finding);
        match finding.verdict {
            Some(VerdictEvent::Unhealthy { consecutive_failures, kill }) => {
                let cause = &finding.attempt.cause;
                self.health_result(id, finding.index, now, |health| {
                    health.failed(now.wall, cause, consecutive_failures)
                });
                if kill && self.health_check(id, finding.index).is_some_and(|check| check.kills_at().is_some()) {
                    self.kill_for_health(id, now);
                }
            }
            Some(VerdictEvent::Healthy) => {
                self.health_result(id, finding.index, now, |health| health.succeeded(now.wall))
            }
            None if finding.success => self.instances.still_alive(id, finding.index, now.wall),
            None if finding.failure => self.not_alive_yet(id, finding.index, now),
            None => {}
        }
    }

    /// The attempt as people are told of it: worth knowing, and written with the next change.
    fn attempted(&mut self, finding: &Finding) {
        let (id, index) = (&finding.instance, finding.index);
        let known = self.instances.get(id).and_then(|instance| instance.checked.health.get(index));
        let counts = known.is_some_and(|known| known.consecutive_failures != finding.state.consecutive_failures);
        let forgiven = known.map_or(0, |known| known.forgiven_failures);
        let forgiven = forgiven + u32::from(finding.failure && finding.state.initializing && !counts);
        self.note_kind(id, index, &finding.attempt.kind);
        let (attempt, successes) = (finding.attempt.clone(), finding.state.consecutive_successes);
        self.instances.looked_at(id, index, |health| health.attempted(Some(attempt), successes, forgiven));
    }

    /// Counts an attempt for monitoring, if it failed; one of a kind that is not known failed for a reason that is not told.
    pub(super) fn note_kind(&mut self, id: &InstanceId, index: usize, kind: &str) {
        let kind = Kind::named(kind);
        if matches!(kind, Some(Kind::Success | Kind::Inconclusive)) {
            return;
        }
        let Some(check) = self.health_check(id, index) else { return };
        let label = check_label(check, index);
        if let Some(instance) = self.instances.get(id) {
            self.figures.failed(&instance.app, label, kind.map_or(UNTOLD, Kind::as_str));
        }
    }

    /// A failure within the grace period. It does not count, but people see that the task was asked and did not answer.
    fn not_alive_yet(&mut self, id: &InstanceId, index: usize, now: Now) {
        let health = self.instances.get(id).and_then(|instance| instance.checked.health.get(index));
        if health.is_some_and(|health| health.verdict == Verdict::Unknown && !health.missed) {
            self.change(id, now, |instance| instance.checked.health[index].missed = true);
        }
    }

    /// The health check that has this place in an instance's definition.
    pub(super) fn health_check(&self, id: &InstanceId, index: usize) -> Option<&HealthCheck> {
        self.view().spec_of(id)?.health_checks.get(index)
    }

    /// Takes a result of one check into the record, and tells what changed by it.
    pub(super) fn health_result(
        &mut self,
        id: &InstanceId,
        index: usize,
        now: Now,
        result: impl FnOnce(&mut Health) -> bool,
    ) {
        let Some(before) = self.instances.get(id).map(|instance| instance.checked.verdict()) else { return };
        let changed = self.change(id, now, |instance| {
            let changed = instance.checked.health.get_mut(index).is_some_and(result);
            if changed {
                instance.remember_verdict(index, now.wall);
            }
            changed
        });
        let Some(instance) = self.instances.get(id).cloned() else { return };
        let alive = instance.checked.health.get(index).is_some_and(|health| health.verdict == Verdict::Healthy);
        let app = self.view().spec_of(id).filter(|_| !alive);
        if let Some(failed) = app.and_then(|app| events::check_failed(&instance, app, index, now.wall)) {
            self.out.tell(failed);
        }
        if changed == Some(true) {
            self.out.tell(events::health_changed(&instance, alive, now.wall));
        }
        if instance.checked.verdict() != Verdict::Unhealthy {
            self.let_go(id, now);
        }
        if instance.checked.verdict() != before {
            self.out.tell(events::instance_health_changed(&instance, now.wall));
        }
    }
}

/// The state in which the engine goes on with what is known.
fn verdict_state(health: &Health) -> VerdictState {
    VerdictState {
        initializing: health.first_success.is_none(),
        consecutive_failures: health.consecutive_failures,
        consecutive_successes: 0,
        verdict: health.verdict,
        ..VerdictState::default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::definition::AppUpdate;
    use crate::ids::AppId;
    use crate::time::Timestamp;

    #[test]
    fn a_task_is_asked_at_its_hosts_port_and_at_its_own_address_where_none_leads_to_it() {
        let target = |networks: Value, mapping: Value, check: Value, ip: Option<&str>| {
            let container = json!({"type": "MESOS", "docker": {"image": "a"}, "portMappings": [mapping]});
            let app: AppUpdate = serde_json::from_value(json!({"networks": networks, "container": container})).unwrap();
            let app = app.create(AppId::new("/a"), Timestamp::from_millis(0)).unwrap();
            let place =
                Place { host: Some("box".into()), ports: vec![31_000], ip: ip.map(str::to_owned), ..Place::default() };
            Asked::Health(serde_json::from_value(check).unwrap()).target(&app, &place)
        };
        let (bridge, blue) = (json!([{"mode": "container/bridge"}]), json!([{"name": "blue"}]));
        let (index, port) = (json!({"portIndex": 0}), json!({"port": 8080}));
        let (mapped, inner) = (json!({"containerPort": 80, "hostPort": 0}), json!({"containerPort": 80}));
        let at = |host: &str, port: u16| Some((host.to_owned(), port));
        let ip = Some("10.0.0.2");
        assert_eq!(target(bridge.clone(), mapped.clone(), index.clone(), ip), at("box", 31_000));
        assert_eq!(target(bridge, mapped.clone(), port.clone(), ip), at("box", 8080));
        assert_eq!(target(blue.clone(), mapped, index.clone(), ip), at("box", 31_000));
        assert_eq!(target(blue.clone(), inner.clone(), index.clone(), ip), at("10.0.0.2", 80));
        assert_eq!(target(blue.clone(), inner.clone(), index, None), None, "its address is not known yet");
        assert_eq!(target(blue, inner, port, ip), at("10.0.0.2", 8080));
    }
}
