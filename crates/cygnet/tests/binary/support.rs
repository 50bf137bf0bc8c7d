//! Starting the binary, and plain HTTP to what it serves.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

/// The binary with these arguments, and nothing of ours in its environment.
pub(crate) fn cygnet(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cygnet"));
    command.args(arguments).stdin(Stdio::null());
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("CYGNET_")) {
        command.env_remove(name);
    }
    command
}

/// Runs it to its end.
pub(crate) fn run(arguments: &[&str]) -> Output {
    cygnet(arguments).output().expect("it starts")
}

/// Its exit code and all it printed.
pub(crate) fn code_and_text(arguments: &[&str]) -> (i32, String) {
    let output = run(arguments);
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().expect("no signal"), String::from_utf8(text).expect("text"))
}

/// A port nobody listens on right now.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

/// A demo server on a port of its own, killed at the end.
pub(crate) struct Demo {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Demo {
    pub(crate) fn start(kind: &str) -> Demo {
        Demo::start_at(kind, 0)
    }

    pub(crate) fn start_at(kind: &str, port: u16) -> Demo {
        Demo::of(cygnet(&["demo", kind, "--port", &port.to_string()])).expect("it listens")
    }

    /// None if this machine does not let us.
    pub(crate) fn start_in_a_network_of_its_own(port: &str) -> Option<Demo> {
        let mut command = Command::new("unshare");
        let script = "ip link set lo up && exec \"$0\" demo http --port \"$1\"";
        command.args(["--net", "--", "sh", "-c", script, env!("CARGO_BIN_EXE_cygnet"), port]);
        Demo::of(command)
    }

    fn of(mut command: Command) -> Option<Demo> {
        let mut child = command.stdout(Stdio::piped()).spawn().ok()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
        let Some(address) = line.trim().strip_prefix("listening on ") else {
            let _ = child.wait();
            return None;
        };
        Some(Demo { child, address: address.parse().expect("an address") })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Sends a request; gives the status and the body.
    pub(crate) fn request(&self, method: &str, path: &str) -> (u16, String) {
        self.try_request(method, path, Duration::from_secs(30)).expect("an answer")
    }

    /// The same; none if there is no answer in time.
    pub(crate) fn try_request(&self, method: &str, path: &str, patience: Duration) -> Option<(u16, String)> {
        let mut stream = TcpStream::connect(self.address).expect("it listens");
        stream.set_read_timeout(Some(patience)).expect("a timeout");
        write!(stream, "{method} {path} HTTP/1.1\r\nhost: demo\r\n\r\n").expect("sent");
        let mut text = String::new();
        stream.read_to_string(&mut text).ok()?;
        let status = text.split_whitespace().nth(1)?.parse().ok()?;
        let (_, body) = text.split_once("\r\n\r\n")?;
        Some((status, body.to_owned()))
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
