//! The operator API's reads.

use mesos::v1::agent::{Response, response};
use mesos::v1::{Flag, Task as Wire};
use response::Type;

use crate::core::Core;
use crate::core::framework::Framework;
use crate::core::task::Task;

impl Core {
    pub(crate) fn get_agent(&self) -> Response {
        let get_agent = response::GetAgent { agent_info: Some(self.agent_info()), ..response::GetAgent::default() };
        Response { r#type: Some(Type::GetAgent.into()), get_agent: Some(get_agent), ..Response::default() }
    }

    pub(crate) fn get_flags(&self) -> Response {
        let flag = |(name, value): (&String, &String)| Flag { name: name.clone(), value: Some(value.clone()) };
        let get_flags = response::GetFlags { flags: self.settings.flags.iter().map(flag).collect() };
        Response { r#type: Some(Type::GetFlags.into()), get_flags: Some(get_flags), ..Response::default() }
    }

    pub(crate) fn get_frameworks(&self) -> Response {
        let get_frameworks = Some(self.framework_list());
        Response { r#type: Some(Type::GetFrameworks.into()), get_frameworks, ..Response::default() }
    }

    pub(crate) fn get_executors(&self) -> Response {
        let get_executors = Some(self.executor_list());
        Response { r#type: Some(Type::GetExecutors.into()), get_executors, ..Response::default() }
    }

    pub(crate) fn get_tasks(&self) -> Response {
        Response { r#type: Some(Type::GetTasks.into()), get_tasks: Some(self.task_list()), ..Response::default() }
    }

    pub(crate) fn get_state(&self) -> Response {
        let get_state = response::GetState {
            get_tasks: Some(self.task_list()),
            get_executors: Some(self.executor_list()),
            get_frameworks: Some(self.framework_list()),
        };
        Response { r#type: Some(Type::GetState.into()), get_state: Some(get_state), ..Response::default() }
    }

    fn framework_list(&self) -> response::GetFrameworks {
        let entry =
            |framework: &Framework| response::get_frameworks::Framework { framework_info: framework.info.clone() };
        response::GetFrameworks {
            frameworks: self.frameworks.values().map(entry).collect(),
            completed_frameworks: self.completed_frameworks.iter().map(entry).collect(),
        }
    }

    fn every_framework(&self) -> impl Iterator<Item = &Framework> {
        self.frameworks.values().chain(&self.completed_frameworks)
    }

    fn executor_list(&self) -> response::GetExecutors {
        let entry = |executor: &crate::core::Executor| response::get_executors::Executor {
            executor_info: executor.info.clone(),
        };
        let over = self.all_executors().filter(|executor| !executor.is_live());
        let completed = self.every_framework().flat_map(|framework| &framework.completed_executors);
        response::GetExecutors {
            executors: self.live_executors().map(entry).collect(),
            completed_executors: over.chain(completed).map(entry).collect(),
        }
    }

    fn task_list(&self) -> response::GetTasks {
        let wire = |task: &Task| -> Wire { task.wire.clone() };
        let completed = self.every_framework().flat_map(|framework| &framework.completed_executors);
        let completed = self.all_executors().chain(completed).flat_map(|executor| &executor.completed);
        response::GetTasks {
            pending_tasks: Vec::new(),
            queued_tasks: self.all_executors().flat_map(|executor| &executor.queued).map(wire).collect(),
            launched_tasks: self.all_executors().flat_map(|executor| executor.launched.values()).map(wire).collect(),
            terminated_tasks: self
                .all_executors()
                .flat_map(|executor| executor.terminated.values())
                .map(wire)
                .collect(),
            completed_tasks: completed.map(wire).collect(),
        }
    }
}
