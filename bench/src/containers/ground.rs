//! The things that rows share: an image of busybox, unpacked and as an archive, containers of it as an executor starts
//! them, and a Docker daemon that has it, too.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::Context;
use containers::rootfs::{Base, Names, SANDBOX, Wanted};
use harness::archive::Archive;
use harness::busybox;
use harness::docker::Docker;
use harness::images::{Image, tar};
use processes::contained::{self, Contained};
use processes::{End, Logged, Logs, Namespaces, Network, Process, Program, Rotations};
use rustix::process::Signal;
use serde_json::json;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

/// The image's name for Docker.
pub(crate) const IMAGE: &str = "cygnet-bench:1";

/// The program of a container that only has to be there.
pub(crate) const IDLE: [&str; 2] = ["/bin/sleep", "100000"];

pub(crate) struct Ground {
    /// The directory for files of results and compiled programs.
    pub(crate) results: PathBuf,
    directory: TempDir,
    /// The program that shims are.
    cygnet: PathBuf,
    runtime: Runtime,
    docker: Option<Docker>,
    count: AtomicU32,
}

/// A container that runs; it is ended when this is dropped.
pub(crate) struct Room<'a> {
    ground: &'a Ground,
    contained: Contained,
    directory: PathBuf,
}

impl Ground {
    pub(crate) fn prepare(results: &Path) -> anyhow::Result<Ground> {
        if let Some(lacking) = busybox::lacking() {
            anyhow::bail!("{lacking}");
        }
        let cygnet = std::env::current_exe()?.with_file_name("cygnet");
        anyhow::ensure!(cygnet.exists(), "{} is not there: cargo build --release --package cygnet", cygnet.display());
        // Shims that are killed are ours to reap, as an executor's are its own.
        rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
        let directory = tempfile::Builder::new().prefix("cygnet-bench-").tempdir()?;
        busybox::unpack(&directory.path().join("layer"));
        let docker = Docker::start("docker run");
        if let Some(docker) = &docker {
            let image = Image::busybox(Archive::new(), &json!({"Cmd": IDLE}));
            docker.load(&tar(&image.docker(&[IMAGE])).tar());
        }
        let runtime = Builder::new_current_thread().enable_all().build()?;
        Ok(Ground { results: results.to_owned(), directory, cygnet, runtime, docker, count: AtomicU32::new(0) })
    }

    pub(crate) fn docker(&self) -> anyhow::Result<&Docker> {
        self.docker.as_ref().context("Docker is not installed, or does not start (Debian: docker.io)")
    }

    pub(crate) fn cygnet(&self) -> &Path {
        &self.cygnet
    }

    /// A place for a row's own files.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// A container with a network namespace of its own, in which a program only waits.
    pub(crate) fn start(&self) -> anyhow::Result<Room<'_>> {
        self.block_on(self.starting(self.place()?))
    }

    /// The directories that an executor has made before it starts a container.
    pub(crate) fn place(&self) -> anyhow::Result<PathBuf> {
        let directory = self.path(&format!("room-{}", self.count.fetch_add(1, Ordering::Relaxed)));
        for name in ["upper", "work", "sandbox", "shim"] {
            fs::create_dir_all(directory.join(name))?;
        }
        Ok(directory)
    }

    pub(crate) async fn starting(&self, directory: PathBuf) -> anyhow::Result<Room<'_>> {
        let logs = Logs::of(&directory.join("sandbox"));
        let program = Logged { program: self.program(&directory)?, logs, rotations: Rotations::default() };
        let shim = [self.cygnet.display().to_string(), "shim".to_owned()];
        match contained::start(program, &shim, &directory.join("shim")).await? {
            Ok(contained) => Ok(Room { ground: self, contained, directory }),
            Err(end) => anyhow::bail!("a container does not start: {end:?}"),
        }
    }

    fn program(&self, directory: &Path) -> anyhow::Result<Program> {
        let namespaces = Namespaces {
            network: Network::Own,
            hostname: Some("inside".to_owned()),
            rootfs: self.wanted(directory).plan()?,
            init: false,
        };
        Ok(Program {
            path: IDLE[0].into(),
            arguments: IDLE.map(str::to_owned).to_vec(),
            environment: vec![("PATH".to_owned(), "/bin".to_owned())],
            working_directory: SANDBOX.into(),
            namespaces: Some(Box::new(namespaces)),
            ..Program::default()
        })
    }

    fn wanted(&self, directory: &Path) -> Wanted {
        let (upper, work) = (directory.join("upper"), directory.join("work"));
        let base = Base::Image { layers: vec![self.path("layer")], upper, work };
        let names = Names { hosts: Some("127.0.0.1 localhost\n".to_owned()), ..Names::default() };
        Wanted { names, ..Wanted::new(base, directory.join("sandbox"), SANDBOX.into()) }
    }
}

impl Room<'_> {
    /// The main process.
    pub(crate) fn app(&self) -> Process {
        self.contained.process()
    }

    /// The processes that stand beside the program: its shim, and the first of its namespace.
    pub(crate) fn beside(&self) -> anyhow::Result<Vec<i32>> {
        let app = self.app().pid;
        let shim = harness::process::parent(app).context("the program has no parent")?;
        let children = fs::read_to_string(format!("/proc/{shim}/task/{shim}/children"))?;
        let children = children.split_ascii_whitespace().filter_map(|pid| pid.parse().ok());
        Ok(children.filter(|pid| *pid != app).chain([shim]).collect())
    }
}

impl Drop for Room<'_> {
    fn drop(&mut self) {
        self.contained.signal_all(Signal::KILL);
        let _end: End = self.ground.block_on(self.contained.ended());
        let _the_whole_ground_goes_later = fs::remove_dir_all(&self.directory);
    }
}
