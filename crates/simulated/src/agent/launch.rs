//! Tasks arrive, and run at once.

use mesos::Wire;
use mesos::v1::cygnet::agent_event;
use mesos::v1::{ExecutorInfo, FrameworkId, FrameworkInfo, TaskInfo, TaskState};

use super::Agent;
use crate::counts::Counts;
use crate::task::Task;
use shell::Now;

impl Agent {
    pub(super) fn launch(&mut self, now: Now, launch: agent_event::Launch) {
        let executor = launch.task.executor.clone().or(launch.executor);
        self.run(now, launch.framework, executor, vec![launch.task]);
    }

    pub(super) fn launch_group(&mut self, now: Now, launch: agent_event::LaunchGroup) {
        self.run(now, launch.framework, Some(launch.executor), launch.task_group.tasks);
    }

    fn run(&mut self, now: Now, framework: FrameworkInfo, executor: Option<ExecutorInfo>, tasks: Vec<TaskInfo>) {
        let Some(id) = framework.id.clone() else { return };
        self.know(framework);
        if let (Some(framework), Some(executor)) = (self.frameworks.get_mut(&id), &executor) {
            framework.executors.entry(executor.executor_id.clone()).or_insert_with(|| executor.clone());
        }
        tasks.into_iter().for_each(|task| self.start(now, &id, executor.as_ref(), task));
    }

    /// Unless it is here already: then the first one goes on.
    fn start(&mut self, now: Now, framework: &FrameworkId, executor: Option<&ExecutorInfo>, info: TaskInfo) {
        let key = (framework.clone(), info.task_id.clone());
        if self.task(&key).is_some() {
            return;
        }
        let definition_bytes = encoded_len(&info);
        let executor = executor.map(|executor| executor.executor_id.clone());
        let task = Task::new(framework, executor, info, self.address);
        self.counts = self.counts + task.counts() + Counts { definition_bytes, ..Counts::default() };
        if task.is_checked() {
            self.checked.push_back(key.clone());
        }
        let Some(known) = self.frameworks.get_mut(framework) else { return };
        known.tasks.insert(key.1.clone(), task);
        self.change(now, &key, |task| {
            task.enter(now, TaskState::TaskStarting);
            task.enter(now, TaskState::TaskRunning);
            task.is_checked().then(|| task.judge(now, true))
        });
    }
}

fn encoded_len(message: &impl Wire) -> u64 {
    message.encoded_len() as u64
}
