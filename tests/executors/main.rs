//! Executors from outside, through the scheduler API of a running master: groups of tasks, and terminals. What Mesos' own
//! tests assert of checks and health checks are rows of the suite `conformance`.

mod groups;
mod terminals;

use harness::cluster::Pair;
use harness::framework::Framework;
use harness::wire::Form;
use serde_json::{Value, json};

/// Tasks as a reconciliation names them.
pub(crate) fn known(tasks: &[&str]) -> Vec<Value> {
    tasks.iter().map(|id| json!({"task_id": {"value": id}})).collect()
}

pub(crate) fn started() -> (Pair, Framework) {
    let pair = Pair::start();
    let framework = Framework::subscribe(pair.master, Form::Json);
    (pair, framework)
}
