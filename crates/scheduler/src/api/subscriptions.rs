//! `/v2/eventSubscriptions`: who wants events posted to them. Marathon has had none since 1.5; here the operator may turn
//! them on, for clients from before.

use axum::body::Body;
use axum::extract::State;
use axum::http::Request;

use super::Api;
use super::answer::{Answer, Query, Rejected, not_allowed, shown};
use super::envelope::origin;

pub(super) async fn change(State(api): State<Api>, request: Request<Body>) -> Answer {
    if api.callbacks.is_none() {
        let text = "event subscriptions are gone since Marathon 1.5: read the event stream at /v2/events, or start the \
                    scheduler with --event-subscriber http_callback";
        return Err(Rejected::new(404, text));
    }
    let url = Query::of(&request).get("callbackUrl").unwrap_or_default().to_owned();
    let origin = origin(&request);
    match request.method().as_str() {
        "GET" | "HEAD" => shown(&api.ask(|view, _| view.subscribers_json()).await?),
        "POST" => shown(&api.change(origin, move |core, now| core.subscribe(&url, now)).await??.data),
        "DELETE" => shown(&api.change(origin, move |core, now| core.unsubscribe(&url, now)).await?.data),
        _ => not_allowed(),
    }
}
