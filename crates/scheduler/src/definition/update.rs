//! What a client sends: every field optional. [`AppUpdate::create`] fills in the defaults, [`AppUpdate::apply`] changes
//! an app and leaves absent fields as they were, [`AppUpdate::replace`] is a PUT without partial update.

mod merge;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use super::app::{Check, Fetch, Network};
use super::brake::AppBrake;
use super::env::EnvValue;
use super::health_check::HealthCheck;
use super::readiness::ReadinessCheck;
use super::run_spec::RunSpec;
use super::seconds::Seconds;
use super::single_check::SingleCheck;
use super::strategy::{KillSelection, UnreachableStrategy, UpgradeStrategy};
use super::validate::{Fault, Faults};
use crate::ids::AppId;
use crate::time::Timestamp;

/// An app as a client writes it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct AppUpdate {
    pub(crate) id: Option<String>,
    pub(crate) cmd: Option<String>,
    pub(crate) args: Option<Vec<String>>,
    pub(crate) user: Option<String>,
    pub(crate) env: Option<BTreeMap<String, EnvValue>>,
    pub(crate) instances: Option<i64>,
    pub(crate) cpus: Option<f64>,
    pub(crate) mem: Option<f64>,
    pub(crate) disk: Option<f64>,
    pub(crate) gpus: Option<i64>,
    pub(crate) executor: Option<String>,
    pub(crate) constraints: Option<Vec<Vec<String>>>,
    pub(crate) fetch: Option<Vec<Fetch>>,
    pub(crate) uris: Option<Vec<String>>,
    pub(crate) port_definitions: Option<Vec<PortUpdate>>,
    pub(crate) ports: Option<Vec<i64>>,
    pub(crate) require_ports: Option<bool>,
    pub(crate) backoff_seconds: Option<Seconds>,
    pub(crate) backoff_factor: Option<f64>,
    pub(crate) max_launch_delay_seconds: Option<Seconds>,
    pub(crate) health_checks: Option<Vec<HealthCheck>>,
    /// The form of one check, not in a list.
    pub(crate) health_check: Option<SingleCheck>,
    pub(crate) check: Option<Check>,
    pub(crate) readiness_checks: Option<Vec<ReadinessCheck>>,
    pub(crate) dependencies: Option<Vec<String>>,
    pub(crate) container: Option<Map<String, Value>>,
    pub(crate) role: Option<String>,
    pub(crate) upgrade_strategy: Option<UpgradeStrategy>,
    pub(crate) brake: Option<AppBrake>,
    pub(crate) labels: Option<BTreeMap<String, String>>,
    pub(crate) task_kill_grace_period_seconds: Option<Seconds>,
    pub(crate) kill_selection: Option<KillSelection>,
    pub(crate) unreachable_strategy: Option<UnreachableStrategy>,
    pub(crate) accepted_resource_roles: Option<Vec<String>>,
    pub(crate) networks: Option<Vec<Network>>,
    /// Roll back to this version.
    pub(crate) version: Option<Timestamp>,

    // Not supported yet: refused by name unless empty.
    pub(crate) secrets: Option<Value>,
    pub(crate) residency: Option<Value>,
    pub(crate) ip_address: Option<Value>,
    pub(crate) executor_resources: Option<Value>,
    pub(crate) resource_limits: Option<Value>,
    pub(crate) tty: Option<Value>,
    pub(crate) store_urls: Option<Value>,

    // What a client read and sends back: without meaning.
    pub(crate) version_info: IgnoredAny,
    pub(crate) tasks: IgnoredAny,
    pub(crate) tasks_staged: IgnoredAny,
    pub(crate) tasks_running: IgnoredAny,
    pub(crate) tasks_healthy: IgnoredAny,
    pub(crate) tasks_unhealthy: IgnoredAny,
    pub(crate) tasks_held_unhealthy: IgnoredAny,
    pub(crate) held_unhealthy: IgnoredAny,
    pub(crate) checks_paused_until: IgnoredAny,
    pub(crate) tasks_stats: IgnoredAny,
    pub(crate) deployments: IgnoredAny,
    pub(crate) last_task_failure: IgnoredAny,
    pub(crate) readiness_check_results: IgnoredAny,
}

/// A port definition whose number may be anything, so that a bad one is named.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PortUpdate {
    pub(crate) port: Option<i64>,
    pub(crate) name: Option<String>,
    pub(crate) protocol: Option<String>,
    pub(crate) labels: Option<BTreeMap<String, String>>,
}

impl AppUpdate {
    /// A new app: absent fields have their defaults.
    pub(crate) fn create(self, id: AppId, now: Timestamp) -> Result<RunSpec, Faults> {
        let app = RunSpec::new(id, now);
        self.onto(app, true)
    }

    /// `app` with the fields that are present changed.
    pub(crate) fn apply(self, app: &RunSpec, now: Timestamp) -> Result<RunSpec, Faults> {
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
    pub(crate) fn replace(self, app: &RunSpec, now: Timestamp) -> Result<RunSpec, Faults> {
        let mut base = RunSpec::new(app.id.clone(), now);
        base.version_info = app.version_info;
        let mut after = self.onto(base, false)?;
        merge::keep_numbers(&mut after.port_definitions, &app.port_definitions);
        after.version = now;
        if app.needs_restart(&after) {
            after.version_info.last_config_change_at = now;
        }
        Ok(after)
    }

    /// The version to go back to, if that is what is asked for. Then nothing else may be.
    pub(crate) fn rollback(&self) -> Result<Option<Timestamp>, Faults> {
        let alone = AppUpdate { id: self.id.clone(), version: self.version, ..AppUpdate::default() };
        let error = "The 'version' field may only be combined with the 'id' field.";
        let is_alone = self.version.is_none() || alone == *self;
        if is_alone { Ok(self.version) } else { Err(Fault::new("/", error).into()) }
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

    fn created(json: Value) -> Result<RunSpec, Faults> {
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
        assert_eq!(changed.app().unwrap().cmd, None);
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
            ("container/type", serde_json::json!({"type": "DOCKER"})),
            ("container/docker", serde_json::json!({"type": "MESOS", "docker": {"image": "x"}})),
            ("container/volumes", serde_json::json!({"type": "MESOS", "volumes": [{"containerPath": "x"}]})),
            ("container/portMappings", serde_json::json!({"type": "MESOS", "portMappings": [{"containerPort": 1}]})),
            ("networks(0)/mode", serde_json::json!([{"mode": "container/bridge"}])),
            ("env/PASSWORD", serde_json::json!({"PASSWORD": {"secret": "x"}})),
            ("ipAddress", serde_json::json!({})),
            ("residency", serde_json::json!({"taskLostBehavior": "WAIT_FOREVER"})),
            ("tty", serde_json::json!(true)),
            ("resourceLimits", serde_json::json!({"cpus": 2})),
            ("executorResources", serde_json::json!({"cpus": 0.1})),
            ("secrets", serde_json::json!({"a": {"source": "b"}})),
            ("gpus", serde_json::json!(1)),
        ] {
            let mut json = serde_json::json!({"cmd": "sleep 1"});
            json[field.split(['/', '(']).next().unwrap()] = value;
            let faults = created(json).unwrap_err();
            assert!(faults.iter().any(|fault| fault.path == format!("/{field}")), "{field}: {faults:?}");
        }
        let nothing = serde_json::json!({"cmd": "sleep 1", "dependencies": [], "container": null, "secrets": {},
            "tty": false, "executor": "", "gpus": 0, "ipAddress": null, "storeUrls": []});
        assert!(created(nothing).is_ok());
    }

    #[test]
    fn an_executor_is_none_the_agents_or_a_path() {
        let with = |executor: &str| created(serde_json::json!({"cmd": "sleep 1", "executor": executor}));
        for executor in ["", "//cmd", "/opt/mine", "mine/it"] {
            assert_eq!(with(executor).unwrap().app().unwrap().executor, executor);
        }
        for executor in ["//other", "/", "/a/", "a\0"] {
            assert!(with(executor).unwrap_err().iter().any(|fault| fault.path == "/executor"), "{executor:?}");
        }
    }

    #[test]
    fn a_container_without_an_image_is_a_task_as_any_other() {
        let json = serde_json::json!({"cmd": "sleep 1", "container": {"type": "MESOS", "volumes": []}});
        let app = created(json.clone()).unwrap();
        assert_eq!(serde_json::to_value(&app).unwrap()["container"], json["container"]);
    }

    #[test]
    fn dependencies_are_relative_to_the_group() {
        let json = serde_json::json!({"cmd": "sleep 1", "dependencies": ["db", "../x", "/y", "db"]});
        let app = update(json).create(AppId::new("/shop/eu/web"), at(1)).unwrap();
        let paths: Vec<_> = app.dependencies.iter().map(AppId::as_str).collect();
        assert_eq!(paths, ["/shop/eu/db", "/shop/x", "/y"]);
    }

    #[test]
    fn older_forms_are_normalised() {
        let app =
            created(serde_json::json!({"cmd": "sleep 1", "ports": [8080, 0], "uris": ["http://a/b.tgz"]})).unwrap();
        assert_eq!(app.port_definitions.iter().map(|port| port.port).collect::<Vec<_>>(), [8080, 0]);
        let fetch = &app.app().unwrap().fetch;
        assert_eq!((fetch[0].uri.as_str(), fetch[0].extract), ("http://a/b.tgz", true));
        let beside = serde_json::json!({"cmd": "sleep 1", "ports": [], "portDefinitions": [{"port": 1, "name": "x"}]});
        assert_eq!(created(beside).unwrap().port_definitions[0].port, 1);
        let both = serde_json::json!({"cmd": "sleep 1", "ports": [1], "portDefinitions": [{"port": 1, "name": "x"}]});
        assert_eq!(created(both).unwrap().port_definitions[0].name.as_deref(), Some("x"));
        for (json, error) in [
            (
                serde_json::json!({"ports": [1], "portDefinitions": [{"port": 2}]}),
                "cannot specify both ports and port definitions",
            ),
            (serde_json::json!({"uris": ["a"], "fetch": [{"uri": "b"}]}), "may not be set in conjunction with fetch"),
            (serde_json::json!({"ports": [7, 7]}), "Ports must be unique."),
            (
                serde_json::json!({"fetch": [{"uri": "http://a/b", "checksum": "md5:0"}]}),
                "a checksum must be 'sha256:' and 64 hexadecimal digits or 'sha512:' and 128, not 'md5:0'",
            ),
        ] {
            let mut json = json;
            json["cmd"] = serde_json::json!("sleep 1");
            let faults = created(json.clone()).unwrap_err();
            assert!(faults.iter().any(|fault| fault.error == error), "{json}: {faults:?}");
        }
    }

    #[test]
    fn an_app_sent_once_more_keeps_the_ports_it_was_given() {
        let mut app = created(serde_json::json!({"cmd": "sleep 1", "ports": [0, 8080, 0]})).unwrap();
        app.port_definitions[0].port = 10_000;
        app.port_definitions[2].port = 10_001;
        let again = update(serde_json::json!({"ports": [0, 8080, 0]})).apply(&app, at(2)).unwrap();
        assert!(!app.needs_restart(&again));
        let replaced = update(serde_json::json!({"cmd": "sleep 1"})).replace(&app, at(2)).unwrap();
        assert_eq!(replaced.port_definitions.iter().map(|port| port.port).collect::<Vec<_>>(), [10_000]);
        let more = update(serde_json::json!({"ports": [10_001, 0, 0]})).apply(&app, at(2)).unwrap();
        assert_eq!(more.port_definitions.iter().map(|port| port.port).collect::<Vec<_>>(), [10_001, 10_000, 8080]);
    }

    #[test]
    fn a_version_comes_alone() {
        let version = "1970-01-01T00:00:00.001Z";
        assert_eq!(update(serde_json::json!({"version": version, "id": "/a"})).rollback(), Ok(Some(at(1))));
        for read in [
            "tasks",
            "tasksStats",
            "deployments",
            "lastTaskFailure",
            "readinessCheckResults",
            "versionInfo",
            "tasksHeldUnhealthy",
            "heldUnhealthy",
            "checksPausedUntil",
        ] {
            let sent_back = update(serde_json::json!({"version": version, "id": "/a", read: [1]}));
            assert_eq!(sent_back.rollback(), Ok(Some(at(1))), "{read}");
        }
        assert_eq!(update(serde_json::json!({"cmd": "x"})).rollback(), Ok(None));
        let faults = update(serde_json::json!({"version": version, "cmd": "x"})).rollback().unwrap_err();
        let error = "The 'version' field may only be combined with the 'id' field.";
        assert!(faults.iter().any(|fault| fault.error == error));
    }

    #[test]
    fn a_single_instance_app_is_replaced_without_a_second_one() {
        let labels = serde_json::json!({"MARATHON_SINGLE_INSTANCE_APP": "true"});
        let app = created(serde_json::json!({"cmd": "sleep 1", "labels": labels})).unwrap();
        assert_eq!(
            (app.upgrade_strategy.minimum_health_capacity, app.upgrade_strategy.maximum_over_capacity),
            (0.0, 0.0)
        );
        assert!(created(serde_json::json!({"cmd": "sleep 1", "labels": labels, "instances": 2})).is_err());
    }
}
