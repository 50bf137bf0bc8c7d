//! From an app and what was taken of an offer to Mesos' `TaskInfo`: command, variables, checks, discovery.

mod container;
pub(crate) mod group;
mod pod_container;
mod ports;
#[cfg(test)]
mod rows;

use std::collections::BTreeMap;

use mesos::v1::value::Scalar;
use mesos::v1::{
    CheckInfo, CommandInfo, DiscoveryInfo, DurationInfo, Environment, HealthCheck, KillPolicy, Label, Labels, Offer,
    Ports, Resource, TaskInfo, check_info, command_info, discovery_info, environment, health_check,
};

use crate::definition::RunSpec;
use crate::definition::app::{App, Check, Fetch};
use crate::definition::container::ContainerKind;
use crate::definition::env::EnvValue;
use crate::definition::exec_command::ExecCommand;
use crate::definition::network::Network;
use crate::definition::ports::Port;
use crate::definition::resource_limits::ResourceLimits;
use crate::definition::secret::Secrets;
use crate::instance::Instance;
use crate::probe;

/// The longest label value that becomes a variable.
const LONGEST_LABEL: usize = 512;

/// The place of a launch, and what is the same for all tasks there.
#[derive(Clone, Copy)]
pub(crate) struct Site<'a> {
    pub offer: &'a Offer,
    /// True if the group of the app enforces its role.
    pub enforced: bool,
    /// The name of the agents' bridge.
    pub bridge: &'a str,
}

/// The task of an instance whose ports are known.
pub(crate) fn build(
    spec: &RunSpec,
    app: &App,
    instance: &Instance,
    site: Site<'_>,
    resources: Vec<Resource>,
) -> TaskInfo {
    let ports = spec.ports(&instance.place.ports);
    let (health_check, health_checks) = placed(probe::native(spec, &ports));
    let inside: Vec<_> = ports.iter().map(|port| port.inside).collect();
    TaskInfo {
        name: spec.id.host_name(),
        task_id: instance.task_id().into(),
        agent_id: site.offer.agent_id.clone(),
        resources,
        command: Some(command(spec, app, instance, &ports, site)),
        container: container::info(app, &instance.task_id(), &ports, site.bridge),
        limits: app.resource_limits.iter().flat_map(limits).collect(),
        health_check,
        health_checks,
        explained: Some(true),
        counted_as: Some(spec.id.as_str().to_owned()),
        check: app.check.as_ref().and_then(|check| check_info(check, &inside)),
        kill_policy: app
            .task_kill_grace_period_seconds
            .map(|grace| KillPolicy { grace_period: Some(DurationInfo::from(grace.duration())) }),
        labels: labels(&spec.labels),
        discovery: Some(discovery(spec, &app.networks, &ports)),
        ..TaskInfo::default()
    }
}

/// The limits by the names of their resources.
fn limits(limits: &ResourceLimits) -> impl Iterator<Item = (String, Scalar)> {
    limits.named().map(|(name, value)| (name.to_owned(), Scalar { value }))
}

/// The first check is where Mesos has its only one, if it is of a type that Mesos knows; a master of Mesos refuses others
/// there. The further ones, in their order, are where it does not look.
fn placed(mut checks: Vec<HealthCheck>) -> (Option<HealthCheck>, Vec<HealthCheck>) {
    use health_check::Type::{Command, Http, Tcp};
    let first = checks.first().filter(|check| matches!(check.r#type(), Command | Http | Tcp)).cloned();
    if first.is_some() {
        checks.remove(0);
    }
    (first, checks)
}

/// Without an image the first argument is the program; with one, the image may say what runs.
fn command(spec: &RunSpec, app: &App, instance: &Instance, ports: &[Port<'_>], site: Site<'_>) -> CommandInfo {
    let has_image = app.container.as_ref().is_some_and(|container| container.docker.is_some());
    let (shell, value, arguments) = match &app.cmd {
        Some(cmd) => (true, Some(cmd.clone()), Vec::new()),
        None => (false, app.args.first().filter(|_| !has_image).cloned(), app.args.clone()),
    };
    CommandInfo {
        uris: uris(&app.fetch),
        environment: Some(environment(variables(spec, app, instance, ports, site), &app.secrets)),
        shell: Some(shell),
        value,
        arguments,
        user: app.user.clone(),
    }
}

pub(crate) fn uris(fetch: &[Fetch]) -> Vec<command_info::Uri> {
    let uri = |fetch: &Fetch| command_info::Uri {
        value: fetch.uri.clone(),
        executable: Some(fetch.executable),
        extract: Some(fetch.extract),
        cache: Some(fetch.cache),
        output_file: fetch.dest_path.clone(),
        checksum: fetch.checksum.clone(),
    };
    fetch.iter().map(uri).collect()
}

/// Variables as Mesos has them; secrets by where they come from.
fn environment(variables: BTreeMap<String, EnvValue>, secrets: &Secrets) -> Environment {
    let variable = |(name, value)| {
        let variable = environment::Variable { name, ..environment::Variable::default() };
        match value {
            EnvValue::Text(text) => environment::Variable { value: Some(text), ..variable },
            EnvValue::Secret { secret } => environment::Variable {
                r#type: Some(environment::variable::Type::Secret.into()),
                secret: Some(container::reference(&secret, secrets)),
                ..variable
            },
        }
    };
    Environment { variables: variables.into_iter().map(variable).collect() }
}

/// Marathon's variables, over which the app's own win.
fn variables(
    spec: &RunSpec,
    app: &App,
    instance: &Instance,
    ports: &[Port<'_>],
    site: Site<'_>,
) -> BTreeMap<String, EnvValue> {
    let mut all = BTreeMap::new();
    let mut set = |name: &str, value: String| drop(all.insert(name.to_owned(), value.into()));
    set("HOST", site.offer.hostname.clone());
    set("MESOS_TASK_ID", instance.task_id());
    set("MARATHON_APP_ID", spec.id.to_string());
    set("MARATHON_APP_VERSION", spec.version.to_string());
    let container = app.container.as_ref().filter(|container| container.kind == ContainerKind::Docker);
    if let Some(docker) = container.and_then(|container| container.docker.as_ref()) {
        set("MARATHON_APP_DOCKER_IMAGE", docker.image.clone());
    }
    for (name, amount) in [("CPUS", spec.cpus), ("MEM", spec.mem), ("DISK", spec.disk)] {
        set(&format!("MARATHON_APP_RESOURCE_{name}"), amount_text(amount));
    }
    set("MARATHON_APP_RESOURCE_GPUS", app.gpus.to_string());
    set("MARATHON_APP_ENFORCE_GROUP_ROLE", flag_text(site.enforced));
    label_variables(&spec.labels, &mut set);
    ports::variables(ports, &mut set);
    all.extend(app.env.clone());
    all
}

/// The names of all labels, and the values of those that are not too long.
pub(crate) fn label_variables(labels: &BTreeMap<String, String>, set: &mut impl FnMut(&str, String)) {
    let names: Vec<_> = labels.keys().map(|label| variable_name(label)).collect();
    set("MARATHON_APP_LABELS", names.join(" "));
    for (label, value) in labels.iter().filter(|(_, value)| value.len() < LONGEST_LABEL) {
        set(&format!("MARATHON_APP_LABEL_{}", variable_name(label)), value.clone());
    }
}

/// An amount as Marathon writes it into a variable: always with a fraction, which scripts cut off.
pub(crate) fn amount_text(amount: f64) -> String {
    format!("{amount:?}")
}

/// Yes or no, as Marathon writes it in variables.
pub(crate) fn flag_text(flag: bool) -> String {
    if flag { "TRUE".to_owned() } else { "FALSE".to_owned() }
}

/// A text as part of a variable's name.
pub(crate) fn variable_name(text: &str) -> String {
    text.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter.to_ascii_uppercase() } else { '_' }).collect()
}

pub(crate) fn labels(labels: &BTreeMap<String, String>) -> Option<Labels> {
    let labels: Vec<_> =
        labels.iter().map(|(key, value)| Label { key: key.clone(), value: Some(value.clone()) }).collect();
    (!labels.is_empty()).then_some(Labels { labels })
}

/// The discovery of a task: under the name of its app or pod, at its ports.
fn discovery(spec: &RunSpec, networks: &[Network], ports: &[Port<'_>]) -> DiscoveryInfo {
    DiscoveryInfo {
        visibility: discovery_info::Visibility::Framework.into(),
        name: Some(spec.id.host_name()),
        ports: Some(Ports { ports: ports::discovery(networks, ports) }),
        ..DiscoveryInfo::default()
    }
}

/// A check whose results are shown, as Mesos has it; nothing if it asks a port the task has not.
pub(crate) fn check_info(check: &Check, ports: &[u16]) -> Option<CheckInfo> {
    let port = |port: Option<u16>, index: Option<u16>| {
        port.or_else(|| ports.get(usize::from(index.unwrap_or(0))).copied()).map(u32::from)
    };
    let mut info = CheckInfo {
        delay_seconds: Some(check.delay_seconds.as_f64()),
        interval_seconds: Some(check.interval_seconds.as_f64()),
        timeout_seconds: Some(check.timeout_seconds.as_f64()),
        ..CheckInfo::default()
    };
    if let Some(http) = &check.http {
        info.r#type = Some(check_info::Type::Http.into());
        info.http = Some(check_info::Http {
            port: port(http.port, http.port_index)?,
            path: http.path.clone(),
            ..Default::default()
        });
    } else if let Some(tcp) = &check.tcp {
        info.r#type = Some(check_info::Type::Tcp.into());
        info.tcp = Some(check_info::Tcp { port: port(tcp.port, tcp.port_index)?, ..Default::default() });
    } else {
        info.r#type = Some(check_info::Type::Command.into());
        info.command = Some(check_info::Command { command: exec(&check.exec.as_ref()?.command) });
    }
    Some(info)
}

pub(crate) fn exec(command: &ExecCommand) -> CommandInfo {
    match (&command.shell, &command.argv) {
        (Some(value), _) => probe::shell(value),
        (None, argv) => {
            let arguments = argv.clone().unwrap_or_default();
            CommandInfo { shell: Some(false), value: arguments.first().cloned(), arguments, ..CommandInfo::default() }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{AppId, InstanceId};
    use crate::instance::Place;
    use crate::time::Timestamp;

    fn spec() -> RunSpec {
        let labels = [("my-label".into(), "x".into())].into();
        RunSpec { labels, ..RunSpec::new(AppId::new("/shop/web"), Timestamp::from_millis(0)) }
    }

    fn app() -> App {
        App { cmd: Some("run".into()), env: [("HOST".into(), "mine".to_owned().into())].into(), ..App::new() }
    }

    fn instance() -> Instance {
        let at = Timestamp::from_millis(0);
        let id = InstanceId::new(&AppId::new("/shop/web"), "u");
        let place = Place { ports: vec![31000], ..Place::default() };
        Instance { place, ..Instance::scheduled(id, &RunSpec::new(AppId::new("/shop/web"), at), at) }
    }

    fn site(offer: &Offer) -> Site<'_> {
        Site { offer, enforced: false, bridge: "mesos-bridge" }
    }

    #[test]
    fn variables_are_marathons_and_the_users_win() {
        let offer = Offer { hostname: "box".into(), ..Offer::default() };
        let spec = spec();
        let all = variables(&spec, &app(), &instance(), &spec.ports(&[31000]), site(&offer));
        for (name, value) in [
            ("HOST", "mine"),
            ("PORT", "31000"),
            ("PORT0", "31000"),
            ("PORTS", "31000"),
            ("PORT_DEFAULT", "31000"),
            ("MARATHON_APP_ID", "/shop/web"),
            ("MARATHON_APP_RESOURCE_CPUS", "1.0"),
            ("MARATHON_APP_RESOURCE_MEM", "128.0"),
            ("MARATHON_APP_LABELS", "MY_LABEL"),
            ("MARATHON_APP_LABEL_MY_LABEL", "x"),
            ("MESOS_TASK_ID", "shop_web.instance-u._app.1"),
        ] {
            assert_eq!(all.get(name).and_then(EnvValue::text), Some(value), "{name}");
        }
    }

    #[test]
    fn checks_of_types_that_mesos_does_not_know_are_where_it_does_not_look() {
        let kinds = |protocols: &[&str]| {
            let checks: Vec<_> =
                protocols.iter().map(|one| serde_json::json!({"protocol": one, "portIndex": 0})).collect();
            let spec = RunSpec { health_checks: serde_json::from_value(checks.into()).unwrap(), ..spec() };
            let task = build(&spec, &app(), &instance(), site(&Offer::default()), Vec::new());
            let kind = |check: &HealthCheck| check.r#type();
            (task.health_check.as_ref().map(kind), task.health_checks.iter().map(kind).collect::<Vec<_>>())
        };
        use health_check::Type::{Grpc, Http, Tcp};
        assert_eq!(kinds(&["MESOS_TCP", "MESOS_GRPC", "MESOS_HTTP"]), (Some(Tcp), vec![Grpc, Http]));
        assert_eq!(kinds(&["MESOS_GRPC", "MESOS_HTTP"]), (None, vec![Grpc, Http]));
        assert_eq!(kinds(&[]), (None, vec![]));
    }

    #[test]
    fn args_run_without_a_shell() {
        let app = App { cmd: None, args: vec!["sleep".into(), "1".into()], ..app() };
        let command = build(&spec(), &app, &instance(), site(&Offer::default()), Vec::new()).command.unwrap();
        assert_eq!((command.shell, command.value.as_deref()), (Some(false), Some("sleep")));
        assert_eq!(command.arguments, ["sleep", "1"]);
    }
}
