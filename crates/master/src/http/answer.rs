//! Answers to readers: short ones as a whole, long ones piece by piece, wrapped into a call where the reader asks for it.

use std::collections::BTreeMap;
use std::convert::Infallible;

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use mesos::server::{Refusal, jsonp};
use tokio::task::spawn_blocking;

use crate::view::pieces::{Object, Pieces, joined};

pub(super) type Texts = BTreeMap<String, String>;

pub(super) type Reply = Result<Response, Refusal>;

/// JSON, or JSON wrapped into a call of the function the request names. `write` may take its time.
pub(super) async fn object(parameters: &Texts, write: impl FnOnce() -> Object + Send + 'static) -> Reply {
    match jsonp(parameters)?.map(str::to_owned) {
        None => pieces("application/json", move || write().into_pieces()).await,
        Some(callback) => pieces("text/javascript", move || call(&callback, write().into_pieces())).await,
    }
}

/// An answer of a media type.
pub(super) async fn pieces(kind: &'static str, write: impl FnOnce() -> Pieces + Send + 'static) -> Reply {
    let begin = move || {
        let mut joined = joined(write());
        let (first, second) = (joined.next().unwrap_or_default(), joined.next());
        (first, second, joined)
    };
    let begun = spawn_blocking(begin).await;
    let (first, second, rest) = begun.map_err(|_| Refusal::unavailable("The answer could not be written"))?;
    let body = match second {
        None => Body::from(first),
        Some(second) => {
            let all = [first, second].into_iter().chain(rest);
            Body::from_stream(stream::iter(all.map(Ok::<Bytes, Infallible>)))
        }
    };
    Ok(([(header::CONTENT_TYPE, kind)], body).into_response())
}

fn call(callback: &str, json: Pieces) -> Pieces {
    let (open, close) = (format!("{callback}(").into_bytes(), b")".to_vec());
    Box::new(std::iter::once(open).chain(json).chain(std::iter::once(close)))
}
