//! Names of users to the numbers the kernel wants, from the text of /etc/passwd and /etc/group.

use std::fs;
use std::io;

use serde::{Deserialize, Serialize};

/// A user as the kernel sees one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct User {
    /// The user.
    pub uid: u32,
    /// The primary group.
    pub gid: u32,
    /// Every group, the primary one included.
    pub groups: Vec<u32>,
}

/// The user of this name, if this machine has one.
pub(crate) fn look_up(name: &str) -> io::Result<Option<User>> {
    let Some((uid, gid)) = ids(&fs::read_to_string("/etc/passwd")?, name) else { return Ok(None) };
    let groups = groups(&fs::read_to_string("/etc/group")?, name, gid);
    Ok(Some(User { uid, gid, groups }))
}

/// The same, where why it is not known does not matter.
pub(crate) fn known(name: &str) -> Option<User> {
    look_up(name).ok().flatten()
}

/// Whether this process may become somebody else.
pub(crate) fn may_switch() -> bool {
    rustix::process::geteuid().is_root()
}

/// Whether this process is that user already.
pub(crate) fn is_self(user: &User) -> bool {
    rustix::process::geteuid().as_raw() == user.uid
}

/// `name:password:uid:gid:...`
fn ids(passwd: &str, name: &str) -> Option<(u32, u32)> {
    let line =
        passwd.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|line| line.first() == Some(&name))?;
    Some((line.get(2)?.parse().ok()?, line.get(3)?.parse().ok()?))
}

/// `name:password:gid:member,member`
fn groups(group: &str, name: &str, primary: u32) -> Vec<u32> {
    let member = |line: &str| {
        let mut fields = line.split(':').skip(2);
        let gid: u32 = fields.next()?.parse().ok()?;
        fields.next()?.split(',').any(|member| member == name).then_some(gid)
    };
    let mut groups = vec![primary];
    groups.extend(group.lines().filter_map(member).filter(|gid| *gid != primary));
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_ids_by_the_whole_name_only() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\nwww:x:33:34::/:/bin/false\nbroken\n";
        assert_eq!(ids(passwd, "www"), Some((33, 34)));
        assert_eq!(ids(passwd, "ww"), None);
        assert_eq!(ids(passwd, "broken"), None);
    }

    #[test]
    fn collects_every_group_once_the_primary_first() {
        let group = "root:x:0:\nwww:x:34:www\nlogs:x:4:adm,www\nadm:x:5:adm\n";
        assert_eq!(groups(group, "www", 34), [34, 4]);
    }
}
