//! The way from a client's fields to a specification, field by field: older forms, defaults that depend on other
//! fields, and what is refused by name.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{AppUpdate, PortUpdate};
use crate::definition::app::{App, Container, ContainerKind, Fetch};
use crate::definition::constraint::Constraint;
use crate::definition::env::{EnvValue, NO_SECRETS};
use crate::definition::health_check::Protocol;
use crate::definition::port::PortDefinition;
use crate::definition::run_spec::{Kind, RunSpec};
use crate::definition::strategy::UpgradeStrategy;
use crate::definition::validate::Faults;
use crate::definition::{rules, runnable, validate};

impl AppUpdate {
    /// The specification with the fields that are present changed, if it makes sense then.
    pub(super) fn onto(mut self, mut spec: RunSpec, new: bool) -> Result<RunSpec, Faults> {
        let mut faults = Faults::default();
        let mut app = spec.app().cloned().unwrap_or_else(App::new);
        self.refuse_unsupported(&mut faults);
        self.environment(&mut app, &mut faults);
        self.constraints(&mut spec, &mut faults);
        self.container(&mut app, &mut faults);
        self.dependencies(&mut spec);
        self.sizes(&mut spec, &mut faults);
        self.command(&mut app);
        self.fetch(&mut app, &mut faults);
        self.ports(&mut spec, &mut faults);
        self.checks(&mut spec, new);
        set(&mut app.user, self.user.map(Some));
        set(&mut spec.require_ports, self.require_ports);
        set(&mut spec.backoff_seconds, self.backoff_seconds);
        set(&mut spec.backoff_factor, self.backoff_factor);
        set(&mut spec.max_launch_delay_seconds, self.max_launch_delay_seconds);
        set(&mut app.check, self.check.map(Some));
        set(&mut spec.readiness_checks, self.readiness_checks);
        let strategy_given = self.upgrade_strategy.is_some();
        set(&mut spec.upgrade_strategy, self.upgrade_strategy);
        set(&mut spec.brake, self.brake.map(Some));
        set(&mut spec.labels, self.labels);
        if new && !strategy_given && spec.is_single_instance() {
            spec.upgrade_strategy = UpgradeStrategy {
                minimum_health_capacity: 0.0,
                maximum_over_capacity: 0.0,
                ..UpgradeStrategy::default()
            };
        }
        set(&mut app.task_kill_grace_period_seconds, self.task_kill_grace_period_seconds.map(Some));
        set(&mut spec.kill_selection, self.kill_selection);
        set(&mut spec.unreachable_strategy, self.unreachable_strategy);
        set(&mut spec.role, self.role.map(Some));
        set(&mut app.executor, self.executor);
        set(&mut spec.accepted_resource_roles, self.accepted_resource_roles);
        set(&mut app.networks, self.networks);
        validate::validate(&spec, &app, &mut faults);
        runnable::validate(&spec, &app, &mut faults);
        spec.kind = Kind::App(Box::new(app));
        faults.or(spec)
    }

    fn refuse_unsupported(&self, faults: &mut Faults) {
        let asked = |value: &Option<Value>| value.as_ref().is_some_and(|value| !means_nothing(value));
        let fields = [
            ("secrets", asked(&self.secrets)),
            ("residency", asked(&self.residency)),
            ("ipAddress", self.ip_address.is_some()),
            ("executorResources", asked(&self.executor_resources)),
            ("resourceLimits", asked(&self.resource_limits)),
            ("tty", asked(&self.tty)),
            ("storeUrls", asked(&self.store_urls)),
        ];
        rules::unsupported(fields, "", faults);
        if self.gpus.is_some_and(|gpus| gpus != 0) {
            faults.add("/gpus", "gpus are not supported yet");
        }
    }

    fn environment(&mut self, app: &mut App, faults: &mut Faults) {
        let Some(values) = self.env.take() else { return };
        app.env = BTreeMap::new();
        for (name, value) in values {
            match value {
                EnvValue::Text(text) => drop(app.env.insert(name, text)),
                EnvValue::Secret {} => faults.add(format!("/env/{name}"), NO_SECRETS),
            }
        }
    }

    fn constraints(&mut self, spec: &mut RunSpec, faults: &mut Faults) {
        let Some(constraints) = self.constraints.take() else { return };
        spec.constraints = Vec::new();
        for (index, words) in constraints.iter().enumerate() {
            match Constraint::parse(words) {
                Ok(constraint) if spec.constraints.contains(&constraint) => {}
                Ok(constraint) => spec.constraints.push(constraint),
                Err(error) => faults.add(format!("/constraints({index})"), error),
            }
        }
    }

    /// A container of Mesos without an image is a task as any other; what else is asked of one is refused by name.
    fn container(&mut self, app: &mut App, faults: &mut Faults) {
        let Some(fields) = self.container.take() else { return };
        for (name, _) in fields.iter().filter(|(name, value)| *name != "type" && !means_nothing(value)) {
            faults.add(format!("/container/{name}"), format!("container.{name} is not supported yet"));
        }
        match fields.get("type").and_then(Value::as_str) {
            Some("MESOS") => {}
            None | Some("DOCKER") => {
                faults.add("/container/type", "containers of type DOCKER are not supported yet");
            }
            Some(_) => faults.add("/container/type", "error.unknown.enum.literal"),
        }
        app.container = Some(Container { kind: ContainerKind::Mesos, volumes: Vec::new() });
    }

    /// Relative paths begin at the app's group.
    fn dependencies(&mut self, spec: &mut RunSpec) {
        let Some(paths) = self.dependencies.take() else { return };
        let group = spec.id.parent();
        spec.dependencies = paths.iter().map(|path| group.resolve(path)).collect();
        spec.dependencies.sort();
        spec.dependencies.dedup();
    }

    fn sizes(&mut self, spec: &mut RunSpec, faults: &mut Faults) {
        if let Some(instances) = self.instances {
            match u32::try_from(instances) {
                Ok(instances) => spec.instances = instances,
                Err(_) => faults.add("/instances", format!("got {instances}, expected 0 or more")),
            }
        }
        set(&mut spec.cpus, self.cpus.take());
        set(&mut spec.mem, self.mem.take());
        set(&mut spec.disk, self.disk.take());
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
    }

    /// `uris` is the older form of `fetch`.
    fn fetch(&mut self, app: &mut App, faults: &mut Faults) {
        let uris = self.uris.take().filter(|uris| !uris.is_empty() || self.fetch.is_none());
        let both = uris.is_some() && self.fetch.as_ref().is_some_and(|fetch| !fetch.is_empty());
        faults.require(!both, "/uris", "may not be set in conjunction with fetch");
        if let Some(uris) = uris {
            let fetch =
                |uri| Fetch { uri, extract: true, executable: false, cache: false, dest_path: None, checksum: None };
            self.fetch = Some(uris.into_iter().map(fetch).collect());
        }
        set(&mut app.fetch, self.fetch.take());
    }

    fn ports(&mut self, spec: &mut RunSpec, faults: &mut Faults) {
        // Clients that have a place for both send an empty list beside the form they use.
        let empty = |ports: &Vec<i64>| ports.is_empty() && self.port_definitions.is_some();
        let listed = self.ports.take().filter(|ports| !empty(ports)).map(|ports| {
            ports.into_iter().map(|port| PortUpdate { port: Some(port), ..PortUpdate::default() }).collect::<Vec<_>>()
        });
        let numbers = |ports: &Vec<PortUpdate>| ports.iter().map(|port| port.port.unwrap_or(0)).collect::<Vec<_>>();
        let differ = match (&self.port_definitions, &listed) {
            (Some(ports), Some(listed)) => numbers(ports) != numbers(listed),
            _ => false,
        };
        faults.require(!differ, "/", "cannot specify both ports and port definitions");
        let Some(ports) = self.port_definitions.take().or(listed) else { return };
        let before = std::mem::take(&mut spec.port_definitions);
        spec.port_definitions =
            ports.into_iter().enumerate().map(|(index, update)| update.definition(index, faults)).collect();
        keep_numbers(&mut spec.port_definitions, &before);
    }

    /// A check that names no port asks the first one. For a new app only if the client sent ports, as in Marathon.
    fn checks(&mut self, spec: &mut RunSpec, new: bool) {
        let single = self.health_check.take().map(|check| vec![check.into()]);
        let Some(mut checks) = self.health_checks.take().or(single) else { return };
        for check in &mut checks {
            let portless = check.port.is_none() && check.port_index.is_none() && check.port_name.is_none();
            let has_ports = !new || !spec.port_definitions.is_empty();
            if check.protocol != Protocol::Command && portless && has_ports {
                check.port_index = Some(0);
            }
        }
        spec.health_checks = checks;
    }
}

impl PortUpdate {
    fn definition(self, index: usize, faults: &mut Faults) -> PortDefinition {
        let number = self.port.unwrap_or(0);
        let port = u16::try_from(number).unwrap_or_else(|_| {
            let path = format!("/portDefinitions({index})/port");
            faults.add(path, format!("got {number}, expected a port from 0 to 65535"));
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

/// Ports that may be any keep the numbers that were given to them before, in their order: sending an app once more
/// changes nothing.
pub(super) fn keep_numbers(ports: &mut [PortDefinition], before: &[PortDefinition]) {
    let free = before.iter().map(|port| port.port).filter(|&number| number != 0);
    let mut free: Vec<_> = free.filter(|&number| ports.iter().all(|port| port.port != number)).collect();
    free.reverse();
    for port in ports.iter_mut().filter(|port| port.port == 0) {
        port.port = free.pop().unwrap_or(0);
    }
}

fn set<T>(field: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *field = value;
    }
}

/// True if a field that is not supported asks for nothing anyway.
fn means_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(flag) => !flag,
        Value::String(text) => text.is_empty(),
        Value::Number(_) => false,
    }
}
