//! Says back each line it is sent. The line `fail` makes it stop listening, `ok`, on a connection that is still open,
//! listen again.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::Arc;
use std::thread::{self, Thread};
use std::time::Duration;

use rustix::net::{Shutdown, listen, shutdown};

use super::aside;
use crate::output::line;

const LARGEST_LINE: u64 = 64 * 1024;
const BACKLOG: i32 = 128;

/// The wait when there is nothing to accept from, or nothing to accept with.
const PAUSE: Duration = Duration::from_millis(100);

/// The listener, and the thread that waits for it.
#[derive(Debug, Clone)]
struct Ear {
    listener: Arc<TcpListener>,
    thread: Thread,
}

/// Serves until killed.
pub(super) fn serve(listener: TcpListener) -> anyhow::Result<ExitCode> {
    let ear = Ear { listener: Arc::new(listener), thread: thread::current() };
    loop {
        match ear.listener.accept() {
            Ok((stream, _)) => {
                let ear = ear.clone();
                aside(move || drop(answer(&stream, &ear)));
            }
            Err(_) => thread::park_timeout(PAUSE),
        }
    }
}

/// Serves one connection to its end.
fn answer(stream: &TcpStream, ear: &Ear) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut said = Vec::new();
    while reader.by_ref().take(LARGEST_LINE).read_until(b'\n', &mut said)? > 0 {
        match said.trim_ascii() {
            b"fail" => ear.close()?,
            b"ok" => ear.open()?,
            _ => {}
        }
        (&*stream).write_all(&said)?;
        said.clear();
    }
    Ok(())
}

impl Ear {
    fn close(&self) -> std::io::Result<()> {
        line("does not listen any more");
        Ok(shutdown(&self.listener, Shutdown::Both)?)
    }

    fn open(&self) -> std::io::Result<()> {
        listen(&self.listener, BACKLOG)?;
        line("listens");
        self.thread.unpark();
        Ok(())
    }
}
