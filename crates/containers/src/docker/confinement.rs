//! The confinement of a command that runs beside the processes of a container: the same as theirs.
//!
//! The bounding set of capabilities, the presence of a filter and of `no_new_privs` are the kernel's word about the first
//! process when it was started, which holds whatever engine made it with whatever defaults. A filter that comes last of all
//! may not have been there then, so that it is looked for again: nobody gets rid of one. The filter itself cannot be had from
//! the kernel: it is Docker's default, by the same capabilities.

use std::fs;

use processes::{Capabilities, CapabilitySet, Confinement, Process};

use super::record::Running;
use crate::seccomp::{Profiles, SeccompError};

/// The lines of `/proc/<pid>/status` that matter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The bounding set.
    pub capabilities: CapabilitySet,
    /// A filter of system calls is there.
    pub filtered: bool,
    /// It gains nothing by what it executes.
    pub no_new_privileges: bool,
}

impl Seen {
    /// The process as the kernel tells it.
    pub fn of(process: Process) -> Option<Seen> {
        let status = fs::read_to_string(format!("/proc/{}/status", process.pid)).ok()?;
        Some(Seen::parse(&status)).filter(|_| process.is_alive())
    }

    fn parse(status: &str) -> Seen {
        let value = |name: &str| status.lines().find_map(|line| Some(line.strip_prefix(name)?.trim()));
        let capabilities = value("CapBnd:").and_then(|digits| u64::from_str_radix(digits, 16).ok());
        Seen {
            capabilities: CapabilitySet::from_bits(capabilities.unwrap_or(0)),
            filtered: value("Seccomp:") == Some("2"),
            no_new_privileges: value("NoNewPrivs:") == Some("1"),
        }
    }
}

/// The bounds of commands in this container, whose first process is now so.
pub(super) fn confinement(running: &Running, now: Seen) -> Result<Confinement, SeccompError> {
    let host = &running.container.host_config;
    let option = |wanted: &str| host.security_opt.iter().any(|option| option == wanted);
    let set = running.capabilities;
    let is_filtered = running.filtered || now.filtered;
    let unfiltered = !is_filtered || host.privileged || option("seccomp=unconfined") || option("seccomp:unconfined");
    let seccomp = if unfiltered { None } else { Profiles::new(None, None).filter(None, set)? };
    Ok(Confinement {
        capabilities: Some(Capabilities { bounding: set, permitted: set, effective: set, ..Capabilities::default() }),
        no_new_privileges: running.no_new_privileges || option("no-new-privileges") || option("no-new-privileges:true"),
        seccomp,
        ..Confinement::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn running(options: &[&str], privileged: bool, seen: Seen) -> Running {
        let mut container = super::super::Container::default();
        container.host_config.security_opt = options.iter().map(|&option| option.to_owned()).collect();
        container.host_config.privileged = privileged;
        Running::new(Process { pid: 1, start: 1 }, container, seen)
    }

    fn seen(filtered: bool) -> Seen {
        Seen { capabilities: CapabilitySet::from_bits(0xa804_25fb), filtered, no_new_privileges: false }
    }

    #[test]
    fn a_command_is_confined_as_the_container_is() {
        let bounds = |options: &[&str], privileged, filtered| {
            confinement(&running(options, privileged, seen(filtered)), Seen::default()).unwrap()
        };
        let usual = bounds(&[], false, true);
        assert_eq!(usual.capabilities.unwrap().bounding.bits(), 0xa804_25fb);
        assert!(usual.seccomp.is_some() && !usual.no_new_privileges);
        for (options, privileged, filtered) in
            [(&["seccomp=unconfined"][..], false, true), (&[], true, true), (&[], false, false)]
        {
            assert!(bounds(options, privileged, filtered).seccomp.is_none());
        }
        assert!(bounds(&["no-new-privileges"], false, true).no_new_privileges);
    }

    #[test]
    fn a_daemons_default_counts_and_a_filter_that_was_late_does_too() {
        let strict = running(&[], false, Seen { no_new_privileges: true, ..seen(false) });
        let before = confinement(&strict, Seen::default()).unwrap();
        assert!(before.no_new_privileges && before.seccomp.is_none());
        assert!(confinement(&strict, seen(true)).unwrap().seccomp.is_some());
    }

    #[test]
    fn the_kernel_says_what_a_process_may() {
        let status =
            "Name:\tx\nCapEff:\t0\nCapBnd:\t00000000a80425fb\nNoNewPrivs:\t0\nSeccomp:\t2\nSeccomp_filters:\t1\n";
        assert_eq!(Seen::parse(status), seen(true));
        assert!(Seen::parse("NoNewPrivs:\t1\n").no_new_privileges);
        assert_eq!(Seen::parse(""), Seen::default());
    }
}
