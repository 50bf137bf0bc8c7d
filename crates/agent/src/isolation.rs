//! The isolation of containers: what an operator asked for, and what this machine can do.
//!
//! In: the options. Out: Mesos' words for what is in force, and the control groups, if there are any. Who asks for nothing
//! gets all that the machine has.

use std::path::{Path, PathBuf};

use containers::cgroup::{Assignment, CgroupError, Hierarchies, Policy, of_agent};

use crate::cgroups::Cgroups;
use crate::error::AgentError;
use crate::networks::Lack;
use crate::options::Options;

const CPU: &str = "cgroups/cpu";
const MEMORY: &str = "cgroups/mem";
const PIDS: &str = "cgroups/pids";
const DISK: &str = "disk/du";
/// Containers with images, and what images say of how they are run.
const IMAGES: [&str; 2] = ["filesystem/linux", "docker/runtime"];
/// Networks of containers' own.
const NETWORKS: &str = "network/cni";
const CGROUPS: [&str; 3] = [CPU, MEMORY, PIDS];

/// The isolators that hold nobody to anything.
const POSIX: [&str; 2] = ["posix/cpu", "posix/mem"];

/// The isolation that is in force.
#[derive(Debug, Clone)]
pub(crate) struct Isolation {
    words: Vec<&'static str>,
    cgroups: Option<Cgroups>,
    /// The control groups of an earlier life of the agent, which gave them.
    former: Option<Cgroups>,
}

impl Isolation {
    /// The isolation that the options ask for, or else the best that this machine allows; that it is less is said once.
    pub(crate) fn of(options: &Options, work_dir: &Path) -> Result<Isolation, AgentError> {
        match options.isolation.as_deref().map(words).transpose()? {
            Some(words) if words.iter().any(|word| CGROUPS.contains(word)) => {
                let cgroups = find(options, work_dir, &words)?.map_err(|error| wrong("isolation", &error))?;
                Ok(Isolation { words, cgroups: Some(cgroups), former: None })
            }
            Some(words) => {
                let former = find(options, work_dir, &words).ok().and_then(Result::ok);
                Ok(Isolation { words, cgroups: None, former })
            }
            None => Isolation::best(options, work_dir),
        }
    }

    fn best(options: &Options, work_dir: &Path) -> Result<Isolation, AgentError> {
        let words = [&CGROUPS[..], &[DISK]].concat();
        match find(options, work_dir, &words)? {
            Ok(cgroups) => Ok(Isolation { words, cgroups: Some(cgroups), former: None }),
            Err(error) => {
                tracing::warn!(reason = %error, "tasks are not held to their resources: no control groups can be made");
                Ok(Isolation { words: [&POSIX[..], &[DISK]].concat(), cgroups: None, former: None })
            }
        }
    }

    /// With networks of containers' own, where they can be had. Who asks for them where they cannot is told.
    pub(crate) fn with_networks(mut self, ability: Result<(), Lack>) -> Result<Isolation, AgentError> {
        let is_asked = self.words.contains(&NETWORKS);
        match ability {
            Err(lack) if is_asked => return Err(wrong("isolation", &lack)),
            Ok(()) if !is_asked => self.words.push(NETWORKS),
            Ok(()) | Err(_) => {}
        }
        Ok(self)
    }

    /// As `/flags` shows it.
    pub(crate) fn flag(&self) -> String {
        self.words.join(",")
    }

    /// With those of images, where there are any.
    pub(crate) fn with_images(mut self, has_images: bool) -> Isolation {
        self.words.retain(|word| has_images || !IMAGES.contains(word));
        let new = IMAGES.into_iter().filter(|word| has_images && !self.words.contains(word));
        self.words.extend(new.collect::<Vec<_>>());
        self
    }

    pub(crate) fn cgroups(&self) -> Option<&Cgroups> {
        self.cgroups.as_ref()
    }

    /// The control groups to remove when what was in them is over: also those that no container is given any more.
    pub(crate) fn removable(&self) -> Option<&Cgroups> {
        self.cgroups.as_ref().or(self.former.as_ref())
    }

    /// True if the disk that containers use is measured.
    pub(crate) fn measures_disk(&self) -> bool {
        self.words.contains(&DISK)
    }
}

/// The control groups of this machine. The outer error is the operator's, the inner one the machine's.
fn find(options: &Options, work_dir: &Path, words: &[&str]) -> Result<Result<Cgroups, CgroupError>, AgentError> {
    let policy = Policy {
        cpu: words.contains(&CPU),
        memory: words.contains(&MEMORY),
        cfs: options.cgroups_enable_cfs,
        swap: options.cgroups_limit_swap,
        pids: options.cgroups_pids_max.filter(|_| words.contains(&PIDS)),
    };
    // Names start at the root of a hierarchy, whichever way they are written.
    let root: PathBuf = options.cgroups_root.components().filter(|part| part.as_os_str() != "/").collect();
    let name = of_agent(&root, work_dir);
    let hierarchies = match Hierarchies::find(&options.cgroups_hierarchy, &name) {
        Ok(hierarchies) => hierarchies,
        Err(error) => return Ok(Err(error)),
    };
    if policy.swap && !hierarchies.counts_swap() {
        return Err(wrong("cgroups_limit_swap", &"this machine does not count the memory that is swapped out"));
    }
    let root = Assignment { mounts: options.cgroups_hierarchy.clone(), name, policy };
    Ok(Ok(Cgroups::new(hierarchies, root, options.cgroups_destroy_timeout)))
}

/// The isolators that an operator names. Without one for CPU or memory, nobody is held to that.
fn words(text: &str) -> Result<Vec<&'static str>, AgentError> {
    let known = CGROUPS.into_iter().chain(POSIX).chain([DISK]).chain(IMAGES).chain([NETWORKS]);
    let known: Vec<&'static str> = known.collect();
    let mut words = Vec::new();
    for name in text.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        match known.iter().find(|word| **word == name) {
            Some(word) if !words.contains(word) => words.push(*word),
            Some(_) => {}
            None => return Err(wrong("isolation", &format!("there is no '{name}'; there are {}", known.join(", ")))),
        }
    }
    for (one, other) in [(CPU, POSIX[0]), (MEMORY, POSIX[1])] {
        if words.contains(&one) && words.contains(&other) {
            return Err(wrong("isolation", &format!("'{one}' and '{other}' exclude each other")));
        }
    }
    Ok(words)
}

fn wrong(name: &'static str, reason: &dyn std::fmt::Display) -> AgentError {
    AgentError::Option { name, reason: reason.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn isolators_have_the_names_of_mesos() {
        for (text, expected) in [
            ("cgroups/cpu,cgroups/mem", "cgroups/cpu,cgroups/mem"),
            (" disk/du, posix/cpu ,disk/du", "disk/du,posix/cpu"),
            ("", ""),
        ] {
            assert_eq!(words(text).unwrap().join(","), expected);
        }
        for (text, named) in [("cgroups/gpu", "cgroups/gpu"), ("posix/mem,cgroups/mem", "exclude each other")] {
            let error = words(text).unwrap_err().to_string();
            assert!(error.starts_with("option 'isolation'") && error.contains(named), "{error}");
        }
    }

    #[test]
    fn a_machine_without_control_groups_is_used_as_it_is_unless_they_are_asked_for() {
        let directory = tempfile::tempdir().unwrap();
        let options = crate::Options::new("", directory.path(), "");
        let options = crate::Options { cgroups_hierarchy: directory.path().to_owned(), ..options };
        let isolation = Isolation::of(&options, directory.path()).unwrap();
        let flag = "posix/cpu,posix/mem,disk/du";
        assert_eq!(isolation.flag(), flag);
        assert!(isolation.cgroups().is_none() && isolation.removable().is_none() && isolation.measures_disk());
        let lack = Lack::Nft;
        let lacking = isolation.clone().with_networks(Err(lack.clone())).unwrap();
        let able = isolation.with_networks(Ok(())).unwrap();
        assert_eq!((lacking.flag(), able.flag()), (flag.to_owned(), format!("{flag},network/cni")));
        let error = able.with_networks(Err(lack)).unwrap_err().to_string();
        assert!(error.starts_with("option 'isolation': ") && error.contains("'nft'"), "{error}");
        let asked = crate::Options { isolation: Some("cgroups/mem".to_owned()), ..options };
        let error = Isolation::of(&asked, directory.path()).unwrap_err().to_string();
        assert_eq!(error, "option 'isolation': no hierarchy of control groups has the controller 'cpu'");
    }
}
