//! `?dryRun=true`: what a change would do, and nothing is done. Marathon has it for groups only. A change that cannot be tried
//! is refused: it would be made otherwise.

use axum::body::Body;
use axum::http::{Method, Request};
use axum::middleware::Next;
use axum::response::Response;

use super::Api;
use super::answer::{Answer, Query, message, shown};
use crate::core::Proposed;

impl Query {
    /// True if nothing is to be changed.
    pub(super) fn is_dry(&self) -> bool {
        self.flag("dryRun", false)
    }
}

/// The consequences, or the refusal that the change itself would meet.
pub(super) async fn dry_run(api: &Api, asked: Proposed, force: bool) -> Answer {
    shown(&api.ask(move |view, now| view.dry_run(asked, force, now)).await??)
}

/// Lets no change pass that is to be tried only, and cannot be.
pub(super) async fn only_where_known(request: Request<Body>, next: Next) -> Response {
    let (method, path) = (request.method(), request.uri().path());
    if method.is_safe() || can_be_tried(method, path) || !Query::of(&request).is_dry() {
        return next.run(request).await;
    }
    message(400, format!("{method} {path} cannot be tried with dryRun; nothing was changed"))
}

fn can_be_tried(method: &Method, path: &str) -> bool {
    let is_below = |base: &str| path.strip_prefix(base).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    match method.as_str() {
        "PUT" => ["/v2/apps", "/v2/groups", "/v2/pods"].into_iter().any(is_below),
        "PATCH" => is_below("/v2/apps"),
        "POST" => ["/v2/apps", "/v2/pods"].contains(&path.trim_end_matches('/')) || path.ends_with("/undo"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_tried_is_known() {
        for (method, path, can) in [
            (Method::PUT, "/v2/apps", true),
            (Method::PUT, "/v2/apps/a/b", true),
            (Method::PATCH, "/v2/apps/a", true),
            (Method::PUT, "/v2/groups", true),
            (Method::PUT, "/v2/pods/a", true),
            (Method::POST, "/v2/apps", true),
            (Method::POST, "/v2/deployments/d/undo", true),
            (Method::POST, "/v2/groups", false),
            (Method::PATCH, "/v2/groups/g", false),
            (Method::POST, "/v2/apps/a/restart", false),
            (Method::DELETE, "/v2/apps/a", false),
            (Method::POST, "/v2/agents/S1/drain", false),
        ] {
            assert_eq!(can_be_tried(&method, path), can, "{method} {path}");
        }
    }
}
