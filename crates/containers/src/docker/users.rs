//! The user of a container, by the container's own files: `/etc/passwd` and `/etc/group` below the root of its first
//! process. They are the task's: no link leads out of that root, and only so much is read.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use processes::Credentials;
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat, openat2};

use super::container::Container;

/// The most that is read of a file.
const MOST: u64 = 1024 * 1024;

/// A user that the container does not have.
#[derive(Debug, thiserror::Error)]
#[error("the container has no user or group '{0}'")]
pub struct InvalidUser(String);

/// The user of a container whose first process is this one.
pub fn user_of(pid: i32, container: &Container) -> Result<Credentials, InvalidUser> {
    let file = |path: &str| read(pid, path).unwrap_or_default();
    resolve(&container.config.user, &container.host_config.group_add, &file("etc/passwd"), &file("etc/group"))
}

/// The text of a file of the container, if it is one.
fn read(pid: i32, path: &str) -> Option<String> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = openat(CWD, Path::new(&format!("/proc/{pid}/root")), flags, Mode::empty()).ok()?;
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let how = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    let file = File::from(openat2(root, path, flags, Mode::empty(), how).ok()?);
    file.metadata().ok().filter(|metadata| metadata.is_file())?;
    let mut text = Vec::new();
    file.take(MOST).read_to_end(&mut text).ok()?;
    Some(String::from_utf8_lossy(&text).into_owned())
}

/// `USER[:GROUP]`, each by name or number; root if it is empty. Without a group of its own it has those of its name.
fn resolve(user: &str, more: &[String], passwd: &str, group: &str) -> Result<Credentials, InvalidUser> {
    let (user, own_group) = user.split_once(':').unwrap_or((user, ""));
    let user = if user.is_empty() { "0" } else { user };
    let number = user.parse::<u32>().ok();
    let lines = || passwd.lines().map(|line| line.split(':').collect::<Vec<_>>());
    // A name that is a number is a name first.
    let by_name = lines().find(|line| line.first() == Some(&user));
    let known = by_name.or_else(|| lines().find(|line| number.is_some() && field(line, 2) == number));
    let uid = known.as_ref().and_then(|line| field(line, 2)).or(number).ok_or_else(|| InvalidUser(user.to_owned()))?;
    let named = |name: &str| group_number(name, group).ok_or_else(|| InvalidUser(name.to_owned()));
    let gid = match own_group {
        "" => known.as_ref().and_then(|line| field(line, 3)).unwrap_or(0),
        name => named(name)?,
    };
    let name = known.as_ref().and_then(|line| line.first().copied()).filter(|_| own_group.is_empty());
    let mut groups = vec![gid];
    groups.extend(name.into_iter().flat_map(|name| groups_of(name, group)));
    groups.extend(more.iter().map(|name| named(name)).collect::<Result<Vec<_>, _>>()?);
    let mut seen = Vec::new();
    groups.retain(|group| {
        !seen.contains(group) && {
            seen.push(*group);
            true
        }
    });
    Ok(Credentials { uid, gid, groups })
}

fn field(line: &[&str], index: usize) -> Option<u32> {
    line.get(index)?.parse().ok()
}

fn group_number(name: &str, group: &str) -> Option<u32> {
    let lines = group.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let by_name = lines.into_iter().find(|line| line.first() == Some(&name));
    by_name.and_then(|line| field(&line, 2)).or_else(|| name.parse().ok())
}

fn groups_of<'a>(user: &'a str, group: &'a str) -> impl Iterator<Item = u32> + 'a {
    let lines = group.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let has =
        move |line: &Vec<&str>| line.get(3).is_some_and(|members| members.split(',').any(|member| member == user));
    lines.filter(has).filter_map(|line| field(&line, 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\nweb:x:101:102:web:/:/bin/false\nbroken\n";
    const GROUP: &str = "root:x:0:\nweb:x:102:\nlogs:x:7:web,other\nwheel:x:10:root,web\n";

    fn user(text: &str, more: &[&str]) -> Result<(u32, u32, Vec<u32>), String> {
        let more: Vec<String> = more.iter().map(|&name| name.to_owned()).collect();
        let user = resolve(text, &more, PASSWD, GROUP).map_err(|error| error.to_string())?;
        Ok((user.uid, user.gid, user.groups))
    }

    #[test]
    fn a_user_is_who_the_containers_files_say() {
        assert_eq!(user("", &[]), Ok((0, 0, vec![0, 10])));
        assert_eq!(user("web", &[]), Ok((101, 102, vec![102, 7, 10])));
        assert_eq!(user("101", &[]), Ok((101, 102, vec![102, 7, 10])));
        assert_eq!(user("web:logs", &[]), Ok((101, 7, vec![7])));
        assert_eq!(user("1000", &["logs", "9"]), Ok((1000, 0, vec![0, 7, 9])));
        assert_eq!(user("1000:1001", &[]), Ok((1000, 1001, vec![1001])));
        assert_eq!(user("nobody", &[]), Err("the container has no user or group 'nobody'".to_owned()));
        assert!(user("web:nothing", &[]).unwrap_err().contains("'nothing'"));
    }
}
