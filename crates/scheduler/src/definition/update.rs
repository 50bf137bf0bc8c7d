//! An app as a client sends it: every field optional. [`AppUpdate::create`] fills in the defaults, [`AppUpdate::apply`]
//! changes an app and leaves absent fields as they were, [`AppUpdate::replace`] is a PUT without partial update.

mod container;
mod ip_address;
mod merge;
mod surroundings;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::app::{Check, Fetch};
use super::brake::AppBrake;
use super::env::EnvValue;
use super::health_check::HealthCheck;
use super::network::Network;
use super::readiness::ReadinessCheck;
use super::resource_limits::ResourceLimits;
use super::run_spec::RunSpec;
use super::seconds::Seconds;
use super::secret::Secrets;
use super::single_check::SingleCheck;
use super::strategy::{KillSelection, UnreachableStrategy, UpgradeStrategy};
use super::validate::Faults;
use crate::ids::AppId;
use crate::time::Timestamp;
use container::ContainerUpdate;
use ip_address::IpAddress;

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
    pub(crate) container: Option<ContainerUpdate>,
    pub(crate) secrets: Option<Secrets>,
    pub(crate) resource_limits: Option<ResourceLimits>,
    pub(crate) tty: Option<bool>,
    pub(crate) role: Option<String>,
    pub(crate) upgrade_strategy: Option<UpgradeStrategy>,
    pub(crate) brake: Option<AppBrake>,
    pub(crate) labels: Option<BTreeMap<String, String>>,
    pub(crate) task_kill_grace_period_seconds: Option<Seconds>,
    pub(crate) kill_selection: Option<KillSelection>,
    pub(crate) unreachable_strategy: Option<UnreachableStrategy>,
    pub(crate) accepted_resource_roles: Option<Vec<String>>,
    pub(crate) networks: Option<Vec<Network>>,
    /// The form that networks had before Marathon 1.5.
    pub(crate) ip_address: Option<IpAddress>,
    /// Roll back to this version.
    pub(crate) version: Option<Timestamp>,

    // Not supported yet: refused by name unless empty.
    pub(crate) residency: Option<Value>,
    pub(crate) executor_resources: Option<Value>,
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
    pub(crate) health_kills: IgnoredAny,
    pub(crate) halted: IgnoredAny,
    pub(crate) waiting: IgnoredAny,
    pub(crate) ended: IgnoredAny,
    pub(crate) untold: IgnoredAny,
    pub(crate) unasked: IgnoredAny,
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
        after.keep_service_ports(&app.service_ports());
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
        if is_alone { Ok(self.version) } else { Err(Faults::of("/", error)) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn update(json: Value) -> AppUpdate {
        serde_json::from_value(json).unwrap()
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    /// An app that sleeps, with these fields.
    fn created(mut fields: Value) -> Result<RunSpec, Faults> {
        fields["cmd"] = json!("sleep 1");
        update(fields).create(AppId::new("/shop/eu/a"), at(1))
    }

    fn ports(spec: &RunSpec) -> Vec<u16> {
        spec.service_ports()
    }

    #[test]
    fn scaling_is_no_change_of_configuration() {
        let app = created(json!({})).unwrap();
        let scaled = update(json!({"instances": 5})).apply(&app, at(2)).unwrap();
        assert_eq!((scaled.config_version(), scaled.version), (at(1), at(2)));
        let changed = update(json!({"cmd": "sleep 2"})).apply(&scaled, at(3)).unwrap();
        assert_eq!((changed.config_version(), changed.instances), (at(3), 5));
    }

    #[test]
    fn cmd_and_args_exclude_each_other() {
        let app = created(json!({})).unwrap();
        let changed = update(json!({"args": ["sleep", "1"]})).apply(&app, at(2)).unwrap();
        assert_eq!(changed.app().unwrap().cmd, None);
        assert!(created(json!({"args": ["x"]})).is_err());
    }

    #[test]
    fn what_is_not_supported_is_refused_by_name() {
        for (path, value) in [
            ("/residency", json!({"taskLostBehavior": "WAIT_FOREVER"})),
            ("/executorResources", json!({"cpus": 0.1})),
            ("/gpus", json!(1)),
            ("/executor", json!("//other")),
            ("/executor", json!("/")),
            ("/executor", json!("/a/")),
            ("/executor", json!("a\0")),
        ] {
            let field = path.split(['/', '(']).nth(1).unwrap();
            let faults = created(json!({field: value})).unwrap_err();
            assert!(faults.iter().any(|fault| fault.path == path), "{path}: {faults:?}");
        }
        for executor in ["", "//cmd", "/opt/mine", "mine/it"] {
            let app = created(json!({"executor": executor})).unwrap();
            assert_eq!(app.app().unwrap().executor, executor);
        }
        let nothing = json!({"dependencies": [], "container": null, "secrets": {}, "tty": false, "executor": "", "gpus": 0,
            "ipAddress": null, "storeUrls": []});
        assert!(created(nothing).is_ok());
        let container = json!({"type": "MESOS", "volumes": []});
        let app = created(json!({"container": container})).unwrap();
        assert_eq!(json!(app)["container"], container, "without an image it is a task as any other");
    }

    #[test]
    fn dependencies_are_relative_to_the_group() {
        let app = created(json!({"dependencies": ["db", "../x", "/y", "db"]})).unwrap();
        let paths: Vec<_> = app.dependencies.iter().map(AppId::as_str).collect();
        assert_eq!(paths, ["/shop/eu/db", "/shop/x", "/y"]);
    }

    #[test]
    fn older_forms_are_normalised() {
        let app = created(json!({"ports": [8080, 0], "uris": ["http://a/b.tgz"]})).unwrap();
        let fetch = &app.app().unwrap().fetch;
        assert_eq!((ports(&app), fetch[0].uri.as_str(), fetch[0].extract), (vec![8080, 0], "http://a/b.tgz", true));
        for beside in [json!([]), json!([1])] {
            let app = created(json!({"ports": beside, "portDefinitions": [{"port": 1, "name": "x"}]})).unwrap();
            assert_eq!((ports(&app), app.wanted_ports()[0].name), (vec![1], Some("x")));
        }
        let checksum = "a checksum must be 'sha256:' and 64 hexadecimal digits or 'sha512:' and 128, not 'md5:0'";
        let different = json!({"ports": [1], "portDefinitions": [{"port": 2}]});
        for (json, error) in [
            (different, "cannot specify both ports and port definitions"),
            (json!({"uris": ["a"], "fetch": [{"uri": "b"}]}), "may not be set in conjunction with fetch"),
            (json!({"ports": [7, 7]}), "Ports must be unique."),
            (json!({"fetch": [{"uri": "http://a/b", "checksum": "md5:0"}]}), checksum),
        ] {
            let faults = created(json).unwrap_err();
            assert!(faults.iter().any(|fault| fault.error == error), "{error}: {faults:?}");
        }
    }

    #[test]
    fn an_app_sent_once_more_keeps_the_ports_it_was_given() {
        let mut app = created(json!({"ports": [0, 8080, 0]})).unwrap();
        app.keep_service_ports(&[10_000, 10_001]);
        let again = update(json!({"ports": [0, 8080, 0]})).apply(&app, at(2)).unwrap();
        assert!(!app.needs_restart(&again));
        let replaced = update(json!({"cmd": "sleep 1"})).replace(&app, at(2)).unwrap();
        assert_eq!(ports(&replaced), [10_000]);
        let more = update(json!({"ports": [10_001, 0, 0]})).apply(&app, at(2)).unwrap();
        assert_eq!(ports(&more), [10_001, 10_000, 8080]);
    }

    #[test]
    fn a_version_comes_alone() {
        let sent =
            |more: &str| update(json!({"version": "1970-01-01T00:00:00.001Z", "id": "/a", more: [1]})).rollback();
        let read_back = "tasks tasksStats deployments lastTaskFailure readinessCheckResults versionInfo \
                         tasksHeldUnhealthy heldUnhealthy checksPausedUntil healthKills halted waiting ended untold \
                         unasked";
        for field in read_back.split(' ') {
            assert_eq!(sent(field), Ok(Some(at(1))), "{field}");
        }
        let bare = update(json!({"version": "1970-01-01T00:00:00.001Z", "id": "/a"}));
        assert_eq!(bare.rollback(), Ok(Some(at(1))));
        assert_eq!(update(json!({"cmd": "x"})).rollback(), Ok(None));
        let faults = sent("ports").unwrap_err();
        let error = "The 'version' field may only be combined with the 'id' field.";
        assert!(faults.iter().any(|fault| fault.error == error));
    }

    #[test]
    fn a_single_instance_app_is_replaced_without_a_second_one() {
        let app = created(json!({"labels": {"MARATHON_SINGLE_INSTANCE_APP": "true"}})).unwrap();
        let strategy = app.upgrade_strategy;
        assert_eq!((strategy.minimum_health_capacity, strategy.maximum_over_capacity), (0.0, 0.0));
    }
}
