//! The two clusters that the ways happen in: one of `cygnet dev` that most share, and one with an agent for each of the
//! others, which is stopped, killed, or has another clock.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use harness::agent::Agent;
use harness::cluster::{Dev, START};
use harness::heads::Heads;
use harness::{http, wait};
use serde_json::{Value, json};

use crate::peers::Peers;
use crate::signs::Seen;
use crate::ways::{WAYS, Way, Where};
use crate::words::Words;

/// An instance that waits shows after half a minute, and the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(150);

/// Debian's.
const FAKETIME: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";

/// An hour ahead, but for what measures time.
const AHEAD: &str = "FAKETIME=+1h FAKETIME_DONT_FAKE_MONOTONIC=1";

pub(crate) struct Stage {
    pub(crate) peers: Peers,
    near: Dev,
    far: Heads,
    /// Of the ways that are not near, by id.
    agents: Vec<(&'static str, Agent)>,
}

impl Stage {
    /// Starts everything, sends all definitions, and does what is to be done besides.
    pub(crate) fn set() -> Stage {
        let mut near = Dev::new();
        near.start(&["--resources", "cpus:8;mem:8192;disk:8192"]);
        let far = Heads::start_with(&["--agent-ping-timeout", "1s", "--max-agent-ping-timeouts", "3"]);
        let agents = WAYS.iter().filter(|way| way.place != Where::Near);
        let agents = agents.filter_map(|way| Some((way.id, agent(way, far.master)?))).collect();
        let stage = Stage { peers: Peers::start(), near, far, agents };
        let possible = || WAYS.iter().filter(|way| stage.lacking(way).is_none());
        possible().for_each(|way| stage.post(way));
        possible().for_each(|way| (way.act)(&stage, way));
        stage
    }

    /// The reason why this way cannot be here.
    pub(crate) fn lacking(&self, way: &Way) -> Option<&'static str> {
        match (way.place, way.id) {
            (Where::Ahead, _) if !Path::new(FAKETIME).exists() => Some("there is no faketime here (Debian: faketime)"),
            (_, "/glutton") if !limits(self.near.agent) => Some("no control groups can be made here"),
            _ => None,
        }
    }

    pub(crate) fn api(&self, way: &Way) -> SocketAddr {
        if way.place == Where::Near { self.near.api } else { self.far.api }
    }

    /// The agent of a way that has one of its own.
    pub(crate) fn agent(&self, way: &Way) -> &Agent {
        let found = self.agents.iter().find(|(id, _)| *id == way.id);
        &found.expect("it has an agent of its own").1
    }

    /// Waits until it shows.
    pub(crate) fn settle(&self, way: &Way) {
        wait::until_ok(&format!("a sign of {}", way.name), PATIENCE, || {
            let seen = self.seen(way).ok_or("no answer")?;
            if (way.sign)(&seen) { Ok(()) } else { Err(format!("{seen:?}")) }
        });
    }

    pub(crate) fn seen(&self, way: &Way) -> Option<Seen> {
        Seen::at(self.api(way), way.id)
    }

    /// The words about it now.
    pub(crate) fn words(&self, way: &Way) -> Words {
        Words::of(self.api(way), way.id, way.is_change)
    }

    /// Sends a change of the app.
    pub(crate) fn change(&self, way: &Way, query: &str, fields: &Value) {
        let path = format!("/v2/apps{}?{query}", way.id);
        let answer = http::send(self.api(way), "PUT", &path, fields).expect("an answer");
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    /// The number of failures in a row of an app of the cluster that most share.
    pub(crate) fn failures(&self, id: &str) -> Option<u64> {
        Seen::at(self.near.api, id)?.check()["consecutiveFailures"].as_u64()
    }

    fn post(&self, way: &Way) {
        let mut definition = (way.definition)(&self.peers);
        definition["id"] = json!(way.id);
        if way.place != Where::Near {
            definition["constraints"] = json!([["way", "IS", way.id.trim_start_matches('/')]]);
        }
        let path = if definition["apps"].is_array() { "/v2/groups" } else { "/v2/apps" };
        let answer = http::send(self.api(way), "POST", path, &definition).expect("an answer");
        assert_eq!(answer.status, 201, "{}", answer.text());
    }
}

/// The agent of a way, unless the machine lacks something for it. The clock of one that is ahead is the agent's alone.
fn agent(way: &Way, master: SocketAddr) -> Option<Agent> {
    let attribute = format!("way:{}", way.id.trim_start_matches('/'));
    let arguments = ["--attributes", attribute.as_str()];
    if way.place != Where::Ahead {
        return Some(Agent::start_behind("true", master, &arguments));
    }
    fs::metadata(FAKETIME).ok()?;
    Some(Agent::start_behind(&format!("export {AHEAD} LD_PRELOAD={FAKETIME}"), master, &arguments))
}

/// True if an agent keeps its tasks to the memory they asked for.
fn limits(agent: SocketAddr) -> bool {
    let flags = wait::until("an agent", START, || http::get(agent, "/flags")).json();
    flags["flags"]["isolation"].as_str().is_some_and(|isolation| isolation.contains("cgroups/mem"))
}
