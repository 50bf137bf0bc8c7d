//! `GET /v2/tasks/{id}/logs`: the output of a task, through its agent. Not one of Marathon's.
//!
//! In: requests. Out: what the task wrote, as text, as one JSON document, or as server-sent events. [`wish`] reads what is
//! asked for, [`reader`] reads the logs, [`told`] cuts them into lines, [`form`] and [`events`] write answers. Owns no task: a log is read as fast as the client takes
//! it, and no longer than it stays.

mod events;
mod form;
mod reader;
mod told;
mod wish;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::Request;

use super::Api;
use super::answer::{Answer, Query, Rejected};
use super::envelope::client_ip;
use super::stream::last_id;
use crate::refusal::Refusal;
use form::Form;
use reader::Reader;
use wish::Wish;

pub(super) async fn show(State(api): State<Api>, Path(task): Path<String>, request: Request<Body>) -> Answer {
    let query = Query::of(&request);
    let wish = Wish::of(&query, last_id(&request, &query).as_deref())?;
    let form = Form::of(&request);
    if wish.follow && form == Form::Json {
        return Err(Rejected::new(400, "follow is for 'Accept: text/plain' and 'Accept: text/event-stream'"));
    }
    let missing = Refusal::NoTask(task.clone());
    let task = api.ask(move |view, _| view.whereabouts(&task)).await?.ok_or(missing)?;
    let reader = Reader::open(api, client_ip(&request), task, &wish).await?;
    Ok(form.answer(reader))
}
