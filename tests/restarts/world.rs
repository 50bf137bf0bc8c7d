//! A cluster of separate processes, with an app, a pod and a container, whose parts can be killed and started again.

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use harness::archive::Archive;
use harness::cluster::{Running, START};
use harness::images::Image;
use harness::ports::Ports;
use harness::{busybox, http, process, wait};
use rustix::process::Signal;
use serde_json::json;

use crate::damage::Damage;
use crate::log::Log;
use crate::place::{Part, Place};
use crate::settled::{CONTAINER, TASK};

/// The time after everything has settled within which a line in the log may be due.
const NAMED: Duration = Duration::from_secs(10);

pub(crate) struct World {
    directory: tempfile::TempDir,
    running: Vec<(Part, Running)>,
    pub(crate) master: SocketAddr,
    pub(crate) agent: SocketAddr,
    pub(crate) api: SocketAddr,
    ports: Ports,
    images: bool,
}

impl World {
    /// Starts a cluster and waits until all tasks run. Copies of all files are from when there was one task less.
    pub(crate) fn start() -> World {
        let directory = tempfile::Builder::new().prefix("cygnet-").tempdir().expect("a directory");
        // A part that is killed finds its port free again.
        let ports = Ports::take();
        let [master, agent, api] = [0, 1, 2].map(|part| ports.address(part));
        let images = lacking().is_none();
        let mut world = World { directory, running: Vec::new(), master, agent, api, ports, images };
        world.make_images();
        for part in [Part::Master, Part::Agent, Part::Scheduler] {
            world.run(part);
        }
        world.deploy();
        world
    }

    /// The kinds of files there are.
    pub(crate) fn places(&self) -> Vec<Place> {
        let places: BTreeSet<Place> = self.all_files().iter().filter_map(|file| self.place(file)).collect();
        places.into_iter().collect()
    }

    /// The files of that kind.
    pub(crate) fn files(&self, place: &Place) -> Vec<PathBuf> {
        let is_one = |file: &PathBuf| self.place(file).as_ref() == Some(place);
        let found: Vec<PathBuf> = self.all_files().into_iter().filter(is_one).collect();
        assert!(!found.is_empty(), "there is no {}", place.kind());
        found
    }

    /// Removes the files of all layers of images; returns the layers.
    pub(crate) fn lose_layers(&self) -> Vec<PathBuf> {
        let layers = fs::read_dir(self.work().join("agent/store/docker/layers")).expect("layers");
        let layers: Vec<PathBuf> = layers.map(|layer| layer.expect("a layer").path()).collect();
        layers.iter().for_each(|layer| fs::remove_dir_all(layer.join("rootfs")).expect("it has files"));
        layers
    }

    /// Damages the files; returns those that are others than before.
    pub(crate) fn damage(&self, files: &[PathBuf], damage: Damage) -> Vec<PathBuf> {
        let older = |file: &Path| self.copies("older").join(self.below(file));
        files.iter().filter(|file| damage.strike(file, &older(file))).cloned().collect()
    }

    /// SIGKILL. The agent goes with the executors, or it would start them again before the files are damaged.
    pub(crate) fn kill(&mut self, part: Part) {
        let falls = |other: Part| other == part || (part == Part::Executors && other == Part::Agent);
        self.running.retain(|(other, _)| !falls(*other));
        if part == Part::Executors {
            let pools = || process::marked(self.directory()).into_iter().filter(|pid| is_pool(*pid));
            pools().for_each(|pid| _ = process::signal(pid, Signal::KILL));
            wait::until("the executors to be gone", START, || pools().next().is_none().then_some(()));
        }
    }

    /// Starts the part again. One that refuses to start over damaged files says so; then they are as they were before.
    pub(crate) fn restart(&mut self, part: Part, files: &[PathBuf], before: &Log) {
        let part = if part == Part::Executors { Part::Agent } else { part };
        self.run(part);
        let is_up = wait::until("the part to answer, or to refuse", START, || match self.has_refused(part) {
            true => Some(false),
            false => self.answers(part).then_some(true),
        });
        if !is_up {
            files.iter().for_each(|file| self.names(file, before));
            for file in files {
                fs::copy(self.copies("whole").join(self.below(file)), file).expect("it can be written");
            }
            self.running.retain(|(other, _)| *other != part);
            self.run(part);
        }
    }

    /// Waits for a line in the log that complains about the file.
    pub(crate) fn names(&self, file: &Path, before: &Log) {
        let is_named = || self.log().complaints(file) > before.complaints(file);
        wait::until(&format!("a log line that names {}", file.display()), NAMED, || is_named().then_some(()));
    }

    pub(crate) fn log(&self) -> Log {
        Log::read(&self.directory().join("log"), &self.work().join("agent/meta/pools"))
    }

    /// Everything is below it; also the mark of every process of this cluster.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Tasks with images are among the others.
    pub(crate) fn has_images(&self) -> bool {
        self.images
    }

    fn images(&self) -> PathBuf {
        self.directory().join("images")
    }

    fn make_images(&self) {
        fs::create_dir(self.images()).expect("a directory");
        if self.images {
            Image::busybox(Archive::new().file("etc/motd", "hello"), &json!({})).save(&self.images(), "box:1");
        }
    }

    fn deploy(&self) {
        let check = json!({"protocol": "COMMAND", "command": {"value": "true"}, "intervalSeconds": 1, "gracePeriodSeconds": 1, "delaySeconds": 0});
        let fetch = json!({"uri": "file:///etc/hostname", "cache": true});
        let app = json!({"id": "/web", "cmd": format!("exec {TASK}"), "instances": 1, "cpus": 0.1, "mem": 16, "healthChecks": [check], "fetch": [fetch], "backoffSeconds": 1});
        let container = |name: &str| json!({"name": name, "exec": {"command": {"shell": format!("exec {TASK}")}}, "resources": {"cpus": 0.1, "mem": 16}});
        let pod = json!({"id": "/pod", "containers": [container("a"), container("b")], "scaling": {"kind": "fixed", "instances": 1}});
        let standalone = json!({"type": "LAUNCH_CONTAINER", "launch_container": {
            "container_id": {"value": "alone"}, "command": {"value": format!("exec {CONTAINER}")},
            "resources": [{"name": "cpus", "type": "SCALAR", "scalar": {"value": 0.1}}]}});
        wait::until("a scheduler that takes apps", START, || {
            let answer = http::send(self.api, "POST", "/v2/apps", &app)?;
            (answer.status == 201).then_some(())
        });
        if self.images {
            let mut boxed = app.clone();
            boxed["id"] = json!("/boxed");
            boxed["container"] = json!({"type": "MESOS", "docker": {"image": "box:1"}});
            assert_eq!(http::send(self.api, "POST", "/v2/apps", &boxed).expect("an answer").status, 201);
        }
        assert_eq!(http::send(self.api, "POST", "/v2/pods", &pod).expect("an answer").status, 201);
        wait::until("an agent that takes containers", START, || {
            (self.ask_agent(&standalone)?.status == 200).then_some(())
        });
        self.settles();
        copy(&self.work(), &self.copies("older"));
        let two = http::send(self.api, "PUT", "/v2/apps/web", &json!({"instances": 2})).expect("an answer");
        assert_eq!(two.status, 200, "{}", two.text());
        self.settles();
        copy(&self.work(), &self.copies("whole"));
    }

    fn run(&mut self, part: Part) {
        let (name, address) = (part.name(), self.address(part));
        let work_dir = self.work().join(name).display().to_string();
        let (port, master) = (address.port().to_string(), self.master.to_string());
        let mut arguments = vec![name, "--work-dir", &work_dir, "--port", &port];
        let images = self.images().display().to_string();
        let resources = format!("cpus:8;mem:8192;disk:8192;{}", self.ports.resource_from(3));
        if part != Part::Master {
            arguments.extend(["--master", &master]);
        }
        if part == Part::Agent {
            arguments.extend(["--resources", &resources, "--docker-registry", &images]);
        }
        let arguments: Vec<String> = arguments.into_iter().map(str::to_owned).collect();
        self.running.push((part, Running::start(&arguments, &self.directory().join("log"))));
    }

    fn has_refused(&mut self, part: Part) -> bool {
        let running = self.running.iter_mut().find(|(other, _)| *other == part);
        running.is_some_and(|(_, running)| running.exited().is_some())
    }

    fn answers(&self, part: Part) -> bool {
        let path = if part == Part::Scheduler { "/ping" } else { "/version" };
        http::get(self.address(part), path).is_some()
    }

    fn address(&self, part: Part) -> SocketAddr {
        match part {
            Part::Master => self.master,
            Part::Scheduler => self.api,
            Part::Agent | Part::Executors => self.agent,
        }
    }

    fn all_files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        walk(&self.work(), &mut files);
        files.sort();
        files
    }

    fn place(&self, file: &Path) -> Option<Place> {
        Place::of(self.below(file))
    }

    fn below<'a>(&self, file: &'a Path) -> &'a Path {
        file.strip_prefix(self.work()).expect("one of ours")
    }

    fn work(&self) -> PathBuf {
        self.directory().join("work")
    }

    fn copies(&self, when: &str) -> PathBuf {
        self.directory().join(when)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- log of {} ---\n{}", self.directory().display(), self.log().text());
        }
        self.running.clear();
        // What dies may have been starting others.
        loop {
            let left = process::marked(self.directory());
            if left.is_empty() {
                return;
            }
            left.into_iter().for_each(|pid| _ = process::signal(pid, Signal::KILL));
        }
    }
}

/// Why there can be no tasks with images here.
pub(crate) fn lacking() -> Option<&'static str> {
    let root = (!rustix::process::geteuid().is_root()).then_some("needs root");
    root.or_else(busybox::lacking)
}

fn is_pool(pid: i32) -> bool {
    process::command_line(pid).contains("executor --pool")
}

fn walk(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => walk(&entry.path(), files),
            Ok(kind) if kind.is_file() => files.push(entry.path()),
            _ => {}
        }
    }
}

/// All files but those of sandboxes. One that goes meanwhile is left out.
fn copy(from: &Path, to: &Path) {
    let mut files = Vec::new();
    walk(from, &mut files);
    for file in files {
        let below = file.strip_prefix(from).expect("found below it");
        let target = to.join(below);
        let _copied = fs::create_dir_all(target.parent().expect("it has one")).and_then(|()| fs::copy(&file, &target));
    }
}
