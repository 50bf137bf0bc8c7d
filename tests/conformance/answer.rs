//! The answers about a row's own framework. All rows share a master and an agent: an answer is asked for until it tells
//! of the row's own, and what it tells of the others, of theirs and of what they left, is no concern of the row.

use std::net::SocketAddr;

use harness::cluster::START;
use harness::{http, wait};
use serde_json::Value;

/// The value found in the JSON at this path, as soon as it is there and answered with 200. A row that waits in vain
/// fails with the last answer.
#[track_caller]
pub(crate) fn told<T>(address: SocketAddr, path: &str, found: impl Fn(&Value) -> Option<T>) -> T {
    wait::until_ok(&format!("what a row looks for in {path}"), START, || {
        let answer = http::get(address, path).ok_or("nobody answers")?;
        let json = serde_json::from_slice::<Value>(&answer.body).ok().filter(|_| answer.status == 200);
        json.as_ref().and_then(&found).ok_or_else(|| format!("{} {}", answer.status, answer.text()))
    })
}

/// The entry of this framework in the `/state` of a master or an agent.
#[track_caller]
pub(crate) fn told_of(address: SocketAddr, framework: &str) -> Value {
    told(address, "/state", |state| entry(state, framework).cloned())
}

/// The first executor of this framework at the agent.
#[track_caller]
pub(crate) fn executor_of(agent: SocketAddr, framework: &str) -> Value {
    told(agent, "/state", |state| entry(state, framework)?["executors"].get(0).cloned())
}

fn entry<'v>(state: &'v Value, framework: &str) -> Option<&'v Value> {
    state["frameworks"].as_array()?.iter().find(|entry| entry["id"] == framework)
}

/// True if answers of this shape tell of frameworks, so that the row's own is among them.
pub(crate) fn tells_of_frameworks(shape: &str) -> bool {
    ["\"framework_id\"", "\"framework_info\""].iter().any(|name| shape.contains(name))
}

/// The answer without what belongs to other frameworks than this one.
pub(crate) fn only_of(framework: &str, mut answer: Value) -> Value {
    retain("", &mut answer, framework);
    answer
}

fn retain(name: &str, value: &mut Value, framework: &str) {
    match value {
        Value::Array(entries) => {
            entries.retain(|entry| owner(name, entry).is_none_or(|owner| owner == framework));
            entries.iter_mut().for_each(|entry| retain(name, entry, framework));
        }
        Value::Object(fields) => fields.iter_mut().for_each(|(name, value)| retain(name, value, framework)),
        _ => {}
    }
}

/// The framework that an entry of the list of this name is of or about, in the words of either API.
fn owner<'v>(list: &str, entry: &'v Value) -> Option<&'v str> {
    let places = [
        &entry["framework_id"],
        &entry["framework_id"]["value"],
        &entry["executor_info"]["framework_id"]["value"],
        &entry["framework_info"]["id"]["value"],
    ];
    let own = list.ends_with("frameworks").then_some(&entry["id"]);
    places.into_iter().chain(own).find_map(Value::as_str)
}
