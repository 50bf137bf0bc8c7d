//! The redirects that are followed, and what of the request is repeated there (RFC 9110, 15.4). Pure.
//!
//! In: the status of a redirect, and whether it leads to another origin. Out: the method, the headers and whether the
//! body are sent again. What was left out once is left out for the rest of the attempt, even on the way back.

use super::plan::Extras;

/// The parts of a check's request that are sent to one target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Form {
    content: Content,
    credentials: Credentials,
}

/// The method and the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    AsGiven,
    /// `GET` without a body, whatever the check says.
    Get,
}

/// The headers that prove who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Credentials {
    Sent,
    LeftOut,
}

/// Words within the names of headers that carry credentials: `Authorization`, `Cookie`, `X-Api-Key`, `X-Vault-Token`.
const SECRET: [&str; 9] = ["auth", "cookie", "credential", "key", "pass", "secret", "session", "signature", "token"];

/// The headers that describe a body, and make no sense without one.
const OF_THE_BODY: [&str; 3] = ["content-", "digest", "last-modified"];

/// True if a status sends the client elsewhere by itself: 300 leaves the choice to it, 304 is about its cache.
pub(super) fn is_redirect(status: u16) -> bool {
    matches!(status, 301 | 302 | 303 | 307 | 308)
}

impl Form {
    /// The request as the check has it.
    pub(super) fn as_given() -> Form {
        Form { content: Content::AsGiven, credentials: Credentials::Sent }
    }

    /// The form after a redirect with this status.
    pub(super) fn after(self, status: u16, method: &str, same_origin: bool) -> Form {
        let becomes_get = match status {
            301 | 302 => method == "POST",
            303 => method != "HEAD",
            _ => false,
        };
        Form {
            content: if becomes_get { Content::Get } else { self.content },
            credentials: if same_origin { self.credentials } else { Credentials::LeftOut },
        }
    }

    pub(super) fn method(self, extras: &Extras) -> &str {
        match self.content {
            Content::AsGiven => &extras.method,
            Content::Get => "GET",
        }
    }

    pub(super) fn body(self, extras: &Extras) -> &[u8] {
        match self.content {
            Content::AsGiven => &extras.body,
            Content::Get => &[],
        }
    }

    /// True if a header with this name is sent.
    pub(super) fn sends(self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        let is_secret = SECRET.iter().any(|word| name.contains(word));
        let is_of_the_body = OF_THE_BODY.iter().any(|prefix| name.starts_with(prefix));
        (self.credentials == Credentials::Sent || !is_secret) && (self.content == Content::AsGiven || !is_of_the_body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_sends_the_client_elsewhere_is_followed() {
        let followed: Vec<u16> = (300..400).filter(|status| is_redirect(*status)).collect();
        assert_eq!(followed, [301, 302, 303, 307, 308]);
    }

    #[test]
    fn the_method_changes_as_the_status_says() {
        let becomes_get = |status, method| Form::as_given().after(status, method, true).content == Content::Get;
        for (status, method, expected) in [
            (301, "POST", true),
            (302, "POST", true),
            (303, "POST", true),
            (303, "PUT", true),
            (303, "HEAD", false),
            (301, "PUT", false),
            (302, "HEAD", false),
            (307, "POST", false),
            (308, "POST", false),
        ] {
            assert_eq!(becomes_get(status, method), expected, "{status} {method}");
        }
    }

    #[test]
    fn what_was_left_out_stays_out() {
        let elsewhere = Form::as_given().after(307, "GET", false);
        assert!(!elsewhere.after(307, "GET", true).sends("Authorization"));
        let get = Form::as_given().after(303, "POST", true);
        assert!(!get.after(307, "GET", true).sends("Content-Type"));
    }

    #[test]
    fn credentials_are_known_by_their_names() {
        let elsewhere = Form::as_given().after(302, "GET", false);
        for name in ["AUTHORIZATION", "Proxy-Authorization", "cookie", "X-Api-Key", "X-Auth-Token", "X-Vault-Token"] {
            assert!(!elsewhere.sends(name) && Form::as_given().sends(name), "{name}");
        }
        assert!(["Accept", "X-Request-Id", "User-Agent"].iter().all(|name| elsewhere.sends(name)));
    }
}
