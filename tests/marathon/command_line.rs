//! The command line against a scheduler: what people type, what scripts read, and what is said when it goes wrong. A
//! module for each kind of command.

mod apps;
mod definitions;
mod deployments;
mod hints;
mod tasks;

use std::fs::File;
use std::os::fd::OwnedFd;
use std::process::{Command, Output, Stdio};

use harness::cluster::{Dev, binary};
use rustix::pty::OpenptFlags;
use serde_json::{Value, json};

use crate::started;

/// A cluster, and the command line pointed at it.
pub(crate) struct Shell(pub(crate) Dev);

impl Shell {
    pub(crate) fn start() -> Shell {
        Shell(started())
    }

    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = Command::new(binary());
        command.args(line.split_whitespace()).env("CYGNET_API", self.0.api.to_string()).stdin(Stdio::null());
        command.env("CYGNET_MIN_HEALTHY", "2s");
        command
    }

    pub(crate) fn run(&self, line: &str) -> Output {
        self.command(line).output().expect("it starts")
    }

    /// The text it printed; it has to succeed.
    #[track_caller]
    pub(crate) fn text(&self, line: &str) -> String {
        let output = self.run(line);
        let [out, err] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        assert!(output.status.success(), "cygnet {line}: {out}{err}");
        out
    }

    /// The JSON it printed, one document a line.
    #[track_caller]
    pub(crate) fn json(&self, line: &str) -> Vec<Value> {
        let text = self.text(&format!("{line} --json"));
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line}")))
            .collect()
    }

    /// The complaint it printed; it has to fail.
    #[track_caller]
    pub(crate) fn complaint(&self, line: &str) -> String {
        let output = self.run(line);
        assert!(!output.status.success(), "cygnet {line} succeeded: {}", String::from_utf8_lossy(&output.stdout));
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    pub(crate) fn file(&self, name: &str, definition: &Value) -> String {
        harness::apps::file(&self.0, name, definition)
    }
}

/// A terminal: whoever draws it, and the end that programs have.
pub(crate) fn terminal() -> (OwnedFd, File) {
    let master = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
    rustix::pty::grantpt(&master).expect("a terminal");
    rustix::pty::unlockpt(&master).expect("a terminal");
    let name = rustix::pty::ptsname(&master, Vec::new()).expect("a name").into_string().expect("text");
    (master, File::options().read(true).write(true).open(name).expect("its other end"))
}

pub(crate) fn sleeper(id: &str, instances: u32) -> Value {
    json!({"id": id, "cmd": "exec sleep 100000", "cpus": 0.01, "mem": 4, "instances": instances})
}
