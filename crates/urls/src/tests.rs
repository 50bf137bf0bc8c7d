//! URLs as people write them.

use super::*;

fn parts(text: &str) -> String {
    let url = Url::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    format!("{} {} {} {}", url.scheme.as_str(), url.authority.header(url.scheme.default_port()), url.port(), url.path)
}

#[test]
fn urls_have_parts() {
    for (text, expected) in [
        ("127.0.0.1:80/x", "http 127.0.0.1 80 /x"),
        ("https://a.example", "https a.example 443 /"),
        ("HTTPS://a.example:8443/x?y=z", "https a.example:8443 8443 /x?y=z"),
        ("http://h:81?x=1", "http h:81 81 /?x=1"),
        ("http://h//double//", "http h 80 //double//"),
        ("http://h/x#fragment", "http h 80 /x"),
        ("http://h#fragment", "http h 80 /"),
        ("h/x?u=http://y", "http h 80 /x?u=http://y"),
        ("http://[::1]:8080/", "http [::1]:8080 8080 /"),
        ("http://[fe80::1%25lo]/", "http [fe80::1] 80 /"),
        ("localhost:8080", "http localhost:8080 8080 /"),
        ("http://h:/x", "http h 80 /x"),
    ] {
        assert_eq!(parts(text), expected, "{text}");
    }
}

#[test]
fn letters_are_percent_encoded() {
    assert_eq!(Url::parse("http://h/grüße?q=ü").unwrap().path, "/gr%C3%BC%C3%9Fe?q=%C3%BC");
    assert_eq!(Url::parse("http://h/a[]|{}\"%").unwrap().path, "/a%5B%5D%7C%7B%7D%22%25");
    assert_eq!(Url::parse("http://h/%c3%bc").unwrap().path, "/%c3%bc");
    assert_eq!(path_and_query("/ü?x#y"), "/%C3%BC?x");
}

#[test]
fn names_and_passwords_are_basic_authentication() {
    let auth = |text: &str| Url::parse(text).unwrap().basic_auth();
    assert_eq!(auth("http://Aladdin:open%20sesame@h/"), Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==".to_owned()));
    assert_eq!(auth("http://h/a@b"), None);
}

#[test]
fn zones_are_told() {
    for text in ["http://[fe80::1%25eth0]:81/", "http://[fe80::1%eth0]:81/"] {
        let zone = Some("eth0".to_owned());
        assert_eq!(Url::parse(text).unwrap().authority.host, Host::Address { ip: "fe80::1".parse().unwrap(), zone });
    }
}

#[test]
fn programs_write_the_scheme() {
    assert_eq!(Url::absolute("http://h/x"), Url::parse("h/x"));
    for text in ["h/x", "/x", "//h/x", "", "h:80"] {
        assert_eq!(Url::absolute(text), Err(UrlError::Relative(text.to_owned())), "{text}");
    }
}

#[test]
fn a_name_and_password_stay_with_their_origin() {
    let from = Url::parse("http://me:secret@h/a/b").unwrap();
    for (location, stays) in [
        ("c", true),
        ("/c", true),
        ("http://h:80/c", true),
        ("//h/c", true),
        ("http://h:81/c", false),
        ("https://h/c", false),
        ("http://other/c", false),
    ] {
        assert_eq!(from.join(location).unwrap().basic_auth().is_some(), stays, "{location}");
    }
    assert_eq!(parts("http://h/a/b"), "http h 80 /a/b");
    assert_eq!(from.join("../c?d#e").unwrap().path, "/c?d");
    let other = from.join("http://you@other:81/").unwrap();
    assert_eq!((other.basic_auth(), other.port()), (Some("Basic eW91".to_owned()), 81));
}

#[test]
fn what_makes_no_sense_is_said_in_words() {
    for (text, error) in [
        ("http://h:99999/", "there is no port 99999; ports are 1 to 65535"),
        ("http://h:0/", "there is no port 0; ports are 1 to 65535"),
        ("ftp://h/", "'ftp' is neither http nor https"),
        ("http:///x", "'' names no host"),
        ("http://bücher.example/", "the host 'bücher.example' is not in ASCII; write its name as DNS has it: xn--..."),
        ("http://h:x/", "'http://h:x/' makes no sense from 'x/' on"),
        ("http://[::1/", "'http://[::1/' makes no sense from '/' on"),
        ("http://a b/", "\"http://a b/\" has a blank or control character in it"),
        ("http://h/\r\nX: y", "\"http://h/\\r\\nX: y\" has a blank or control character in it"),
        ("http://a%20b/", "'a%20b' is no host name"),
    ] {
        assert_eq!(Url::parse(text).unwrap_err().to_string(), error, "{text}");
    }
}

#[test]
fn hosts_and_ports_stand_alone_too() {
    let port = |text: &str| Authority::parse(text).unwrap().port;
    assert_eq!((port("localhost:80"), port("[::1%lo]:81"), port("h")), (Some(80), Some(81), None));
    for text in ["h:99999", "h:0", "", ":80", "h/x", "me@h:80", "h?x", "::1:80"] {
        assert!(Authority::parse(text).is_err(), "{text}");
    }
}

#[test]
fn references_are_resolved_where_they_were_found() {
    let there = |text: &str| Reference::parse(text, Scheme::Http, "/a/b?c=d").unwrap();
    for (text, path) in [
        ("/x?y", "/x?y"),
        ("x", "/a/x"),
        ("../x/./y", "/x/y"),
        ("../../../x/..", "/"),
        ("?z", "/a/b?z"),
        ("#fragment", "/a/b?c=d"),
        ("", "/a/b?c=d"),
        ("https://h//double", "//double"),
        ("//h", "/"),
        ("/ü[0]", "/%C3%BC%5B0%5D"),
    ] {
        assert_eq!(there(text).path, path, "{text}");
    }
    assert_eq!(there("//h:81/x").authority, Some(Authority { host: Host::Name("h".to_owned()), port: Some(81) }));
    assert_eq!((there("https://h/").scheme, there("//h/").scheme), (Scheme::Https, Scheme::Http));
    assert!(Reference::parse("http:x", Scheme::Http, "/").is_err());
}
