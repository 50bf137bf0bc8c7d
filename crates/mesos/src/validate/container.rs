//! Containers of tasks and of executors. In: their definitions. Out: what is wrong with them, as far as can be said without
//! the machine they are for.

use super::{Invalid, Verdict, ensure, known};
use crate::v1::{ContainerInfo, ExecutorInfo, TaskInfo, Volume, container_info, volume::Source, volume::source};

/// The container of a task, if it has one.
pub(super) fn of_task(task: &TaskInfo) -> Verdict {
    let verdict = task.container.as_ref().map_or(Ok(()), container);
    verdict.map_err(|invalid| invalid.within("Task's `ContainerInfo` is invalid"))
}

/// The container of an executor, if it has one. What its tasks share with it is for them to say.
pub(super) fn of_executor(executor: &ExecutorInfo) -> Verdict {
    let Some(info) = &executor.container else { return Ok(()) };
    container(info).map_err(|invalid| invalid.within("Executor's `ContainerInfo` is invalid"))?;
    let shares = info.linux_info.as_ref().and_then(|linux| linux.share_cgroups);
    ensure(shares != Some(true), || {
        "The 'share_cgroups' field cannot be set to 'true' on executor containers".to_owned()
    })
}

fn container(container: &ContainerInfo) -> Verdict {
    for one in &container.volumes {
        volume(one).map_err(|invalid| invalid.within("Invalid volume"))?;
    }
    if container.r#type() != container_info::Type::Docker {
        return Ok(());
    }
    let Some(docker) = &container.docker else {
        return Err(Invalid::new("DockerInfo 'docker' is not set for DOCKER typed ContainerInfo"));
    };
    let named = docker.parameters.iter().any(|parameter| parameter.key == "name");
    ensure(!named, || "Parameter in DockerInfo must not be 'name'".to_owned())
}

fn volume(volume: &Volume) -> Verdict {
    let set = [volume.host_path.is_some(), volume.image.is_some(), volume.source.is_some()];
    ensure(set.into_iter().filter(|set| *set).count() == 1, || {
        "Only one of them should be set: 'host_path', 'image' and 'source'".to_owned()
    })?;
    volume.source.as_ref().map_or(Ok(()), source_of)
}

/// The source has what its type says. A volume of CSI is for the agent to refuse, which has none.
fn source_of(source: &Source) -> Verdict {
    use source::Type;
    let (is_set, field, kind) = match known::<Type>(source.r#type) {
        Some(Type::DockerVolume) => (source.docker_volume.is_some(), "docker_volume", "DOCKER_VOLUME"),
        Some(Type::HostPath) => (source.host_path.is_some(), "host_path", "HOST_PATH"),
        Some(Type::SandboxPath) => (source.sandbox_path.is_some(), "sandbox_path", "SANDBOX_PATH"),
        Some(Type::Secret) => (source.secret.is_some(), "secret", "SECRET"),
        Some(Type::CsiVolume) => (true, "csi_volume", "CSI"),
        Some(Type::Unknown) | None => return Err(Invalid::new("'source.type' is unknown")),
    };
    ensure(is_set, || format!("'source.{field}' is not set for {kind} volume"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::json::from_value;

    fn said(container: Value) -> String {
        let task = TaskInfo { container: Some(from_value(container.clone()).unwrap()), ..TaskInfo::default() };
        let of_task = of_task(&task).err().map_or_else(|| "valid".to_owned(), |invalid| invalid.to_string());
        let executor = ExecutorInfo { container: Some(from_value(container).unwrap()), ..ExecutorInfo::default() };
        let of_executor =
            of_executor(&executor).err().map_or_else(|| "valid".to_owned(), |invalid| invalid.to_string());
        assert_eq!(of_task.replace("Task's", "Executor's"), of_executor, "both are looked at alike");
        of_task
    }

    #[test]
    fn volumes_have_one_source_and_what_it_says() {
        let volume = |more: Value| {
            let mut volume = json!({"mode": "RW", "container_path": "/v"});
            more.as_object().unwrap().iter().for_each(|(name, value)| volume[name] = value.clone());
            said(json!({"type": "MESOS", "volumes": [volume]}))
        };
        let one = "Task's `ContainerInfo` is invalid: Invalid volume: Only one of them should be set: 'host_path', 'image' and 'source'";
        assert_eq!(volume(json!({})), one);
        assert_eq!(volume(json!({"host_path": "/x", "source": {"type": "SECRET", "secret": {}}})), one);
        for (kind, error) in [
            ("HOST_PATH", "'source.host_path' is not set for HOST_PATH volume"),
            ("DOCKER_VOLUME", "'source.docker_volume' is not set for DOCKER_VOLUME volume"),
            ("SANDBOX_PATH", "'source.sandbox_path' is not set for SANDBOX_PATH volume"),
            ("SECRET", "'source.secret' is not set for SECRET volume"),
            ("UNKNOWN", "'source.type' is unknown"),
        ] {
            let error = format!("Task's `ContainerInfo` is invalid: Invalid volume: {error}");
            assert_eq!(volume(json!({"source": {"type": kind}})), error);
        }
        for fine in [
            json!({"host_path": "/x"}),
            json!({"source": {"type": "HOST_PATH", "host_path": {"path": "/x"}}}),
            json!({"source": {"type": "SANDBOX_PATH", "sandbox_path": {"type": "PARENT", "path": "x"}}}),
        ] {
            assert_eq!(volume(fine), "valid");
        }
    }

    #[test]
    fn docker_says_what_it_runs_and_names_nothing() {
        let docker = |docker: Value| said(json!({"type": "DOCKER", "docker": docker}));
        let named = json!({"image": "a", "parameters": [{"key": "name", "value": "mine"}]});
        assert_eq!(docker(named), "Task's `ContainerInfo` is invalid: Parameter in DockerInfo must not be 'name'");
        assert_eq!(docker(json!({"image": "a", "parameters": [{"key": "label", "value": "a=b"}]})), "valid");
        let none = "Task's `ContainerInfo` is invalid: DockerInfo 'docker' is not set for DOCKER typed ContainerInfo";
        assert_eq!(said(json!({"type": "DOCKER"})), none);
        assert_eq!(said(json!({"type": "MESOS", "linux_info": {"share_cgroups": false}})), "valid");
    }
}
