//! 3.3: media types of requests and answers.

use harness::http::{self, Answer};
use serde_json::json;

use crate::row::{Row, row};
use crate::target::Target;
use harness::wire::Form;

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = vec![
        row("3.3 Accept", accept),
        row("3.3 Message-Content-Type without recordio", |target| {
            let headers = [("content-type", "application/json"), ("message-content-type", "application/json")];
            let answer = http::request(target.agent(), "POST", "/api/v1", &headers, &health(Form::Json, "agent.Call"));
            assert_eq!(answer.expect("an answer").status, 415);
        }),
        row("3.3 Message-Accept without recordio", |target| {
            let headers = [
                ("content-type", "application/json"),
                ("accept", "application/json"),
                ("message-accept", "application/json"),
            ];
            let answer = http::request(target.agent(), "POST", "/api/v1", &headers, &health(Form::Json, "agent.Call"));
            assert_eq!(answer.expect("an answer").status, 406);
        }),
        row("3.3 recordio answers only where there is a stream", |target| {
            let headers = [("content-type", "application/json"), ("accept", "application/recordio")];
            let answer = http::request(target.agent(), "POST", "/api/v1", &headers, &health(Form::Json, "agent.Call"));
            assert_eq!(answer.expect("an answer").status, 406);
        }),
        row("3.3 recordio request needs Message-Content-Type", |target| {
            let headers = [("content-type", "application/recordio")];
            let answer = http::request(target.agent(), "POST", "/api/v1", &headers, b"").expect("an answer");
            assert_eq!(answer.status, 400, "{}", answer.text());
            let headers = [("content-type", "application/recordio"), ("message-content-type", "text/plain")];
            let answer = http::request(target.agent(), "POST", "/api/v1", &headers, b"").expect("an answer");
            assert_eq!(answer.status, 415, "{}", answer.text());
        }),
        row("3.3 recordio request only for a call that streams", |target| {
            let headers = [("content-type", "application/recordio"), ("message-content-type", "application/json")];
            let call = json!({"type": "GET_HEALTH"}).to_string();
            let body = format!("{}\n{call}", call.len());
            let answer =
                http::request(target.agent(), "POST", "/api/v1", &headers, body.as_bytes()).expect("an answer");
            assert_eq!(answer.status, 415, "{}", answer.text());
        }),
    ];
    for (asked, answered) in Form::ALL.iter().flat_map(|&asked| Form::ALL.map(|answered| (asked, answered))) {
        rows.push(row(format!("3.3 {} asked, {} answered", asked.name(), answered.name()), move |target| {
            answered_as(target, asked, answered);
        }));
    }
    rows
}

fn health(form: Form, call: &str) -> Vec<u8> {
    form.encode(call, &json!({"type": "GET_HEALTH"}))
}

fn asked(target: &Target, accept: Option<&str>) -> Answer {
    let mut headers = vec![("content-type", "application/json")];
    headers.extend(accept.map(|types| ("accept", types)));
    http::request(target.master(), "POST", "/api/v1", &headers, &health(Form::Json, "master.Call")).expect("an answer")
}

fn answered_as(target: &Target, asked: Form, answered: Form) {
    for (address, call, response) in
        [(target.master(), "master.Call", "master.Response"), (target.agent(), "agent.Call", "agent.Response")]
    {
        let headers = [("content-type", asked.media_type()), ("accept", answered.media_type())];
        let answer = http::request(address, "POST", "/api/v1", &headers, &health(asked, call)).expect("an answer");
        assert_eq!((answer.status, answer.header("content-type")), (200, Some(answered.media_type())));
        let decoded = answered.decode(response, &answer.body);
        assert_eq!(decoded, json!({"type": "GET_HEALTH", "get_health": {"healthy": true}}));
    }
}

/// Candidates are tried in a fixed order, JSON first; what the client prefers does not count.
fn accept(target: &Target) {
    let (json, protobuf) = (Some("application/json"), Some("application/x-protobuf"));
    for (types, media_type) in [
        (None, json),
        (Some("*/*"), json),
        (Some("application/*"), json),
        (Some("application/x-protobuf, application/json"), json),
        (Some("application/x-protobuf;q=0.9, application/json;q=0.1"), json),
        (Some("application/json;q=0, application/x-protobuf"), protobuf),
        (Some("text/html, application/x-protobuf"), protobuf),
        (Some("text/html"), None),
        (Some("application/json;q=0"), None),
        (Some("text/*"), None),
    ] {
        let answer = asked(target, types);
        match media_type {
            Some(_) => assert_eq!((answer.status, answer.header("content-type")), (200, media_type), "{types:?}"),
            None => assert_eq!(answer.status, 406, "{types:?}"),
        }
    }
}
