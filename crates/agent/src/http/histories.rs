//! `GET /cygnet/v1/histories?framework_id=F&task_id=A&task_id=B`: the past attempts of several tasks' health checks, all
//! executors asked at once. Comes in: requests. Goes out: JSON, with the tasks of which nothing is known named. Owns no
//! task.

use std::time::Duration;

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use futures_util::future::join_all;
use mesos::server::Refusal;
use serde_json::{Map, Value, json};

use super::history::{PATIENCE, asked_of};
use super::{Shared, recovered};
use crate::core::Inquiry;
use crate::ids::TaskKey;

/// The most tasks that may be asked about at a time.
const MOST: usize = 256;

type Parameters = Vec<(String, String)>;

/// With `within_ms` it is answered by then, with what is known by then.
pub(super) async fn histories(
    State(shared): State<Shared>,
    Query(parameters): Query<Parameters>,
) -> Result<Response, Refusal> {
    recovered(&shared).await?;
    let (framework, tasks) = asked(&parameters)?;
    let within = within(&parameters)?;
    let answers = tasks.iter().map(|task| {
        let task = TaskKey { framework: framework.into(), task: (*task).into() };
        asked_of(&shared, task, Inquiry::Past, within)
    });
    let (mut told, mut untold) = (Map::new(), Map::new());
    for (task, answer) in tasks.iter().zip(join_all(answers).await) {
        match answer {
            Ok(history) => told.insert((*task).to_owned(), mesos::json::to_value(&history)),
            Err(refusal) => untold.insert((*task).to_owned(), refused(&refusal)),
        };
    }
    Ok(axum::Json(json!({"tasks": told, "untold": untold})).into_response())
}

fn refused(refusal: &Refusal) -> Value {
    json!({"status": refusal.status.as_u16(), "message": refusal.message})
}

fn asked(parameters: &Parameters) -> Result<(&str, Vec<&str>), Refusal> {
    let named =
        |name: &'static str| parameters.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str());
    let tasks: Vec<&str> = named("task_id").collect();
    match named("framework_id").next() {
        Some(framework) if (1..=MOST).contains(&tasks.len()) => Ok((framework, tasks)),
        _ => Err(Refusal::bad_request(format!("'framework_id' and one to {MOST} times 'task_id' are needed"))),
    }
}

fn within(parameters: &Parameters) -> Result<Duration, Refusal> {
    let Some((_, text)) = parameters.iter().find(|(key, _)| key == "within_ms") else { return Ok(PATIENCE) };
    let millis = text.parse().map_err(|_| Refusal::bad_request("'within_ms' is a number of milliseconds"))?;
    Ok(Duration::from_millis(millis).min(PATIENCE))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(all: &[(&str, &str)]) -> Parameters {
        all.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn tasks_are_named_one_by_one() {
        let good = parameters(&[("task_id", "a"), ("framework_id", "F"), ("task_id", "b"), ("within_ms", "300")]);
        assert_eq!(asked(&good).unwrap(), ("F", vec!["a", "b"]));
        assert_eq!(within(&good).unwrap(), Duration::from_millis(300));
        assert_eq!(within(&parameters(&[("within_ms", "9999999")])).unwrap(), PATIENCE);
        assert!(within(&parameters(&[("within_ms", "soon")])).is_err());
        assert!(asked(&parameters(&[("task_id", "a")])).is_err());
        assert!(asked(&parameters(&[("framework_id", "F")])).is_err());
        let mut many = [("task_id", "a"); MOST + 1].to_vec();
        many.push(("framework_id", "F"));
        assert!(asked(&parameters(&many)).is_err());
    }
}
