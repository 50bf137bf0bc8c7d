use mesos::v1::container_info::docker_info::{Network, PortMapping};
use mesos::v1::container_info::{DockerInfo, Type};
use mesos::v1::environment::Variable;
use mesos::v1::value::{Range, Ranges, Scalar};
use mesos::v1::volume::Mode;
use mesos::v1::{CommandInfo, Environment, Parameter, Resource, Volume};

use super::*;

fn docker_info() -> DockerInfo {
    DockerInfo { image: "web:1".to_owned(), network: Some(Network::Bridge.into()), ..DockerInfo::default() }
}

fn task(docker: DockerInfo) -> TaskInfo {
    let container = ContainerInfo { r#type: Type::Docker.into(), docker: Some(docker), ..ContainerInfo::default() };
    let ports = Ranges { range: vec![Range { begin: 31_000, end: 31_009 }] };
    let ports = Resource { name: "ports".to_owned(), ranges: Some(ports), ..Resource::default() };
    let command = CommandInfo { shell: Some(false), ..CommandInfo::default() };
    TaskInfo {
        task_id: "web.1".into(),
        command: Some(command),
        container: Some(container),
        resources: vec![Resource::scalar("cpus", 0.5), Resource::scalar("mem", 64.0), ports],
        ..TaskInfo::default()
    }
}

fn try_body(task: &TaskInfo) -> Result<Value, String> {
    let labels = Labels::from([("cygnet.task".to_owned(), "web.1".to_owned())]);
    let own = task.command.as_ref().and_then(|command| command.environment.as_ref());
    let variables = mesos::command::plain_variables(own);
    let definition =
        Definition { task, variables, name: "mesos-c", labels, sandbox: Path::new("/sandboxes/a:b"), cfs: false };
    definition.body().map_err(|error| error.to_string())
}

fn body(task: &TaskInfo) -> Value {
    try_body(task).unwrap()
}

fn with_container(change: impl FnOnce(&mut ContainerInfo)) -> TaskInfo {
    let mut task = task(docker_info());
    change(task.container.as_mut().unwrap());
    task
}

#[test]
fn a_task_becomes_a_container_as_mesos_would_run_it() {
    let mapping = PortMapping { host_port: 31_000, container_port: 80, protocol: Some("tcp".to_owned()) };
    let mut web = task(DockerInfo { port_mappings: vec![mapping], privileged: Some(true), ..docker_info() });
    let variable = Variable { name: "A".to_owned(), value: Some("b".to_owned()), ..Variable::default() };
    web.command.as_mut().unwrap().environment = Some(Environment { variables: vec![variable] });
    assert_eq!(
        body(&web),
        json!({
            "Image": "web:1",
            "Labels": {"cygnet.task": "web.1", "MESOS_TASK_ID": "web.1"},
            "Healthcheck": {"Test": ["NONE"]},
            "Env": ["A=b", "MESOS_CONTAINER_NAME=mesos-c", "MESOS_SANDBOX=/mnt/mesos/sandbox"],
            "ExposedPorts": {"80/tcp": {}},
            "HostConfig": {
                "Mounts": [{"Type": "bind", "Source": "/sandboxes/a:b", "Target": "/mnt/mesos/sandbox"}],
                "Binds": [],
                "NetworkMode": "bridge",
                "PortBindings": {"80/tcp": [{"HostPort": "31000"}]},
                "CpuShares": 512,
                "Memory": 64 << 20,
                "Ulimits": [],
                "Privileged": true,
                "LogConfig": {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "2"}},
            },
        })
    );
}

#[test]
fn a_command_takes_the_place_of_the_images_or_is_its_arguments() {
    let run = |shell: bool, value: Option<&str>, arguments: &[&str]| {
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        let command =
            CommandInfo { shell: Some(shell), value: value.map(str::to_owned), arguments, ..CommandInfo::default() };
        let body = try_body(&TaskInfo { command: Some(command), ..task(docker_info()) })?;
        Ok::<_, String>((body["Entrypoint"].clone(), body["Cmd"].clone()))
    };
    assert_eq!(run(true, Some("sleep 1"), &[]), Ok((json!(["/bin/sh"]), json!(["-c", "sleep 1"]))));
    assert_eq!(run(false, Some("nginx"), &["-g", "x"]), Ok((Value::Null, json!(["nginx", "-g", "x"]))));
    assert_eq!(run(false, None, &["-g"]), Ok((Value::Null, json!(["-g"]))));
    assert_eq!(run(false, None, &[]), Ok((Value::Null, Value::Null)));
    assert_eq!(run(true, None, &[]), Err("Shell specified but no command value provided".to_owned()));
}

#[test]
fn limits_are_mesos_own() {
    let limited = |mem: f64, limits: &[(&str, f64)]| {
        let mut task = task(docker_info());
        task.resources[1] = Resource::scalar("mem", mem);
        task.limits = limits.iter().map(|(name, value)| ((*name).to_owned(), Scalar { value: *value })).collect();
        let host = body(&task)["HostConfig"].clone();
        ["Memory", "MemoryReservation", "CpuQuota"].map(|name| host[name].as_u64())
    };
    assert_eq!(limited(1.0, &[]), [Some(32 << 20), None, None]);
    assert_eq!(limited(64.0, &[("mem", 128.0)]), [Some(128 << 20), Some(64 << 20), None]);
    assert_eq!(limited(64.0, &[("mem", f64::INFINITY)]), [None, Some(64 << 20), None]);
    assert_eq!(limited(64.0, &[("cpus", 1.5)]), [Some(64 << 20), None, Some(150_000)]);
}

#[test]
fn volumes_are_binds() {
    let volume = |host: &str, inside: &str, mode: Mode| Volume {
        mode: mode.into(),
        container_path: inside.to_owned(),
        host_path: Some(host.to_owned()),
        ..Volume::default()
    };
    let binds = |volumes: Vec<Volume>| {
        try_body(&with_container(|container| container.volumes = volumes))
            .map(|body| body["HostConfig"]["Binds"].clone())
    };
    let all = vec![volume("/srv", "/data", Mode::Ro), volume("/srv", "data", Mode::Rw)];
    assert_eq!(binds(all), Ok(json!(["/srv:/data:ro", "/srv:/mnt/mesos/sandbox/data:rw"])));
    // A sandbox with a colon in its path has no parts that can be bound.
    let refused = |host, inside| binds(vec![volume(host, inside, Mode::Rw)]).unwrap_err();
    assert!(refused("data", "/data").contains("has a colon"));
    assert_eq!(refused("a", "b"), "Both host_path 'a' and container_path 'b' of a volume are relative");
    assert!(refused("../a", "/b").contains("out of the sandbox") && refused("/a", "../../etc").contains("'..'"));
}

#[test]
fn what_cannot_be_is_said_in_mesos_words() {
    let mapping = |host_port| PortMapping { host_port, container_port: 80, protocol: None };
    let with = |docker: DockerInfo| try_body(&task(docker)).unwrap_err();
    let host = Some(Network::Host.into());
    assert_eq!(
        with(DockerInfo { network: host, port_mappings: vec![mapping(31_000)], ..docker_info() }),
        "Port mappings are only supported for bridge and user-defined networks"
    );
    assert_eq!(
        with(DockerInfo { port_mappings: vec![mapping(1)], ..docker_info() }),
        "Port [1] not included in resources"
    );
    let named = Parameter { key: "name".to_owned(), value: "x".to_owned() };
    assert_eq!(
        with(DockerInfo { parameters: vec![named], ..docker_info() }),
        "Parameter in DockerInfo must not be 'name'"
    );
    let linux = with_container(|container| container.linux_info = Some(mesos::v1::LinuxInfo::default()));
    assert!(try_body(&linux).unwrap_err().contains("'linux_info'"));
    let nothing = with_container(|container| container.docker = None);
    assert_eq!(try_body(&nothing).unwrap_err(), "DockerInfo 'docker' is not set for DOCKER typed ContainerInfo");
}

#[test]
fn a_parameter_wins_over_what_was_there() {
    let parameter = |key: &str, value: &str| Parameter { key: key.to_owned(), value: value.to_owned() };
    let parameters = vec![parameter("network", "blue"), parameter("memory", "1g"), parameter("volume", "/a:/b")];
    let body = body(&task(DockerInfo { parameters, ..docker_info() }));
    let host = &body["HostConfig"];
    assert_eq!(
        (&host["NetworkMode"], &host["Memory"], &host["Binds"]),
        (&json!("blue"), &json!(1 << 30), &json!(["/a:/b"]))
    );
}
