//! A scheduler as a process of its own, beside master and agent: it is killed and started again while the tasks run on.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use harness::cluster::{Pair, Running, START, binary, free_address};
use harness::{http, wait};
use serde_json::Value;

pub(super) struct Apart {
    // Killed before the rest.
    scheduler: Running,
    pub(super) pair: Pair,
    pub(super) api: SocketAddr,
    arguments: Vec<String>,
    log: PathBuf,
}

impl Apart {
    #[track_caller]
    pub(super) fn start() -> Apart {
        let (pair, api) = (Pair::start(), free_address());
        let log = pair.directory().join("scheduler-log");
        let (work_dir, master) = (pair.directory().join("scheduler").display().to_string(), pair.master.to_string());
        let port = api.port().to_string();
        let arguments: Vec<String> =
            ["scheduler", "--work-dir", &work_dir, "--port", &port, "--master", &master].map(str::to_owned).into();
        let apart = Apart { scheduler: Running::start(&arguments, &log), pair, api, arguments, log };
        apart.wait_until_up();
        apart
    }

    #[track_caller]
    fn wait_until_up(&self) {
        wait::until("the API", START, || http::get(self.api, "/ping"));
    }

    /// `kill -9`.
    pub(super) fn kill(&mut self) {
        self.scheduler.kill();
    }

    #[track_caller]
    pub(super) fn start_again(&mut self) {
        self.scheduler = Running::start(&self.arguments, &self.log);
        self.wait_until_up();
    }

    #[track_caller]
    pub(super) fn run(&self, app: &Value) {
        let answer = http::send(self.api, "POST", "/v2/apps", app).expect("an answer");
        assert_eq!(answer.status, 201, "{}", answer.text());
    }

    /// The id of the only task, once it runs.
    #[track_caller]
    pub(super) fn task(&self) -> String {
        wait::until("a task that runs", START, || {
            let tasks = http::get(self.api, "/v2/tasks")?.json();
            let task = tasks["tasks"].as_array()?.iter().find(|task| task["state"] == "TASK_RUNNING")?;
            task["id"].as_str().map(str::to_owned)
        })
    }

    /// The command line, which writes to files.
    pub(super) fn cygnet(&self, line: &str) -> Printing {
        let [out, err] = ["out", "err"].map(|name| self.pair.directory().join(format!("cygnet-{name}")));
        let [to_out, to_err] = [&out, &err].map(|path| Stdio::from(std::fs::File::create(path).expect("a file")));
        let mut command = Command::new(binary());
        command.args(line.split_whitespace()).env("CYGNET_API", self.api.to_string());
        let child = command.stdin(Stdio::null()).stdout(to_out).stderr(to_err).spawn().expect("it starts");
        Printing { child, out, err }
    }
}

/// A command that prints.
pub(super) struct Printing {
    child: Child,
    out: PathBuf,
    err: PathBuf,
}

impl Printing {
    pub(super) fn out(&self) -> String {
        std::fs::read_to_string(&self.out).expect("text")
    }

    pub(super) fn err(&self) -> String {
        std::fs::read_to_string(&self.err).expect("text")
    }

    /// Waits until it has said this so many times on standard error.
    #[track_caller]
    pub(super) fn wait_for(&self, words: &str, times: usize) {
        wait::until_ok(words, START, || {
            let said = self.err();
            if said.matches(words).count() >= times { Ok(()) } else { Err(said) }
        });
    }

    /// True if it succeeded.
    pub(super) fn end(&mut self) -> bool {
        self.child.wait().expect("its end").success()
    }
}

impl Drop for Printing {
    fn drop(&mut self) {
        let _gone_already = self.child.kill();
        let _gone_already = self.child.wait();
    }
}
