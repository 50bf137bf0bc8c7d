//! The content types of one request to the operator API: both codecs, and streams of either as RecordIO. Pure.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use mesos::Codec;
use mesos::server::{Refusal, last, welcomes};

const RECORDIO: &str = "application/recordio";
const MESSAGE_CONTENT_TYPE: &str = "message-content-type";
const MESSAGE_ACCEPT: &str = "message-accept";

/// The form of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) codec: Codec,
    /// Said to be a stream of records.
    pub(super) streaming: bool,
}

/// The form of the request's body.
pub(super) fn content(headers: &HeaderMap) -> Result<Form, Refusal> {
    let text = |name: &str| last(headers, name);
    let Some(media_type) = text(header::CONTENT_TYPE.as_str()) else {
        return Err(Refusal::bad_request("Expecting 'Content-Type' to be present"));
    };
    let unsupported = |message: &str| Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message);
    match (Codec::of_media_type(media_type), text(MESSAGE_CONTENT_TYPE)) {
        (Some(codec), None) => Ok(Form { codec, streaming: false }),
        (Some(_), Some(_)) => {
            Err(unsupported("Expecting 'Message-Content-Type' to be not set for a request that is not streaming"))
        }
        (None, _) if media_type != RECORDIO => Err(unsupported(
            "Expecting 'Content-Type' of application/json or application/x-protobuf or application/recordio",
        )),
        (None, None) => Err(Refusal::bad_request("Expecting 'Message-Content-Type' to be set for streaming requests")),
        (None, Some(inner)) => match Codec::of_media_type(inner) {
            Some(codec) => Ok(Form { codec, streaming: true }),
            None => Err(unsupported(
                "Expecting 'Message-Content-Type' to be 'application/json' or 'application/x-protobuf'",
            )),
        },
    }
}

/// The form of the answer. The order of preference is Mesos' own, not the client's; but a client that takes records and
/// says how they are to be written wants records.
pub(super) fn answer(headers: &HeaderMap) -> Result<Form, Refusal> {
    let refused = |message: &str| Err(Refusal::new(StatusCode::NOT_ACCEPTABLE, message));
    let inner = last(headers, MESSAGE_ACCEPT);
    let plain = [Codec::Json, Codec::Protobuf].into_iter().find(|codec| welcomes(headers, codec.media_type()));
    match (plain, inner) {
        (Some(codec), None) => Ok(Form { codec, streaming: false }),
        (Some(_), Some(_)) if !welcomes(headers, RECORDIO) => {
            refused("Expecting 'Message-Accept' to be not set for a response that is not streaming")
        }
        (None, _) if !welcomes(headers, RECORDIO) => {
            refused("Expecting 'Accept' to allow application/json or application/x-protobuf or application/recordio")
        }
        (_, inner) => match inner_codec(inner) {
            Some(codec) => Ok(Form { codec, streaming: true }),
            None => refused("Expecting 'Message-Accept' to allow 'application/json' or 'application/x-protobuf'"),
        },
    }
}

fn inner_codec(accept: Option<&str>) -> Option<Codec> {
    let Some(accept) = accept else { return Some(Codec::Json) };
    let headers = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::try_from(accept).ok()?)]);
    [Codec::Json, Codec::Protobuf].into_iter().find(|codec| welcomes(&headers, codec.media_type()))
}

/// Labels a stream of records as what it was asked to be.
pub(super) fn labelled(mut response: Response, form: Form) -> Response {
    if form.streaming {
        let inner = HeaderValue::from_static(form.codec.media_type());
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(RECORDIO));
        response.headers_mut().insert(MESSAGE_CONTENT_TYPE, inner);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let header = |(name, value): &(&'static str, &'static str)| {
            (axum::http::HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        pairs.iter().map(header).collect()
    }

    #[test]
    fn the_bodys_type_is_judged_in_the_order_of_mesos() {
        let status = |pairs: &[_]| content(&headers(pairs)).map_err(|refusal| refusal.status.as_u16());
        let form = |codec, streaming| Ok(Form { codec, streaming });
        assert_eq!(status(&[]), Err(400));
        assert_eq!(status(&[("content-type", "application/json")]), form(Codec::Json, false));
        assert_eq!(status(&[("content-type", "application/json; charset=utf-8")]), Err(415));
        assert_eq!(status(&[("content-type", "application/recordio")]), Err(400));
        let record = |inner| [("content-type", "application/recordio"), ("message-content-type", inner)];
        assert_eq!(status(&record("text/plain")), Err(415));
        assert_eq!(status(&record("application/x-protobuf")), form(Codec::Protobuf, true));
        let plain = [("content-type", "application/json"), ("message-content-type", "application/json")];
        assert_eq!(status(&plain), Err(415));
    }

    #[test]
    fn the_answers_type_is_the_first_that_is_welcome() {
        let status = |pairs: &[_]| answer(&headers(pairs)).map_err(|refusal| refusal.status.as_u16());
        let form = |codec, streaming| Ok(Form { codec, streaming });
        assert_eq!(status(&[]), form(Codec::Json, false));
        assert_eq!(status(&[("accept", "application/x-protobuf")]), form(Codec::Protobuf, false));
        assert_eq!(status(&[("accept", "application/recordio")]), form(Codec::Json, true));
        let record = |inner| [("accept", "application/recordio"), ("message-accept", inner)];
        assert_eq!(status(&record("application/x-protobuf")), form(Codec::Protobuf, true));
        assert_eq!(status(&record("text/plain")), Err(406));
        assert_eq!(status(&[("accept", "text/html")]), Err(406));
        let either =
            [("accept", "application/json, application/recordio"), ("message-accept", "application/x-protobuf")];
        assert_eq!(status(&either), form(Codec::Protobuf, true), "it says how records are to be written");
        let twice = [("accept", "application/x-protobuf"), ("accept", "application/recordio")];
        assert_eq!(status(&twice), form(Codec::Json, true), "of two lines the last one counts");
        assert_eq!(status(&[("accept", "application/json"), ("message-accept", "application/json")]), Err(406));
    }
}
