//! The streams to which somebody can attach: those of a session, which its switchboard has, or the terminal of a
//! program, which its shim has, so that it outlives the agent.
//!
//! Owns one small task for each client of a terminal, which ends with the client or with the terminal.

use std::path::PathBuf;

use mesos::v1::ContainerId;
use mesos::v1::agent::process_io::data;
use processes::terminal::client::{self, AttachError, Typist};
use processes::watched;
use tokio::io::{AsyncReadExt, Interest};
use tokio::net::UnixStream;
use tokio::sync::mpsc;
use tokio::time::{Instant, interval_at};

use super::switchboard::{HEARTBEAT, PIECE_BYTES, Switchboard, WAITING_INPUT, beat, said, write};
use super::{AttachRefusal, InputSender, Output};
use crate::handle::{self, look};

/// The place of a container's streams.
pub(super) enum AttachPoint {
    Session(Switchboard),
    /// The terminal, if there is one, of the program whose shim has this directory.
    Shim(PathBuf),
    /// As [`AttachPoint::Shim`], of an executor or a task, which the agent's books have.
    Executor(handle::Handle, ContainerId),
}

impl AttachPoint {
    /// From now on, what is printed goes there too.
    pub(super) async fn watch(self, output: Output) -> Result<(), AttachRefusal> {
        match self.shim().await? {
            Ok(directory) => {
                tokio::spawn(tell(client::watch(&directory).await?, output));
            }
            Err(switchboard) => switchboard.attach(output),
        }
        Ok(())
    }

    /// The input, unless it is taken.
    pub(super) async fn input(self) -> Result<InputSender, AttachRefusal> {
        match self.shim().await? {
            Ok(directory) => type_in(client::enter(&directory).await?),
            Err(switchboard) => switchboard.input().ok_or(AttachRefusal::Taken),
        }
    }

    async fn shim(self) -> Result<Result<PathBuf, Switchboard>, AttachRefusal> {
        match self {
            AttachPoint::Session(switchboard) => Ok(Err(switchboard)),
            AttachPoint::Shim(directory) => Ok(Ok(directory)),
            AttachPoint::Executor(actor, id) => {
                let root = look(&actor).await.ok().and_then(|books| books.root(&id));
                root.map(|root| Ok(root.state)).ok_or(AttachRefusal::Unknown)
            }
        }
    }
}

/// A watcher that does not read makes its shim leave it behind.
async fn tell(mut printed: UnixStream, output: Output) {
    let mut heartbeat = interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let record = tokio::select! {
            length = printed.read(&mut piece) => match length.ok().and_then(|length| piece.get(..length)) {
                Some([]) | None => return,
                Some(piece) => said(data::Type::Stdout, piece.to_vec()),
            },
            _ = heartbeat.tick() => beat(),
            () = output.closed() => return,
        };
        if output.send(&record).await.is_err() {
            return;
        }
    }
}

fn type_in(typist: Typist) -> Result<InputSender, AttachRefusal> {
    let Typist { terminal, mut connection } = typist;
    let terminal = watched(terminal, Interest::WRITABLE).map_err(|error| AttachRefusal::Failed(error.to_string()))?;
    let (sender, inputs) = mpsc::channel(WAITING_INPUT);
    tokio::spawn(async move {
        tokio::select! {
            () = write(terminal.into(), true, inputs) => {}
            _end = connection.read_u8() => {}
        }
    });
    Ok(InputSender::at_a_shim(sender))
}

impl From<AttachError> for AttachRefusal {
    fn from(error: AttachError) -> AttachRefusal {
        match error {
            AttachError::NoTerminal => AttachRefusal::NotAttachable,
            AttachError::Over => AttachRefusal::Over,
            AttachError::Taken => AttachRefusal::Taken,
            AttachError::Io(error) => AttachRefusal::Failed(error.to_string()),
        }
    }
}
