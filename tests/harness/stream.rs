//! An event stream, read on a thread of its own. In: an answer whose body goes on. Out: its events, one by one.

use std::io::BufReader;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use crate::http;
use serde_json::Value;

use crate::wire::Form;

/// The time that an event may take to come.
pub const EVENT: Duration = Duration::from_secs(30);

/// The number of heartbeats that may come in place of an event that is waited for: those of a minute and a half.
const PATIENCE: usize = 6;

/// Events of one subscription.
#[derive(Debug)]
pub struct Stream {
    /// The header `Mesos-Stream-Id`, where there is one.
    pub id: Option<String>,
    events: Receiver<Value>,
    connection: TcpStream,
}

impl Stream {
    /// Sends `body` and reads what comes as events of this type. `None` when the answer is not 200.
    #[track_caller]
    pub fn open(address: SocketAddr, path: &str, form: Form, body: &[u8], event: &'static str) -> Option<Stream> {
        let headers = [("content-type", form.media_type()), ("accept", form.media_type())];
        let (status, headers, reader) = http::open(address, "POST", path, &headers, body)?;
        let header = |name: &str| headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        assert!(status != 200 || header("transfer-encoding").as_deref() == Some("chunked"), "a stream is chunked");
        assert!(status != 200 || header("content-type").as_deref() == Some(form.media_type()), "it is labelled");
        let connection = reader.get_ref().try_clone().expect("a second handle");
        let (sender, events) = channel();
        std::thread::spawn(move || {
            records(reader, |record| sender.send(form.decode(event, record)).is_ok());
        });
        (status == 200).then(|| Stream { id: header("mesos-stream-id"), events, connection })
    }

    /// The next event, whatever it is; `None` at the end of the stream.
    #[track_caller]
    pub fn next(&self) -> Option<Value> {
        match self.events.recv_timeout(EVENT) {
            Ok(event) => Some(event),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("neither an event nor the end within {EVENT:?}"),
        }
    }

    /// The next event of this type; others are passed over, but not for ever.
    #[track_caller]
    pub fn event(&self, kind: &str) -> Value {
        let mut heartbeats = 0;
        loop {
            assert!(heartbeats < PATIENCE, "no {kind}, only heartbeats");
            let event = self.next().unwrap_or_else(|| panic!("the stream ended before {kind}"));
            if event["type"] == kind {
                return event;
            }
            heartbeats += usize::from(event["type"] == "HEARTBEAT");
        }
    }

    /// An event that is already there.
    pub fn waiting(&self) -> Option<Value> {
        self.events.try_recv().ok()
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        // The reading thread has the connection too; without this it would stay open.
        let _ = self.connection.shutdown(Shutdown::Both);
    }
}

/// Reads records until the end, or until nobody wants them. Each must be exactly one chunk: clients rely on it.
fn records(mut reader: BufReader<TcpStream>, mut wanted: impl FnMut(&[u8]) -> bool) {
    while let Some(chunk) = http::chunk(&mut reader) {
        let end = chunk.iter().position(|&byte| byte == b'\n').expect("a record begins with its length");
        let length = std::str::from_utf8(&chunk[..end]).ok().and_then(|digits| digits.parse().ok());
        let record = &chunk[end + 1..];
        assert_eq!(length, Some(record.len()), "one chunk is one record");
        if !wanted(record) {
            return;
        }
    }
}
