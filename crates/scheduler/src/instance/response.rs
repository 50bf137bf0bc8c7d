//! The last answer to an instance's readiness check, as `lastResponse` shows it. Pure, and stored with the instance.

use checks::Said;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Response {
    body: String,
    content_type: String,
    status: u16,
}

impl Response {
    /// An answer with this status; none: there was no answer.
    pub(crate) fn of(status: Option<u16>, said: Option<&Said>) -> Response {
        let Some(status) = status else {
            return Response { body: "could not query".into(), content_type: "text/plain".into(), status: 504 };
        };
        let content_type = said.and_then(|said| said.content_type.clone()).unwrap_or_default();
        let body = said.map(|said| String::from_utf8_lossy(&said.body).into_owned()).unwrap_or_default();
        Response { body, content_type, status }
    }
}
