//! A master and an agent whose disks are full: what changes something waits for room, and nobody who looks does.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use harness::cluster::{Pair, START};
use harness::framework::Framework;
use harness::wire::Form;
use harness::{http, wait};
use serde_json::json;

/// The line that each logs when its store cannot be written.
const COMPLAINT: &str = "nothing goes on until the store can be written";

/// A disk of two mebibytes over a directory, while this lives.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// None where nothing may be mounted.
    fn mount(directory: &Path) -> Option<SmallDisk> {
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", "size=2m", "tmpfs"]).arg(directory).output();
        mount.is_ok_and(|output| output.status.success()).then(|| SmallDisk(directory.to_owned()))
    }

    fn fill(&self) {
        assert!(std::fs::write(self.0.join("ballast"), vec![0; 4 << 20]).is_err(), "it is a small disk");
    }

    fn clear(&self) {
        std::fs::remove_file(self.0.join("ballast")).expect("it is filled");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// Both started anew on small disks.
fn on_small_disks(pair: &mut Pair) -> Option<[SmallDisk; 2]> {
    pair.agent_process().kill();
    pair.master_process().kill();
    let master = SmallDisk::mount(&pair.directory().join("master"))?;
    let agent = SmallDisk::mount(&pair.directory().join("agent"))?;
    pair.start_master();
    pair.start_agent();
    pair.wait_until_registered();
    Some([master, agent])
}

fn complaints(pair: &Pair) -> usize {
    std::fs::read_to_string(pair.directory().join("log")).expect("a log").matches(COMPLAINT).count()
}

#[track_caller]
fn answers(address: std::net::SocketAddr, paths: &[&str]) {
    for path in paths {
        assert_eq!(http::get(address, path).map(|answer| answer.status), Some(200), "{path}");
    }
}

#[test]
fn full_disks_of_master_and_agent_keep_nobody_from_looking() {
    let mut pair = Pair::start();
    let Some([master_disk, agent_disk]) = on_small_disks(&mut pair) else {
        println!("SKIPPED full_disks_of_master_and_agent_keep_nobody_from_looking: nothing may be mounted here");
        return;
    };
    master_disk.fill();
    let master = pair.master;
    let change = thread::spawn(move || http::send(master, "PUT", "/weights", &json!([{"role": "r", "weight": 2.0}])));
    wait::until("the master's complaint", START, || (complaints(&pair) > 1).then_some(()));
    answers(pair.master, &["/state", "/slaves", "/metrics/snapshot"]);
    master_disk.clear();
    assert_eq!(change.join().expect("it ends").map(|answer| answer.status), Some(200), "it waited for room");

    agent_disk.fill();
    pair.agent_process().kill();
    pair.start_agent();
    pair.wait_until_registered();
    let framework = Framework::subscribe(pair.master, Form::Json);
    let before = complaints(&pair);
    framework.launch(json!({"name": "t", "task_id": {"value": "t"}, "command": {"value": "sleep 1000"}}));
    wait::until("the agent's complaint", START, || (complaints(&pair) > before + 1).then_some(()));
    answers(pair.agent, &["/state", "/containers", "/metrics/snapshot"]);
    agent_disk.clear();
    framework.update();
}
