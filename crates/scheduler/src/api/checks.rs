//! `PUT /v2/tasks/{id}/checks`: the health checks of one task, paused for a while or for good, and resumed. `POST` there:
//! all of them made now. Neither is one of Marathon's.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::Request;
use mesos::v1::cygnet::{CheckHistory, TaskHistory};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Api;
use super::answer::{Answer, read, shown};
use crate::core::{Checkable, Pause, Question};
use crate::refusal::{Refusal, Uncheckable};
use crate::time::Timestamp;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    paused: bool,
    /// For how long; until resumed if absent.
    seconds: Option<u32>,
}

pub(super) async fn change(State(api): State<Api>, Path(task): Path<String>, request: Request<Body>) -> Answer {
    let wish: Wish = read(request).await?;
    let time = wish.seconds.map_or(Pause::Open, |seconds| Pause::For(Duration::from_secs(seconds.into())));
    let pause = wish.paused.then_some(time);
    let missing = Refusal::NoTask(task.clone());
    let paused = api.change(None, move |core, now| {
        let id = core.view().instances.find(&task)?.id.clone();
        core.pause_checks(&id, pause, now);
        core.view().paused_json(&id)
    });
    shown(&json!({"task": paused.await?.ok_or(missing)?}))
}

/// The longest wait for an agent to say that checks are made; not for what they find.
const PATIENCE: Duration = Duration::from_secs(2);

/// The body of a request to make checks now: nothing can be chosen.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct All {}

/// Asks the agent first: should that not answer, the scheduler's checks are not made either.
pub(super) async fn make(State(api): State<Api>, Path(id): Path<String>, request: Request<Body>) -> Answer {
    let All {} = read(request).await?;
    let asked = id.clone();
    let (task, at) =
        api.ask(move |view, now| Ok::<_, Refusal>((view.checkable(&asked, now.wall)?, now.wall))).await??;
    let told = match task.by_executor {
        true => api.agents.check_now(&task.task, PATIENCE).await?,
        false => TaskHistory::default(),
    };
    let instance = task.instance.clone();
    let ours = match task.by_scheduler {
        true => api.change(None, move |core, now| core.check_now(&instance, now)).await?,
        false => None,
    };
    let instance = task.instance.clone();
    let mut known = api.ask(move |view, now| view.checks_of(&instance, now)).await?;
    known.retain(|check| task.index.is_none_or(|index| check["index"] == index));
    let made: Vec<Made> = by_executor(&known, &told).chain(by_scheduler(&known, ours)).collect();
    if made.is_empty() {
        return Err(Refusal::Uncheckable(id, Uncheckable::Unchecked).into());
    }
    answered(&task, &made, at)
}

fn answered(asked: &Checkable, made: &[Made], now: Timestamp) -> Answer {
    let at = made.iter().filter_map(|check| check.question).map(|question| question.at).min();
    let (task, checks) = (&asked.task, made.iter().map(|check| &check.json).collect::<Vec<_>>());
    shown(
        &json!({"taskId": task.task_id, "appId": asked.instance.app(), "agentId": task.agent_id, "host": task.host, "checks": checks,
        "nextAction": {"kind": "check", "text": text(made), "at": at.unwrap_or(now)}}),
    )
}

/// A check that somebody asked for.
struct Made {
    json: Value,
    /// The question by which it is made; none if it is not.
    question: Option<Question>,
}

impl Made {
    fn new(index: impl Serialize, name: &Value, by: &str, question: Option<Question>, paused: bool) -> Made {
        let question = question.filter(|_| !paused);
        let json = json!({"index": index, "name": name, "madeBy": by, "paused": paused,
            "askedAt": question.map(|question| question.at),
            "askedBefore": question.is_some_and(|question| question.ago.is_some())});
        Made { json, question }
    }
}

/// The number of those that are made now, of those that were a moment ago, to say of which that they are made now would not be
/// true, and of those that are not made at all.
fn text(made: &[Made]) -> String {
    let asked: Vec<Question> = made.iter().filter_map(|check| check.question).collect();
    let before = asked.iter().filter_map(|question| question.ago);
    let ago = before.clone().max().unwrap_or_default().as_secs_f64();
    let (old, all) = (before.count(), asked.len());
    let bound = format!("{ago:.1} s ago, when somebody asked: once a second is the most");
    let is_one = made.len() == 1;
    let said = match (all - old, old) {
        (0, 0) => return "none of its checks is made: they are paused".to_owned(),
        (1, 0) if is_one => "its one check is made now; a failure counts".to_owned(),
        (0, 1) if is_one => format!("its one check was made {bound}"),
        (_, 0) if all == made.len() => format!("all {all} checks of it are made now; a failure counts"),
        (0, _) if all == made.len() => format!("all {all} checks of it were made {bound}"),
        (new, 0) => format!("{} made now; a failure counts", of_all(new, made.len(), "is", "are")),
        (0, old) => format!("{} made {bound}", of_all(old, made.len(), "was", "were")),
        (new, old) => {
            format!("{} made now; a failure counts; {old} made {bound}", of_all(new, made.len(), "is", "are"))
        }
    };
    match made.len() - all {
        0 => said,
        left => format!("{said}; {left} not made, being paused"),
    }
}

fn of_all(some: usize, all: usize, is: &str, are: &str) -> String {
    format!("{some} of its {all} checks {}", if some == 1 { is } else { are })
}

/// The checks that the executor makes, by its own clock.
fn by_executor<'a>(known: &'a [Value], told: &'a TaskHistory) -> impl Iterator<Item = Made> + 'a {
    let at = told.asked_ms.and_then(|ms| Some(Timestamp::from_millis(i64::try_from(ms).ok()?)));
    let question = at.map(|at| Question { at, ago: told.asked_ago_ms.map(Duration::from_millis) });
    told.checks.iter().map(move |check| {
        let index = index(known, check);
        Made::new(index, &name(known, index, check), "executor", question, check.paused())
    })
}

/// The place of a check of the executor's among those of the app. The only one of a task has no id.
fn index(known: &[Value], check: &CheckHistory) -> Option<u64> {
    match check.id.as_deref() {
        Some(id) => id.parse().ok(),
        None => known.iter().find(|known| known["madeBy"] == "executor")?["index"].as_u64(),
    }
}

fn name(known: &[Value], index: Option<u64>, check: &CheckHistory) -> Value {
    let found = known.iter().find(|known| index.is_some_and(|index| known["index"] == index));
    found.map_or_else(|| json!(check.name), |known| known["name"].clone())
}

fn by_scheduler(known: &[Value], question: Option<Question>) -> impl Iterator<Item = Made> {
    let own = known.iter().filter(|check| check["madeBy"] == "scheduler");
    own.map(move |check| Made::new(&check["index"], &check["name"], "scheduler", question, false))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(ago: Option<u64>) -> Made {
        let question = Question { at: Timestamp::from_millis(5), ago: ago.map(Duration::from_millis) };
        Made::new(0, &json!("front"), "executor", Some(question), false)
    }

    fn paused() -> Made {
        Made::new(0, &json!("front"), "executor", None, true)
    }

    #[test]
    fn what_was_made_a_moment_ago_is_not_said_to_be_made_now() {
        let bound = "s ago, when somebody asked: once a second is the most";
        for (all, said) in [
            (vec![made(None)], "its one check is made now; a failure counts".to_owned()),
            (vec![made(None), made(None)], "all 2 checks of it are made now; a failure counts".to_owned()),
            (vec![made(Some(420))], format!("its one check was made 0.4 {bound}")),
            (vec![made(Some(420)), made(Some(900))], format!("all 2 checks of it were made 0.9 {bound}")),
            (
                vec![made(Some(420)), made(None)],
                format!("1 of its 2 checks is made now; a failure counts; 1 made 0.4 {bound}"),
            ),
            (
                vec![made(None), paused()],
                "1 of its 2 checks is made now; a failure counts; 1 not made, being paused".to_owned(),
            ),
            (vec![paused(), paused()], "none of its checks is made: they are paused".to_owned()),
        ] {
            assert_eq!(text(&all), said);
        }
        assert_eq!(
            (&made(Some(1)).json["askedBefore"], &made(None).json["askedBefore"]),
            (&json!(true), &json!(false))
        );
    }

    #[test]
    fn the_check_of_a_container_is_found_among_those_of_its_pod() {
        let known = [json!({"index": 1, "name": "back", "madeBy": "executor"})];
        let told = TaskHistory { checks: vec![CheckHistory::default()], asked_ms: Some(5), asked_ago_ms: None };
        let made: Vec<_> = by_executor(&known, &told).collect();
        assert_eq!((&made[0].json["index"], &made[0].json["name"]), (&json!(1), &json!("back")));
    }
}
