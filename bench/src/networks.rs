//! Counters of the kernel in the targets' network namespaces: connections that began there, and what is left of
//! them. It does not matter who checks, so all sides are counted in the same way.

use std::fs::{self, File};
use std::os::fd::AsFd;
use std::thread;

use anyhow::Context;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::targets::Target;

/// Sums over all namespaces.
#[derive(Clone, Copy, Default)]
pub(crate) struct Counts {
    /// `connect` was called so often.
    pub(crate) opened: u64,
    /// Sockets in TIME_WAIT now.
    pub(crate) time_wait: u64,
}

/// On a thread of its own, because it moves.
pub(crate) fn count(targets: &[Target]) -> anyhow::Result<Counts> {
    let visit = || namespaces(targets).try_fold(Counts::default(), |sum, namespace| visit(sum, namespace));
    thread::scope(|scope| scope.spawn(visit).join()).map_err(|_| anyhow::anyhow!("counting failed"))?
}

/// Each once: targets of one follow one another.
pub(crate) fn namespaces(targets: &[Target]) -> impl Iterator<Item = Option<&String>> {
    let first = |number: usize| number == 0 || targets[number - 1].namespace != targets[number].namespace;
    (0..targets.len()).filter(move |number| first(*number)).map(|number| targets[number].namespace.as_ref())
}

fn visit(sum: Counts, namespace: Option<&String>) -> anyhow::Result<Counts> {
    if let Some(path) = namespace {
        move_into_link_name_space(File::open(path)?.as_fd(), Some(LinkNameSpaceType::Network))?;
    }
    let opened = sum.opened + opened(&fs::read_to_string("/proc/thread-self/net/snmp")?)?;
    let time_wait = sum.time_wait + time_wait(&fs::read_to_string("/proc/thread-self/net/sockstat")?)?;
    Ok(Counts { opened, time_wait })
}

/// Two lines of each protocol: names, then numbers.
fn opened(snmp: &str) -> anyhow::Result<u64> {
    let mut lines = snmp.lines().filter(|line| line.starts_with("Tcp:")).map(str::split_whitespace);
    let (names, numbers) = lines.next().zip(lines.next()).context("no Tcp in snmp")?;
    let named = names.zip(numbers).find(|(name, _)| *name == "ActiveOpens");
    Ok(named.context("no ActiveOpens in snmp")?.1.parse()?)
}

/// `TCP: inuse 1 orphan 0 tw 0 alloc 1 mem 0`
fn time_wait(sockstat: &str) -> anyhow::Result<u64> {
    let line = sockstat.lines().find_map(|line| line.strip_prefix("TCP:")).context("no TCP in sockstat")?;
    let number = line.split_whitespace().skip_while(|word| *word != "tw").nth(1);
    Ok(number.context("no tw in sockstat")?.parse()?)
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_the_kernel_writes() {
        let snmp = "Ip: A B\nIp: 1 2\nTcp: RtoMin ActiveOpens PassiveOpens\nTcp: 200 17 4\nUdp: X\nUdp: 1\n";
        assert_eq!(super::opened(snmp).unwrap(), 17);
        assert!(super::opened("Ip: A\nIp: 1\n").is_err());
        let sockstat = "sockets: used 5\nTCP: inuse 4 orphan 0 tw 23 alloc 6 mem 1\nUDP: inuse 0 mem 0\n";
        assert_eq!(super::time_wait(sockstat).unwrap(), 23);
    }
}
