//! All that containers are made of, counted: what is left on a machine when they are gone. In networks only this thread's
//! own is looked at, so a test that counts is [on a machine of its own](crate::machine).

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::{cgroups, process};

/// The things that are there, each with its kind and its name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Leftovers(BTreeSet<String>);

impl Leftovers {
    /// All that belongs to the test which has this directory: its processes, mounts and cgroups, and the links, port maps
    /// and network namespaces of this machine.
    pub fn of(directory: &Path) -> Leftovers {
        let processes = process::marked(directory).into_iter();
        let processes = processes.map(|pid| format!("process {pid}: {}", process::command_line(pid)));
        let cgroups = cgroups::left(directory).into_iter().map(|cgroup| format!("cgroup {}", cgroup.display()));
        Leftovers(processes.chain(cgroups).chain(mounts(directory)).chain(links()).chain(elements()).collect())
    }

    /// The same, with what is in these directories.
    #[must_use]
    pub fn with(mut self, directories: &[&Path]) -> Leftovers {
        for directory in directories {
            let entries = fs::read_dir(directory).into_iter().flatten().flatten();
            self.0.extend(entries.map(|entry| format!("file {}", entry.path().display())));
        }
        self
    }

    /// The same, with things of another kind.
    #[must_use]
    pub fn and(mut self, kind: &str, names: &[String]) -> Leftovers {
        self.0.extend(names.iter().map(|name| format!("{kind} {name}")));
        self
    }

    /// The things that were not there before.
    pub fn since(&self, before: &Leftovers) -> Vec<String> {
        self.0.difference(&before.0).cloned().collect()
    }
}

/// Mounts that this process sees.
fn mounts(directory: &Path) -> Vec<String> {
    let mark = directory.to_string_lossy();
    let mounts = fs::read_to_string("/proc/thread-self/mountinfo").unwrap_or_default();
    mounts.lines().filter(|line| line.contains(&*mark)).map(|line| format!("mount {line}")).collect()
}

/// Links are told by what they are called, not by their numbers, so that a bridge may be made again.
fn links() -> Vec<String> {
    let table = fs::read_to_string("/proc/thread-self/net/dev").unwrap_or_default();
    table.lines().filter_map(|line| Some(format!("link {}", line.split_once(':')?.0.trim()))).collect()
}

/// The elements of all maps and sets.
fn elements() -> Vec<String> {
    let listed = Command::new("nft").args(["-j", "list", "ruleset"]).output().map(|output| output.stdout);
    let listed: Value = serde_json::from_slice(&listed.unwrap_or_default()).unwrap_or_default();
    let objects = listed["nftables"].as_array().cloned().unwrap_or_default();
    let named = objects.iter().filter_map(|object| object.get("map").or_else(|| object.get("set")));
    let elements = |set: &Value| {
        let elements = set["elem"].as_array().cloned().unwrap_or_default();
        elements.into_iter().map(|element| format!("element of {}: {element}", set["name"])).collect::<Vec<_>>()
    };
    named.flat_map(elements).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::Command;

    use super::Leftovers;
    use crate::machine::on_a_machine;

    #[test]
    fn what_is_left_is_named() {
        let test = "what_is_left_is_named";
        let seen = on_a_machine(|| {
            let directory = tempfile::tempdir().expect("a directory");
            let look = || Leftovers::of(directory.path()).with(&[directory.path()]);
            let before = look();
            assert!(before.since(&look()).is_empty());
            fs::write(directory.path().join("left"), "").expect("a file");
            let rules = "add table ip t; add map ip t m { type inet_service : ipv4_addr; }; add element ip t m { 80 : 10.0.0.1 }";
            let made = Command::new("nft").arg(rules).status().is_ok_and(|status| status.success());
            let added =
                Command::new("ip").args(["link", "add", "end1", "type", "veth", "peer", "name", "end2"]).status();
            (made && added.is_ok_and(|status| status.success())).then(|| look().since(&before))
        });
        let Some(Some(left)) = seen else { return println!("SKIPPED {test}: needs root, ip and nft") };
        let kinds: Vec<_> = left.iter().map(|one| one.split([' ', ':']).next().unwrap_or_default()).collect();
        assert_eq!(kinds, ["element", "file", "link", "link"], "{left:?}");
    }
}
