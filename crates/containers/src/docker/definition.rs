//! From a task to the body of the call that makes its container. Pure.
//!
//! | Mesos' docker executor runs | here |
//! |---|---|
//! | `--entrypoint /bin/sh IMAGE -c VALUE` for a command of a shell | `Entrypoint`, `Cmd` |
//! | `IMAGE VALUE ARGUMENTS` for any other | `Cmd`; the image's if there is none |
//! | `-e`, `-v`, `-p`, `--net`, `--hostname`, `--device`, `--privileged` | the members of the same meaning |
//! | `--cpu-shares`, `--cpu-quota`, `--memory`, `--memory-reservation` | the same, with the same numbers |
//! | parameters | see `parameters` |

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::Path;

use mesos::v1::{ContainerInfo, TaskInfo};
use serde_json::{Map, Value, json};

use super::names::Labels;
use super::{parameters, volumes};
use crate::cgroup::{CpuLimits, Demand, Limits, MemoryLimits, PERIOD_US, Policy};
use crate::network::plan::{DockerPlan, PlanError, docker};
use crate::rlimits::{RLimitError, confinement};
use crate::rootfs::SANDBOX;

/// The bounds of the daemon's own log of a container's output.
const LOGS: [(&str, &str); 2] = [("max-size", "10m"), ("max-file", "2")];

/// Why a task cannot have its container; its author is at fault. In Mesos' words where it has some.
#[derive(Debug, thiserror::Error)]
pub enum DefinitionError {
    /// There is no `docker`.
    #[error("DockerInfo 'docker' is not set for DOCKER typed ContainerInfo")]
    NoDocker,
    /// There is nothing for the shell.
    #[error("Shell specified but no command value provided")]
    NoValue,
    /// A volume is nowhere.
    #[error("Both host_path '{host}' and container_path '{container}' of a volume are relative")]
    Relative {
        /// Of the host.
        host: String,
        /// In the container.
        container: String,
    },
    /// A volume cannot be had.
    #[error("The volume '{path}' cannot be {what}")]
    Volume {
        /// Its path in the container.
        path: String,
        /// The thing it asks to be.
        what: &'static str,
    },
    /// A path is not to be written down.
    #[error("The path '{0}' of a volume has a colon in it")]
    Colon(String),
    /// Volumes have several drivers.
    #[error("Only one volume driver per task is supported")]
    VolumeDrivers,
    /// A network or a port cannot be had.
    #[error(transparent)]
    Network(#[from] PlanError),
    /// A limit makes no sense.
    #[error(transparent)]
    Limit(#[from] RLimitError),
    /// The name of a container is not for its task to choose.
    #[error("Parameter in DockerInfo must not be 'name'")]
    Name,
    /// An option cannot be had.
    #[error("The parameter '{key}' is not supported: {why}")]
    Parameter {
        /// The option.
        key: String,
        /// Why.
        why: &'static str,
    },
    /// The value of an option is none.
    #[error("The parameter '{key}' cannot be '{value}'")]
    Value {
        /// The option.
        key: String,
        /// Its value.
        value: String,
    },
    /// Something is for containers of Mesos alone.
    #[error("'{0}' is not supported for containers of type DOCKER")]
    OnlyMesos(&'static str),
}

/// All that the container of a task is made of.
pub struct Definition<'a> {
    /// The task.
    pub task: &'a TaskInfo,
    /// The variables of its command, with those that are secrets.
    pub variables: BTreeMap<String, String>,
    /// Its container, as its variable says.
    pub name: &'a str,
    /// The labels by which it is found again.
    pub labels: Labels,
    /// The sandbox on the host.
    pub sandbox: &'a Path,
    /// True if CPUs that are asked for are a limit, too.
    pub cfs: bool,
}

/// The body of the call while it is made.
#[derive(Debug, Default)]
pub(super) struct Body {
    pub(super) config: Map<String, Value>,
    pub(super) host: Map<String, Value>,
}

impl Definition<'_> {
    /// The body of the call.
    pub fn body(&self) -> Result<Value, DefinitionError> {
        let container = self.task.container.as_ref().ok_or(DefinitionError::NoDocker)?;
        let docker = container.docker.as_ref().ok_or(DefinitionError::NoDocker)?;
        refuse(container)?;
        let mut body = Body::default();
        body.set("Image", json!(docker.image));
        body.set("Labels", json!(self.labels()));
        body.set("Healthcheck", json!({"Test": ["NONE"]}));
        self.command(&mut body)?;
        self.environment(&mut body);
        self.files(&mut body, container)?;
        self.network(&mut body, container)?;
        self.limits(&mut body, container)?;
        body.host("Privileged", json!(docker.privileged()));
        body.host("LogConfig", json!({"Type": "json-file", "Config": Labels::from(LOGS.map(owned))}));
        for parameter in &docker.parameters {
            parameters::apply(&mut body, &parameter.key, &parameter.value)?;
        }
        Ok(body.finish())
    }

    fn labels(&self) -> Labels {
        let mut labels = self.labels.clone();
        labels.insert("MESOS_TASK_ID".to_owned(), self.task.task_id.value.clone());
        labels
    }

    fn command(&self, body: &mut Body) -> Result<(), DefinitionError> {
        let Some(command) = &self.task.command else { return Ok(()) };
        if command.shell() {
            let value = command.value.as_ref().ok_or(DefinitionError::NoValue)?;
            body.set("Entrypoint", json!(["/bin/sh"]));
            body.set("Cmd", json!(["-c", value]));
            return Ok(());
        }
        let words: Vec<&String> = command.value.iter().chain(&command.arguments).collect();
        if !words.is_empty() {
            body.set("Cmd", json!(words));
        }
        Ok(())
    }

    fn environment(&self, body: &mut Body) {
        let role = self.task.resources.iter().find_map(|resource| resource.allocation_info.as_ref()?.role.clone());
        let mut all = self.variables.clone();
        all.insert("MESOS_SANDBOX".to_owned(), SANDBOX.to_owned());
        all.insert("MESOS_CONTAINER_NAME".to_owned(), self.name.to_owned());
        all.extend(role.map(|role| ("MESOS_ALLOCATION_ROLE".to_owned(), role)));
        body.set("Env", all.iter().map(|(name, value)| format!("{name}={value}")).collect());
    }

    fn files(&self, body: &mut Body, container: &ContainerInfo) -> Result<(), DefinitionError> {
        let volumes::Binds { binds, driver } = volumes::binds(container, self.sandbox)?;
        // Not a bind, in whose text there could be no colon.
        let sandbox = json!({"Type": "bind", "Source": self.sandbox, "Target": SANDBOX});
        body.host("Mounts", json!([sandbox]));
        body.host("Binds", json!(binds));
        driver.into_iter().for_each(|driver| body.host("VolumeDriver", json!(driver)));
        Ok(())
    }

    fn network(&self, body: &mut Body, container: &ContainerInfo) -> Result<(), DefinitionError> {
        let DockerPlan { mode, ports } = docker(container, &offered_ports(self.task))?;
        let (mut exposed, mut bound) = (Map::new(), Map::new());
        for port in ports {
            let inside = format!("{}/{}", port.container_port, port.transport.name());
            exposed.insert(inside.clone(), json!({}));
            let bindings = bound.entry(inside).or_insert_with(|| json!([])).as_array_mut();
            bindings.into_iter().for_each(|all| all.push(json!({"HostPort": port.host_port.to_string()})));
        }
        body.set("ExposedPorts", Value::Object(exposed));
        body.host("PortBindings", Value::Object(bound));
        body.host("NetworkMode", json!(mode));
        container.hostname.iter().for_each(|hostname| body.set("Hostname", json!(hostname)));
        Ok(())
    }

    fn limits(&self, body: &mut Body, container: &ContainerInfo) -> Result<(), DefinitionError> {
        let policy = Policy { cpu: true, memory: true, cfs: self.cfs, ..Policy::default() };
        let Limits { cpu, memory, .. } = policy.limits(&[Demand::from(self.task)]);
        cpu.into_iter().for_each(|cpu| body.processors(cpu));
        memory.into_iter().for_each(|memory| body.memory(memory));
        let confinement = confinement(Some(container))?.unwrap_or_default();
        let number = |limit: Option<u64>| limit.and_then(|limit| i64::try_from(limit).ok()).unwrap_or(-1);
        let ulimit = |limit: &processes::ResourceLimit| json!({"Name": limit.resource, "Soft": number(limit.soft), "Hard": number(limit.hard)});
        let ulimits: Vec<Value> = confinement.limits.iter().map(ulimit).collect();
        body.host("Ulimits", json!(ulimits));
        Ok(())
    }
}

impl Body {
    fn set(&mut self, member: &str, value: Value) {
        self.config.insert(member.to_owned(), value);
    }

    fn host(&mut self, member: &str, value: Value) {
        self.host.insert(member.to_owned(), value);
    }

    fn processors(&mut self, cpu: CpuLimits) {
        self.host("CpuShares", json!(cpu.shares()));
        if let Some(quota) = cpu.quota_us() {
            self.host("CpuPeriod", json!(PERIOD_US));
            self.host("CpuQuota", json!(quota));
        }
    }

    /// A request is a reservation only where there is a limit beside it.
    fn memory(&mut self, memory: MemoryLimits) {
        let limit = memory.hard_bytes();
        limit.into_iter().for_each(|limit| self.host("Memory", json!(limit)));
        if limit != Some(memory.soft_bytes()) {
            self.host("MemoryReservation", json!(memory.soft_bytes()));
        }
    }

    fn finish(mut self) -> Value {
        self.config.insert("HostConfig".to_owned(), Value::Object(self.host));
        Value::Object(self.config)
    }
}

/// The refusal of settings that Docker would have to be told otherwise.
fn refuse(container: &ContainerInfo) -> Result<(), DefinitionError> {
    let only = [
        (container.linux_info.is_some(), "linux_info"),
        (container.tty_info.is_some(), "tty_info"),
        (container.mesos.is_some(), "mesos"),
    ];
    only.into_iter().find(|(is_there, _)| *is_there).map_or(Ok(()), |(_, name)| Err(DefinitionError::OnlyMesos(name)))
}

fn offered_ports(task: &TaskInfo) -> Vec<RangeInclusive<u64>> {
    let ports = task.resources.iter().filter(|resource| resource.name == "ports");
    let ranges = ports.filter_map(|resource| resource.ranges.as_ref()).flat_map(|ranges| &ranges.range);
    ranges.map(|range| range.begin..=range.end).collect()
}

fn owned((name, value): (&str, &str)) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

#[cfg(test)]
mod tests;
