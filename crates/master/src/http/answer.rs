//! Answers to readers: short ones as a whole, long ones piece by piece, wrapped into a call where the reader asks for it.

use std::collections::BTreeMap;
use std::convert::Infallible;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use futures_util::stream;
use mesos::Codec;
use mesos::server::{Refusal, jsonp};
use tokio::task::spawn_blocking;

use crate::view::pieces::{Object, Pieces, joined};

/// The parameters of a request.
pub(super) type Texts = BTreeMap<String, String>;

pub(super) type Reply = Result<Response, Refusal>;

/// JSON, or JSON wrapped into a call of the function the request names. `write` may take its time.
pub(super) async fn object(parameters: &Texts, write: impl FnOnce() -> Object + Send + 'static) -> Reply {
    match jsonp(parameters)?.map(str::to_owned) {
        None => pieces("application/json", move || write().into_pieces()).await,
        Some(callback) => pieces("text/javascript", move || call(&callback, write().into_pieces())).await,
    }
}

/// An answer in one of the codecs.
pub(super) async fn coded(codec: Codec, write: impl FnOnce() -> Pieces + Send + 'static) -> Reply {
    pieces(codec.media_type(), write).await
}

async fn pieces(kind: &'static str, write: impl FnOnce() -> Pieces + Send + 'static) -> Reply {
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
    Ok(with_type(kind, body))
}

fn with_type(kind: &'static str, body: Body) -> Response {
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

fn call(callback: &str, json: Pieces) -> Pieces {
    let (open, close) = (format!("{callback}(").into_bytes(), b")".to_vec());
    Box::new(std::iter::once(open).chain(json).chain(std::iter::once(close)))
}
