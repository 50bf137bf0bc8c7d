//! The encoding of a URL as people write it, so that the grammar takes it. Pure.

use std::fmt::Write;

use super::UrlError;

/// The letters of RFC 3986 that may stand in a path or a query, and those that end one.
const PLAIN: &[u8] = b"-._~!$&'()*+,;=:@/?%#";

/// A path and query as they are sent: percent-encoded where necessary, without a fragment.
pub fn path_and_query(text: &str) -> String {
    let mut path = escaped(text);
    path.truncate(path.find('#').unwrap_or(path.len()));
    path
}

/// The text with its path percent-encoded, and the IPv6 zone that was taken out of its host.
pub(super) fn encoded(text: &str) -> Result<(String, Option<String>), UrlError> {
    if text.chars().any(|letter| letter.is_control() || letter.is_whitespace()) {
        return Err(UrlError::Invisible(text.to_owned()));
    }
    let (front, rest) = text.split_at(end_of_authority(text));
    let authority = front.rsplit(['/', '@']).next().unwrap_or_default();
    if !authority.is_ascii() {
        return Err(UrlError::NotAscii(authority.to_owned()));
    }
    let (front, zone) = without_zone(front);
    Ok((front + &escaped(rest), zone))
}

/// True if it begins with `name://`.
pub(super) fn has_scheme(text: &str) -> bool {
    text.split_once("://").is_some_and(|(name, _)| is_scheme(name))
}

fn is_scheme(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// The beginning of the path.
fn end_of_authority(text: &str) -> usize {
    let begin = match text.find("//") {
        Some(0) => 2,
        Some(at) if text.get(..at).and_then(|name| name.strip_suffix(':')).is_some_and(is_scheme) => at + 2,
        _ => return 0,
    };
    let rest = text.get(begin..).unwrap_or_default();
    begin + rest.find(['/', '?', '#']).unwrap_or(rest.len())
}

/// `[fe80::1%25lo]` and `[fe80::1%lo]` are `[fe80::1]` and `lo`.
pub(super) fn without_zone(authority: &str) -> (String, Option<String>) {
    let parts = authority.split_once('[').and_then(|(before, rest)| Some((before, rest.split_once(']')?)));
    let Some((before, (host, after))) = parts else { return (authority.to_owned(), None) };
    let Some((ip, zone)) = host.split_once('%') else { return (authority.to_owned(), None) };
    let zone = zone.strip_prefix("25").filter(|zone| !zone.is_empty()).unwrap_or(zone);
    (format!("{before}[{ip}]{after}"), Some(zone.to_owned()))
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for (at, byte) in text.bytes().enumerate() {
        let is_plain = byte.is_ascii_alphanumeric() || PLAIN.contains(&byte);
        if is_plain && (byte != b'%' || begins_escape(text, at)) {
            escaped.push(char::from(byte));
        } else {
            let _never_fails = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

fn begins_escape(text: &str, at: usize) -> bool {
    let digits = text.as_bytes().get(at + 1..at + 3);
    digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
}
