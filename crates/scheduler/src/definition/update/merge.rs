//! The way from a client's fields to a specification, field by field: older forms, defaults that depend on other
//! fields, and what is refused by name.

use serde_json::Value;

use super::{AppUpdate, PortUpdate};
use crate::definition::app::{App, Fetch};
use crate::definition::constraint::Constraint;
use crate::definition::health_check::Protocol;
use crate::definition::port::PortDefinition;
use crate::definition::run_spec::{Kind, RunSpec};
use crate::definition::strategy::UpgradeStrategy;
use crate::definition::validate::Faults;
use crate::definition::{network, rules, runnable, validate};

impl AppUpdate {
    /// The specification with the fields that are present changed, if it makes sense then.
    pub(super) fn onto(mut self, mut spec: RunSpec, new: bool) -> Result<RunSpec, Faults> {
        let mut faults = Faults::default();
        let mut app = spec.app().cloned().unwrap_or_else(App::new);
        self.refuse_unsupported(&mut faults);
        let before = spec.service_ports();
        self.constraints(&mut spec, &mut faults);
        self.dependencies(&mut spec);
        self.sizes(&mut spec, &mut faults);
        self.command(&mut app);
        self.fetch(&mut app, &mut faults);
        let defines_ports = self.port_definitions.as_ref().is_some_and(|ports| !ports.is_empty());
        let ports = self.ports(&mut spec, &mut faults);
        set(&mut spec.require_ports, self.require_ports);
        self.surroundings(&mut spec, &mut app, ports, &mut faults);
        let error = "portDefinitions are only allowed with host-networking";
        faults.require(!defines_ports || network::is_host(&app.networks), "/", error);
        set(&mut app.user, self.user.take().map(Some));
        set(&mut app.env, self.env.take());
        set(&mut app.secrets, self.secrets.take());
        set(&mut app.resource_limits, self.resource_limits.take().map(Some));
        set(&mut app.tty, self.tty);
        set(&mut spec.backoff_seconds, self.backoff_seconds);
        set(&mut spec.backoff_factor, self.backoff_factor);
        set(&mut spec.max_launch_delay_seconds, self.max_launch_delay_seconds);
        set(&mut app.check, self.check.take().map(Some));
        set(&mut spec.readiness_checks, self.readiness_checks.take());
        let strategy_given = self.upgrade_strategy.is_some();
        set(&mut spec.upgrade_strategy, self.upgrade_strategy);
        set(&mut spec.brake, self.brake.take().map(Some));
        set(&mut spec.labels, self.labels.take());
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
        set(&mut spec.role, self.role.take().map(Some));
        set(&mut app.executor, self.executor.take());
        set(&mut spec.accepted_resource_roles, self.accepted_resource_roles.take());
        spec.kind = Kind::App(Box::new(app));
        self.checks(&mut spec, new);
        spec.keep_service_ports(&before);
        if let Some(app) = spec.app() {
            validate::validate(&spec, app, &mut faults);
            runnable::validate(&spec, app, &mut faults);
        }
        faults.or(spec)
    }

    fn refuse_unsupported(&self, faults: &mut Faults) {
        let asked = |value: &Option<Value>| value.as_ref().is_some_and(|value| !means_nothing(value));
        let fields = [
            ("residency", asked(&self.residency)),
            ("executorResources", asked(&self.executor_resources)),
            ("storeUrls", asked(&self.store_urls)),
        ];
        rules::unsupported(fields, "", faults);
        if self.gpus.is_some_and(|gpus| gpus != 0) {
            faults.add("/gpus", "gpus are not supported yet");
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

    /// Says how many ports were sent, if any were.
    fn ports(&mut self, spec: &mut RunSpec, faults: &mut Faults) -> Option<usize> {
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
        let ports = self.port_definitions.take().or(listed)?;
        let ports = ports.into_iter().enumerate().map(|(index, update)| update.definition(index, faults));
        Some(spec.port_definitions.insert(ports.collect()).len())
    }

    /// A check that names no port asks the first one. For a new app only if the client sent ports, as in Marathon.
    fn checks(&mut self, spec: &mut RunSpec, new: bool) {
        let single = self.health_check.take().map(|check| vec![check.into()]);
        let Some(mut checks) = self.health_checks.take().or(single) else { return };
        for check in &mut checks {
            let portless = check.port.is_none() && check.port_index.is_none() && check.port_name.is_none();
            let has_ports = !new || !spec.wanted_ports().is_empty();
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
