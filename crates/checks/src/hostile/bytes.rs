//! The bytes of protocols that hostile targets say. Pure.

/// An empty SETTINGS frame, with which every server of HTTP/2 begins.
pub const SETTINGS: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];

/// HEADERS with `:status 200`, index 8 of the static table, on the first stream.
pub(super) const STATUS_200: [u8; 10] = [0, 0, 1, 1, 4, 0, 0, 0, 1, 0x88];

/// A head of HTTP/1 without the line that ends it.
pub(super) const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\n";

/// A head of a body in chunks.
pub(super) const CHUNKED: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

/// A frame of HTTP/2 with a short payload.
pub fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    [&length[1..], &[kind, flags, 0, 0, 0, stream], payload].concat()
}

/// A record of TLS as it is on the wire before keys are agreed on.
pub(super) fn record(kind: u8, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u16).to_be_bytes();
    [&[kind, 3, 3], length.as_slice(), payload].concat()
}
