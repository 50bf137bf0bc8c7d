//! An executor in a test's hands: a task with an executor of the framework's own is launched, whose process only sleeps,
//! and the test speaks the executor API in its place.

use harness::cluster::START;
use harness::http::{self, Answer};
use harness::wait;
use serde_json::{Value, json};

use crate::answer::told;
use crate::target::Target;
use harness::framework::{Framework, scalar};
use harness::stream::Stream;
use harness::wire::Form;

/// The path of the executor API.
pub(crate) const PATH: &str = "/api/v1/executor";

const CALL: &str = "executor.Call";

/// A subscribed executor.
#[derive(Debug)]
pub(crate) struct Executor<'t> {
    target: &'t Target,
    form: Form,
    framework: String,
    id: String,
    pub(crate) stream: Stream,
    /// The task it was launched with, once that has come.
    pub(crate) task: Value,
}

/// The `ExecutorInfo` of an executor whose process does nothing.
pub(crate) fn info(framework: &Framework, id: &str) -> Value {
    json!({"type": "CUSTOM", "executor_id": {"value": id}, "framework_id": {"value": framework.id},
        "command": {"value": "exec sleep 1000"}, "resources": [scalar("cpus", 0.1), scalar("mem", 32.0)]})
}

/// A task of such an executor.
pub(crate) fn task(framework: &Framework, id: &str, executor: &str) -> Value {
    json!({"name": id, "task_id": {"value": id}, "executor": info(framework, executor)})
}

impl<'t> Executor<'t> {
    /// Launches a task `t` with the executor `e`, and subscribes as the latter. It has the task then: only of tasks that
    /// an executor was given may it say that they run, an agent of Apache Mesos aborts at others.
    #[track_caller]
    pub(crate) fn start(target: &'t Target, framework: &Framework) -> Executor<'t> {
        framework.launch(task(framework, "t", "e"));
        let executor = Executor::subscribe(target, framework, "e", json!({}));
        let task = executor.stream.event("LAUNCH")["launch"]["task"].take();
        Executor { task, ..executor }
    }

    /// Subscribes, as soon as the executor's container is there: an agent of Apache Mesos aborts when somebody subscribes
    /// in the moment before.
    #[track_caller]
    pub(crate) fn subscribe(target: &'t Target, framework: &Framework, id: &str, subscribe: Value) -> Executor<'t> {
        let (form, call) = (
            framework.form,
            json!({"type": "SUBSCRIBE", "executor_id": {"value": id},
            "framework_id": {"value": framework.id}, "subscribe": subscribe}),
        );
        let ours = |one: &Value| one["framework_id"] == framework.id.as_str() && one["executor_id"] == id;
        told(target.agent(), "/containers", |containers| containers.as_array()?.iter().any(ours).then_some(()));
        let stream = wait::until("the agent to know the executor", START, || {
            Stream::open(target.agent(), PATH, form, &form.encode(CALL, &call), "executor.Event")
        });
        Executor { target, form, framework: framework.id.clone(), id: id.to_owned(), stream, task: Value::Null }
    }

    /// Sends a call; the ids are added.
    #[track_caller]
    pub(crate) fn call(&self, mut call: Value) -> Answer {
        call["executor_id"] = json!({"value": self.id});
        call["framework_id"] = json!({"value": self.framework});
        let headers = [("content-type", self.form.media_type())];
        http::request(self.target.agent(), "POST", PATH, &headers, &self.form.encode(CALL, &call))
            .expect("the agent answers")
    }

    /// A status of this executor as it should be, with the uuid of that number.
    pub(crate) fn status(&self, task: &str, state: &str, uuid: u8) -> Value {
        json!({"task_id": {"value": task}, "executor_id": {"value": self.id}, "state": state,
            "source": "SOURCE_EXECUTOR", "uuid": self::uuid(uuid), "timestamp": 1.5})
    }

    /// Sends an update, and gives the answer.
    #[track_caller]
    pub(crate) fn update(&self, status: Value) -> Answer {
        self.call(json!({"type": "UPDATE", "update": {"status": status}}))
    }

    /// Sends an update that must be taken, and waits until it is acknowledged.
    #[track_caller]
    pub(crate) fn updated(&self, status: Value) {
        let answer = self.update(status.clone());
        assert_eq!((answer.status, answer.text().as_str()), (202, ""), "{status}");
        assert_eq!(self.stream.event("ACKNOWLEDGED")["acknowledged"]["uuid"], status["uuid"]);
    }
}

/// A UUID in base64: sixteen equal bytes, but for the version, without which it is none.
pub(crate) fn uuid(byte: u8) -> Value {
    use base64::Engine;
    let mut bytes = [byte; 16];
    bytes[6] = 0x40;
    json!(base64::engine::general_purpose::STANDARD.encode(bytes))
}
