//! From a pod and what was taken of an offer to the task group that is launched: an executor of Mesos' default kind, and
//! a task for each container.

use std::collections::BTreeMap;

use mesos::v1::offer::operation::LaunchGroup;
use mesos::v1::{
    CommandInfo, DurationInfo, ExecutorInfo, FrameworkId, KillPolicy, Resource, TaskGroupInfo, TaskInfo, executor_info,
};

use super::{Site, pod_container, ports};
use crate::definition::RunSpec;
use crate::definition::env::EnvValue;
use crate::definition::pod::{Container, Pod};
use crate::definition::ports::Port;
use crate::instance::Instance;
use crate::probe;
use crate::stock::{Stock, merge_ports};

/// The group of an instance whose ports are known; nothing if the resources are not enough, which placing excludes.
pub(crate) fn build(
    app: &RunSpec,
    pod: &Pod,
    instance: &Instance,
    site: Site<'_>,
    resources: Vec<Resource>,
    framework_id: &str,
) -> Option<LaunchGroup> {
    let mut stock = Stock::holding(resources);
    let own = pod.executor_resources;
    let all = app.ports(&instance.place.ports);
    let mut checks = probe::native(app, &all).into_iter();
    let mut rest = all.as_slice();
    let executor = ExecutorInfo {
        r#type: Some(executor_info::Type::Default.into()),
        executor_id: instance.executor_id().into(),
        framework_id: Some(FrameworkId::from(framework_id)),
        resources: scalars(&mut stock, own.cpus, own.mem, own.disk)?,
        container: Some(pod_container::of_executor(pod, &all, site.bridge)),
        labels: super::labels(&pod.labels),
        ..ExecutorInfo::default()
    };
    let mut tasks = Vec::new();
    for container in &pod.containers {
        let (ports, others) = rest.split_at_checked(container.endpoints.len())?;
        rest = others;
        let health_check = container.health_check.as_ref().and_then(|check| {
            let mut message = checks.next()?;
            if let Some(exec) = &check.exec {
                message.command = Some(super::exec(&exec.command));
            }
            Some(message)
        });
        let inside: Vec<_> = ports.iter().map(|port| port.inside).collect();
        let resources = take(&mut stock, container, ports)?;
        let environment = super::environment(variables(app, pod, container, instance, &all, site), &pod.secrets);
        let command = CommandInfo { environment: Some(environment), ..command(pod, container) };
        let discovery = Some(super::discovery(app, &pod.networks, ports));
        let check = container.check.as_ref().and_then(|check| super::check_info(&check.of(container), &inside));
        let one = one(pod, container, instance, resources, command);
        let (agent_id, counted_as) = (site.offer.agent_id.clone(), Some(app.id.as_str().to_owned()));
        tasks.push(TaskInfo { agent_id, health_check, check, discovery, counted_as, ..one });
    }
    Some(LaunchGroup { executor, task_group: TaskGroupInfo { tasks } })
}

fn one(
    pod: &Pod,
    container: &Container,
    instance: &Instance,
    resources: Vec<Resource>,
    command: CommandInfo,
) -> TaskInfo {
    let grace = container.lifecycle.and_then(|lifecycle| lifecycle.kill_grace_period_seconds);
    TaskInfo {
        name: container.name.clone(),
        task_id: instance.id.member(&container.name, instance.incarnation).into(),
        resources,
        command: Some(command),
        container: Some(pod_container::of_task(pod, container)),
        limits: container.resource_limits.iter().flat_map(super::limits).collect(),
        kill_policy: grace.map(|grace| KillPolicy { grace_period: Some(DurationInfo::from(grace.duration())) }),
        labels: super::labels(&container.labels),
        explained: Some(true),
        ..TaskInfo::default()
    }
}

fn scalars(stock: &mut Stock, cpus: f64, mem: f64, disk: f64) -> Option<Vec<Resource>> {
    let mut taken = Vec::new();
    for (name, amount) in [("cpus", cpus), ("mem", mem), ("disk", disk)] {
        taken.extend(stock.take_scalar(name, amount)?);
    }
    Some(taken)
}

fn take(stock: &mut Stock, container: &Container, ports: &[Port<'_>]) -> Option<Vec<Resource>> {
    let wanted = container.resources;
    let mut taken = scalars(stock, wanted.cpus, wanted.mem, wanted.disk)?;
    let mut dice = fastrand::Rng::with_seed(0);
    let ports = ports.iter().filter_map(|port| port.host);
    let ports: Option<Vec<_>> = ports.map(|port| Some(stock.take_port(Some(port), &mut dice)?.1)).collect();
    taken.extend(merge_ports(ports?));
    Some(taken)
}

/// The command, but for its variables. Arguments are for the image's entry point, unless they take its place.
fn command(pod: &Pod, container: &Container) -> CommandInfo {
    let base = container.exec.as_ref().map(|exec| super::exec(&exec.command));
    let base = base.unwrap_or_else(|| CommandInfo { shell: Some(false), ..CommandInfo::default() });
    let keeps = container.exec.as_ref().is_some_and(|exec| !exec.override_entrypoint.is_on());
    let is_program = base.shell == Some(true) || !keeps || container.image.is_none();
    CommandInfo {
        uris: super::uris(&container.artifacts),
        user: container.user.clone().or_else(|| pod.user.clone()),
        value: base.value.clone().filter(|_| is_program),
        ..base
    }
}

/// Marathon's variables of pods, over which the pod's own win, and over those the container's.
fn variables(
    app: &RunSpec,
    pod: &Pod,
    container: &Container,
    instance: &Instance,
    ports: &[Port<'_>],
    site: Site<'_>,
) -> BTreeMap<String, EnvValue> {
    let mut all = BTreeMap::new();
    let mut set = |name: &str, value: String| drop(all.insert(name.to_owned(), value.into()));
    set("HOST", site.offer.hostname.clone());
    set("MESOS_TASK_ID", instance.id.member(&container.name, instance.incarnation));
    set("MESOS_EXECUTOR_ID", instance.executor_id());
    set("MARATHON_APP_ID", app.id.to_string());
    set("MARATHON_APP_VERSION", app.version.to_string());
    set("MARATHON_APP_ENFORCE_GROUP_ROLE", super::flag_text(site.enforced));
    set("MARATHON_CONTAINER_ID", container.name.clone());
    let own = container.resources;
    for (name, amount) in [("CPUS", own.cpus), ("MEM", own.mem), ("DISK", own.disk)] {
        set(&format!("MARATHON_CONTAINER_RESOURCE_{name}"), super::amount_text(amount));
    }
    set("MARATHON_CONTAINER_RESOURCE_GPUS", container.resources.gpus.to_string());
    ports::endpoint_variables(ports, &mut set);
    let labels = pod.labels.iter().chain(&container.labels);
    super::label_variables(&labels.map(|(name, value)| (name.clone(), value.clone())).collect(), &mut set);
    let own = pod.environment.iter().chain(&container.environment);
    all.extend(own.map(|(name, value)| (name.clone(), value.clone())));
    all
}
