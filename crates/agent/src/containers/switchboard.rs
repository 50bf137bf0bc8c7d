//! The streams of one session: what the process writes goes to everyone attached, what somebody attached says goes in.
//!
//! Two tokio tasks for each session. One reads the process' streams and owns the outputs: the launcher's, whose pace it
//! keeps and whose end ends the session, and those that attached later, which lose the session when they do not keep
//! up. The other one writes to the process, so that one that does not read holds up nobody but its writer.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use mesos::Union;
use mesos::command::{self, TooLarge};
use mesos::v1::agent::process_io::Content as Record;
use mesos::v1::agent::{ProcessIo, process_io};
use mesos::v1::{DurationInfo, TtyInfo};
use process_io::{Control, Data, control, data};
use processes::terminal::pair::resize;
use processes::{Window, watched};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::AbortHandle;
use tokio::time::{Instant, interval_at, sleep};

use super::Output;
use super::session::SessionStreams;

/// The interval at which everyone attached hears that the session is there: Mesos' `--http_heartbeat_interval`.
pub(super) const HEARTBEAT: Duration = Duration::from_secs(30);

/// After the end of the process: what it wrote is still read, until for this long there is nothing.
const DRAIN: Duration = Duration::from_millis(500);

/// Read and sent in one piece.
pub(super) const PIECE_BYTES: usize = 64 * 1024;

/// Pieces of input that may wait for the process to read.
pub(super) const WAITING_INPUT: usize = 16;

/// Something for the process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Input {
    Data(Vec<u8>),
    /// There will be no more.
    End,
    /// The terminal's window has another size.
    Window(Window),
}

/// The way in for input; one at a time has it.
#[derive(Debug)]
pub(crate) struct InputSender {
    /// Of a session; a shim keeps watch over its terminal itself.
    _place: Option<OwnedSemaphorePermit>,
    sender: mpsc::Sender<Input>,
}

impl InputSender {
    pub(super) fn at_a_shim(sender: mpsc::Sender<Input>) -> InputSender {
        InputSender { _place: None, sender }
    }

    /// Waits until there is room. `false` if the session is over.
    pub(crate) async fn send(&self, input: Input) -> bool {
        self.sender.send(input).await.is_ok()
    }

    /// Waits until the session is over.
    pub(crate) async fn closed(&self) {
        self.sender.closed().await;
    }
}

#[derive(Debug)]
enum Message {
    Attach(Output),
    Ended,
}

/// The way to reach the streams of a session.
#[derive(Debug, Clone)]
pub(super) struct Switchboard {
    messages: mpsc::UnboundedSender<Message>,
    input: mpsc::Sender<Input>,
    /// Has one place, for the client that has the input.
    place: Arc<Semaphore>,
}

impl Switchboard {
    /// Connects everything. `launcher` gets everything from the beginning; `left` is called when it is gone.
    pub(super) fn start(
        streams: SessionStreams,
        launcher: Option<Output>,
        left: impl FnOnce() + Send + 'static,
    ) -> io::Result<Switchboard> {
        let (messages, inbox) = mpsc::unbounded_channel();
        let (input, inputs) = mpsc::channel(WAITING_INPUT);
        let (readers, writer, is_terminal) = match streams {
            SessionStreams::Pipes { stdin, stdout, stderr } => {
                let stdout = (data::Type::Stdout, Arc::new(watched(stdout, Interest::READABLE)?));
                let stderr = (data::Type::Stderr, Arc::new(watched(stderr, Interest::READABLE)?));
                (vec![stdout, stderr], Arc::new(watched(stdin, Interest::WRITABLE)?), false)
            }
            SessionStreams::Terminal(master) => {
                let master = Arc::new(watched(master, Interest::READABLE | Interest::WRITABLE)?);
                (vec![(data::Type::Stdout, master.clone())], master, true)
            }
        };
        let writer = tokio::spawn(write(writer, is_terminal, inputs)).abort_handle();
        let readers = readers.into_iter().map(Some).collect();
        let board = Board { readers, launcher, attached: Vec::new(), writer };
        tokio::spawn(board.run(inbox, Box::new(left)));
        Ok(Switchboard { messages, input, place: Arc::new(Semaphore::new(1)) })
    }

    /// From now on, what the process writes goes there too.
    pub(super) fn attach(&self, output: Output) {
        let _over = self.messages.send(Message::Attach(output));
    }

    /// The process has ended: when nothing is left to read, everyone's stream ends.
    pub(super) fn ended(&self) {
        let _over = self.messages.send(Message::Ended);
    }

    /// The input, unless it is taken.
    pub(super) fn input(&self) -> Option<InputSender> {
        let place = self.place.clone().try_acquire_owned().ok()?;
        Some(InputSender { _place: Some(place), sender: self.input.clone() })
    }
}

type Reader = (data::Type, Arc<AsyncFd<OwnedFd>>);

struct Board {
    /// The readers that are still open.
    readers: Vec<Option<Reader>>,
    launcher: Option<Output>,
    attached: Vec<Output>,
    writer: AbortHandle,
}

/// Without readers there is no writer.
impl Drop for Board {
    fn drop(&mut self) {
        self.writer.abort();
    }
}

impl Board {
    async fn run(mut self, mut inbox: mpsc::UnboundedReceiver<Message>, left: Box<dyn FnOnce() + Send>) {
        let mut left = Some(left);
        let mut heartbeat = interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
        let (mut ended, mut alone) = (false, false);
        while !(ended && self.readers.iter().all(Option::is_none)) {
            tokio::select! {
                (index, piece) = next(&self.readers) => self.read(index, piece).await,
                message = inbox.recv(), if !alone => match message {
                    Some(Message::Attach(output)) => self.attached.push(output),
                    Some(Message::Ended) => ended = true,
                    // The session has been forgotten; output written before is still sent.
                    None => (ended, alone) = (true, true),
                },
                _ = heartbeat.tick() => self.tell(&beat()).await,
                () = gone(self.launcher.as_ref()) => {
                    self.launcher = None;
                    left.take().into_iter().for_each(|left| left());
                }
                () = sleep(DRAIN), if ended => return,
            }
        }
    }

    async fn read(&mut self, index: usize, piece: io::Result<Vec<u8>>) {
        let Some(reader) = self.readers.get_mut(index) else { return };
        match (piece, &reader) {
            (Ok(piece), Some((stream, _))) if !piece.is_empty() => {
                let stream = *stream;
                self.tell(&said(stream, piece)).await;
            }
            // A terminal without a process fails to be read.
            _ => *reader = None,
        }
    }

    async fn tell(&mut self, record: &ProcessIo) {
        if let Some(launcher) = &self.launcher {
            // That it is gone is noticed by itself.
            let _gone = launcher.send(record).await;
        }
        self.attached.retain(|output| output.try_send(record).is_ok());
    }
}

async fn gone(output: Option<&Output>) {
    match output {
        Some(output) => output.closed().await,
        None => std::future::pending().await,
    }
}

/// The first piece from either stream; an empty one at its end.
async fn next(readers: &[Option<Reader>]) -> (usize, io::Result<Vec<u8>>) {
    let [first, second] = [readers.first(), readers.get(1)].map(|reader| reader.and_then(Option::as_ref));
    tokio::select! {
        piece = piece(first) => (0, piece),
        piece = piece(second) => (1, piece),
    }
}

async fn piece(reader: Option<&Reader>) -> io::Result<Vec<u8>> {
    let Some((_, stream)) = reader else { return std::future::pending().await };
    let mut buffer = vec![0; PIECE_BYTES];
    loop {
        let mut ready = stream.readable().await?;
        let read = ready.try_io(|stream| Ok(rustix::io::read(stream.get_ref().as_fd(), buffer.as_mut_slice())?));
        if let Ok(read) = read {
            buffer.truncate(read?);
            return Ok(buffer);
        }
    }
}

/// Closing a terminal would take its output with it, so the client sends EOF (Ctrl-D) itself.
pub(super) async fn write(writer: Arc<AsyncFd<OwnedFd>>, is_terminal: bool, mut inputs: mpsc::Receiver<Input>) {
    while let Some(input) = inputs.recv().await {
        let done = match input {
            Input::Data(data) => all(&writer, &data).await,
            Input::End if is_terminal => Ok(()),
            Input::End => return,
            Input::Window(window) => resize(writer.get_ref(), window),
        };
        if let Err(error) = done {
            tracing::debug!(%error, "input for a session is lost");
        }
    }
}

async fn all(writer: &AsyncFd<OwnedFd>, mut data: &[u8]) -> io::Result<()> {
    while !data.is_empty() {
        let mut ready = writer.writable().await?;
        if let Ok(written) = ready.try_io(|stream| Ok(rustix::io::write(stream.get_ref().as_fd(), data)?)) {
            data = data.get(written?..).unwrap_or_default();
        }
    }
    Ok(())
}

pub(super) fn said(stream: data::Type, piece: Vec<u8>) -> ProcessIo {
    ProcessIo::data(Data { r#type: Some(stream.into()), data: Some(piece) })
}

pub(super) fn beat() -> ProcessIo {
    let heartbeat = control::Heartbeat { interval: Some(DurationInfo::from(HEARTBEAT)) };
    ProcessIo::control(Control::heartbeat(Some(heartbeat)))
}

impl Input {
    /// The input in a record of an attached client, if there is any.
    pub(crate) fn of(record: ProcessIo) -> Result<Option<Input>, TooLarge> {
        Ok(match record.content() {
            Ok(Record::Data(data)) if data.r#type() == data::Type::Stdin => {
                let data = data.data.unwrap_or_default();
                Some(if data.is_empty() { Input::End } else { Input::Data(data) })
            }
            Ok(Record::Control(Control { tty_info: Some(TtyInfo { window_size }), .. })) => {
                window_size.as_ref().map(command::window).transpose()?.map(Input::Window)
            }
            _ => None,
        })
    }
}
