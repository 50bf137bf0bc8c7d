//! The packets that a container has sent and received in its network, as Mesos' statistics have them.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsFd;
use std::path::Path;
use std::thread;

use mesos::v1::ResourceStatistics;
use processes::Process;

/// The figures of all links of a namespace but the loopback, by its handle. A thread goes there to read them, and ends.
pub fn traffic(handle: &Path) -> io::Result<ResourceStatistics> {
    let namespace = File::open(handle)?;
    let there = move || {
        processes::namespace::enter_network(namespace.as_fd())?;
        fs::read_to_string("/proc/thread-self/net/dev")
    };
    let thread = thread::Builder::new().name("traffic".to_owned()).spawn(there)?;
    let table = thread.join().unwrap_or_else(|_panicked| Err(io::Error::other("the thread that reads it ended early")));
    Ok(read(&table?))
}

/// The same of the namespace that this process is in; none if that is our own, whose figures are the host's, or if the
/// process has ended.
pub fn traffic_of(process: Process) -> Option<ResourceStatistics> {
    let namespace = |who: &str| fs::read_link(format!("/proc/{who}/ns/net")).ok();
    let theirs = namespace(&process.pid.to_string())?;
    let table = fs::read_to_string(format!("/proc/{}/net/dev", process.pid)).ok()?;
    (process.is_alive() && Some(theirs) != namespace("self")).then(|| read(&table))
}

/// Two lines of titles, then one for each link: what it received in eight columns, what it sent in as many.
fn read(table: &str) -> ResourceStatistics {
    let links = table.lines().filter_map(|line| line.split_once(':')).filter(|(name, _)| name.trim() != "lo");
    let columns: Vec<Vec<u64>> = links
        .map(|(_, figures)| figures.split_whitespace().filter_map(|figure| figure.parse().ok()).collect())
        .collect();
    let sum = |column: usize| Some(columns.iter().filter_map(|link| link.get(column)).sum());
    ResourceStatistics {
        net_rx_bytes: sum(0),
        net_rx_packets: sum(1),
        net_rx_errors: sum(2),
        net_rx_dropped: sum(3),
        net_tx_bytes: sum(8),
        net_tx_packets: sum(9),
        net_tx_errors: sum(10),
        net_tx_dropped: sum(11),
        ..ResourceStatistics::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:  900       9    9    9    9     9          9         9     900       9    9    9    9     9       9          9
  eth0: 1000      10    1    2    0     0          0         0    2000      20    3    4    0     0       0          0
  eth1:    1       1    0    0    0     0          0         0       2       2    0    0    0     0       0          0
cut:";

    #[test]
    fn links_are_added_up_but_for_the_loopback() {
        let read = read(TABLE);
        assert_eq!((read.net_rx_bytes, read.net_rx_packets, read.net_rx_errors), (Some(1001), Some(11), Some(1)));
        assert_eq!((read.net_rx_dropped, read.net_tx_bytes, read.net_tx_packets), (Some(2), Some(2002), Some(22)));
        assert_eq!((read.net_tx_errors, read.net_tx_dropped), (Some(3), Some(4)));
    }

    #[test]
    fn figures_of_our_own_namespace_are_nobodys() {
        assert_eq!(traffic_of(Process::this().unwrap()), None);
        assert_eq!(traffic_of(Process { pid: i32::MAX, start: 1 }), None);
    }

    #[test]
    fn a_namespace_that_is_none_is_an_error() {
        assert!(traffic(Path::new("/nowhere")).is_err());
        assert!(traffic(Path::new("/proc/self/ns/mnt")).is_err());
    }
}
