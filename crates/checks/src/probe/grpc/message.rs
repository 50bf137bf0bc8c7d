//! `HealthCheckRequest` and `HealthCheckResponse` on the wire. Pure.
//!
//! Two messages with one field each, in a gRPC frame: a flag, the length, the protobuf. What else a reply may be is in
//! the specification of gRPC over HTTP/2: an HTTP status other than 200, a `grpc-status` in the trailers, or in the
//! header if there is nothing else.

use prost::Message;

use crate::outcome::{Failure, Said};
use crate::probe::http2::Reply;

/// The names of `ServingStatus`.
const STATUSES: [&str; 4] = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];

/// The names of the codes of gRPC, of which 0 is OK.
const CODES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

#[derive(prost::Message)]
struct HealthCheckRequest {
    #[prost(string, tag = "1")]
    service: String,
}

#[derive(prost::Message)]
struct HealthCheckResponse {
    /// A `ServingStatus`.
    #[prost(int32, tag = "1")]
    status: i32,
}

/// A frame with a request.
pub(super) fn request(service: &str) -> Vec<u8> {
    let message = HealthCheckRequest { service: service.to_owned() }.encode_to_vec();
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    [&[0], length.to_be_bytes().as_slice(), &message].concat()
}

/// The judgement of it: a success if it says `SERVING`.
pub(super) fn judge(reply: &Reply) -> Result<(), Failure> {
    if reply.status != 200 {
        return Err(Failure::Status(reply.status));
    }
    let code = reply.trailers.get("grpc-status").or_else(|| reply.headers.get("grpc-status"));
    match grpc_status(code.ok_or_else(|| broken("there is no grpc-status"))?) {
        Some(0) if !is_grpc(reply) => Err(broken("the content type is another one")),
        Some(0) => serving(&reply.body),
        Some(code) => Err(Failure::NotServing { status: CODES.get(code).map_or("UNKNOWN", |name| *name).to_owned() }),
        None => Err(broken("grpc-status is no number")),
    }
}

/// The message that goes with a refusal, or the page of who does not speak gRPC.
pub(super) fn said(reply: &Reply) -> Option<Box<Said>> {
    let text = |name: &str| reply.headers.get(name).and_then(|value| value.to_str().ok());
    match reply.trailers.get("grpc-message").or_else(|| reply.headers.get("grpc-message")) {
        Some(message) => Said::of_failure(None, message.as_bytes()),
        None if !is_grpc(reply) => Said::of_failure(text("content-type"), &reply.body),
        None => None,
    }
}

/// Digits and nothing else: what `parse` takes may have a sign.
fn grpc_status(value: &http::HeaderValue) -> Option<usize> {
    let digits = value.to_str().ok()?;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

/// True if the answer says that it is gRPC: `application/grpc`, perhaps with a codec or parameters.
fn is_grpc(reply: &Reply) -> bool {
    let content_type = reply.headers.get("content-type").and_then(|value| value.to_str().ok());
    let rest = content_type.and_then(|value| value.strip_prefix("application/grpc"));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['+', ';']))
}

fn broken(cause: &str) -> Failure {
    Failure::Protocol { cause: format!("gRPC: {cause}") }
}

fn serving(body: &[u8]) -> Result<(), Failure> {
    let message = match body {
        [0, a, b, c, d, message @ ..] if message.len() as u64 == u64::from(u32::from_be_bytes([*a, *b, *c, *d])) => {
            message
        }
        [1, ..] => return Err(broken("the message is compressed, which was not asked for")),
        _ => return Err(broken("the message is not whole")),
    };
    let reply = HealthCheckResponse::decode(message).map_err(|_| broken("the message makes no sense"))?;
    let name = usize::try_from(reply.status).ok().and_then(|status| STATUSES.get(status));
    match name {
        Some(&"SERVING") => Ok(()),
        Some(name) => Err(Failure::NotServing { status: (*name).to_owned() }),
        None => Err(Failure::NotServing { status: reply.status.to_string() }),
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue};

    use super::*;

    fn reply(message: &[u8], code: Option<&'static str>) -> Reply {
        let length = u32::try_from(message.len()).unwrap();
        let body = [&[0], length.to_be_bytes().as_slice(), message].concat();
        let mut trailers = HeaderMap::new();
        if let Some(code) = code {
            trailers.insert("grpc-status", HeaderValue::from_static(code));
        }
        let headers =
            HeaderMap::from_iter([(http::header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"))]);
        Reply { status: 200, headers, body, trailers }
    }

    #[test]
    fn what_is_no_grpc_by_its_content_type_is_not_serving() {
        for (content_type, is_serving) in [
            ("application/grpc", true),
            ("application/grpc+proto", true),
            ("text/html", false),
            ("application/grpc-web", false),
        ] {
            let mut reply = reply(&[8, 1], Some("0"));
            reply.headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static(content_type));
            assert_eq!(judge(&reply).is_ok(), is_serving, "{content_type}");
        }
    }

    fn cause(reply: &Reply) -> String {
        crate::Outcome::Failure(judge(reply).unwrap_err()).cause()
    }

    #[test]
    fn requests_are_framed() {
        assert_eq!(request(""), [0, 0, 0, 0, 0]);
        assert_eq!(request("ab"), [0, 0, 0, 0, 4, 0x0a, 2, b'a', b'b']);
        assert_eq!(request(&"x".repeat(300))[5..8], [0x0a, 0xac, 0x02]);
    }

    #[test]
    fn only_serving_is_healthy() {
        assert_eq!(judge(&reply(&[8, 1], Some("0"))), Ok(()));
        assert_eq!(cause(&reply(&[8, 2], Some("0"))), "NOT_SERVING");
        assert_eq!(cause(&reply(&[8, 3], Some("0"))), "SERVICE_UNKNOWN");
        assert_eq!(cause(&reply(&[], Some("0"))), "UNKNOWN");
        assert_eq!(cause(&reply(&[8, 77], Some("0"))), "77");
        assert_eq!(cause(&reply(&[], Some("5"))), "NOT_FOUND");
        assert_eq!(cause(&reply(&[8, 1], None)), "gRPC: there is no grpc-status");
        for code in ["+0", "-0", "0x0", "", "0 0", "0.0"] {
            assert_eq!(cause(&reply(&[8, 1], Some(code))), "gRPC: grpc-status is no number", "{code:?}");
        }
        assert_eq!(cause(&Reply { status: 503, ..Reply::default() }), "503 Service Unavailable");
    }

    #[test]
    fn unknown_fields_are_passed_over_and_nonsense_is_said() {
        let known = [0x12, 1, b'x', 0x19, 0, 0, 0, 0, 0, 0, 0, 0, 8, 1, 0x25, 0, 0, 0, 0, 0x30, 0x80, 1];
        assert_eq!(judge(&reply(&known, Some("0"))), Ok(()));
        for nonsense in [[8, 0x80].as_slice(), &[0x12, 9, 1], &[0x0b], &[0x0b; 500], &[0xff; 11]] {
            assert_eq!(cause(&reply(nonsense, Some("0"))), "gRPC: the message makes no sense");
        }
        let torn = Reply { body: vec![0, 0, 0, 0, 9, 8], ..reply(&[], Some("0")) };
        assert_eq!(cause(&torn), "gRPC: the message is not whole");
    }
}
