//! `/files/...`: the master attaches no files, since it logs to its standard error. So there is nothing to browse, and
//! requests are refused in the words and the order in which a path that is not attached is refused.

use axum::extract::Query as Parameters;
use axum::http::StatusCode;
use axum::response::Response;
use mesos::server::Refusal;
use serde_json::json;

use super::answer::{self, Texts};

/// Paths that name a file.
pub(super) const NAMED: [&str; 3] = ["/files/browse", "/files/read", "/files/download"];

pub(super) async fn named(Parameters(parameters): Parameters<Texts>) -> Refusal {
    if parameters.get("path").is_none_or(String::is_empty) {
        return Refusal::bad_request("Expecting 'path=value' in query.\n");
    }
    for name in ["offset", "length"] {
        if let Some(text) = parameters.get(name)
            && !text.parse::<i64>().is_ok_and(|number| number >= -1)
        {
            return Refusal::bad_request(format!("Failed to parse {name}: '{text}'.\n"));
        }
    }
    not_attached()
}

pub(super) fn not_attached() -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, "")
}

/// What is attached, by name.
pub(super) async fn debug(Parameters(parameters): Parameters<Texts>) -> Result<Response, Refusal> {
    answer::json(&parameters, &json!({}))
}
