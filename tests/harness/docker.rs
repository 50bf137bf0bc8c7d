//! A Docker daemon of a test's own: its images, containers, files and socket are nobody else's. Its network is that of
//! whoever starts it, who is therefore [on a machine of his own](crate::machine).

use std::fs::{self, File};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::mount::{UnmountFlags, unmount};
use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;

use crate::http::{self, Answer};
use crate::patience::PATIENCE;
use crate::{process, wait};

const PROGRAM: &str = "/usr/sbin/dockerd";

/// A daemon. When this is dropped, it is gone, with its containers.
#[derive(Debug)]
pub struct Docker {
    directory: TempDir,
    daemon: Option<Child>,
    arguments: Vec<String>,
}

impl Docker {
    /// Starts one, which lets its containers live while it is away. `None`, and a word that `test` is skipped, where
    /// Docker is not installed or cannot run.
    pub fn start(test: &str) -> Option<Docker> {
        Docker::start_with(test, &["--live-restore"])
    }

    /// The same with these arguments.
    pub fn start_with(test: &str, arguments: &[&str]) -> Option<Docker> {
        if !rustix::process::geteuid().is_root() || !Path::new(PROGRAM).exists() {
            println!("SKIPPED {test}: needs root, and Docker (Debian: docker.io)");
            return None;
        }
        // Paths of sockets are short.
        let directory = tempfile::Builder::new().prefix("docker-").tempdir().expect("a directory");
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        let mut docker = Docker { directory, daemon: None, arguments };
        if docker.run() {
            return Some(docker);
        }
        println!("SKIPPED {test}: the Docker daemon does not start: {}", docker.log());
        None
    }

    /// Starts it again after it was killed. False if it ends at once.
    #[track_caller]
    pub fn run(&mut self) -> bool {
        let _dead = fs::remove_file(self.path("pid"));
        let log = File::options().create(true).append(true).open(self.path("log")).expect("a file");
        let mut command = Command::new(PROGRAM);
        command.arg("--data-root").arg(self.path("data")).arg("--exec-root").arg(self.path("exec"));
        command.arg("--pidfile").arg(self.path("pid")).arg("--host").arg(format!("unix://{}", self.socket().display()));
        command.args(["--storage-driver", "overlay2", "--log-level", "warn"]).args(&self.arguments);
        let output = log.try_clone().expect("a second handle");
        let daemon = command.stdin(Stdio::null()).stdout(output).stderr(log).spawn().expect("it starts");
        let daemon = self.daemon.insert(daemon);
        let ended = |daemon: &mut Child| daemon.try_wait().expect("a child can be waited for").is_some();
        let socket = self.directory.path().join("socket");
        wait::until("the Docker daemon", PATIENCE, || match ping(&socket) {
            true => Some(true),
            false => ended(daemon).then_some(false),
        })
    }

    /// Its socket.
    pub fn socket(&self) -> PathBuf {
        self.path("socket")
    }

    /// The directory that all of its files are in, and that its processes have in their command lines.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The output of it so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// The daemon and what works for it: containerd, and a shim for each container.
    pub fn processes(&self) -> Vec<i32> {
        process::marked(self.directory())
    }

    /// Calls the Engine API. `None` when it does not answer.
    pub fn call(&self, method: &str, path: &str, body: &Value) -> Option<Answer> {
        self.send(method, path, "application/json", body.to_string().as_bytes())
    }

    /// The same with whatever body.
    pub fn send(&self, method: &str, path: &str, kind: &str, body: &[u8]) -> Option<Answer> {
        let connection = UnixStream::connect(self.socket()).ok()?;
        connection.set_read_timeout(Some(PATIENCE)).ok()?;
        http::over(connection, "docker", method, path, &[("content-type", kind)], body)
    }

    /// The output of a command that `docker exec` runs in a container, until its end.
    #[track_caller]
    pub fn exec(&self, container: &Value, order: &Value) -> String {
        let mut order = order.clone();
        (order["AttachStdout"], order["AttachStderr"]) = (true.into(), true.into());
        let id = container["Id"].as_str().expect("an id");
        let made = self.call("POST", &format!("/containers/{id}/exec"), &order).expect("an answer").json();
        let exec = made["Id"].as_str().expect("a command");
        let start = self.call("POST", &format!("/exec/{exec}/start"), &serde_json::json!({"Detach": false}));
        pieces(&start.expect("an answer").body)
    }

    /// Loads an archive of `docker save`.
    #[track_caller]
    pub fn load(&self, archive: &[u8]) {
        let loaded = self.send("POST", "/images/load?quiet=1", "application/x-tar", archive).expect("Docker answers");
        assert!(loaded.status == 200 && !loaded.text().contains("errorDetail"), "{}", loaded.text());
    }

    /// The names of all containers, whatever has become of them.
    pub fn containers(&self) -> Vec<String> {
        let listed = self.call("GET", "/containers/json?all=1", &Value::Null).map(|answer| answer.json());
        let containers = listed.as_ref().and_then(Value::as_array).cloned().unwrap_or_default();
        let name = |container: &Value| container["Names"][0].as_str().map(str::to_owned);
        containers.iter().filter_map(name).collect()
    }

    /// Removes all containers, whatever they do.
    pub fn remove_containers(&self) {
        for name in self.containers() {
            let _gone_already = self.call("DELETE", &format!("/containers{name}?force=1&v=1"), &Value::Null);
        }
    }

    /// SIGKILL, and waits until it is gone. Its containers may go on.
    #[track_caller]
    pub fn kill(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            let _gone_already = daemon.kill();
            let _reaped = daemon.wait();
            // The kernel kills it with its parent. A daemon that finds its number in use, if only because nobody has reaped
            // it, would wait for it in vain.
            wait::until("containerd to be gone", PATIENCE, || {
                let is_containerd = |pid: &i32| process::command_line(*pid).contains("containerd.toml");
                (!self.processes().iter().any(is_containerd)).then_some(())
            });
            let _dead = fs::remove_file(self.path("exec/containerd/containerd.pid"));
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Its mounts, the last first.
    fn mounts(&self) -> Vec<PathBuf> {
        let table = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        let places = table.lines().filter_map(|line| Some(PathBuf::from(line.split(' ').nth(4)?)));
        let mut own: Vec<PathBuf> = places.filter(|place| place.starts_with(self.directory())).collect();
        own.reverse();
        own
    }
}

impl Drop for Docker {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- output of the Docker daemon ---\n{}", self.log());
        }
        self.remove_containers();
        self.kill();
        let _told = wait::until_or(PATIENCE, || {
            let left = self.processes();
            for pid in &left {
                process::signal(*pid, Signal::KILL);
            }
            left.is_empty().then_some(())
        });
        for mount in self.mounts() {
            let _gone_already = unmount(&mount, UnmountFlags::DETACH);
        }
    }
}

/// The text of both streams: each piece of it comes after its stream and its length, which are eight bytes.
fn pieces(mut body: &[u8]) -> String {
    let mut text = Vec::new();
    while let Some((&[_, _, _, _, length @ ..], rest)) = body.split_first_chunk::<8>() {
        let (piece, next) = rest.split_at(rest.len().min(u32::from_be_bytes(length) as usize));
        text.extend_from_slice(piece);
        body = next;
    }
    String::from_utf8_lossy(&text).into_owned()
}

fn ping(socket: &Path) -> bool {
    let answer = UnixStream::connect(socket).ok().and_then(|connection| {
        connection.set_read_timeout(Some(PATIENCE)).ok()?;
        http::over(connection, "docker", "GET", "/_ping", &[], b"")
    });
    answer.is_some_and(|answer| answer.status == 200)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::json;

    use super::Docker;
    use crate::archive::Archive;
    use crate::images::{Image, tar};
    use crate::machine::on_a_machine;
    use crate::{busybox, process};

    #[test]
    fn a_daemon_runs_an_image_and_leaves_nothing() {
        let test = "a_daemon_runs_an_image_and_leaves_nothing";
        if let Some(lacking) = busybox::lacking() {
            return println!("SKIPPED {test}: {lacking}");
        }
        let run = || {
            let docker = Docker::start(test)?;
            let image = Image::busybox(Archive::new(), &json!({"Cmd": ["sh", "-c", "exit 37"]}));
            docker.load(&tar(&image.docker(&["app:1"])).tar());
            let made = docker.call("POST", "/containers/create?name=one", &json!({"Image": "app:1"}))?;
            assert_eq!(made.status, 201, "{}", made.text());
            assert_eq!(docker.call("POST", "/containers/one/start", &json!(null))?.status, 204);
            let waited = docker.call("POST", "/containers/one/wait", &json!(null))?.json();
            assert_eq!((&waited["StatusCode"], docker.containers()), (&json!(37), vec!["/one".to_owned()]));
            Some(docker.directory().to_owned())
        };
        let Some(ran) = on_a_machine(run) else { return println!("SKIPPED {test}: no network namespaces here") };
        let Some(directory) = ran else { return };
        let mounts = fs::read_to_string("/proc/self/mountinfo").expect("a table");
        assert!(process::marked(&directory).is_empty() && !directory.exists());
        assert!(!mounts.contains(&directory.display().to_string()));
    }
}
