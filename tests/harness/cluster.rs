//! Starting and stopping Cygnet's processes, with a directory and ports of their own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;

use crate::ground::Ground;
use crate::ports::Ports;
pub use crate::ports::free_address;
use crate::{cgroups, http, process, wait};

/// The time that a start may take: generous, the machine may be busy with other tests.
pub const START: Duration = Duration::from_secs(60);

/// The binary under test, built beside this test's own.
pub fn binary() -> PathBuf {
    let own = std::env::current_exe().expect("a test has a path");
    let built = own.ancestors().nth(2).expect("target/<profile>/deps/<test>").join("cygnet");
    assert!(built.exists(), "{} is not there: run the tests with `cargo xtask test`", built.display());
    built
}

/// A process that is killed with SIGKILL when the test ends.
#[derive(Debug)]
pub struct Running(Child);

impl Running {
    /// Starts the binary with `arguments`; its output goes to `log`. Tests that somebody started with `nohup` ignore SIGHUP,
    /// which it is not to inherit.
    pub fn start(arguments: &[String], log: &Path) -> Running {
        Running::spawn(Command::new("env").arg("--default-signal=HUP").arg(binary()).args(arguments), log)
    }

    /// The same with no more than so many files to open.
    pub fn start_with_files(files: u64, arguments: &[String], log: &Path) -> Running {
        let limited = format!("ulimit -n {files} && exec \"$0\" \"$@\"");
        Running::spawn(Command::new("sh").args(["-c", &limited]).arg(binary()).args(arguments), log)
    }

    /// The same after this line of shell, in a mount namespace of its own.
    pub fn start_behind(script: &str, arguments: &[String], log: &Path) -> Running {
        let script = format!("{script} && exec \"$0\" \"$@\"");
        let shell = ["--mount", "sh", "-c", &script];
        Running::spawn(Command::new("unshare").args(shell).arg(binary()).args(arguments), log)
    }

    fn spawn(command: &mut Command, log: &Path) -> Running {
        let file = std::fs::OpenOptions::new().create(true).append(true).open(log).expect("a log file");
        let child = command
            .env("CYGNET_CGROUPS_ROOT", cgroups::root(log.parent().unwrap_or(log)))
            .stdin(Stdio::null())
            .stdout(file.try_clone().expect("a second handle"))
            .stderr(file)
            .spawn()
            .expect("the binary starts");
        Running(child)
    }

    /// Its process id.
    pub fn pid(&self) -> i32 {
        i32::try_from(self.0.id()).expect("a pid")
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        process::signal(self.pid(), signal);
    }

    /// The exit status, once it has ended.
    pub fn exited(&mut self) -> Option<std::process::ExitStatus> {
        self.0.try_wait().expect("a child can be waited for")
    }

    /// Waits for the end.
    #[track_caller]
    pub fn wait(&mut self, limit: Duration) -> std::process::ExitStatus {
        wait::until("the process to end", limit, || self.exited())
    }

    /// SIGKILL, and waits until it is gone.
    pub fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

/// `cygnet dev` on ports and in a directory of its own.
#[derive(Debug)]
pub struct Dev {
    // Killed before the rest.
    process: Option<Running>,
    ground: Ground,
    /// The master's address.
    pub master: SocketAddr,
    /// The agent's address.
    pub agent: SocketAddr,
    /// The address of the Marathon API.
    pub api: SocketAddr,
    task_ports: Ports,
}

impl Dev {
    /// Reserves a directory and ports; nothing runs yet.
    pub fn new() -> Dev {
        let (master, agent, api) = (free_address(), free_address(), free_address());
        Dev { process: None, ground: Ground::new(), master, agent, api, task_ports: Ports::take() }
    }

    /// The directory everything is in, also the mark of every process started from here.
    pub fn directory(&self) -> &Path {
        self.ground.path()
    }

    /// The output of the process so far.
    pub fn output(&self) -> String {
        self.ground.output()
    }

    /// The process started last.
    pub fn process(&mut self) -> &mut Running {
        self.process.as_mut().expect("started")
    }

    /// Starts `cygnet dev` with further arguments, and waits until the API answers.
    #[track_caller]
    pub fn start(&mut self, arguments: &[&str]) {
        self.spawn(arguments);
        self.wait_until_up();
    }

    /// Starts `cygnet dev` with further arguments.
    pub fn spawn(&mut self, arguments: &[&str]) {
        let mut all: Vec<String> = vec!["dev".into(), "--work-dir".into()];
        all.push(self.directory().join("state").display().to_string());
        for (flag, address) in [("--master-port", self.master), ("--agent-port", self.agent), ("--api-port", self.api)]
        {
            all.extend([flag.to_owned(), address.port().to_string()]);
        }
        all.extend(arguments.iter().map(|&argument| argument.to_owned()));
        match all.iter().position(|argument| argument == "--resources").and_then(|flag| all.get_mut(flag + 1)) {
            None => all.extend(["--resources".to_owned(), self.task_ports.resource()]),
            Some(named) if named.contains("ports") => {}
            Some(named) => *named = format!("{named};{}", self.task_ports.resource()),
        }
        self.process = Some(Running::start(&all, &self.ground.log()));
    }

    /// Waits until the Marathon API answers `pong`, and an agent has registered.
    #[track_caller]
    pub fn wait_until_up(&mut self) {
        let (api, master) = (self.api, self.master);
        wait::until("the API and an agent", START, || {
            assert!(self.process().exited().is_none(), "cygnet dev ended: {}", self.output());
            let pong = http::get(api, "/ping").is_some_and(|answer| answer.status == 200);
            let slaves = http::get(master, "/slaves")?.json();
            (pong && slaves["slaves"].as_array().is_some_and(|slaves| !slaves.is_empty())).then_some(())
        });
    }

    /// The app as `GET /v2/apps/{id}` shows it, `Null` when there is none.
    pub fn app(&self, id: &str) -> Value {
        match http::get(self.api, &format!("/v2/apps/{id}")) {
            Some(answer) if answer.status == 200 => answer.json()["app"].clone(),
            _ => Value::Null,
        }
    }

    /// Waits until the app has `count` running, healthy tasks and no other, and gives it.
    #[track_caller]
    pub fn wait_healthy(&self, id: &str, count: u64) -> Value {
        self.wait_app(id, &format!("{count} healthy instances of {id}"), |app| {
            app["tasksHealthy"] == count && app["tasks"].as_array().map(Vec::len) == usize::try_from(count).ok()
        })
    }

    /// Waits until the app is as wanted, and gives it.
    #[track_caller]
    pub fn wait_app(&self, id: &str, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        wait::until(what, START, || Some(self.app(id)).filter(|app| wanted(app)))
    }

    /// All processes of this directory but the one of `cygnet dev` itself.
    pub fn others(&self) -> Vec<i32> {
        let own = self.process.as_ref().map(Running::pid);
        process::marked(self.directory()).into_iter().filter(|&pid| Some(pid) != own).collect()
    }
}

impl Default for Dev {
    fn default() -> Self {
        Dev::new()
    }
}

/// A master and an agent as processes of their own, without a scheduler.
#[derive(Debug)]
pub struct Pair {
    // Killed before the rest.
    agent_process: Option<Running>,
    master_process: Option<Running>,
    ground: Ground,
    /// The master's address.
    pub master: SocketAddr,
    /// The agent's address.
    pub agent: SocketAddr,
    task_ports: Ports,
    /// Further arguments of the master.
    arguments: Vec<String>,
}

impl Pair {
    /// Starts both and waits until the agent has registered.
    #[track_caller]
    pub fn start() -> Pair {
        Pair::start_with(&[])
    }

    /// The same, with further arguments for the master.
    #[track_caller]
    pub fn start_with(arguments: &[&str]) -> Pair {
        let (ground, master, agent) = (Ground::new(), free_address(), free_address());
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        let (agent_process, master_process, task_ports) = (None, None, Ports::take());
        let mut pair = Pair { agent_process, master_process, ground, master, agent, task_ports, arguments };
        pair.start_master();
        pair.start_agent();
        pair.wait_until_registered();
        pair
    }

    /// Starts the master.
    pub fn start_master(&mut self) {
        let own = ["master", "--work-dir", &self.path("master"), "--port", &self.master.port().to_string()];
        let arguments: Vec<String> = own.into_iter().map(str::to_owned).chain(self.arguments.iter().cloned()).collect();
        self.master_process = Some(Running::start(&arguments, &self.ground.log()));
    }

    /// Starts the agent.
    pub fn start_agent(&mut self) {
        self.start_agent_with(&[]);
    }

    /// Starts the agent with further arguments.
    pub fn start_agent_with(&mut self, more: &[&str]) {
        let arguments = self.agent_arguments(more);
        self.agent_process = Some(Running::start(&arguments, &self.ground.log()));
    }

    /// The same after this line of shell, in a mount namespace of its own.
    pub fn start_agent_behind(&mut self, script: &str, more: &[&str]) {
        let arguments = self.agent_arguments(more);
        self.agent_process = Some(Running::start_behind(script, &arguments, &self.ground.log()));
    }

    fn agent_arguments(&self, more: &[&str]) -> Vec<String> {
        let port = self.agent.port().to_string();
        let master = self.master.to_string();
        let work_dir = self.path("agent");
        let resources = format!("cpus:8;mem:8192;disk:8192;{}", self.task_ports.resource());
        let arguments =
            ["agent", "--work-dir", &work_dir, "--port", &port, "--master", &master, "--resources", &resources];
        arguments.iter().chain(more).map(|&argument| argument.to_owned()).collect()
    }

    /// The agent's process.
    pub fn agent_process(&mut self) -> &mut Running {
        self.agent_process.as_mut().expect("started")
    }

    /// The master's process.
    pub fn master_process(&mut self) -> &mut Running {
        self.master_process.as_mut().expect("started")
    }

    /// The directory everything is in, also the mark of every process started from here.
    pub fn directory(&self) -> &Path {
        self.ground.path()
    }

    /// Waits until the master has an active agent.
    #[track_caller]
    pub fn wait_until_registered(&self) {
        wait::until("a registered agent", START, || {
            let slaves = http::get(self.master, "/slaves")?.json();
            slaves["slaves"].as_array()?.iter().any(|slave| slave["active"] == true).then_some(())
        });
    }

    fn path(&self, name: &str) -> String {
        self.directory().join(name).display().to_string()
    }
}
