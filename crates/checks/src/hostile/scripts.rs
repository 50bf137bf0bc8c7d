//! The scripts of floods, protocol by protocol: what is said first, and what then for ever. Pure.

use super::bytes::{CHUNKED, HEAD, SETTINGS, STATUS_200, frame, record};

/// A name, what is said first, and what is said then, over and over.
pub(super) type Flood = (&'static str, Vec<u8>, Vec<u8>);

/// Scripts of all that may go on for ever over HTTP/1.
pub(super) fn http1() -> Vec<Flood> {
    let extension = [CHUNKED, b"1;"].concat();
    let trailer = [CHUNKED, b"0\r\n"].concat();
    let endless = [HEAD, b"Content-Length: 9999999999999\r\n\r\n"].concat();
    let texts: [(&str, &[u8], &[u8]); 11] = [
        ("continue", b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        ("header-lines", HEAD, b"X: y\r\n"),
        ("header-line", HEAD, b"x"),
        ("header-colons", HEAD, b":\n"),
        ("chunks", CHUNKED, b"1\r\nx\r\n"),
        ("chunk-extensions", CHUNKED, b"1;extension=1\r\nx\r\n"),
        ("chunk-extension", &extension, b"x"),
        ("trailers", &trailer, b"X: y\r\n"),
        ("body-until-end", b"HTTP/1.1 200 OK\r\n\r\n", b"nearly: neve"),
        ("body-with-length", &endless, b"n"),
        ("redirects", b"", b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"),
    ];
    texts.map(|(name, first, then)| (name, first.to_vec(), then.to_vec())).to_vec()
}

/// Frames that are valid alone, or nearly so.
pub(super) fn http2() -> Vec<Flood> {
    let (settings, answered) = (SETTINGS.to_vec(), [SETTINGS.as_slice(), &STATUS_200].concat());
    let open = [SETTINGS.as_slice(), &frame(1, 0, 1, &[0x88])].concat();
    let padded = [&[255_u8], [0; 255].as_slice()].concat();
    vec![
        ("window-update", settings.clone(), frame(8, 0, 0, &[0, 0, 0, 1])),
        ("ping", settings.clone(), frame(6, 0, 0, b"12345678")),
        ("settings", settings.clone(), frame(4, 0, 0, &[])),
        ("settings-window", settings.clone(), frame(4, 0, 0, &[0, 4, 0, 1, 0, 0])),
        ("unknown-frame", settings.clone(), frame(99, 0, 0, b"unknown")),
        ("priority", settings.clone(), frame(2, 0, 1, &[0, 0, 0, 3, 1])),
        ("reset-stream", settings.clone(), frame(3, 0, 3, &[0, 0, 0, 8])),
        ("go-away", settings.clone(), frame(7, 0, 0, &[0, 0, 0, 1, 0, 0, 0, 0])),
        ("interim", settings, frame(1, 4, 1, b"\x08\x03100")),
        ("continuation", open.clone(), frame(9, 0, 1, &[0x88])),
        ("empty-continuation", open, frame(9, 0, 1, &[])),
        ("data", answered.clone(), frame(0, 0, 1, b"x")),
        ("empty-data", answered.clone(), frame(0, 0, 1, &[])),
        ("padded-data", answered, frame(0, 8, 1, &padded)),
    ]
}

/// Records of TLS before keys are agreed on.
pub(super) fn tls() -> Vec<Flood> {
    let hello_of_64_kib = record(22, &[2, 0, 0xff, 0xff]);
    vec![
        ("tls-warnings", Vec::new(), record(21, &[1, 90])),
        ("tls-cipher-changes", Vec::new(), record(20, &[1])),
        ("tls-empty-records", Vec::new(), record(22, &[])),
        ("tls-hello-in-pieces", hello_of_64_kib, record(22, &[3])),
    ]
}
