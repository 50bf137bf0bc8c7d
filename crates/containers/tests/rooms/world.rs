//! An image of busybox, and containers of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use containers::rootfs::{Base, Names, SANDBOX, Volume, VolumeSource, Wanted, overlay_works};
use harness::busybox;
use harness::patience::{PATIENCE, soon};
use harness::wait::until;
use processes::contained::{self, Contained};
use processes::rootfs::Propagation;
use processes::{End, Logged, Logs, Namespaces, Network, Process, Program, Rotations};
use rustix::process::Signal;
use tokio::runtime::{Builder, Runtime};

/// The thing that this machine has not, and without which there are no containers.
pub(crate) fn lacking() -> Option<&'static str> {
    static LACKING: OnceLock<Option<&str>> = OnceLock::new();
    *LACKING.get_or_init(find_lacking)
}

fn find_lacking() -> Option<&'static str> {
    if !rustix::process::geteuid().is_root() {
        return Some("needs root");
    }
    let overlay = || overlay_works(&std::env::temp_dir()).is_err().then_some("needs overlayfs");
    busybox::lacking().or_else(overlay)
}

/// A directory with an image, and all that is made of it. What still runs when this is dropped is killed.
pub(crate) struct World {
    directory: tempfile::TempDir,
    runtime: Runtime,
    count: AtomicU32,
}

/// A container that was not started yet.
pub(crate) struct Room {
    pub(crate) directory: PathBuf,
    pub(crate) wanted: Wanted,
    pub(crate) network: Network,
    pub(crate) hostname: Option<String>,
    pub(crate) init: bool,
    pub(crate) rotations: Rotations,
}

impl World {
    pub(crate) fn new() -> World {
        let directory = tempfile::Builder::new().prefix("cygnet-rooms-").tempdir().unwrap();
        busybox::unpack(&directory.path().join("layer"));
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        World { directory, runtime, count: AtomicU32::new(0) }
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.directory.path().join(path)
    }

    /// A directory of the host that a container may be given.
    pub(crate) fn host_directory(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(&path).unwrap();
        path
    }

    pub(crate) fn room(&self) -> Room {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let directory = self.path(&format!("room-{number}"));
        for name in ["upper", "work", "sandbox", "shim"] {
            fs::create_dir_all(directory.join(name)).unwrap();
        }
        let base = Base::Image {
            layers: vec![self.path("layer")],
            upper: directory.join("upper"),
            work: directory.join("work"),
        };
        let names = Names { hosts: Some("127.0.0.1 localhost\n".to_owned()), ..Names::default() };
        let wanted = Wanted { names, ..Wanted::new(base, directory.join("sandbox"), SANDBOX.into()) };
        Room {
            directory,
            wanted,
            network: Network::Own,
            hostname: Some("inside".to_owned()),
            init: false,
            rotations: Rotations::default(),
        }
    }

    pub(crate) fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// Starts this script in the container.
    pub(crate) fn start(&self, room: &Room, script: &str) -> Running<'_> {
        match self.try_start(room, &["/bin/sh", "-c", script]) {
            Ok(running) => running,
            Err(end) => panic!("it was not started: {end:?}"),
        }
    }

    pub(crate) fn try_start(&self, room: &Room, command: &[&str]) -> Result<Running<'_>, End> {
        self.block_on(soon("a container", self.starting(room, command)))
    }

    pub(crate) async fn starting(&self, room: &Room, command: &[&str]) -> Result<Running<'_>, End> {
        let shim = [std::env::current_exe().unwrap().display().to_string(), "shim".to_owned()];
        let logs = Logs::of(&room.wanted.sandbox);
        let program = Logged { program: room.program(command), logs: logs.clone(), rotations: room.rotations };
        match contained::start(program, &shim, &room.directory.join("shim")).await.unwrap() {
            Err(End::NotStarted(why)) => Err(End::NotStarted(why)),
            contained => Ok(Running { world: self, contained, logs }),
        }
    }

    /// The output of a script that ends by itself.
    pub(crate) fn output(&self, room: &Room, script: &str) -> String {
        let running = self.start(room, script);
        let end = running.end();
        let text = running.stdout();
        assert_eq!(status(&end), Some(0), "{end:?}: {text}{}", running.stderr());
        text
    }

    /// Waits for [`World::is_clean`]: a shim tells of an end before it has ended itself.
    pub(crate) fn until_nothing_is_left(&self) {
        until("nothing to be left", PATIENCE, || self.is_clean().then_some(()));
    }

    /// True if the processes that are known to be of this place are gone, and so are mounts that name it.
    fn is_clean(&self) -> bool {
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
        let name = self.directory.path().to_str().unwrap();
        harness::process::marked(self.directory.path()).is_empty() && !mounts.contains(name)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        until("an end of all processes", PATIENCE, || {
            let left = harness::process::marked(self.directory.path());
            for pid in &left {
                harness::process::signal(*pid, Signal::KILL);
            }
            left.is_empty().then_some(())
        });
    }
}

impl Room {
    pub(crate) fn volume(mut self, at: &str, source: VolumeSource, read_only: bool) -> Room {
        self.wanted.volumes.push(Volume { at: at.into(), source, read_only });
        self
    }

    pub(crate) fn host(self, at: &str, path: &Path, propagation: Propagation, read_only: bool) -> Room {
        self.volume(at, VolumeSource::Host { path: path.to_owned(), propagation }, read_only)
    }

    fn program(&self, command: &[&str]) -> Program {
        let namespaces = Namespaces {
            network: self.network.clone(),
            hostname: self.hostname.clone(),
            rootfs: self.wanted.plan().unwrap(),
            init: self.init,
        };
        Program {
            path: command[0].into(),
            arguments: command.iter().map(|argument| (*argument).to_owned()).collect(),
            environment: vec![("PATH".to_owned(), "/bin".to_owned())],
            working_directory: self.wanted.working_directory.clone().unwrap_or_else(|| SANDBOX.into()),
            namespaces: Some(Box::new(namespaces)),
            ..Program::default()
        }
    }
}

/// A container that runs.
pub(crate) struct Running<'a> {
    world: &'a World,
    /// The end, of one that was over before anybody looked.
    contained: Result<Contained, End>,
    logs: Logs,
}

impl Running<'_> {
    pub(crate) fn app(&self) -> Process {
        self.contained.as_ref().unwrap().process()
    }

    pub(crate) fn signal_all(&self, signal: Signal) {
        self.contained.as_ref().unwrap().signal_all(signal);
    }

    /// The shim, by what the kernel says of its child.
    pub(crate) fn shim(&self) -> Process {
        Process::of(parent(self.app().pid).unwrap()).unwrap()
    }

    /// The first process of its namespace.
    pub(crate) fn pause(&self) -> Process {
        let shim = self.shim();
        let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", shim.pid)).unwrap();
        let pids = children.split_ascii_whitespace().map(|pid| pid.parse().unwrap());
        pids.filter(|pid| *pid != self.app().pid).find_map(Process::of).unwrap()
    }

    pub(crate) fn end(&self) -> End {
        match &self.contained {
            Ok(contained) => self.world.block_on(soon("the end of a container", contained.ended())),
            Err(end) => end.clone(),
        }
    }

    pub(crate) fn stdout(&self) -> String {
        fs::read_to_string(&self.logs.stdout).unwrap_or_default()
    }

    pub(crate) fn stderr(&self) -> String {
        fs::read_to_string(&self.logs.stderr).unwrap_or_default()
    }

    /// Waits until it has said this.
    pub(crate) fn until_said(&self, word: &str) {
        until(word, PATIENCE, || self.stdout().contains(word).then_some(()));
    }
}

pub(crate) fn status(end: &End) -> Option<i32> {
    let End::Status(status) = end else { return None };
    status.exit_status()
}

pub(crate) fn signal(end: &End) -> Option<i32> {
    let End::Status(status) = end else { return None };
    status.signal()
}

pub(crate) fn parent(pid: i32) -> Option<i32> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    text.lines().find_map(|line| line.strip_prefix("PPid:")?.trim().parse().ok())
}

/// All processes that are in this namespace of processes.
pub(crate) fn members(namespace: &Path) -> Vec<i32> {
    let numbers = fs::read_dir("/proc").unwrap().flatten();
    let numbers = numbers.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let is_member = |pid: &i32| fs::read_link(format!("/proc/{pid}/ns/pid")).is_ok_and(|own| own == namespace);
    numbers.filter(is_member).collect()
}
