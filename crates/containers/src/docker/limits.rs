//! The resource limits of a process, as the kernel shows them. Pure but for one small file.

use std::fs;
use std::io;

use processes::{Resource, ResourceLimit};
use rustix::process::getpid;
use rustix::thread::{CapabilitySet, capabilities};

use Resource::{
    As, Core, Cpu, Data, Fsize, Locks, Memlock, Msgqueue, Nice, Nofile, Nproc, Rss, Rtprio, Rttime, Sigpending, Stack,
};

/// The lines of `/proc/<pid>/limits`.
const LINES: [(&str, Resource); 16] = [
    ("Max cpu time", Cpu),
    ("Max file size", Fsize),
    ("Max data size", Data),
    ("Max stack size", Stack),
    ("Max core file size", Core),
    ("Max resident set", Rss),
    ("Max processes", Nproc),
    ("Max open files", Nofile),
    ("Max locked memory", Memlock),
    ("Max address space", As),
    ("Max file locks", Locks),
    ("Max pending signals", Sigpending),
    ("Max msgqueue size", Msgqueue),
    ("Max nice priority", Nice),
    ("Max realtime priority", Rtprio),
    ("Max realtime timeout", Rttime),
];

/// The limits of a process, all that it has. An error if they cannot be read: whoever enters would have none of them.
pub(super) fn limits_of(pid: i32) -> io::Result<Vec<ResourceLimit>> {
    fs::read_to_string(format!("/proc/{pid}/limits")).map(|text| parse(&text))
}

/// The same, as far as this process can set them: only who may override the machine's goes beyond its own.
pub(super) fn within_reach(wanted: Vec<ResourceLimit>) -> io::Result<Vec<ResourceLimit>> {
    if capabilities(None).is_ok_and(|own| own.effective.contains(CapabilitySet::SYS_RESOURCE)) {
        return Ok(wanted);
    }
    let own = limits_of(getpid().as_raw_nonzero().get())?;
    Ok(wanted.into_iter().map(|limit| beneath(limit, &own)).collect())
}

fn beneath(limit: ResourceLimit, own: &[ResourceLimit]) -> ResourceLimit {
    let most = own.iter().find(|own| own.resource == limit.resource).and_then(|own| own.hard);
    let least = |value: Option<u64>| value.into_iter().chain(most).min();
    ResourceLimit { soft: least(limit.soft), hard: least(limit.hard), ..limit }
}

fn parse(text: &str) -> Vec<ResourceLimit> {
    let limit = |(name, resource): &(&str, Resource)| {
        let mut values = text.lines().find_map(|line| line.strip_prefix(name))?.split_ascii_whitespace();
        let mut value = || match values.next()? {
            "unlimited" => Some(None),
            number => number.parse().ok().map(Some),
        };
        Some(ResourceLimit { resource: *resource, soft: value()?, hard: value()? })
    };
    LINES.iter().filter_map(limit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_as_the_kernel_writes_them() {
        let text = "Limit                     Soft Limit           Hard Limit           Units     \n\
            Max cpu time              unlimited            unlimited            seconds   \n\
            Max open files            1024                 524288               files     \n\
            Max nice priority         0                    0                    \n\
            Max file locks            odd                  1                    locks     \n";
        let limit = |resource, soft, hard| ResourceLimit { resource, soft, hard };
        let expected =
            [limit(Cpu, None, None), limit(Nofile, Some(1024), Some(524_288)), limit(Nice, Some(0), Some(0))];
        assert_eq!(parse(text), expected);
    }

    #[test]
    fn nobody_goes_beyond_his_own() {
        let limit = |soft, hard| ResourceLimit { resource: Nofile, soft, hard };
        for (wanted, most, found) in [
            (limit(Some(1), Some(9)), Some(5), limit(Some(1), Some(5))),
            (limit(None, None), Some(5), limit(Some(5), Some(5))),
            (limit(Some(7), None), None, limit(Some(7), None)),
        ] {
            assert_eq!(beneath(wanted, &[limit(Some(1), most)]), found);
        }
        let own = limits_of(getpid().as_raw_nonzero().get()).unwrap();
        assert_eq!(within_reach(own.clone()).unwrap(), own);
    }

    #[test]
    fn this_process_has_all_of_them() {
        assert_eq!(limits_of(i32::try_from(std::process::id()).unwrap()).unwrap().len(), LINES.len());
        assert!(limits_of(i32::MAX).is_err(), "nobody is entered without limits");
    }
}
