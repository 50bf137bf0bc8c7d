//! The user of a container, by the container's own files: `/etc/passwd` and `/etc/group` below the root of its first
//! process. They are the task's: no link leads out of that root, and only so much is read.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat, openat2};

use super::container::Container;
use crate::users::{Account, ImageUserError, Users};

/// The most that is read of a file.
const MOST: u64 = 1024 * 1024;

/// The user of a container whose first process is this one, or the one that is named, with the groups that it was given.
pub(super) fn user_of(pid: i32, container: &Container, named: Option<&str>) -> Result<Account, ImageUserError> {
    let file = |path: &str| read(pid, path).unwrap_or_default();
    let users = Users::new(file("etc/passwd"), file("etc/group"));
    let mut account = users.account(named.unwrap_or(&container.config.user))?;
    for group in &container.host_config.group_add {
        account.credentials.groups.push(users.group(group)?);
    }
    Ok(account)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The root of this process stands for that of a container.
    #[test]
    fn a_user_is_who_the_containers_files_say() {
        let own = i32::try_from(std::process::id()).unwrap();
        let mut container = Container::default();
        assert_eq!(user_of(own, &container, None).unwrap().credentials.uid, 0);
        container.config.user = "4000:4001".to_owned();
        container.host_config.group_add = vec!["7".to_owned()];
        let user = user_of(own, &container, None).unwrap().credentials;
        assert_eq!((user.uid, user.gid, user.groups), (4000, 4001, vec![4001, 7]));
        container.config.user = "nobody-here".to_owned();
        assert!(user_of(own, &container, None).unwrap_err().to_string().contains("'nobody-here'"));
    }

    #[test]
    fn a_process_that_is_gone_has_no_files() {
        assert_eq!(read(i32::MAX, "etc/passwd"), None);
    }
}
