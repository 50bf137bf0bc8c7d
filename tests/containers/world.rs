//! A master, an agent and a framework on a machine of their own, with images in a directory; and what is left of them.

use std::path::{Path, PathBuf};

use harness::archive::Archive;
use harness::cluster::{Pair, START};
use harness::docker::Docker;
use harness::framework::{Framework, scalar};
use harness::images::Image;
use harness::leftovers::Leftovers;
use harness::wire::Form;
use harness::{busybox, http, process, wait};
use rustix::process::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;

/// The states in which a task is not over.
const LIVE: [&str; 4] = ["TASK_STAGING", "TASK_STARTING", "TASK_RUNNING", "TASK_KILLING"];

/// Why there can be no containers here.
pub(crate) fn lacking() -> Option<&'static str> {
    if !rustix::process::geteuid().is_root() {
        return Some("needs root");
    }
    let has_nft = std::process::Command::new("nft").arg("--version").output().is_ok();
    busybox::lacking().or_else(|| (!has_nft).then_some("needs nft (Debian: nftables)"))
}

/// A cluster.
pub(crate) struct World {
    // Before the cluster, which it leaves.
    pub(crate) framework: Framework,
    pub(crate) pair: Pair,
    pub(crate) docker: Option<Docker>,
    arguments: Vec<String>,
    images: TempDir,
}

impl World {
    /// One whose images are in a directory.
    pub(crate) fn start() -> World {
        let images = images();
        let path = images.path().display().to_string();
        World::of(images, None, vec!["--docker-registry".to_owned(), path])
    }

    /// One whose images are in registries.
    pub(crate) fn of_registries() -> World {
        World::beside(None)
    }

    /// The same with a daemon of Docker's, if there is one.
    pub(crate) fn beside(docker: Option<Docker>) -> World {
        let socket =
            docker.iter().flat_map(|docker| ["--docker-socket".to_owned(), docker.socket().display().to_string()]);
        let arguments = socket.collect();
        World::of(tempfile::tempdir().expect("a directory"), docker, arguments)
    }

    fn of(images: TempDir, docker: Option<Docker>, mut arguments: Vec<String>) -> World {
        // Namespaces are held below the work directory, where they are counted.
        arguments.push("--network-cni-root-dir-persist".to_owned());
        let mut pair = Pair::start();
        pair.agent_process().kill();
        let framework = Framework::subscribe(pair.master, Form::Json);
        let mut world = World { framework, pair, docker, arguments, images };
        world.start_agent();
        world
    }

    /// The directory of its archives.
    pub(crate) fn images(&self) -> &Path {
        self.images.path()
    }

    pub(crate) fn start_agent(&mut self) {
        let arguments: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
        self.pair.start_agent_with(&arguments);
        self.pair.wait_until_registered();
        self.wait_for_answers();
    }

    /// A child that was being born has the killed agent's port for a moment, and answers nobody.
    fn wait_for_answers(&self) {
        let (agent, health) = (self.pair.agent, json!({"type": "GET_HEALTH"}));
        wait::until("five answers in a row", START, || {
            (0..5).all(|_| http::send(agent, "POST", "/api/v1", &health).is_some()).then_some(())
        });
    }

    fn work_dir(&self) -> PathBuf {
        self.pair.directory().join("agent")
    }

    /// Launches a task, and waits until it runs; gives the status that says so.
    #[track_caller]
    pub(crate) fn run(&self, task: Value) -> Value {
        self.framework.launch(task);
        self.running()
    }

    /// The next status of a task that runs; what is told before, of the pull too, is passed over.
    #[track_caller]
    pub(crate) fn running(&self) -> Value {
        loop {
            let status = self.framework.update();
            if status["state"] == "TASK_RUNNING" {
                return status;
            }
            assert!(["TASK_STAGING", "TASK_STARTING"].iter().any(|state| status["state"] == *state), "{status}");
        }
    }

    /// The processes whose command lines are of some kind.
    pub(crate) fn processes(&self, which: impl Fn(&str) -> bool) -> Vec<i32> {
        let all = process::marked(self.pair.directory()).into_iter();
        all.filter(|pid| which(&process::command_line(*pid))).collect()
    }

    pub(crate) fn kill(&self, which: impl Fn(&str) -> bool) {
        for pid in self.processes(which) {
            process::signal(pid, Signal::KILL);
        }
    }

    /// All that belongs to containers, of whom there is one more or less if one was left or lost.
    pub(crate) fn seen(&self) -> Leftovers {
        let work_dir = self.work_dir();
        let places =
            ["store/docker/leases", "store/docker/staging/pulls", "meta/executors", "meta/networks", "meta/containers"];
        let places = places.map(|place| work_dir.join(place));
        let containers = self.docker.as_ref().map(Docker::containers).unwrap_or_default();
        let left = Leftovers::of(self.pair.directory()).with(&places.each_ref().map(PathBuf::as_path));
        left.and("container", &containers)
    }

    /// The things of containers that were not there before.
    pub(crate) fn since(&self, before: &Leftovers) -> Vec<String> {
        self.seen().since(before).into_iter().filter(|one| !is_own(one)).collect()
    }

    /// Waits until there is no more than there was before.
    #[track_caller]
    pub(crate) fn nothing_since(&self, before: &Leftovers) {
        wait::until_ok("nothing to be left", START, || {
            let left = self.since(before);
            if left.is_empty() { Ok(()) } else { Err(left.join("\n")) }
        });
    }

    /// The end of a task, whoever tells it.
    #[track_caller]
    pub(crate) fn last(&self, task: &str) -> Value {
        wait::until(&format!("the end of {task}"), START, || self.news(task))
    }

    /// The end of a task that is killed again and again, because whoever should hear of it may be away.
    #[track_caller]
    pub(crate) fn ended(&self, task: &str) -> Value {
        let mut looks = 0;
        wait::until(&format!("the end of {task}"), START, || {
            if looks % 100 == 0 {
                self.framework.kill(task);
            }
            looks += 1;
            self.news(task)
        })
    }

    /// A status by which the task is over, if one is there.
    fn news(&self, task: &str) -> Option<Value> {
        while let Some(event) = self.framework.stream.waiting() {
            let status = &event["update"]["status"];
            if event["type"] != "UPDATE" {
                continue;
            }
            self.framework.acknowledge(status);
            let is_over = !LIVE.contains(&status["state"].as_str().unwrap_or_default());
            if status["task_id"]["value"] == task && is_over {
                return Some(status.clone());
            }
        }
        None
    }
}

/// True for the parts of the cluster themselves, which come and go, and for the bridge.
fn is_own(left: &str) -> bool {
    let is_part = [" agent ", " master ", "--pool"].iter().any(|part| left.contains(part));
    left.starts_with("process") && is_part || left.starts_with("link cyg-") || left.starts_with("link mesos-bridge")
}

/// A directory of archives: `app:1`, which does what it is told; `web:1`, which serves on port 80; `user:1`, whose user is
/// 1000; `point:1` with an entry point.
fn images() -> TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    let save = |name: &str, image: Image| image.save(directory.path(), name);
    save("app:1", app());
    save("web:1", web());
    save("user:1", Image::busybox(Archive::new(), &json!({"User": "app", "WorkingDir": "/tmp"})));
    save("point:1", Image::busybox(Archive::new(), &json!({"Entrypoint": ["/bin/echo", "from"], "Cmd": ["image"]})));
    directory
}

pub(crate) fn app() -> Image {
    Image::busybox(Archive::new().file("who", "app"), &json!({"Cmd": ["/bin/sleep", "1000"]}))
}

pub(crate) fn web() -> Image {
    let files = Archive::new().file("who", "web").directory("www/").file("www/index.html", "hello");
    Image::busybox(
        files,
        &json!({"Cmd": ["/bin/httpd", "-f", "-p", "80", "-h", "/www"], "Env": ["PATH=/bin", "PLACE=web"]}),
    )
}

/// A task in a container of this image.
pub(crate) fn with_image(mut task: Value, image: &str) -> Value {
    let image = json!({"type": "DOCKER", "docker": {"name": image}});
    task["container"]["type"] = json!("MESOS");
    task["container"]["mesos"] = json!({"image": image});
    task
}

/// A task that runs a line of shell in a container of this image.
pub(crate) fn shell(id: &str, image: &str, script: &str) -> Value {
    with_image(harness::framework::task(id, script), image)
}

/// A task that runs what its image says.
pub(crate) fn of_image(id: &str, image: &str) -> Value {
    let mut task = with_image(harness::framework::task(id, ""), image);
    task["command"] = json!({"shell": false});
    task
}

/// The task on the bridge.
pub(crate) fn on_a_bridge(mut task: Value) -> Value {
    task["container"]["network_infos"] = json!([{"name": "mesos-bridge", "ip_addresses": [{}]}]);
    task
}

/// A port of the offer.
pub(crate) fn offered_port(offer: &Value) -> u64 {
    let resources = offer["resources"].as_array().cloned().unwrap_or_default();
    let ports = resources.iter().find(|resource| resource["name"] == "ports").expect("ports");
    ports["ranges"]["range"][0]["begin"].as_u64().expect("a port")
}

/// The task on the bridge, with this port of the host mapped to its port 80.
pub(crate) fn with_port(task: Value, port: u64) -> Value {
    let mut task = on_a_bridge(task);
    let mapping = json!([{"host_port": port, "container_port": 80, "protocol": "tcp"}]);
    task["container"]["network_infos"][0]["port_mappings"] = mapping;
    let range = json!({"range": [{"begin": port, "end": port}]});
    let ports = json!({"name": "ports", "type": "RANGES", "ranges": range});
    task["resources"] = json!([scalar("cpus", 0.1), scalar("mem", 32.0), ports]);
    task
}

/// The file of a sandbox below a directory of a cluster.
pub(crate) fn stdout(world: &World, task: &str) -> String {
    let mut found = Vec::new();
    collect(&world.work_dir().join("slaves"), &mut found);
    let own = |path: &&PathBuf| path.to_string_lossy().contains(&format!("/{task}/"));
    found.iter().find(own).and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default()
}

/// Files called `stdout`; links are not followed.
fn collect(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => collect(&entry.path(), found),
            Ok(kind) if kind.is_file() && entry.file_name() == "stdout" => found.push(entry.path()),
            _ => {}
        }
    }
}
