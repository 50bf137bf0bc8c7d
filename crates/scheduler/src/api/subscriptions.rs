//! `/v2/eventSubscriptions`: who wants events posted to them. Marathon has had none since 1.5; here the operator may turn
//! them on, for clients from before.

use axum::body::Body;
use axum::extract::State;
use axum::http::Request;
use axum::response::Response;

use super::Api;
use super::answer::{Query, gone, json_answer, message, refused};
use super::envelope::origin;

pub(super) async fn change(State(api): State<Api>, request: Request<Body>) -> Response {
    if api.callbacks.is_none() {
        let text = "event subscriptions are gone since Marathon 1.5: read the event stream at /v2/events, or start the \
                    scheduler with --event-subscriber http_callback";
        return message(404, text);
    }
    let url = Query::of(&request).get("callbackUrl").unwrap_or_default().to_owned();
    let origin = origin(&request);
    match request.method().as_str() {
        "GET" | "HEAD" => {
            let all = api.actor.ask(|core, _| core.subscribers_json()).await;
            all.map_or_else(gone, |all| json_answer(200, &all))
        }
        "POST" => match api.change(origin, move |core, now| core.subscribe(&url, now)).await {
            None => gone(),
            Some(Ok(event)) => json_answer(200, &event),
            Some(Err(refusal)) => refused(&refusal),
        },
        "DELETE" => {
            let event = api.change(origin, move |core, now| core.unsubscribe(&url, now)).await;
            event.map_or_else(gone, |event| json_answer(200, &event))
        }
        _ => message(405, "Method Not Allowed"),
    }
}
