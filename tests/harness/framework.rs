//! A framework in a test's hands: the Mesos scheduler API in JSON, spoken by hand.
//!
//! Owns one thread per subscription, which reads records from the stream and puts them on a channel.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};

use crate::http::{self, Answer};

/// How long any event may take to come, and how many heartbeats may come in place of the one that is waited for.
const EVENT: Duration = Duration::from_secs(30);
const PATIENCE: usize = 6;

/// A subscribed framework.
#[derive(Debug)]
pub struct Framework {
    master: SocketAddr,
    stream_id: String,
    /// The id the master gave.
    pub id: String,
    events: Receiver<Value>,
    /// Offers that came while something else was waited for: the master holds them until they are used.
    held: RefCell<VecDeque<Value>>,
}

impl Framework {
    /// Subscribes a new checkpointing framework that knows TASK_KILLING.
    #[track_caller]
    pub fn subscribe(master: SocketAddr) -> Framework {
        let capabilities = json!([{"type": "TASK_KILLING_STATE"}, {"type": "PARTITION_AWARE"}]);
        Framework::subscribe_as(
            master,
            json!({"user": "root", "name": "test", "checkpoint": true, "failover_timeout": 600.0, "capabilities": capabilities}),
        )
    }

    /// Subscribes with this `FrameworkInfo`.
    #[track_caller]
    pub fn subscribe_as(master: SocketAddr, info: Value) -> Framework {
        let mut call = json!({"type": "SUBSCRIBE", "subscribe": {"framework_info": info}});
        if !info["id"].is_null() {
            call["framework_id"] = info["id"].clone();
        }
        let headers = [("content-type", "application/json"), ("accept", "application/json")];
        let (status, headers, mut reader) =
            http::open(master, "POST", "/api/v1/scheduler", &headers, call.to_string().as_bytes())
                .expect("the master answers");
        assert_eq!(status, 200);
        let stream_id = headers.iter().find(|(name, _)| name == "mesos-stream-id").expect("a stream id").1.clone();
        let (sender, events) = channel();
        std::thread::spawn(move || {
            while let Some(chunk) = http::chunk(&mut reader) {
                let text = String::from_utf8(chunk).expect("JSON is text");
                let (length, record) = text.split_once('\n').expect("one chunk is one record");
                assert_eq!(length.parse(), Ok(record.len()), "one chunk is one record");
                if sender.send(serde_json::from_str(record).expect("JSON")).is_err() {
                    return;
                }
            }
        });
        let mut framework = Framework { master, stream_id, id: String::new(), events, held: RefCell::default() };
        let subscribed = framework.event("SUBSCRIBED");
        framework.id = subscribed["subscribed"]["framework_id"]["value"].as_str().expect("an id").to_owned();
        framework
    }

    /// The next event of this type; others are passed over, but for offers.
    #[track_caller]
    pub fn event(&self, kind: &str) -> Value {
        let mut heartbeats = 0;
        loop {
            assert!(heartbeats < PATIENCE, "no {kind}, only heartbeats");
            let event = self.events.recv_timeout(EVENT).unwrap_or_else(|error| panic!("no {kind}: {error}"));
            match event["type"].as_str() {
                Some(found) if found == kind => return event,
                Some("OFFERS") => self.held.borrow_mut().push_back(event),
                Some("HEARTBEAT") => heartbeats += 1,
                _ => {}
            }
        }
    }

    /// Sends a call; the framework's id is added.
    #[track_caller]
    pub fn call(&self, mut call: Value) -> Answer {
        call["framework_id"] = json!({"value": self.id});
        let headers = [("content-type", "application/json"), ("mesos-stream-id", self.stream_id.as_str())];
        http::request(self.master, "POST", "/api/v1/scheduler", &headers, call.to_string().as_bytes())
            .expect("the master answers")
    }

    /// The next offer.
    #[track_caller]
    pub fn offer(&self) -> Value {
        let held = self.held.borrow_mut().pop_front();
        held.unwrap_or_else(|| self.event("OFFERS"))["offers"]["offers"][0].clone()
    }

    /// Waits for an offer and launches `task` on it; agent and resources are filled in when absent.
    #[track_caller]
    pub fn launch(&self, task: Value) {
        let offer = self.offer();
        let task = placed(task, &offer);
        self.accept(&offer, json!({"type": "LAUNCH", "launch": {"task_infos": [task]}}));
    }

    /// Waits for an offer and launches these tasks on it as a group of the default executor `executor`.
    #[track_caller]
    pub fn launch_group(&self, executor: &str, tasks: Vec<Value>) {
        let offer = self.offer();
        let tasks: Vec<Value> = tasks.into_iter().map(|task| placed(task, &offer)).collect();
        let mut resources = resources();
        if let Value::Array(resources) = &mut resources {
            resources.push(json!({"name": "disk", "type": "SCALAR", "scalar": {"value": 8.0}}));
        }
        let executor = json!({"type": "DEFAULT", "executor_id": {"value": executor}, "resources": resources,
            "framework_id": {"value": self.id}});
        let group = json!({"executor": executor, "task_group": {"tasks": tasks}});
        self.accept(&offer, json!({"type": "LAUNCH_GROUP", "launch_group": group}));
    }

    #[track_caller]
    fn accept(&self, offer: &Value, operation: Value) {
        let accept = json!({"offer_ids": [offer["id"]], "operations": [operation], "filters": {"refuse_seconds": 0.0}});
        let answer = self.call(json!({"type": "ACCEPT", "accept": accept}));
        assert_eq!(answer.status, 202, "{}", answer.text());
    }

    /// The next status update, acknowledged when it asks for it.
    #[track_caller]
    pub fn update(&self) -> Value {
        let status = self.event("UPDATE")["update"]["status"].clone();
        if !status["uuid"].is_null() {
            let acknowledge =
                json!({"agent_id": status["agent_id"], "task_id": status["task_id"], "uuid": status["uuid"]});
            assert_eq!(self.call(json!({"type": "ACKNOWLEDGE", "acknowledge": acknowledge})).status, 202);
        }
        status
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

    /// Launches, and passes STARTING and RUNNING; gives the RUNNING status.
    #[track_caller]
    pub fn run(&self, task: Value) -> Value {
        self.launch(task);
        self.expect("TASK_STARTING");
        self.expect("TASK_RUNNING")
    }

    /// Kills a task.
    #[track_caller]
    pub fn kill(&self, task_id: &str) {
        let answer = self.call(json!({"type": "KILL", "kill": {"task_id": {"value": task_id}}}));
        assert_eq!(answer.status, 202);
    }

    /// Asks for the state of these tasks, all known ones when empty, and gives the answer to the first.
    #[track_caller]
    pub fn reconcile(&self, tasks: &[&str]) -> Value {
        let tasks: Vec<Value> = tasks.iter().map(|id| json!({"task_id": {"value": id}})).collect();
        assert_eq!(self.call(json!({"type": "RECONCILE", "reconcile": {"tasks": tasks}})).status, 202);
        loop {
            let status = self.update();
            if status["reason"] == "REASON_RECONCILIATION" {
                return status;
            }
        }
    }
}

/// The task with what an offer says and what it lacks.
fn placed(mut task: Value, offer: &Value) -> Value {
    task["agent_id"] = offer["agent_id"].clone();
    if task["resources"].is_null() {
        task["resources"] = resources();
    }
    task
}

fn resources() -> Value {
    json!([
        {"name": "cpus", "type": "SCALAR", "scalar": {"value": 0.1}},
        {"name": "mem", "type": "SCALAR", "scalar": {"value": 32.0}}
    ])
}
