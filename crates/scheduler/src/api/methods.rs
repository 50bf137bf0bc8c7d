//! The methods of each path: the answer to `OPTIONS`, and a header beside every refusal of another one. In: the table of paths,
//! and requests. Out: their answers.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{MatchedPath, State};
use axum::http::{HeaderValue, Method, Request, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// By path, as the table of them writes it.
pub(super) type Table = Arc<BTreeMap<&'static str, Methods>>;

/// The methods of a path.
#[derive(Debug, Clone)]
pub(super) enum Methods {
    These(Vec<&'static str>),
    /// The end of the path says which.
    ByEnd(fn(&str) -> Vec<&'static str>),
}

impl Methods {
    /// For the path that was asked for: where there is `GET` there is `HEAD`, and `OPTIONS` is everywhere.
    fn allowed(&self, path: &str) -> String {
        let methods = match self {
            Methods::These(methods) => methods.clone(),
            Methods::ByEnd(by_end) => by_end(path),
        };
        let implied = |method: &'static str| [method].into_iter().chain((method == "GET").then_some("HEAD"));
        methods.into_iter().flat_map(implied).chain(["OPTIONS"]).collect::<Vec<_>>().join(", ")
    }
}

/// Answers `OPTIONS`, and names the methods beside every refusal of one.
pub(super) async fn told(State(table): State<Table>, request: Request<Body>, next: Next) -> Response {
    let matched = request.extensions().get::<MatchedPath>().and_then(|path| table.get(path.as_str()));
    let allowed = matched.and_then(|methods| HeaderValue::try_from(methods.allowed(request.uri().path())).ok());
    let Some(allowed) = allowed else { return next.run(request).await };
    if request.method() == Method::OPTIONS {
        return [(header::ALLOW, allowed)].into_response();
    }
    let mut answer = next.run(request).await;
    if answer.status() == StatusCode::METHOD_NOT_ALLOWED {
        answer.headers_mut().insert(header::ALLOW, allowed);
    }
    answer
}
