//! The request, as HTTP/1.1 writes it and as HTTP/2 takes it. Pure.

use http::Request;

use super::plan::Extras;
use super::redirect::Form;
use super::target::Target;
use crate::probe::USER_AGENT;
use crate::spec::Reuse;

/// The headers that are sent unless the check has its own.
const OURS: [(&str, &str); 2] = [("User-Agent", USER_AGENT), ("Accept", "*/*")];

fn headers(form: Form, extras: &Extras) -> impl Iterator<Item = (&str, &str)> {
    let given = |name: &str| extras.headers.iter().any(|(own, _)| own.eq_ignore_ascii_case(name));
    let ours = OURS.into_iter().filter(move |(name, _)| !given(name));
    let theirs = extras.headers.iter().filter(move |(name, _)| form.sends(name));
    ours.chain(theirs.map(|(name, value)| (name.as_str(), value.as_str())))
}

/// True if a body of no bytes is announced, too: some servers wait for one otherwise (RFC 9110, 8.6).
fn expects_body(method: &str) -> bool {
    matches!(method, "POST" | "PUT" | "PATCH")
}

/// Header and body, whole.
pub(super) fn http1(target: &Target, extras: &Extras, connection: Reuse) -> Vec<u8> {
    let (form, body) = (target.form, target.form.body(extras));
    let mut text = String::with_capacity(192);
    let mut push = |parts: &[&str]| parts.iter().for_each(|part| text.push_str(part));
    push(&[form.method(extras), " ", target.path(), " HTTP/1.1\r\nHost: ", &target.authority(), "\r\n"]);
    headers(form, extras).for_each(|(name, value)| push(&[name, ": ", value, "\r\n"]));
    if !body.is_empty() || expects_body(form.method(extras)) {
        push(&["Content-Length: ", &body.len().to_string(), "\r\n"]);
    }
    push(&[if connection == Reuse::KeepAlive {
        "Connection: keep-alive\r\n\r\n"
    } else {
        "Connection: close\r\n\r\n"
    }]);
    let mut bytes = text.into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// The header; its body goes beside it.
pub(super) fn http2(target: &Target, extras: &Extras) -> Result<Request<()>, http::Error> {
    let uri = format!("{}://{}{}", target.scheme.as_str(), target.authority(), target.path());
    let mut request = Request::builder().method(target.form.method(extras)).uri(uri);
    for (name, value) in headers(target.form, extras) {
        request = request.header(name, value);
    }
    request.body(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::HttpProbe;

    fn text(probe: &HttpProbe, connection: Reuse) -> String {
        let plan = super::super::Plan::of(probe.clone()).unwrap();
        String::from_utf8(http1(&plan.target, plan.extras(), connection)).unwrap()
    }

    #[test]
    fn the_usual_request() {
        let agent = format!("User-Agent: {USER_AGENT}\r\nAccept: */*\r\n");
        let usual = format!("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n{agent}Connection: close\r\n\r\n");
        assert_eq!(text(&HttpProbe::default(), Reuse::Fresh), usual);
        let kept = format!("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n{agent}Connection: keep-alive\r\n\r\n");
        assert_eq!(text(&HttpProbe::default(), Reuse::KeepAlive), kept);
    }

    #[test]
    fn a_post_without_a_body_says_that_it_has_none() {
        for (method, announced) in [("POST", true), ("PUT", true), ("PATCH", true), ("GET", false), ("HEAD", false)] {
            let probe = HttpProbe { method: method.to_owned(), ..HttpProbe::default() };
            assert_eq!(text(&probe, Reuse::Fresh).contains("\r\nContent-Length: 0\r\n"), announced, "{method}");
        }
    }

    #[test]
    fn an_unusual_one() {
        let probe = HttpProbe {
            method: "POST".to_owned(),
            host: Some("a.example:81".to_owned()),
            path: "/x?y".to_owned(),
            headers: vec![("accept".to_owned(), "text/plain".to_owned()), ("X-A".to_owned(), "b".to_owned())],
            body: b"ping".to_vec(),
            ..HttpProbe::default()
        };
        let expected = format!(
            "POST /x?y HTTP/1.1\r\nHost: a.example:81\r\nUser-Agent: {USER_AGENT}\r\naccept: text/plain\r\nX-A: b\r\n\
             Content-Length: 4\r\nConnection: close\r\n\r\nping"
        );
        assert_eq!(text(&probe, Reuse::Fresh), expected);
    }
}
