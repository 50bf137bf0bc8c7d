//! A server that does with each request what a test says, however rude.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use super::sample::{MANIFEST, Sample};
use crate::image::Digest;

/// A request that came.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    /// Method and target.
    pub(super) line: String,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: String,
    /// The number of requests before it.
    pub(super) before: usize,
}

/// A part of what goes back. Behind the last one the connection is closed.
#[derive(Clone, Debug)]
pub(super) enum Part {
    Send(Vec<u8>),
    /// The same again and again, as long as it is taken.
    Flood(Vec<u8>),
    /// Nothing, until the other side leaves.
    Hang,
    /// So many pieces of one byte, this far from each other.
    Drip(Vec<u8>, Duration),
}

pub(super) struct Scripted {
    pub(super) address: String,
    asked: mpsc::UnboundedReceiver<Asked>,
    server: AbortHandle,
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Scripted {
    pub(super) async fn start(script: impl Fn(&Asked) -> Vec<Part> + Send + Sync + 'static) -> Scripted {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (log, asked) = mpsc::unbounded_channel();
        let script = Arc::new(script);
        let serving = async move {
            for before in 0.. {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, before, log.clone(), script.clone()));
            }
        };
        Scripted { address, asked, server: tokio::spawn(serving).abort_handle() }
    }

    pub(super) fn image(&self) -> String {
        format!("{}/a/b", self.address)
    }

    /// The requests that have come since this was asked last.
    pub(super) fn asked(&mut self) -> Vec<Asked> {
        std::iter::from_fn(|| self.asked.try_recv().ok()).collect()
    }
}

async fn serve(
    stream: TcpStream,
    before: usize,
    log: mpsc::UnboundedSender<Asked>,
    script: Arc<impl Fn(&Asked) -> Vec<Part>>,
) {
    let mut stream = BufReader::new(stream);
    let Some(asked) = read(&mut stream, before).await else { return };
    let parts = script(&asked);
    let _nobody_looks = log.send(asked);
    for part in parts {
        if send(&mut stream, part).await.is_err() {
            return;
        }
    }
}

async fn read(stream: &mut BufReader<TcpStream>, before: usize) -> Option<Asked> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok().filter(|length| *length > 0)?;
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let line = lines.first()?.trim_end_matches(" HTTP/1.1").to_owned();
    let headers = lines.iter().skip(1).filter_map(|line| line.split_once(": "));
    let headers: BTreeMap<_, _> = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or_default();
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(Asked { line, headers, body: String::from_utf8(body).ok()?, before })
}

async fn send(stream: &mut BufReader<TcpStream>, part: Part) -> std::io::Result<()> {
    match part {
        Part::Send(bytes) => stream.write_all(&bytes).await,
        Part::Flood(bytes) => loop {
            stream.write_all(&bytes).await?;
        },
        Part::Hang => stream.read_u8().await.map(drop),
        Part::Drip(bytes, every) => {
            let mut ticks = tokio::time::interval(every);
            for byte in bytes {
                ticks.tick().await;
                stream.write_all(&[byte]).await?;
            }
            Ok(())
        }
    }
}

/// The head of an answer, with these lines.
pub(super) fn head(status: u16, lines: &[&str]) -> Part {
    let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
    Part::Send(format!("HTTP/1.1 {status} X\r\n{lines}\r\n").into_bytes())
}

/// A whole answer.
pub(super) fn answer(status: u16, lines: &[&str], body: &[u8]) -> Vec<Part> {
    let length = format!("content-length: {}", body.len());
    vec![head(status, &[lines, &[&length]].concat()), Part::Send(body.to_vec())]
}

/// The answer of a registry that behaves and has this image as `a/b`, under every tag.
pub(super) fn good(image: &Sample, asked: &Asked) -> Vec<Part> {
    let path = asked.line.strip_prefix("GET /v2/a/b/").unwrap_or_default();
    if path.starts_with("manifests/") {
        return answer(200, &[&format!("content-type: {MANIFEST}")], &image.manifest);
    }
    let digest = path.strip_prefix("blobs/").and_then(|digest| digest.parse::<Digest>().ok());
    match image.blobs().find(|blob| Some(Digest::of(blob)) == digest) {
        Some(blob) => answer(200, &[], blob),
        None => answer(404, &[], b""),
    }
}
