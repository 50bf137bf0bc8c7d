//! From a pod and what was taken of an offer to the task group that is launched: an executor of Mesos' default kind, and
//! a task for each container.

use std::collections::BTreeMap;

use mesos::v1::offer::operation::LaunchGroup;
use mesos::v1::{
    CommandInfo, DiscoveryInfo, DurationInfo, ExecutorInfo, FrameworkId, KillPolicy, Offer, Port, Ports, Resource,
    TaskGroupInfo, TaskInfo, discovery_info, executor_info,
};

use super::variable_name;
use crate::definition::RunSpec;
use crate::definition::env::EnvValue;
use crate::definition::pod::{Container, Endpoint, Pod};
use crate::instance::Instance;
use crate::probe;
use crate::stock::{Stock, merge_ports};

/// The group of an instance whose ports are known; nothing if the resources are not enough, which placing excludes.
pub(crate) fn build(
    app: &RunSpec,
    pod: &Pod,
    instance: &Instance,
    offer: &Offer,
    resources: Vec<Resource>,
    framework_id: &str,
    enforced: bool,
) -> Option<LaunchGroup> {
    let mut stock = Stock::holding(resources);
    let own = pod.executor_resources;
    let mut checks = probe::native(app, &instance.place.ports).into_iter();
    let mut ports = instance.place.ports.iter().copied();
    let executor = ExecutorInfo {
        r#type: Some(executor_info::Type::Default.into()),
        executor_id: instance.executor_id().into(),
        framework_id: Some(FrameworkId::from(framework_id)),
        resources: scalars(&mut stock, own.cpus, own.mem, own.disk)?,
        ..ExecutorInfo::default()
    };
    let mut tasks = Vec::new();
    for container in &pod.containers {
        let ports: Vec<u16> = ports.by_ref().take(container.endpoints.len()).collect();
        let health_check = container.health_check.as_ref().and_then(|check| {
            let mut message = checks.next()?;
            if let Some(exec) = &check.exec {
                message.command = Some(super::exec(&exec.command));
            }
            Some(message)
        });
        let resources = take(&mut stock, container, &ports)?;
        let command = command(app, pod, container, instance, offer, enforced);
        let discovery = Some(discovery(app, container, &ports));
        let check = container.check.as_ref().and_then(|check| super::check_info(&check.of(container), &ports));
        let one = one(container, instance, offer, resources, command);
        tasks.push(TaskInfo { health_check, check, discovery, ..one });
    }
    Some(LaunchGroup { executor, task_group: TaskGroupInfo { tasks } })
}

fn one(
    container: &Container,
    instance: &Instance,
    offer: &Offer,
    resources: Vec<Resource>,
    command: CommandInfo,
) -> TaskInfo {
    let grace = container.lifecycle.and_then(|lifecycle| lifecycle.kill_grace_period_seconds);
    TaskInfo {
        name: container.name.clone(),
        task_id: instance.id.member(&container.name, instance.incarnation).into(),
        agent_id: offer.agent_id.clone(),
        resources,
        command: Some(command),
        kill_policy: grace.map(|grace| KillPolicy { grace_period: Some(DurationInfo::from(grace.duration())) }),
        labels: super::labels(&container.labels),
        ..TaskInfo::default()
    }
}

/// The discovery of the container: under the name of its pod, at its endpoints, with a port for each protocol of one.
fn discovery(app: &RunSpec, container: &Container, ports: &[u16]) -> DiscoveryInfo {
    let port = |endpoint: &Endpoint, number: u16, protocol: Option<&String>| Port {
        number: u32::from(number),
        name: Some(endpoint.name.clone()),
        protocol: protocol.cloned(),
        labels: super::labels(&endpoint.labels),
        ..Port::default()
    };
    let of_endpoint = |(endpoint, number): (&Endpoint, &u16)| -> Vec<Port> {
        match endpoint.protocol.as_slice() {
            [] => vec![port(endpoint, *number, None)],
            protocols => protocols.iter().map(|protocol| port(endpoint, *number, Some(protocol))).collect(),
        }
    };
    DiscoveryInfo {
        visibility: discovery_info::Visibility::Framework.into(),
        name: Some(app.id.host_name()),
        ports: Some(Ports { ports: container.endpoints.iter().zip(ports).flat_map(of_endpoint).collect() }),
        ..DiscoveryInfo::default()
    }
}

fn scalars(stock: &mut Stock, cpus: f64, mem: f64, disk: f64) -> Option<Vec<Resource>> {
    let mut taken = Vec::new();
    for (name, amount) in [("cpus", cpus), ("mem", mem), ("disk", disk)] {
        taken.extend(stock.take_scalar(name, amount)?);
    }
    Some(taken)
}

fn take(stock: &mut Stock, container: &Container, ports: &[u16]) -> Option<Vec<Resource>> {
    let wanted = container.resources;
    let mut taken = scalars(stock, wanted.cpus, wanted.mem, wanted.disk)?;
    let mut dice = fastrand::Rng::with_seed(0);
    let ports: Option<Vec<_>> = ports.iter().map(|port| Some(stock.take_port(Some(*port), &mut dice)?.1)).collect();
    taken.extend(merge_ports(ports?));
    Some(taken)
}

fn command(
    app: &RunSpec,
    pod: &Pod,
    container: &Container,
    instance: &Instance,
    offer: &Offer,
    enforced: bool,
) -> CommandInfo {
    let base = container.exec.as_ref().map(|exec| super::exec(&exec.command)).unwrap_or_default();
    let all = variables(app, pod, container, instance, &offer.hostname, enforced);
    CommandInfo {
        uris: super::uris(&container.artifacts),
        environment: Some(super::environment(all)),
        user: container.user.clone().or_else(|| pod.user.clone()),
        ..base
    }
}

/// Marathon's variables of pods, over which the pod's own win, and over those the container's.
fn variables(
    app: &RunSpec,
    pod: &Pod,
    container: &Container,
    instance: &Instance,
    host: &str,
    enforced: bool,
) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    let mut set = |name: &str, value: String| drop(all.insert(name.to_owned(), value));
    set("HOST", host.to_owned());
    set("MESOS_TASK_ID", instance.id.member(&container.name, instance.incarnation));
    set("MESOS_EXECUTOR_ID", instance.executor_id());
    set("MARATHON_APP_ID", app.id.to_string());
    set("MARATHON_APP_VERSION", app.version.to_string());
    set("MARATHON_APP_ENFORCE_GROUP_ROLE", super::flag_text(enforced));
    set("MARATHON_CONTAINER_ID", container.name.clone());
    let own = container.resources;
    for (name, amount) in [("CPUS", own.cpus), ("MEM", own.mem), ("DISK", own.disk)] {
        set(&format!("MARATHON_CONTAINER_RESOURCE_{name}"), super::amount_text(amount));
    }
    set("MARATHON_CONTAINER_RESOURCE_GPUS", container.resources.gpus.to_string());
    for (endpoint, port) in pod.endpoints().zip(&instance.place.ports) {
        let name = variable_name(&endpoint.name);
        set(&format!("ENDPOINT_{name}"), port.to_string());
        set(&format!("EP_HOST_{name}"), port.to_string());
    }
    let labels = pod.labels.iter().chain(&container.labels);
    super::label_variables(&labels.map(|(name, value)| (name.clone(), value.clone())).collect(), &mut set);
    for (name, value) in pod.environment.iter().chain(&container.environment) {
        if let EnvValue::Text(text) = value {
            set(name, text.clone());
        }
    }
    all
}
