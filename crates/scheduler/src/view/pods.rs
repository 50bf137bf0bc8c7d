//! Pods as people see them: definitions, versions, and the status of each instance and container.

use checks::Verdict;
use health::verdict::healthy;
use mesos::states;
use mesos::v1::TaskState;
use serde_json::{Value, json};

use crate::core::View;
use crate::definition::Pod;
use crate::definition::RunSpec;
use crate::definition::pod::Container;
use crate::ids::{AppId, InstanceId};
use crate::instance::member::Member;
use crate::instance::termination::termination;
use crate::instance::{Condition, Goal, Instance};
use crate::refusal::Refusal;
use crate::time::{Now, Timestamp};

impl View<'_> {
    /// `GET /v2/pods`.
    pub(crate) fn pods_json(&self) -> Value {
        self.definitions.within(&AppId::root()).filter_map(RunSpec::pod_json).collect()
    }

    /// `GET /v2/pods/{id}`.
    pub(crate) fn pod_json(&self, id: &AppId) -> Result<Value, Refusal> {
        self.definitions.pod(id).map(|app| app.pod_json().unwrap_or_default())
    }

    /// `GET /v2/pods/{id}::versions`.
    pub(crate) fn pod_versions(&self, id: &AppId) -> Result<Value, Refusal> {
        self.definitions.pod(id)?;
        let record = self.definitions.get(id);
        Ok(record.iter().flat_map(|record| record.versions.keys().rev()).map(|version| json!(version)).collect())
    }

    /// `GET /v2/pods/{id}::versions/{version}`.
    pub(crate) fn pod_in_version(&self, id: &AppId, version: Timestamp) -> Result<Value, Refusal> {
        self.definitions.pod(id)?;
        let found =
            self.definitions.get(id).and_then(|record| record.versions.get(&version)).and_then(RunSpec::pod_json);
        found.ok_or_else(|| Refusal::NoPodVersion(id.clone(), version))
    }

    /// `GET /v2/pods::status`; with the reasons, if these are asked for, as they are now.
    pub(crate) fn pod_statuses(&self, explained: Option<Now>) -> Value {
        self.definitions.within(&AppId::root()).filter_map(|app| self.pod_status(&app.id, explained)).collect()
    }

    /// `GET /v2/pods/{id}::status`, the same of one.
    pub(crate) fn status_of_pod(&self, id: &AppId, explained: Option<Now>) -> Result<Value, Refusal> {
        self.definitions.pod(id)?;
        Ok(self.pod_status(id, explained).unwrap_or_default())
    }

    pub(super) fn pod_status(&self, id: &AppId, explained: Option<Now>) -> Option<Value> {
        let app = self.definitions.wanted(id).ok()?;
        let spec = app.pod_json()?;
        let ids: Vec<_> = self.instances.of(id).map(|instance| (instance.id.clone(), instance.times.since)).collect();
        let shown = |one: &InstanceId| match explained {
            Some(now) => self.explained_pod_instance(one, now),
            None => self.pod_instance(one),
        };
        let instances: Vec<Value> = ids.iter().filter_map(|(one, _)| shown(one)).collect();
        let stable = instances.iter().filter(|one| one["status"] == "STABLE").count();
        let status =
            if u32::try_from(stable).is_ok_and(|stable| stable >= app.instances) { "STABLE" } else { "DEGRADED" };
        let since = ids.iter().map(|(_, since)| *since).max().unwrap_or(app.version).max(app.version);
        let history = &self.definitions.get(id)?.terminations;
        let mut json = json!({"id": id, "spec": spec, "status": status, "statusSince": since, "instances": instances,
            "terminationHistory": history, "lastUpdated": since, "lastChanged": since});
        if let Some(now) = explained {
            json["waiting"] = json!(self.waiting_json(id, now));
            json["ended"] = json!(self.endings.of(id).collect::<Vec<_>>());
            let end = |task: &str| self.endings.of(id).find_map(|ended| ended.of_container(task));
            json["terminationHistory"] = history.iter().map(|one| one.explained(end)).collect();
        }
        Some(json)
    }

    /// One instance of a pod, with its containers.
    pub(crate) fn pod_instance(&self, id: &InstanceId) -> Option<Value> {
        let instance = self.instances.get(id)?;
        let app = self.definitions.of(instance)?;
        let pod = app.pod()?;
        let (status, message) = status(instance, pod);
        let containers: Vec<Value> =
            pod.containers.iter().filter_map(|one| self.container(instance, app, pod, one)).collect();
        let total = pod.total();
        let mut json = json!({
            "id": id, "status": status, "statusSince": instance.times.since, "conditions": [],
            "agentHostname": instance.place.host, "agentId": instance.place.agent_id,
            "agentRegion": instance.place.site.region, "agentZone": instance.place.site.zone,
            "resources": {"cpus": total.cpus, "mem": total.mem, "disk": total.disk, "gpus": total.gpus},
            "networks": instance.place.networks(),
            "containers": containers, "specReference": format!("/v2/pods{}::versions/{}", app.id, app.version),
            "localVolumes": [], "lastUpdated": instance.times.since, "lastChanged": instance.times.since,
            "role": self.definitions.role_of(app),
        });
        if let Some(message) = message {
            json["message"] = json!(message);
        }
        if let Value::Object(fields) = &mut json {
            fields.retain(|_, value| !value.is_null());
        }
        Some(json)
    }

    /// The same with the reasons, which are not Marathon's: of the instance as for those of apps, and beside each
    /// container its own check.
    fn explained_pod_instance(&self, id: &InstanceId, now: Now) -> Option<Value> {
        let (mut json, instance) = (self.pod_instance(id)?, self.instances.get(id)?);
        let (pod, health) = (self.definitions.of(instance)?.pod()?, self.explained_json(instance, now));
        for container in json["containers"].as_array_mut().into_iter().flatten() {
            let check = container["name"].as_str().and_then(|name| pod.check_index(name));
            if let Some(check) = check.and_then(|index| health["checks"].get(index)) {
                container["health"] = check.clone();
            }
            let member = instance.members.iter().find(|member| container["name"] == member.name.as_str());
            if let Some(member) = member.filter(|member| member.is_over()) {
                member.end().explain(&mut container["termination"]);
            }
        }
        json["health"] = health;
        Some(json)
    }

    fn container(&self, instance: &Instance, app: &RunSpec, pod: &Pod, container: &Container) -> Option<Value> {
        let member = instance.members.iter().find(|member| member.name == container.name)?;
        let first = pod.containers.iter().take_while(|one| one.name != container.name);
        let first: usize = first.map(|one| one.endpoints.len()).sum();
        let ports = app.ports(&instance.place.ports);
        let ports = ports.get(first..).unwrap_or_default();
        let checked = checked_endpoint(container);
        let endpoints = container.endpoints.iter().zip(ports).map(|(endpoint, port)| {
            let mut json = json!({"name": endpoint.name});
            if let Some(host) = port.host {
                json["allocatedHostPort"] = json!(host);
            }
            if let Some(healthy) = healthy(member.verdict).filter(|_| checked == Some(&endpoint.name)) {
                json["healthy"] = json!(healthy);
            }
            json
        });
        let mut json = json!({
            "name": member.name, "status": states::name(member.state()), "statusSince": member.since,
            "containerId": instance.id.member(&member.name, instance.incarnation),
            "endpoints": endpoints.collect::<Vec<_>>(), "conditions": conditions(container, member),
            "lastUpdated": member.updated, "lastChanged": member.since,
        });
        if !member.message.is_empty() {
            json["message"] = json!(member.message);
        }
        if let Some(result) = &member.check_result {
            json["checkResult"] = result.clone();
        }
        if member.is_over() {
            json["termination"] = termination(member);
        } else {
            let wanted = container.resources;
            json["resources"] =
                json!({"cpus": wanted.cpus, "mem": wanted.mem, "disk": wanted.disk, "gpus": wanted.gpus});
        }
        Some(json)
    }
}

/// The endpoint a container's health check asks.
fn checked_endpoint(container: &Container) -> Option<&String> {
    let check = container.health_check.as_ref()?;
    check.http.as_ref().map(|http| &http.endpoint).or_else(|| check.tcp.as_ref().map(|tcp| &tcp.endpoint))
}

/// The condition of a container that runs and has a check: not reported yet counts as not healthy.
fn conditions(container: &Container, member: &Member) -> Vec<Value> {
    if container.health_check.is_none() || member.state() != TaskState::TaskRunning {
        return Vec::new();
    }
    let reason =
        if member.verdict != Verdict::Unknown { "health-reported-by-mesos" } else { "health-unreported-by-mesos" };
    let value = if member.verdict == Verdict::Healthy { "true" } else { "false" };
    vec![json!({"name": "healthy", "value": value, "reason": reason, "lastUpdated": member.updated,
        "lastChanged": member.since})]
}

/// The status of an instance, in Marathon's words for pods.
fn status(instance: &Instance, pod: &Pod) -> (&'static str, Option<&'static str>) {
    let sick = |container: &Container| {
        let member = instance.members.iter().find(|member| member.name == container.name);
        container.health_check.is_some()
            && member.is_some_and(|one| one.state() == TaskState::TaskRunning && one.verdict != Verdict::Healthy)
    };
    match instance.condition {
        _ if instance.goal == Goal::Stopped => ("TERMINAL", None),
        Condition::Scheduled => ("PENDING", None),
        Condition::Staging | Condition::Starting => ("STAGING", None),
        Condition::Killing => ("TERMINAL", None),
        Condition::Unreachable => ("DEGRADED", Some("pod instance has become unreachable")),
        Condition::Running if pod.containers.iter().any(sick) => {
            ("DEGRADED", Some("at least one container is not healthy"))
        }
        Condition::Running => ("STABLE", None),
    }
}

impl RunSpec {
    /// As the pod that it is, if it is one.
    pub(crate) fn pod_json(&self) -> Option<Value> {
        let mut json = json!(self.pod()?);
        json["version"] = json!(self.version);
        Some(json)
    }

    /// The kind of it, and its definition as that.
    pub(super) fn shown(&self) -> (&'static str, Value) {
        self.pod_json().map_or_else(|| ("app", json!(self)), |pod| ("pod", pod))
    }
}
