//! The forms in which output is answered: text as it is, one JSON document, or server-sent events. In: a [`Reader`]. Out:
//! an answer whose body is made as it is read.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Request, header};
use axum::response::sse::{KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt};
use serde_json::{Value, json};

use super::super::Live;
use super::events::events;
use super::reader::{Piece, Reader};
use super::told::{Step, Told};
use crate::agents::AgentError;
use crate::logs::Line;

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    Json,
    Events,
}

/// Set if there may be lines from before the moment that was asked for.
const EARLIER: HeaderName = HeaderName::from_static("cygnet-has-earlier");

impl Form {
    pub(super) fn of(request: &Request<Body>) -> Form {
        let accept = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        match accept {
            accept if accept.contains("text/event-stream") => Form::Events,
            accept if accept.contains("json") => Form::Json,
            _ => Form::Text,
        }
    }

    pub(super) fn answer(self, reader: Reader) -> Response {
        let has_earlier = reader.has_earlier;
        let mut answer = match self {
            Form::Text => body("text/plain; charset=utf-8", text(reader)),
            Form::Json => body("application/json; charset=utf-8", document(reader)),
            Form::Events => Sse::new(events(reader)).keep_alive(KeepAlive::default()).into_response(),
        };
        if has_earlier {
            answer.headers_mut().insert(EARLIER, HeaderValue::from_static("true"));
        }
        answer.extensions_mut().insert(Live);
        answer
    }
}

fn body(kind: &'static str, pieces: impl Stream<Item = Result<Bytes, AgentError>> + Send + 'static) -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static(kind))], Body::from_stream(pieces)).into_response()
}

/// The output of one stream as it is; of both, line by line.
fn text(reader: Reader) -> impl Stream<Item = Result<Bytes, AgentError>> + Send {
    let alone = reader.sources.len() == 1;
    stream::unfold(Some(Told::new(reader)), move |told| async move {
        let mut told = told?;
        if alone {
            return match told.reader.next().await? {
                Piece::Output(_, data) => Some((Ok(data.into()), Some(told))),
                Piece::End(_) => None,
                Piece::Failed(error) => Some((Err(error), None)),
            };
        }
        match told.next().await? {
            Step::Lines(_, lines) => Some((Ok(plain(lines.iter())), Some(told))),
            Step::Gap(_, rest) => Some((Ok(plain(rest.iter())), Some(told))),
            Step::Over(_, Piece::Failed(error)) => Some((Err(error), None)),
            Step::Over(rests, _) => Some((Ok(plain(rests.iter().map(|(_, line)| line))), None)),
        }
    })
}

fn plain<'a>(lines: impl Iterator<Item = &'a Line>) -> Bytes {
    let mut text = Vec::new();
    for line in lines {
        text.extend(&line.bytes);
        text.extend(line.is_whole.then_some(b'\n'));
    }
    text.into()
}

/// One JSON document with all lines.
fn document(reader: Reader) -> impl Stream<Item = Result<Bytes, AgentError>> + Send {
    let mut head = head(&reader).to_string();
    head.truncate(head.len() - 1);
    let begin = stream::iter([Ok(Bytes::from(head + ",\"lines\":["))]);
    let rest = stream::unfold(Some((Told::new(reader), "")), |state| async move {
        let (mut told, mut comma) = state?;
        let mut text = String::new();
        let mut add = |name, line: &Line| {
            text.push_str(comma);
            text.push_str(&json_line(name, line).to_string());
            comma = ",";
        };
        match told.next().await? {
            Step::Lines(at, lines) => {
                lines.iter().for_each(|line| add(told.name(at), line));
                Some((Ok(text.into()), Some((told, comma))))
            }
            Step::Gap(at, rest) => {
                rest.iter().for_each(|line| add(told.name(at), line));
                Some((Ok(text.into()), Some((told, comma))))
            }
            Step::Over(rests, over) => {
                rests.iter().for_each(|(at, line)| add(told.name(*at), line));
                text.push_str(&format!("],{}", over_json(&over).to_string().trim_start_matches('{')));
                Some((Ok(text.into()), None))
            }
        }
    });
    begin.chain(rest)
}

pub(super) fn head(reader: &Reader) -> Value {
    let task = &reader.task;
    json!({"taskId": task.task_id, "agentId": task.agent_id, "host": task.host, "hasEarlier": reader.has_earlier})
}

pub(super) fn json_line(stream: &str, line: &Line) -> Value {
    let mut json = json!({"stream": stream, "line": String::from_utf8_lossy(&line.bytes)});
    if !line.is_whole {
        json["isCut"] = json!(true);
    }
    json
}

/// The end of the task as it is known, or why there is no more.
pub(super) fn over_json(over: &Piece) -> Value {
    match over {
        Piece::End(ended) => json!({"ended": ended}),
        Piece::Failed(error) => json!({"message": format!("The {error}")}),
        Piece::Output(..) => Value::Null,
    }
}
