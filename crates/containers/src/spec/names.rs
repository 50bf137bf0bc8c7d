//! The names that a container in the host's network knows: the host's.

use std::fs;

use crate::rootfs::Names;

/// The content of the host's files. A resolver on the host's loopback answers in the host's network.
pub fn host_names() -> Names {
    let read = |path: &str| fs::read_to_string(path).ok();
    Names { hosts: read("/etc/hosts"), resolv_conf: read("/etc/resolv.conf"), hostname: read("/etc/hostname") }
}
