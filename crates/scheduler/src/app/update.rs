//! What a client sends: every field optional. [`AppUpdate::create`] fills in the defaults, [`AppUpdate::apply`] changes
//! an app and leaves absent fields as they were, [`AppUpdate::replace`] is a PUT without partial update.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::definition::{
    App, Check, Constraint, Fetch, KillSelection, Network, PortDefinition, UnreachableStrategy, UpgradeStrategy,
};
use super::health_check::{HealthCheck, Protocol};
use super::validate::{Fault, Faults};
use crate::ids::AppId;
use crate::time::Timestamp;

/// An app as a client writes it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields of `App`, all optional")]
pub struct AppUpdate {
    pub id: Option<String>,
    pub cmd: Option<String>,
    pub args: Option<Vec<String>>,
    pub user: Option<String>,
    pub env: Option<BTreeMap<String, String>>,
    pub instances: Option<i64>,
    pub cpus: Option<f64>,
    pub mem: Option<f64>,
    pub disk: Option<f64>,
    pub gpus: Option<i64>,
    pub executor: Option<String>,
    pub constraints: Option<Vec<Constraint>>,
    pub fetch: Option<Vec<Fetch>>,
    pub uris: Option<Vec<String>>,
    pub port_definitions: Option<Vec<PortUpdate>>,
    pub ports: Option<Vec<i64>>,
    pub require_ports: Option<bool>,
    pub backoff_seconds: Option<f64>,
    pub backoff_factor: Option<f64>,
    pub max_launch_delay_seconds: Option<f64>,
    pub health_checks: Option<Vec<HealthCheck>>,
    /// The form of one check, not in a list.
    pub health_check: Option<HealthCheck>,
    pub check: Option<Check>,
    pub upgrade_strategy: Option<UpgradeStrategy>,
    pub labels: Option<BTreeMap<String, String>>,
    pub task_kill_grace_period_seconds: Option<f64>,
    pub kill_selection: Option<KillSelection>,
    pub unreachable_strategy: Option<UnreachableStrategy>,
    pub accepted_resource_roles: Option<Vec<String>>,
    pub networks: Option<Vec<Network>>,
    /// Roll back to this version.
    pub version: Option<Timestamp>,

    // Not supported yet: refused by name unless empty.
    pub container: Option<Value>,
    pub secrets: Option<Value>,
    pub residency: Option<Value>,
    pub ip_address: Option<Value>,
    pub dependencies: Option<Value>,
    pub readiness_checks: Option<Value>,
    pub executor_resources: Option<Value>,
    pub resource_limits: Option<Value>,
    pub role: Option<Value>,
    pub tty: Option<Value>,
    pub store_urls: Option<Value>,

    // What a client read and sends back: without meaning.
    pub version_info: Option<Value>,
    pub tasks: Option<Value>,
    pub tasks_staged: Option<Value>,
    pub tasks_running: Option<Value>,
    pub tasks_healthy: Option<Value>,
    pub tasks_unhealthy: Option<Value>,
    pub tasks_stats: Option<Value>,
    pub deployments: Option<Value>,
    pub last_task_failure: Option<Value>,
}

/// A port definition whose number may be anything, so that a bad one is named.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields of `PortDefinition`, all optional")]
pub struct PortUpdate {
    pub port: Option<i64>,
    pub name: Option<String>,
    pub protocol: Option<String>,
    pub labels: Option<BTreeMap<String, String>>,
}

impl AppUpdate {
    /// A new app: absent fields have their defaults.
    pub fn create(self, id: AppId, now: Timestamp) -> Result<App, Faults> {
        let app = App::new(id, now);
        self.onto(app, true)
    }

    /// `app` with the fields that are present changed.
    pub fn apply(self, app: &App, now: Timestamp) -> Result<App, Faults> {
        let mut after = self.onto(app.clone(), false)?;
        after.version = now;
        after.version_info = app.version_info;
        if app.needs_restart(&after) {
            after.version_info.last_config_change_at = now;
        }
        if app.instances != after.instances {
            after.version_info.last_scaling_at = now;
        }
        Ok(after)
    }

    /// `app` with every field changed: absent ones go back to their defaults.
    pub fn replace(self, app: &App, now: Timestamp) -> Result<App, Faults> {
        let mut base = App::new(app.id.clone(), now);
        base.version_info = app.version_info;
        let mut after = self.onto(base, false)?;
        after.version = now;
        if app.needs_restart(&after) {
            after.version_info.last_config_change_at = now;
        }
        Ok(after)
    }

    fn onto(mut self, mut app: App, new: bool) -> Result<App, Faults> {
        let mut faults = Faults::default();
        self.refuse_unsupported(&mut faults);
        self.sizes(&mut app, &mut faults);
        self.command(&mut app);
        self.ports(&mut app, &mut faults);
        self.checks(&mut app, new);
        set(&mut app.user, self.user.map(Some));
        set(&mut app.env, self.env);
        set(&mut app.constraints, self.constraints);
        set(&mut app.fetch, self.fetch);
        set(&mut app.require_ports, self.require_ports);
        set(&mut app.backoff_seconds, self.backoff_seconds);
        set(&mut app.backoff_factor, self.backoff_factor);
        set(&mut app.max_launch_delay_seconds, self.max_launch_delay_seconds);
        set(&mut app.check, self.check.map(Some));
        set(&mut app.upgrade_strategy, self.upgrade_strategy);
        set(&mut app.labels, self.labels);
        set(&mut app.task_kill_grace_period_seconds, self.task_kill_grace_period_seconds.map(Some));
        set(&mut app.kill_selection, self.kill_selection);
        set(&mut app.unreachable_strategy, self.unreachable_strategy);
        set(&mut app.accepted_resource_roles, self.accepted_resource_roles);
        set(&mut app.networks, self.networks);
        super::validate::validate(&app, &mut faults);
        faults.or(app)
    }

    fn refuse_unsupported(&self, faults: &mut Faults) {
        let fields = [
            ("container", &self.container),
            ("secrets", &self.secrets),
            ("residency", &self.residency),
            ("ipAddress", &self.ip_address),
            ("dependencies", &self.dependencies),
            ("readinessChecks", &self.readiness_checks),
            ("executorResources", &self.executor_resources),
            ("resourceLimits", &self.resource_limits),
            ("role", &self.role),
            ("tty", &self.tty),
            ("storeUrls", &self.store_urls),
        ];
        for (name, value) in fields {
            if value.as_ref().is_some_and(|value| !means_nothing(name, value)) {
                faults.add(Fault::new(format!("/{name}"), format!("{name} is not supported yet")));
            }
        }
        if self.executor.as_ref().is_some_and(|executor| !executor.is_empty()) {
            faults.add(Fault::new("/executor", "custom executors are not supported yet"));
        }
        if self.gpus.is_some_and(|gpus| gpus != 0) {
            faults.add(Fault::new("/gpus", "gpus are not supported yet"));
        }
    }

    fn sizes(&mut self, app: &mut App, faults: &mut Faults) {
        if let Some(instances) = self.instances {
            match u32::try_from(instances) {
                Ok(instances) => app.instances = instances,
                Err(_) => faults.add(Fault::new("/instances", format!("got {instances}, expected 0 or more"))),
            }
        }
        set(&mut app.cpus, self.cpus.take());
        set(&mut app.mem, self.mem.take());
        set(&mut app.disk, self.disk.take());
    }

    /// `cmd` and `args` exclude each other, so that setting one drops the other, unless both are sent.
    fn command(&mut self, app: &mut App) {
        let (cmd, args) = (self.cmd.take(), self.args.take());
        if cmd.is_some() && args.is_none() {
            app.args.clear();
        }
        if args.as_ref().is_some_and(|args| !args.is_empty()) && cmd.is_none() {
            app.cmd = None;
        }
        set(&mut app.cmd, cmd.map(Some));
        set(&mut app.args, args);
        if let Some(uris) = self.uris.take() {
            let fetch = |uri| Fetch { uri, extract: true, executable: false, cache: false, dest_path: None };
            self.fetch.get_or_insert_with(|| uris.into_iter().map(fetch).collect());
        }
    }

    fn ports(&mut self, app: &mut App, faults: &mut Faults) {
        let listed = self.ports.take().map(|ports| {
            ports.into_iter().map(|port| PortUpdate { port: Some(port), ..PortUpdate::default() }).collect::<Vec<_>>()
        });
        let Some(ports) = self.port_definitions.take().or(listed) else { return };
        app.port_definitions =
            ports.into_iter().enumerate().map(|(index, update)| update.definition(index, faults)).collect();
    }

    /// A check that names no port asks the first one. For a new app only if the client sent ports, as in Marathon.
    fn checks(&mut self, app: &mut App, new: bool) {
        let single = self.health_check.take().map(|check| vec![check]);
        let Some(mut checks) = self.health_checks.take().or(single) else { return };
        for check in &mut checks {
            let portless = check.port.is_none() && check.port_index.is_none();
            let has_ports = !new || !app.port_definitions.is_empty();
            if check.protocol != Protocol::Command && portless && has_ports {
                check.port_index = Some(0);
            }
        }
        app.health_checks = checks;
    }
}

impl PortUpdate {
    fn definition(self, index: usize, faults: &mut Faults) -> PortDefinition {
        let number = self.port.unwrap_or(0);
        let port = u16::try_from(number).unwrap_or_else(|_| {
            let path = format!("/portDefinitions({index})/port");
            faults.add(Fault::new(path, format!("got {number}, expected a port from 0 to 65535")));
            0
        });
        PortDefinition {
            port,
            name: self.name,
            protocol: self.protocol.unwrap_or_else(|| "tcp".into()),
            labels: self.labels.unwrap_or_default(),
        }
    }
}

fn set<T>(field: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *field = value;
    }
}

/// Whether a field that is not supported asks for nothing anyway.
fn means_nothing(name: &str, value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty() && name != "container",
        Value::Bool(flag) => !flag,
        Value::String(text) => text.is_empty() || (name == "role" && text == "*"),
        Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn update(json: Value) -> AppUpdate {
        serde_json::from_value(json).unwrap()
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn created(json: Value) -> Result<App, Faults> {
        update(json).create(AppId::new("/a"), at(1))
    }

    #[test]
    fn scaling_is_no_change_of_configuration() {
        let app = created(serde_json::json!({"cmd": "sleep 1"})).unwrap();
        let scaled = update(serde_json::json!({"instances": 5})).apply(&app, at(2)).unwrap();
        assert_eq!((scaled.config_version(), scaled.version), (at(1), at(2)));
        let changed = update(serde_json::json!({"cmd": "sleep 2"})).apply(&scaled, at(3)).unwrap();
        assert_eq!((changed.config_version(), changed.instances), (at(3), 5));
    }

    #[test]
    fn cmd_and_args_exclude_each_other() {
        let app = created(serde_json::json!({"cmd": "sleep 1"})).unwrap();
        let changed = update(serde_json::json!({"args": ["sleep", "1"]})).apply(&app, at(2)).unwrap();
        assert_eq!(changed.cmd, None);
        assert!(created(serde_json::json!({"cmd": "sleep 1", "args": ["x"]})).is_err());
    }

    #[test]
    fn a_check_without_a_port_asks_the_first_one() {
        let app = created(serde_json::json!({"cmd": "sleep 1", "healthChecks": [{"protocol": "MESOS_HTTP"}]})).unwrap();
        assert_eq!(app.health_checks[0].port_index, Some(0));
        let command = serde_json::json!({"protocol": "COMMAND", "command": {"value": "true"}});
        let app = created(serde_json::json!({"cmd": "sleep 1", "healthChecks": [command]})).unwrap();
        assert_eq!(app.health_checks[0].port_index, None);
    }

    #[test]
    fn what_is_not_supported_is_refused_by_name() {
        for (field, value) in [
            ("container", serde_json::json!({"type": "DOCKER"})),
            ("secrets", serde_json::json!({"a": {"source": "b"}})),
            ("dependencies", serde_json::json!(["/b"])),
            ("executor", serde_json::json!("//cmd")),
            ("gpus", serde_json::json!(1)),
        ] {
            let mut json = serde_json::json!({"cmd": "sleep 1"});
            json[field] = value;
            let faults = created(json).unwrap_err();
            assert!(faults.iter().any(|fault| fault.path == format!("/{field}")), "{field}: {faults:?}");
        }
        assert!(created(serde_json::json!({"cmd": "sleep 1", "dependencies": [], "container": null})).is_ok());
    }
}
