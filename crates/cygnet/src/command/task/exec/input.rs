//! The input of a session: what is typed here, and the size of the window when it changes, as one request whose body
//! goes on as long as the session.

use std::convert::Infallible;
use std::io::Read;

use anyhow::Context;
use bytes::Bytes;
use http_body_util::channel::{Channel, Sender};
use hyper::client::conn::http1;
use hyper::{Request, header};
use hyper_util::rt::TokioIo;
use mesos::credentials::Credential;
use mesos::v1::agent::process_io::{Control, Data, data};
use mesos::v1::agent::{Call, ProcessIo, call};
use mesos::v1::{ContainerId, TtyInfo, tty_info};
use mesos::{Codec, recordio};
use tokio::net::TcpStream;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use crate::screen::Size;

/// The most that is read at a time.
const PIECE: usize = 4096;

/// Pieces that wait to be sent.
const QUEUED: usize = 16;

/// An agent's address, and who we are to it.
type Agent = (String, Option<Credential>);

/// Sends all input until it ends; what comes too late for the command is nobody's.
pub(super) async fn send(agent: Agent, session: ContainerId, has_terminal: bool) {
    if let Err(error) = attach(&agent, session, has_terminal).await {
        tracing::debug!(%error, "input is not sent");
    }
}

async fn attach((agent, credential): &Agent, session: ContainerId, has_terminal: bool) -> anyhow::Result<()> {
    let (sender, body) = Channel::<Bytes, Infallible>::new(QUEUED);
    let (mut requests, connection) = http1::handshake(TokioIo::new(TcpStream::connect(agent).await?)).await?;
    let mut request = Request::post("/api/v1")
        .header(header::HOST, agent)
        .header(header::CONTENT_TYPE, "application/recordio")
        .header("Message-Content-Type", Codec::Protobuf.media_type())
        .body(body)?;
    let authorization = credential.as_ref().and_then(Credential::authorization);
    request.headers_mut().extend(authorization.map(|value| (header::AUTHORIZATION, value)));
    let reading = read(Records(sender), session, has_terminal);
    let (connected, answered, read) = tokio::join!(connection, requests.send_request(request), reading);
    connected.context("the connection broke off")?;
    answered.context("no answer")?;
    read
}

/// The body of the request.
struct Records(Sender<Bytes>);

impl Records {
    async fn send(&mut self, record: call::AttachContainerInput) -> anyhow::Result<()> {
        let record = Codec::Protobuf.encode(&Call::attach_container_input(record));
        self.0.send_data(recordio::frame(&record)).await.context("the session has ended")
    }

    async fn io(&mut self, io: ProcessIo) -> anyhow::Result<()> {
        self.send(call::AttachContainerInput::process_io(Some(io))).await
    }

    async fn window(&mut self) -> anyhow::Result<()> {
        let Size { lines, columns } = Size::of_terminal();
        let size = tty_info::WindowSize { rows: u32::try_from(lines)?, columns: u32::try_from(columns)? };
        self.io(ProcessIo::control(Control::tty_info(TtyInfo { window_size: Some(size) }))).await
    }

    /// No bytes mean the end.
    async fn typed(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        self.io(ProcessIo::data(Data { r#type: Some(data::Type::Stdin.into()), data: Some(bytes.to_vec()) })).await
    }
}

/// Standard input, read by a thread of its own that nobody waits for: nothing else ends a read of a terminal.
fn stdin() -> mpsc::Receiver<Vec<u8>> {
    let (sender, typed) = mpsc::channel(QUEUED);
    std::thread::spawn(move || {
        let mut piece = [0; PIECE];
        while let Ok(length @ 1..) = std::io::stdin().read(&mut piece) {
            if sender.blocking_send(piece.get(..length).unwrap_or_default().to_vec()).is_err() {
                return;
            }
        }
    });
    typed
}

async fn read(mut records: Records, session: ContainerId, has_terminal: bool) -> anyhow::Result<()> {
    let mut stdin = stdin();
    records.send(call::AttachContainerInput::container_id(session)).await?;
    let mut resized = signal(SignalKind::window_change())?;
    if has_terminal {
        records.window().await?;
    }
    loop {
        tokio::select! {
            typed = stdin.recv() => {
                records.typed(typed.as_deref().unwrap_or_default()).await?;
                if typed.is_none() {
                    return Ok(());
                }
            }
            _ = resized.recv(), if has_terminal => records.window().await?,
        }
    }
}
