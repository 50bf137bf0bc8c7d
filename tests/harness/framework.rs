//! A framework in a test's hands: the scheduler API in either form.
//!
//! All rows share one agent, so a framework takes offers only while it asks for one: it subscribes with its role
//! suppressed, and [`Framework::offer`] revives it until an offer has come.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::http::{self, Answer};
use crate::stream::Stream;
use crate::wire::Form;

/// The path of the scheduler API.
pub const PATH: &str = "/api/v1/scheduler";

const CALL: &str = "scheduler.Call";

/// A subscribed framework; it is torn down at the end.
#[derive(Debug)]
pub struct Framework {
    master: SocketAddr,
    /// The form in which it talks.
    pub form: Form,
    /// The id the master gave.
    pub id: String,
    /// The events that the master tells it.
    pub stream: Stream,
    /// True if it is not torn down when it is dropped.
    lives_on: bool,
}

/// A checkpointing framework that knows all states of tasks.
pub fn info() -> Value {
    json!({"user": "root", "name": "test", "checkpoint": true, "failover_timeout": 600.0,
        "capabilities": [{"type": "TASK_KILLING_STATE"}, {"type": "PARTITION_AWARE"}]})
}

/// The same with these fields.
pub fn info_with(fields: Value) -> Value {
    let mut info = info();
    merge(&mut info, fields);
    info
}

/// The call that subscribes with this `FrameworkInfo`, without wanting offers yet.
pub fn subscription(info: &Value) -> Value {
    let mut call = json!({"type": "SUBSCRIBE", "subscribe": {"framework_info": info, "suppressed_roles": ["*"]}});
    if !info["id"].is_null() {
        call["framework_id"] = info["id"].clone();
    }
    call
}

/// Opens a subscription, or says that it was refused.
#[track_caller]
pub fn subscribe(master: impl Into<SocketAddr>, form: Form, call: &Value) -> Option<Stream> {
    Stream::open(master.into(), PATH, form, &form.encode(CALL, call), "scheduler.Event")
}

impl Framework {
    /// Subscribes as [`info`] says.
    #[track_caller]
    pub fn subscribe(master: impl Into<SocketAddr>, form: Form) -> Framework {
        Framework::subscribe_as(master, form, &info())
    }

    /// Subscribes with this `FrameworkInfo`.
    #[track_caller]
    pub fn subscribe_as(master: impl Into<SocketAddr>, form: Form, info: &Value) -> Framework {
        let master = master.into();
        let stream = subscribe(master, form, &subscription(info)).expect("SUBSCRIBE is answered with 200");
        let subscribed = stream.event("SUBSCRIBED");
        let id = subscribed["subscribed"]["framework_id"]["value"].as_str().expect("an id").to_owned();
        Framework::of(master, form, id, stream)
    }

    /// Its `FrameworkInfo`, with its id, if it has subscribed as [`info`] says.
    pub fn info(&self) -> Value {
        info_with(json!({"id": {"value": self.id}}))
    }

    /// One that was subscribed by hand.
    pub fn of(master: impl Into<SocketAddr>, form: Form, id: String, stream: Stream) -> Framework {
        Framework { master: master.into(), form, id, stream, lives_on: false }
    }

    /// Sends a call; the framework's id is added.
    #[track_caller]
    pub fn call(&self, mut call: Value) -> Answer {
        call["framework_id"] = json!({"value": self.id});
        let stream = self.stream.id.clone().expect("a stream id");
        let headers = [("content-type", self.form.media_type()), ("mesos-stream-id", stream.as_str())];
        http::request(self.master, "POST", PATH, &headers, &self.form.encode(CALL, &call)).expect("the master answers")
    }

    /// Sends a call that must be accepted.
    #[track_caller]
    pub fn accepted(&self, call: Value) {
        let answer = self.call(call.clone());
        assert_eq!((answer.status, answer.text().as_str()), (202, ""), "{call}");
    }

    /// Asks for these fields of its `FrameworkInfo` to change, if it has subscribed as [`info`] says.
    #[track_caller]
    pub fn change(&self, fields: Value) -> Answer {
        let mut info = self.info();
        merge(&mut info, fields);
        let update = json!({"framework_info": info, "suppressed_roles": ["*"]});
        self.call(json!({"type": "UPDATE_FRAMEWORK", "update_framework": update}))
    }

    /// An offer with room for what rows launch; smaller ones, left over by tasks of other rows, are declined. What it
    /// does not name is not wanted after it.
    #[track_caller]
    pub fn offer(&self) -> Value {
        self.accepted(json!({"type": "REVIVE"}));
        let offer = loop {
            let offers = self.stream.event("OFFERS")["offers"]["offers"].take();
            let (mut ample, small): (Vec<Value>, Vec<Value>) =
                offers.as_array().into_iter().flatten().cloned().partition(is_ample);
            let found = ample.pop();
            self.decline(ample.iter().chain(&small));
            if let Some(offer) = found {
                break offer;
            }
        };
        self.accepted(json!({"type": "SUPPRESS"}));
        offer
    }

    /// Declines these offers, so that they come again at once.
    #[track_caller]
    pub fn decline<'o>(&self, offers: impl Iterator<Item = &'o Value>) {
        let ids: Vec<&Value> = offers.map(|offer| &offer["id"]).collect();
        if !ids.is_empty() {
            let filters = json!({"refuse_seconds": 0.0});
            self.accepted(json!({"type": "DECLINE", "decline": {"offer_ids": ids, "filters": filters}}));
        }
    }

    /// Performs operations on an offer, and gives the offer.
    #[track_caller]
    pub fn operate(&self, operations: impl FnOnce(&Value) -> Vec<Value>) -> Value {
        let offer = self.offer();
        let accept = json!({"offer_ids": [offer["id"]], "operations": operations(&offer),
            "filters": {"refuse_seconds": 0.0}});
        self.accepted(json!({"type": "ACCEPT", "accept": accept}));
        offer
    }

    /// Launches a task; agent and resources are filled in when absent.
    #[track_caller]
    pub fn launch(&self, task: Value) -> Value {
        self.operate(|offer| vec![launch([filled(task, offer)])])
    }

    /// Launches these tasks as a group of the default executor of this id.
    #[track_caller]
    pub fn launch_group(&self, executor: &str, tasks: impl IntoIterator<Item = Value>) {
        self.operate(|offer| {
            let tasks = tasks.into_iter().map(|task| filled(task, offer));
            vec![launch_group(&self.id, executor, tasks)]
        });
    }

    /// Launches, and passes STARTING and RUNNING; gives the RUNNING status.
    #[track_caller]
    pub fn run(&self, task: Value) -> Value {
        self.launch(task);
        self.expect("TASK_STARTING");
        self.expect("TASK_RUNNING")
    }

    /// The next status update, acknowledged when it asks for it.
    #[track_caller]
    pub fn update(&self) -> Value {
        let status = self.stream.event("UPDATE")["update"]["status"].clone();
        self.acknowledge(&status);
        status
    }

    /// The next status update, left unacknowledged.
    #[track_caller]
    pub fn unacknowledged(&self) -> Value {
        self.stream.event("UPDATE")["update"]["status"].clone()
    }

    /// Acknowledges a status that asks for it.
    #[track_caller]
    pub fn acknowledge(&self, status: &Value) {
        if !status["uuid"].is_null() {
            let of = json!({"agent_id": status["agent_id"], "task_id": status["task_id"], "uuid": status["uuid"]});
            self.accepted(json!({"type": "ACKNOWLEDGE", "acknowledge": of}));
        }
    }

    /// The next update, which must have this state.
    #[track_caller]
    pub fn expect(&self, state: &str) -> Value {
        let status = self.update();
        assert_eq!(status["state"], state, "{status}");
        status
    }

    /// The next update, which must be RUNNING for this reason.
    #[track_caller]
    pub fn expect_reason(&self, reason: &str) -> Value {
        let status = self.expect("TASK_RUNNING");
        assert_eq!(status["reason"], reason, "{status}");
        status
    }

    /// Asks for the state of these tasks, of all when there are none, and gives the first answer.
    #[track_caller]
    pub fn reconcile(&self, tasks: &[Value]) -> Value {
        self.accepted(json!({"type": "RECONCILE", "reconcile": {"tasks": tasks}}));
        loop {
            let status = self.update();
            if status["reason"] == "REASON_RECONCILIATION" {
                return status;
            }
        }
    }

    /// Cuts the connection of the event stream, without a word.
    pub fn break_stream(mut self) {
        self.lives_on = true;
    }

    /// Kills a task.
    #[track_caller]
    pub fn kill(&self, task_id: &str) {
        self.accepted(json!({"type": "KILL", "kill": {"task_id": {"value": task_id}}}));
    }
}

impl Drop for Framework {
    fn drop(&mut self) {
        if self.lives_on {
            return;
        }
        let call = json!({"type": "TEARDOWN", "framework_id": {"value": self.id}});
        let headers = [
            ("content-type", self.form.media_type()),
            ("mesos-stream-id", self.stream.id.as_deref().unwrap_or_default()),
        ];
        http::request(self.master, "POST", PATH, &headers, &self.form.encode(CALL, &call));
    }
}

/// True if any row could launch on the offer.
fn is_ample(offer: &Value) -> bool {
    let amount = |name: &str| {
        let resources = offer["resources"].as_array().into_iter().flatten();
        resources
            .filter(|resource| resource["name"] == name)
            .filter_map(|resource| resource["scalar"]["value"].as_f64())
            .sum::<f64>()
    };
    amount("cpus") >= 1.0 && amount("mem") >= 256.0 && amount("disk") >= 64.0
}

/// The operation that launches tasks.
pub fn launch(tasks: impl IntoIterator<Item = Value>) -> Value {
    json!({"type": "LAUNCH", "launch": {"task_infos": tasks.into_iter().collect::<Vec<_>>()}})
}

/// The operation that launches a group on a default executor of this id.
pub fn launch_group(framework: &str, executor: &str, tasks: impl IntoIterator<Item = Value>) -> Value {
    let resources = [scalar("cpus", 0.1), scalar("mem", 32.0), scalar("disk", 8.0)];
    let executor = json!({"type": "DEFAULT", "executor_id": {"value": executor},
        "framework_id": {"value": framework}, "resources": resources});
    let group = json!({"tasks": tasks.into_iter().collect::<Vec<_>>()});
    json!({"type": "LAUNCH_GROUP", "launch_group": {"executor": executor, "task_group": group}})
}

/// The task with agent and resources, where it has none.
pub fn filled(mut task: Value, offer: &Value) -> Value {
    if task["agent_id"].is_null() {
        task["agent_id"] = offer["agent_id"].clone();
    }
    if task["resources"].is_null() {
        task["resources"] = json!([scalar("cpus", 0.01), scalar("mem", 8.0)]);
    }
    task
}

/// An amount of a resource.
pub fn scalar(name: &str, value: f64) -> Value {
    json!({"name": name, "type": "SCALAR", "scalar": {"value": value}})
}

/// A command task.
pub fn task(id: &str, command: &str) -> Value {
    json!({"name": id, "task_id": {"value": id}, "command": {"value": command}})
}

/// The task with this health check, asked every 100 ms from the beginning, unless the check says otherwise.
pub fn with_health_check(mut task: Value, check: Value) -> Value {
    task["health_check"] = json!({"delay_seconds": 0.0, "interval_seconds": 0.1, "grace_period_seconds": 0.0});
    merge(&mut task["health_check"], check);
    task
}

/// The task with this check, asked every 100 ms from the beginning, unless the check says otherwise.
pub fn with_check(mut task: Value, check: Value) -> Value {
    task["check"] = json!({"delay_seconds": 0.0, "interval_seconds": 0.1});
    merge(&mut task["check"], check);
    task
}

/// Puts the fields of one object into another.
pub fn merge(into: &mut Value, from: Value) {
    let (Value::Object(into), Value::Object(from)) = (into, from) else { panic!("two objects") };
    into.extend(from);
}
