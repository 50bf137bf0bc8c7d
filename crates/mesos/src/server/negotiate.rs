//! The codec of a request, and the one of its answer. In: headers and body. Out: codecs and the call.

use axum::http::{HeaderMap, StatusCode, header};

use super::Refusal;
use crate::{codec::Codec, wire::Wire};

/// The call in a request's body, and the codec it came in. The media type is compared exactly, as Mesos does.
pub fn decode_call<C: Wire>(headers: &HeaderMap, body: &[u8]) -> Result<(Codec, C), Refusal> {
    let Some(media_type) = last(headers, header::CONTENT_TYPE.as_str()) else {
        return Err(Refusal::bad_request("Expecting 'Content-Type' to be present"));
    };
    let codec = Codec::of_media_type(media_type).ok_or_else(|| {
        let message = "Expecting 'Content-Type' of application/json or application/x-protobuf";
        Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message)
    })?;
    Ok((codec, codec.decode(body)?))
}

/// The codec for the answer: JSON if the client takes it, else protobuf. The client's order of preference does not
/// count; without an `Accept` header everything is welcome.
pub fn accept(headers: &HeaderMap) -> Result<Codec, Refusal> {
    [Codec::Json, Codec::Protobuf].into_iter().find(|codec| welcomes(headers, codec.media_type())).ok_or_else(|| {
        let message = "Expecting 'Accept' to allow 'application/x-protobuf' or 'application/json'";
        Refusal::new(StatusCode::NOT_ACCEPTABLE, message)
    })
}

/// True if the client takes an answer of this media type.
pub fn welcomes(headers: &HeaderMap, media_type: &str) -> bool {
    last(headers, header::ACCEPT.as_str()).is_none_or(|list| allows(list, media_type))
}

/// The media types of an `Accept` header, the most welcome first, without those that are not welcome at all.
pub fn by_liking(accept: &str) -> Vec<&str> {
    let liking = |parameters: &str| {
        let weight = parameters.split(';').find_map(|one| one.trim().strip_prefix("q=")?.trim().parse().ok());
        weight.unwrap_or(1.0_f32)
    };
    let mut kinds: Vec<(&str, f32)> = accept
        .split(',')
        .map(|one| one.split_once(';').unwrap_or((one, "")))
        .map(|(kind, parameters)| (kind.trim(), liking(parameters)))
        .filter(|(_, liking)| *liking > 0.0)
        .collect();
    kinds.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    kinds.into_iter().map(|(kind, _)| kind).collect()
}

/// The value of a header. Of repeated lines the last one counts, as libprocess keeps them: clients were written against
/// that, and mesos-go sends two `Accept` lines. A value that is no text is an empty one.
pub fn last<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get_all(name).iter().next_back().map(|value| value.to_str().unwrap_or_default())
}

/// True if an `Accept` list allows a media type, by its name or by a wildcard, unless it says `q=0`.
fn allows(list: &str, media_type: &str) -> bool {
    list.split(',').any(|range| {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let matches = name == media_type || name == "*/*" || name == "application/*";
        matches && !parts.any(excludes)
    })
}

fn excludes(parameter: &str) -> bool {
    parameter.strip_prefix("q=").and_then(|quality| quality.trim().parse::<f64>().ok()) == Some(0.0)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn accepting(lists: &[&'static str]) -> HeaderMap {
        lists.iter().map(|list| (header::ACCEPT, HeaderValue::from_static(list))).collect()
    }

    #[test]
    fn what_is_liked_most_comes_first_and_what_is_not_welcome_not_at_all() {
        assert_eq!(by_liking("a/a;q=0.1, b/b , c/c;v=1;q=0.5, d/d;q=0, e/e;q=NaN"), ["b/b", "c/c", "a/a"]);
    }

    #[test]
    fn of_repeated_lines_the_last_one_counts() {
        assert_eq!(accept(&accepting(&["application/json", "application/x-protobuf"])).ok(), Some(Codec::Protobuf));
        assert_eq!(accept(&accepting(&["application/x-protobuf", "application/json"])).ok(), Some(Codec::Json));
        assert!(accept(&accepting(&["application/json", "text/html"])).is_err());
        let two = [(header::CONTENT_TYPE, "text/plain"), (header::CONTENT_TYPE, "application/json")];
        let headers: HeaderMap = two.map(|(name, value)| (name, HeaderValue::from_static(value))).into_iter().collect();
        let body = br#"{"type":"TEARDOWN"}"#;
        assert!(decode_call::<crate::v1::scheduler::Call>(&headers, body).is_ok());
    }
}
