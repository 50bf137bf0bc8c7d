//! The numbers the kernel knows users and groups by, from the text of /etc/passwd and /etc/group.

use std::fs;

use processes::Credentials;

/// Whom a process of this user runs as. Nothing to do if the agent is that user, or if it may not become anybody else:
/// only root may, and a task of an agent that is not root is as its agent.
pub(crate) fn credentials(name: &str) -> Result<Option<Credentials>, String> {
    let own = rustix::process::geteuid();
    if !own.is_root() {
        return Ok(None);
    }
    let passwd = fs::read_to_string("/etc/passwd").map_err(|error| format!("cannot read /etc/passwd: {error}"))?;
    let Some((uid, gid)) = ids(&passwd, name) else { return Err(format!("No such user '{name}'")) };
    if own.as_raw() == uid {
        return Ok(None);
    }
    let group = fs::read_to_string("/etc/group").unwrap_or_default();
    Ok(Some(Credentials { uid, gid, groups: groups(&group, name, gid) }))
}

/// `name:password:uid:gid:...`
fn ids(passwd: &str, name: &str) -> Option<(u32, u32)> {
    let mut fields = passwd.lines().map(|line| line.split(':')).find(|fields| fields.clone().next() == Some(name))?;
    Some((fields.nth(2)?.parse().ok()?, fields.next()?.parse().ok()?))
}

/// `name:password:gid:member,member`
fn groups(group: &str, name: &str, primary: u32) -> Vec<u32> {
    let member = |line: &str| {
        let mut fields = line.split(':').skip(2);
        let gid: u32 = fields.next()?.parse().ok()?;
        fields.next()?.split(',').any(|member| member == name).then_some(gid)
    };
    let others = group.lines().filter_map(member).filter(|gid| *gid != primary);
    std::iter::once(primary).chain(others).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\nbroken\nwww:x:33:34::/:/bin/false\n";

    #[test]
    fn names_have_numbers() {
        assert_eq!(ids(PASSWD, "www"), Some((33, 34)));
        assert_eq!(ids(PASSWD, "ww"), None);
        assert_eq!(ids(PASSWD, "broken"), None);
        assert_eq!(groups("root:x:0:\nwww:x:34:www\nlogs:x:4:adm,www\n", "www", 34), [34, 4]);
    }
}
