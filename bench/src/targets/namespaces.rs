//! Network namespaces, made and removed by `ip`, with loopback up. HAProxy knows namespaces only by their names there.

use std::fs::{self, File};
use std::os::fd::AsFd;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

const DIRECTORY: &str = "/run/netns";
const PREFIX: &str = "cygnet-bench-";

/// Ours; removed when this is dropped.
pub(super) struct Namespaces(Vec<String>);

impl Namespaces {
    /// None at all if not all can be made.
    pub(super) fn make(count: usize) -> Namespaces {
        remove_orphans();
        let mut made = Namespaces(Vec::new());
        for number in 0..count {
            let name = format!("{PREFIX}{}-{number}", std::process::id());
            if !ip(&["netns", "add", &name]) {
                return Namespaces(Vec::new());
            }
            made.0.push(name);
        }
        if made.0.iter().all(|name| ip(&["-n", name, "link", "set", "lo", "up"])) {
            made
        } else {
            Namespaces(Vec::new())
        }
    }

    /// Their paths; if there are none, our own namespace as often.
    pub(super) fn places(&self, count: usize) -> Vec<Option<String>> {
        let path = |name: &String| Some(format!("{DIRECTORY}/{name}"));
        if self.0.is_empty() { vec![None; count.max(1)] } else { self.0.iter().map(path).collect() }
    }
}

impl Drop for Namespaces {
    fn drop(&mut self) {
        self.0.iter().for_each(|name| remove(name));
    }
}

/// Moves the calling thread.
pub(super) fn enter(path: Option<&str>) -> anyhow::Result<()> {
    let Some(path) = path else { return Ok(()) };
    Ok(move_into_link_name_space(File::open(path)?.as_fd(), Some(LinkNameSpaceType::Network))?)
}

/// A process that was killed could not remove them.
fn remove_orphans() {
    let names = fs::read_dir(DIRECTORY).into_iter().flatten().flatten();
    let names = names.filter_map(|entry| entry.file_name().into_string().ok());
    let is_orphan = |name: &String| {
        let owner = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').next());
        owner.is_some_and(|pid| !Path::new("/proc").join(pid).exists())
    };
    names.filter(is_orphan).for_each(|name| remove(&name));
}

fn remove(name: &str) {
    let _stays_until_the_next_time = ip(&["netns", "delete", name]);
}

fn ip(arguments: &[&str]) -> bool {
    let quiet = Command::new("ip").args(arguments).stdin(Stdio::null()).stderr(Stdio::null()).status();
    quiet.is_ok_and(|status| status.success())
}
