//! A process in network, mount and process namespaces of its own, where commands run. It ends when this is dropped, or
//! we die: then its standard input ends.

use std::process::{Child, ChildStdin, Command, Stdio};

use anyhow::Context;

use crate::clock;
use crate::targets::Target;

pub(super) struct Confined {
    unshare: Child,
    /// Nothing is ever written there.
    input: Option<ChildStdin>,
    pid: u32,
}

impl Confined {
    pub(super) fn start() -> anyhow::Result<Confined> {
        let mut command = Command::new("unshare");
        command.args(["--net", "--mount", "--pid", "--fork", "--mount-proc", "cat"]);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut unshare = command.spawn().context("unshare is not installed")?;
        let input = unshare.stdin.take();
        let mut confined = Confined { unshare, input, pid: 0 };
        confined.pid = confined.child().context("no new network, mount and process namespaces without root")?;
        Ok(confined)
    }

    /// It is there once it has become the program.
    fn child(&mut self) -> anyhow::Result<u32> {
        let unshare = self.unshare.id();
        loop {
            let children = std::fs::read_to_string(format!("/proc/{unshare}/task/{unshare}/children"))?;
            let pid = children.split_whitespace().next().unwrap_or_default();
            let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
            if name.trim() == "cat" {
                return Ok(pid.parse()?);
            }
            anyhow::ensure!(self.unshare.try_wait()?.is_none(), "unshare failed");
            clock::pause(std::time::Duration::from_millis(1));
        }
    }

    /// Its network namespace; commands have no port.
    pub(super) fn target(&self) -> Target {
        Target { namespace: Some(self.path("net")), port: 0 }
    }

    /// The namespaces of mounts and processes.
    pub(super) fn others(&self) -> String {
        format!("{},{}", self.path("mnt"), self.path("pid"))
    }

    fn path(&self, namespace: &str) -> String {
        format!("/proc/{}/ns/{namespace}", self.pid)
    }
}

impl Drop for Confined {
    fn drop(&mut self) {
        drop(self.input.take());
        let _reaped = self.unshare.wait();
    }
}
