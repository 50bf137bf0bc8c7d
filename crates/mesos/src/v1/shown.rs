//! Definitions as they are shown to whoever asks: secrets by value keep their place, and lose the value. Pure.

use super::{CommandInfo, ContainerInfo, Environment, ExecutorInfo, HealthCheck, Image, Secret, Task, Volume};

/// A definition that may hold secrets by value.
pub trait Confidential: Clone {
    /// Takes the values away.
    fn hide(&mut self);

    /// The same without the values.
    fn shown(&self) -> Self {
        let mut shown = self.clone();
        shown.hide();
        shown
    }
}

impl<T: Confidential> Confidential for Option<T> {
    fn hide(&mut self) {
        self.iter_mut().for_each(T::hide);
    }
}

impl<T: Confidential> Confidential for Vec<T> {
    fn hide(&mut self) {
        self.iter_mut().for_each(T::hide);
    }
}

impl Confidential for Secret {
    fn hide(&mut self) {
        self.value = None;
    }
}

impl Confidential for Environment {
    fn hide(&mut self) {
        self.variables.iter_mut().for_each(|variable| variable.secret.hide());
    }
}

impl Confidential for CommandInfo {
    fn hide(&mut self) {
        self.environment.hide();
    }
}

impl Confidential for HealthCheck {
    fn hide(&mut self) {
        self.command.hide();
    }
}

impl Confidential for Image {
    fn hide(&mut self) {
        self.docker.iter_mut().for_each(|docker| docker.config.hide());
    }
}

impl Confidential for Volume {
    fn hide(&mut self) {
        self.image.hide();
        self.source.iter_mut().for_each(|source| source.secret.hide());
    }
}

impl Confidential for ContainerInfo {
    fn hide(&mut self) {
        self.volumes.hide();
        self.mesos.iter_mut().for_each(|mesos| mesos.image.hide());
    }
}

impl Confidential for ExecutorInfo {
    fn hide(&mut self) {
        self.command.hide();
        self.container.hide();
    }
}

impl Confidential for Task {
    fn hide(&mut self) {
        self.container.hide();
        self.health_check.hide();
        self.health_checks.hide();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{FrameworkId, TaskInfo};
    use super::*;

    /// A definition with a secret in each place that can have one.
    fn definition() -> serde_json::Value {
        let secret = json!({"type": "VALUE", "value": {"data": "c2VzYW1l"}});
        let image = json!({"type": "DOCKER", "docker": {"name": "web", "config": secret}});
        let variable = json!({"name": "V", "type": "SECRET", "secret": secret});
        let command = json!({"value": "true", "environment": {"variables": [variable]}});
        let volumes = json!([
            {"mode": "RO", "container_path": "a", "source": {"type": "SECRET", "secret": secret}},
            {"mode": "RO", "container_path": "b", "image": image}
        ]);
        let container = json!({"type": "MESOS", "mesos": {"image": image}, "volumes": volumes});
        json!({
            "name": "t", "task_id": {"value": "t"}, "agent_id": {"value": "a"}, "executor_id": {"value": "e"},
            "command": command, "container": container, "health_check": {"type": "COMMAND", "command": command},
            "health_checks": [{"type": "COMMAND", "command": command}]
        })
    }

    #[test]
    fn no_value_is_shown_and_every_place_of_one_is() {
        let executor: ExecutorInfo = crate::json::from_value(definition()).unwrap();
        let task: TaskInfo = crate::json::from_value(definition()).unwrap();
        let task = Task::launched(&FrameworkId::from("f"), &task, Some(&executor));
        let mut before = definition();
        (before["framework_id"], before["state"]) = (json!({"value": "f"}), json!("TASK_RUNNING"));
        let before: Task = crate::json::from_value(before).unwrap();
        let tasks = [&task, &before.shown()].map(|task| (crate::json::to_value(task), 5));
        for (shown, places) in [(crate::json::to_value(&executor.shown()), 4)].into_iter().chain(tasks) {
            let shown = shown.to_string();
            assert!(!shown.contains("c2VzYW1l"), "{shown}");
            assert_eq!(shown.matches("VALUE").count(), places, "{shown}");
        }
    }
}
