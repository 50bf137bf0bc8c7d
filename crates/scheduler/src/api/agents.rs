//! `/v2/agents`: the agents that the master knows, and emptying them. Not one of Marathon's.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::Request;
use serde_json::{Value, json};

use super::Api;
use super::answer::{Answer, Query, Rejected, shown};
use crate::drain::{Drain, Terms};
use crate::known_agent::KnownAgent;
use crate::operator::OperatorError;
use crate::refusal::Refusal;

/// For how long instances may move by themselves if nobody says otherwise: longer than most deployments take.
const MOVE_SECONDS: u32 = 600;

pub(super) async fn list(State(api): State<Api>) -> Answer {
    shown(&json!({"agents": agents(&api, |_| true).await?}))
}

pub(super) async fn one(State(api): State<Api>, Path(id): Path<String>) -> Answer {
    let found = agents(&api, |agent| agent.id == id).await?.pop();
    shown(&json!({"agent": found.ok_or(Refusal::NoAgent(id))?}))
}

/// The agents that are wanted, as the master and the core know them.
async fn agents(api: &Api, is_wanted: impl Fn(&KnownAgent) -> bool) -> Result<Vec<Value>, Rejected> {
    let drains: Vec<Drain> = api.ask(|view, _| view.drains.all().cloned().collect()).await?;
    let mut known = api.operator.agents().await?;
    known.retain(is_wanted);
    api.ask(move |view, _| view.agents_json(&known, &drains)).await
}

/// First the agent is offered no more; then its instances move, which the core sees to; then the master empties it.
pub(super) async fn drain(State(api): State<Api>, Path(id): Path<String>, request: Request<Body>) -> Answer {
    let terms = terms(&Query::of(&request))?;
    let known = known(&api, &id).await?;
    api.operator.deactivate(&id).await?;
    let agent_id = id.clone();
    let drained = api.change(None, move |core, now| core.drain(&agent_id, terms, now)).await;
    if drained.is_err() && !known.deactivated {
        // Nobody would take it back: there is no drain that could be ended.
        api.operator.reactivate(&id).await?;
    }
    drained??;
    one(State(api), Path(id)).await
}

/// Ends it, unless the master is being told of it: a call that is on its way would come after that which takes it back. What
/// has moved stays where it is. Masters do not stop in the middle of it.
pub(super) async fn undrain(State(api): State<Api>, Path(id): Path<String>) -> Answer {
    let known = known(&api, &id).await?;
    let agent_id = id.clone();
    api.change(None, move |core, now| core.undrain(&agent_id, now)).await??;
    if known.deactivated {
        api.operator.reactivate(&id).await?;
    }
    one(State(api), Path(id)).await
}

async fn known(api: &Api, id: &str) -> Result<KnownAgent, Rejected> {
    let all = api.operator.agents().await?;
    let found = all.into_iter().find(|agent| agent.id == id);
    Ok(found.ok_or_else(|| Refusal::NoAgent(id.to_owned()))?)
}

fn terms(query: &Query) -> Result<Terms, Rejected> {
    let seconds = |name: &'static str| {
        let malformed = move |_| Rejected::new(400, format!("{name} must be a number of seconds"));
        query.get(name).map(str::parse).transpose().map_err(malformed)
    };
    Ok(Terms {
        max_grace_seconds: seconds("maxGraceSeconds")?,
        mark_gone: query.flag("markGone", false),
        move_seconds: seconds("moveSeconds")?.unwrap_or(MOVE_SECONDS),
    })
}

impl From<OperatorError> for Rejected {
    fn from(error: OperatorError) -> Rejected {
        match error {
            OperatorError::Refused { said, .. } => Rejected::new(409, format!("the master refuses: {said}")),
            error => Rejected::new(502, error.to_string()),
        }
    }
}
