//! Responses whole, in pieces, cut off, and broken.

use proptest::prelude::*;

use super::*;

const WANTED: Wanted = Wanted { longest: 64 * 1024 * 1024, kept: 8, body: true };

fn read(pieces: &[&[u8]]) -> Result<Response, Violation> {
    let mut response = Response::new(WANTED);
    pieces.iter().try_for_each(|piece| response.feed(piece))?;
    Ok(response)
}

fn whole(text: &str) -> (u16, bool) {
    let response = read(&[text.as_bytes()]).unwrap();
    (response.head().unwrap().status, response.is_whole())
}

fn violation(text: &[u8]) -> Violation {
    let mut response = Response::new(WANTED);
    response.feed(text).and_then(|()| response.end()).expect_err("must be refused")
}

#[test]
fn bodies_end_where_they_say() {
    assert_eq!(whole("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), (200, true));
    assert_eq!(whole("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok"), (200, false));
    assert_eq!(whole("HTTP/1.1 200 OK\r\ncontent-length:0\r\n\r\n"), (200, true));
    assert_eq!(whole("HTTP/1.1 204 No Content\r\n\r\n"), (204, true));
    assert_eq!(whole("HTTP/1.0 404 Not Found\n\nbody until the end"), (404, false));
    assert_eq!(whole("HTTP/1.1 503\r\nContent-Length: 0\r\n\r\n"), (503, true));
}

#[test]
fn chunked_bodies_end_after_their_trailer() {
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n";
    assert_eq!(whole(&format!("{head}4;x=y\r\nabcd\r\nA\r\n0123456789\r\n0\r\nX: y\r\n\r\n")), (200, true));
    assert_eq!(whole(&format!("{head}4\r\nabcd\r\n0\r\n")), (200, false));
    assert_eq!(violation(format!("{head}x\r\n").as_bytes()), Violation::Chunk);
    assert_eq!(violation(format!("{head}\r\n").as_bytes()), Violation::Chunk);
    assert_eq!(violation(format!("{head}fffffffffffffffff\r\n").as_bytes()), Violation::Chunk);
}

#[test]
fn interim_responses_are_passed_over() {
    let text = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(whole(text), (200, true));
    assert_eq!(whole("HTTP/1.1 101 Switching Protocols\r\n\r\n"), (101, true));
}

#[test]
fn the_end_of_the_connection_may_be_the_end_of_the_body() {
    let mut response = read(&[b"HTTP/1.0 200 OK\r\n\r\nsome"]).unwrap();
    assert!(!response.is_whole());
    assert_eq!(response.end(), Ok(()));
    assert!(response.is_whole());
}

#[test]
fn what_is_not_http_is_refused_at_its_first_bytes() {
    assert_eq!(violation(b""), Violation::Empty);
    assert_eq!(violation(b"SSH-2.0"), Violation::StatusLine);
    assert_eq!(violation(b"HTTP/2 200\r\n\r\n"), Violation::StatusLine);
    assert_eq!(violation(b"HTTP/1.1 20 OK\r\n\r\n"), Violation::StatusLine);
    assert_eq!(violation(b"HTTP/1.1 +20 OK\r\n\r\n"), Violation::StatusLine);
    assert_eq!(violation(b"HTTP/1.1 200 OK\r\n"), Violation::EndInHead);
    assert_eq!(violation(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok"), Violation::EndInBody);
    assert_eq!(violation(b"HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\n"), Violation::ContentLength);
    let two = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n";
    assert_eq!(violation(two), Violation::ContentLength);
}

#[test]
fn numbers_are_digits_and_nothing_else() {
    for line in [
        "HTTP/1.1 0200",
        "HTTP/1.1 099",
        "HTTP/1.x 200",
        "HTTP/1.10 200",
        "HTTP/1. 200",
        "HTTP/1.1\t200",
        "HTTP/1.1 2e2",
    ] {
        assert_eq!(
            violation(format!("{line} OK\r\nContent-Length: 0\r\n\r\n").as_bytes()),
            Violation::StatusLine,
            "{line}"
        );
    }
    for length in
        ["+5", "-5", "0x5", "5.0", "5e0", "1_0", "", "5 5", "5, 6", "5,", "\u{a0}5", "٥", "18446744073709551616"]
    {
        let text = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\nhello");
        assert_eq!(violation(text.as_bytes()), Violation::ContentLength, "{length:?}");
    }
    for size in ["+5", "-5", "0x5", "5.0", " 5", "5 5", "5\r5", "5\r;x", "5,5", "", ";x"] {
        let text = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{size}\r\nhello\r\n0\r\n\r\n");
        assert_eq!(violation(text.as_bytes()), Violation::Chunk, "{size:?}");
    }
}

#[test]
fn a_folded_line_is_no_field() {
    assert_eq!(whole("HTTP/1.1 200 OK\r\nX: a\r\n Content-Length: 9\r\nContent-Length: 2\r\n\r\nok"), (200, true));
}

#[test]
fn the_same_length_may_be_said_twice() {
    assert_eq!(whole("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 02\r\n\r\nok"), (200, true));
    assert_eq!(whole("HTTP/1.1 200 OK\r\nContent-Length: 2 ,\t2\r\n\r\nok"), (200, true));
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0002 \t;x=\"y\"\r\nok\r\n0\t\r\n\r\n";
    assert_eq!(whole(chunked), (200, true));
}

#[test]
fn heads_and_bodies_are_bounded() {
    let endless = [b"HTTP/1.1 200 OK\r\nX: ".to_vec(), vec![b'x'; HEAD_LIMIT]].concat();
    assert_eq!(violation(&endless), Violation::HeadTooLong);
    let mut response = read(&[b"HTTP/1.1 200 OK\r\n\r\n"]).unwrap();
    let piece = vec![0; 1024 * 1024];
    let fed = (0..65).try_for_each(|_| response.feed(&piece));
    assert_eq!(fed, Err(Violation::BodyTooLong(WANTED.longest)));
}

#[test]
fn the_location_is_found() {
    let response = read(&[b"HTTP/1.1 302 Found\r\nLOCATION:  /there \r\n\r\n"]).unwrap();
    assert_eq!(response.head(), Some(&Head { status: 302, location: Some("/there".to_owned()), content_type: None }));
}

proptest! {
    #[test]
    fn pieces_do_not_matter(cuts in proptest::collection::vec(1_usize..9, 1..80), chunked: bool) {
        let plain = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nHello, world";
        let chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nHello\r\n7\r\n, world\r\n0\r\n\r\n";
        let mut rest = if chunked { chunks.as_bytes() } else { plain.as_bytes() };
        let mut response = Response::new(WANTED);
        for cut in cuts.iter().cycle() {
            prop_assert!(!response.is_whole());
            let (piece, tail) = rest.split_at(rest.len().min(*cut));
            response.feed(piece).unwrap();
            rest = tail;
            if rest.is_empty() { break }
        }
        prop_assert!(response.is_whole());
        prop_assert_eq!(response.head().unwrap().status, 200);
    }

    #[test]
    fn noise_never_panics(pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..20)) {
        let mut response = Response::new(WANTED);
        let _any = response.feed(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n");
        let _any = pieces.iter().try_for_each(|piece| response.feed(piece));
        let _any = response.end();
    }
}

#[test]
fn so_much_of_the_body_is_kept() {
    let body = |text: &str| read(&[text.as_bytes()]).unwrap().body().to_vec();
    assert_eq!(body("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), b"ok");
    assert_eq!(body("HTTP/1.0 200 OK\r\n\r\nmore than eight"), b"more tha");
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n3;x\r\nefg\r\n0\r\nX: y\r\n\r\n";
    assert_eq!(body(chunked), b"abcdefg");
}

#[test]
fn to_head_there_is_no_body() {
    let mut response = Response::new(Wanted { body: false, ..WANTED });
    response.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 700\r\n\r\n").unwrap();
    assert!(response.is_whole() && response.keeps_alive());
}

#[test]
fn connections_are_kept_only_if_their_end_is_known_and_nobody_minds() {
    let keeps = |text: &str| read(&[text.as_bytes()]).unwrap().keeps_alive();
    assert!(keeps("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
    assert!(keeps("HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 0\r\n\r\n"));
    assert!(!keeps("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"));
    assert!(!keeps("HTTP/1.1 200 OK\r\nconnection: close\r\nContent-Length: 0\r\n\r\n"));
    assert!(!keeps("HTTP/1.1 200 OK\r\n\r\nuntil the end"));
    assert!(!keeps("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok and more"));
    assert!(!keeps("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok"));
    assert!(!keeps("HTTP/1.1 101 Switching Protocols\r\n\r\n"));
}
