//! Answers for people who look at the core, in Marathon's shapes. In: a [`View`] at its parts. Out: JSON, and text.

mod agents;
mod brake;
mod diff;
mod dry_run;
mod groups;
mod halted;
mod health;
mod metrics;
mod monitoring;
mod next;
mod overview;
mod pods;
mod queue;
mod texts;
mod unchecked;
mod versions;

use checks::Verdict;

use serde_json::{Value, json};

use self::halted::Halted;
use crate::core::{AppRecord, View};
use crate::definition::RunSpec;
use crate::deployment::{Deployment, StepAction};
use crate::ids::{AppId, InstanceId};
use crate::instance::{Condition, Instance, Paused};
use crate::refusal::Refusal;
use crate::states::States;
use crate::time::Now;

pub(crate) use groups::GroupEmbed;
pub(crate) use metrics::Metrics;
pub(crate) use overview::{Page, Place};
pub(crate) use queue::QueueEmbed;
pub(crate) use texts::{AppText, Texts};

/// The parts of an app's answer beside its definition.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Embed {
    pub tasks: bool,
    pub counts: bool,
    pub deployments: bool,
    pub last_task_failure: bool,
    pub task_stats: bool,
    pub readiness: bool,
    /// Instances that are unhealthy and not killed, and pauses of checks: not Marathon's, and so to be asked for.
    pub brake: bool,
    /// Why each instance is as it is, and what is done next: not Marathon's, either.
    pub health: bool,
    /// True if it is told by what agents say now of their checkers, and not by what they said last.
    pub checkers: bool,
}

impl Embed {
    /// Everything a single app shows.
    pub(crate) fn single() -> Embed {
        Embed { tasks: true, last_task_failure: true, ..Embed::counts_and_deployments() }
    }

    /// The parts that a list always shows.
    pub(crate) fn counts_and_deployments() -> Embed {
        Embed { counts: true, deployments: true, ..Embed::default() }
    }

    /// Adds what one `embed` parameter names; unknown names are ignored, as in Marathon.
    pub(crate) fn add(&mut self, name: &str) {
        let name = name.trim_start_matches("group.").trim_start_matches("apps.").trim_start_matches("app.");
        match name {
            "tasks" => {
                self.tasks = true;
                self.deployments = true;
            }
            "counts" => self.counts = true,
            "deployments" => self.deployments = true,
            "lastTaskFailure" => self.last_task_failure = true,
            "failures" => {
                self.tasks = true;
                self.deployments = true;
                self.last_task_failure = true;
            }
            "taskStats" => self.task_stats = true,
            "readiness" => self.readiness = true,
            "brake" => self.brake = true,
            "health" => {
                self.tasks = true;
                self.health = true;
            }
            "checkers" => self.checkers = true,
            _ => tracing::debug!(name, "ignored an unknown embed"),
        }
    }
}

/// The apps to list.
#[derive(Debug, Clone, Default)]
pub(crate) struct AppFilter {
    pub id: Option<String>,
    pub cmd: Option<String>,
    pub label: Option<crate::selector::Selector>,
}

impl AppFilter {
    fn matches(&self, app: &RunSpec) -> bool {
        let has = |part: &Option<String>, whole: &str| {
            part.as_ref().is_none_or(|part| whole.to_lowercase().contains(&part.to_lowercase()))
        };
        has(&self.id, app.id.as_str())
            && has(&self.cmd, app.app().and_then(|app| app.cmd.as_deref()).unwrap_or_default())
            && self.label.as_ref().is_none_or(|selector| selector.matches(&app.labels))
    }
}

impl<'a> View<'a> {
    pub(crate) fn app_json(&self, id: &AppId, embed: &Embed, now: Now) -> Option<Value> {
        let record = self.app_record(id)?;
        let mut json = json!(record.app);
        let looks_at_each = embed.tasks || embed.task_stats;
        let all = looks_at_each.then(|| self.instances.tasks_of(id));
        let tasks: Vec<&Instance> = all.into_iter().flatten().collect();
        if embed.tasks {
            json["tasks"] = tasks.iter().map(|instance| self.embedded_json(instance, embed, now)).collect();
        }
        if let (Some(json), Value::Object(mut more)) = (json.as_object_mut(), self.beside(record, &tasks, embed, now)) {
            json.append(&mut more);
        }
        Some(json)
    }

    /// The record of an app that is none of a pod.
    fn app_record(&self, id: &AppId) -> Option<&'a AppRecord> {
        self.definitions.get(id).filter(|record| !record.removed && record.app.app().is_some())
    }

    /// The fields of an app beside its definition and its tasks.
    fn beside(&self, record: &'a AppRecord, tasks: &[&Instance], embed: &Embed, now: Now) -> Value {
        let (id, mut json) = (&record.app.id, json!({}));
        if embed.counts {
            counts(&mut json, self.instances.states(id));
        }
        if embed.brake {
            self.show_brake(&mut json, id, now);
        }
        if embed.health {
            json["halted"] = self.halted(record).map_or(Value::Null, Halted::json);
            json["waiting"] = json!(self.waiting_json(id, now));
            json["ended"] = json!(self.endings.of(id).collect::<Vec<_>>());
        }
        if embed.readiness {
            json["readinessCheckResults"] = json!(self.readiness_json(id));
        }
        if embed.deployments {
            json["deployments"] =
                self.rollouts.lock(id).map(|deployment| json!({"id": deployment})).into_iter().collect();
        }
        if let Some(failure) = record.last_failure.as_ref().filter(|_| embed.last_task_failure) {
            json["lastTaskFailure"] = json!(failure);
        }
        if embed.task_stats {
            json["tasksStats"] = stats(&record.app, tasks, now);
        }
        json
    }

    /// The tasks of all apps.
    pub(crate) fn tasks_json(&self, keep: impl Fn(&Instance) -> bool) -> Vec<Value> {
        let tasks = self.instances.values().filter(|instance| instance.has_task() && instance.members.is_empty());
        tasks.filter(|instance| keep(instance)).map(|instance| self.task_json(instance)).collect()
    }

    /// These tasks.
    pub(crate) fn tasks_named(&self, ids: &[InstanceId]) -> Vec<Value> {
        let tasks = ids.iter().filter_map(|id| self.instances.get(id));
        let tasks = tasks.filter(|instance| instance.has_task() && instance.members.is_empty());
        tasks.map(|instance| self.task_json(instance)).collect()
    }

    /// The addresses of all apps, for load balancers: a line for each service port, with the id, the port and, for
    /// each task that runs, host and port.
    pub(crate) fn endpoints(&self) -> String {
        let apps = self.definitions.within(&AppId::root()).filter(|app| app.app().is_some());
        apps.map(|app| self.endpoint_lines(app)).collect()
    }

    /// The same of one app.
    pub(crate) fn endpoints_of(&self, id: &AppId) -> Result<String, Refusal> {
        self.definitions.wanted(id).map(|app| self.endpoint_lines(app))
    }

    fn endpoint_lines(&self, app: &RunSpec) -> String {
        let running = || self.instances.of(&app.id).filter(|instance| instance.condition == Condition::Running);
        let host = |instance: &Instance| instance.place.host.clone().unwrap_or_default();
        let name = app.id.safe();
        let service = app.service_ports();
        if service.is_empty() {
            let hosts: Vec<_> = running().map(host).collect();
            return format!("{name}\t \t{}\n", hosts.join("\t"));
        }
        let line = |(index, service): (usize, &u16)| {
            let place = |instance: &Instance| {
                let port = app.ports(&instance.place.ports).get(index)?.host?;
                Some(format!("{}:{port}\t", host(instance)))
            };
            format!("{name}\t{service}\t{}\n", running().filter_map(place).collect::<String>())
        };
        service.iter().enumerate().map(line).collect()
    }

    /// The tasks of an app, which must exist.
    pub(crate) fn wanted_tasks(&self, id: &AppId) -> Result<Vec<Value>, Refusal> {
        Ok(self.tasks_of(id)?.into_iter().map(|instance| self.task_json(instance)).collect())
    }

    /// The tasks of all apps in a group, which must exist.
    pub(crate) fn tasks_of_group(&self, id: &AppId) -> Result<Vec<Value>, Refusal> {
        let apps = self.apps_of(id)?.flat_map(|app| self.instances.tasks_of(&app.id));
        Ok(apps.map(|instance| self.task_json(instance)).collect())
    }

    /// One task, with until when its checks are paused.
    pub(crate) fn paused_json(&self, id: &InstanceId) -> Option<Value> {
        let instance = self.instances.get(id)?;
        let mut json = self.task_json(instance);
        json["checksPausedUntil"] = json!(instance.checked.paused.map(paused_until));
        Some(json)
    }

    /// `GET /v2/eventSubscriptions`.
    pub(crate) fn subscribers_json(&self) -> Value {
        json!({"callbackUrls": **self.out.subscribers()})
    }

    fn task_json(&self, instance: &Instance) -> Value {
        let app = self.definitions.of(instance);
        let mut json = task_json(instance);
        json["servicePorts"] = json!(app.map(RunSpec::service_ports).unwrap_or_default());
        json["role"] = json!(app.map_or_else(|| self.definitions.role(), |app| self.definitions.role_of(app)));
        json
    }

    /// A task among those of its app.
    fn embedded_json(&self, instance: &Instance, embed: &Embed, now: Now) -> Value {
        let mut json = self.task_json(instance);
        if embed.health {
            json["health"] = self.explained_json(instance, now);
        }
        json
    }

    /// With how far they are, if that is wanted: clients of Marathon refuse fields they do not know.
    pub(crate) fn deployments_json(&self, progress: bool, now: Now) -> Value {
        let mut all: Vec<_> = self.rollouts.all().collect();
        all.sort_by_key(|deployment| deployment.version);
        let current = |deployment: &Deployment| -> Vec<Value> {
            let step = deployment.step();
            step.actions.iter().map(|action| self.action_json(deployment, action, progress, now)).collect()
        };
        all.into_iter().map(|deployment| deployment.json(&current(deployment))).collect()
    }

    /// An action of a deployment; its progress, and what it waits for, are not Marathon's.
    fn action_json(&self, deployment: &Deployment, action: &StepAction, progress: bool, now: Now) -> Value {
        let mut json = deployment.action_json(action);
        json["readinessCheckResults"] = json!(self.readiness_json(&action.app));
        if let Some(progress) = self.progress(&action.app, now).filter(|_| progress) {
            json["progress"] = progress.json();
            json["waitsFor"] = json!(progress.waits_for());
        }
        json
    }

    /// As `readinessCheckResults`, of the instances that a deployment is about.
    fn readiness_json(&self, id: &AppId) -> Vec<Value> {
        let Some(record) = self.definitions.get(id) else { return Vec::new() };
        let config = record.app.config_version();
        let current = self.instances.tasks_of(id).filter(|found| found.config == config);
        current.flat_map(|instance| readiness(&record.app, instance)).collect()
    }
}

fn readiness(app: &RunSpec, instance: &Instance) -> Option<Value> {
    let check = app.readiness_checks.first()?;
    let mut result =
        json!({"name": check.name, "taskId": instance.task_id(), "ready": !instance.checked.awaits_readiness});
    if let Some(response) = &instance.checked.last_response {
        result["lastResponse"] = json!(response);
    }
    Some(result)
}

fn counts(json: &mut Value, states: States) {
    json["tasksStaged"] = json!(states.staged);
    json["tasksRunning"] = json!(states.running);
    json["tasksHealthy"] = json!(states.healthy);
    json["tasksUnhealthy"] = json!(states.unhealthy);
}

fn task_json(instance: &Instance) -> Value {
    let probed = instance.checked.health.iter().filter(|health| health.shown() != Verdict::Unknown);
    let health: Vec<_> = probed.map(|health| health.json(&instance.id)).collect();
    let mut json = json!({
        "appId": instance.app, "id": instance.task_id(), "host": instance.place.host,
        "state": instance.condition.state_name(), "ports": instance.place.ports, "ipAddresses": instance.place.addresses(),
        "version": instance.config, "healthCheckResults": health, "localVolumes": [],
    });
    for (name, value) in [
        ("slaveId", json!(instance.place.agent_id)),
        ("stagedAt", json!(instance.times.staged_at)),
        ("startedAt", json!(instance.times.started_at)),
        ("checkResult", json!(instance.checked.check_result)),
        ("message", json!(instance.message)),
    ] {
        if !value.is_null() {
            json[name] = value;
        }
    }
    json
}

fn stats(app: &RunSpec, tasks: &[&Instance], now: Now) -> Value {
    let summary = |keep: &dyn Fn(&Instance) -> bool| {
        let some: Vec<&Instance> = tasks.iter().copied().filter(|instance| keep(instance)).collect();
        if some.is_empty() {
            return Value::Null;
        }
        let mut lives: Vec<f64> =
            some.iter().filter_map(|instance| Some(now.wall.since(instance.times.started_at?).as_secs_f64())).collect();
        lives.sort_by(f64::total_cmp);
        let of = |condition| some.iter().filter(|instance| instance.condition == condition).count();
        let of_verdict = |verdict| some.iter().filter(|instance| instance.checked.verdict() == verdict).count();
        let mut stats = json!({"counts": {"staged": of(Condition::Staging), "running": of(Condition::Running),
            "healthy": of_verdict(Verdict::Healthy), "unhealthy": of_verdict(Verdict::Unhealthy)}});
        if let Some(median) = lives.get(lives.len() / 2) {
            let average = lives.iter().sum::<f64>() / lives.len() as f64;
            stats["lifeTime"] = json!({"averageSeconds": average, "medianSeconds": median});
        }
        json!({"stats": stats})
    };
    let scaled = app.version_info.last_scaling_at;
    let is_after = |instance: &Instance| instance.times.started_at.is_some_and(|started| started > scaled);
    let mut all = json!({
        "startedAfterLastScaling": summary(&is_after),
        "withLatestConfig": summary(&|instance| instance.config == app.config_version()),
        "withOutdatedConfig": summary(&|instance| instance.config != app.config_version()),
        "totalSummary": summary(&|_| true),
    });
    if let Value::Object(fields) = &mut all {
        fields.retain(|_, value| !value.is_null());
    }
    all
}

/// A moment, or that somebody has to resume them.
fn paused_until(paused: Paused) -> Value {
    paused.until().map_or_else(|| json!("resumed"), |until| json!(until))
}
