//! The sharing of the host's mounts: do those made below a path spread to its other holders?

use std::fs;
use std::io;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, StatxFlags, statx};

/// True if the mount that the path is in is a shared one, which is its administrator's word.
pub fn is_shared(path: &Path) -> io::Result<bool> {
    let mount = statx(CWD, path, AtFlags::empty(), StatxFlags::MNT_ID)?.stx_mnt_id;
    Ok(says_shared(&fs::read_to_string("/proc/self/mountinfo")?, mount))
}

/// The optional fields of a line are from the seventh on, up to a hyphen.
fn says_shared(mounts: &str, mount: u64) -> bool {
    let of_mount = |line: &&str| line.split(' ').next().is_some_and(|id| id.parse() == Ok(mount));
    let mut tags = mounts.lines().find(of_mount).into_iter().flat_map(|line| line.split(' ').skip(6));
    tags.by_ref().take_while(|tag| *tag != "-").any(|tag| tag.starts_with("shared:"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_says_whether_it_is_shared() {
        let mounts = "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n\
                      23 22 8:2 / /data rw,relatime master:2 - ext4 /dev/sda2 rw\n\
                      24 22 8:3 / /shared: rw - ext4 shared:3 rw\n\
                      25 22 8:3 / /both rw master:2 shared:7 - ext4 /dev/sda3 rw\n";
        let shared: Vec<u64> = (20..27).filter(|mount| says_shared(mounts, *mount)).collect();
        assert_eq!(shared, [22, 25]);
        assert!(is_shared(Path::new("/no/such/path")).is_err());
    }
}
