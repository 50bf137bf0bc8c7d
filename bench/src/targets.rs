//! What is checked: servers that answer `200 OK`, in a process of their own, so that their CPU is not counted.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use anyhow::Context;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nok\n";

/// The process; it ends when this is dropped, or when we die.
pub(crate) struct Targets {
    process: Child,
    pub(crate) addresses: Vec<SocketAddr>,
}

impl Targets {
    pub(crate) fn start(count: usize) -> anyhow::Result<Targets> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["targets", &count.to_string()]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().context("cannot start the targets")?;
        let lines = BufReader::new(process.stdout.take().context("no pipe")?).lines();
        let addresses = lines.take(count).map(|line| Ok(line?.parse()?)).collect::<anyhow::Result<Vec<_>>>()?;
        anyhow::ensure!(addresses.len() == count, "the targets have not started");
        Ok(Targets { process, addresses })
    }
}

impl Drop for Targets {
    fn drop(&mut self) {
        let _gone_already = self.process.kill();
        let _reaped = self.process.wait();
    }
}

/// The process' part: says its addresses, and serves until its standard input ends.
pub(crate) fn serve(count: usize) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    for _ in 0..count {
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        println!("{}", listener.local_addr()?);
        runtime.spawn(accept(listener));
    }
    std::io::stdout().flush()?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

async fn accept(listener: TcpListener) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(answer(stream));
    }
}

/// A request of a checker fits into one packet.
async fn answer(mut stream: TcpStream) {
    let mut request = [0; 1024];
    if stream.read(&mut request).await.is_ok_and(|length| length > 0) {
        let _peer_may_have_gone = stream.write_all(ANSWER).await;
    }
}
