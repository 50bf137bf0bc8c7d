//! Users and groups as an image has them, in its own `/etc/passwd` and `/etc/group`.
//!
//! In: the layers of an image, and a user as images and tasks name one: `user`, `user:group`, each a name or a number. Out:
//! numbers, and a home. No name is asked of the host, and no path leaves the image.

mod layers;

use std::io;
use std::path::{Path, PathBuf};

use processes::Credentials;

/// The two files of an image.
#[derive(Clone, Debug, Default)]
pub struct Users {
    passwd: String,
    group: String,
}

/// A user in a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The user and groups.
    pub credentials: Credentials,
    /// The home, `/` for a user of whom the image says nothing.
    pub home: PathBuf,
}

/// A user that is none of an image's.
#[derive(Debug, thiserror::Error)]
pub enum ImageUserError {
    /// It has no user of this name; whoever wrote it is at fault.
    #[error("The image has no user '{0}'")]
    User(String),
    /// It has no group of this name.
    #[error("The image has no group '{0}'")]
    Group(String),
    /// The machine: a layer cannot be read.
    #[error("Cannot read the users of the image: {0}")]
    Read(#[from] io::Error),
}

/// A line of `/etc/passwd`.
struct User<'a> {
    name: &'a str,
    uid: u32,
    gid: u32,
    home: &'a str,
}

/// A line of `/etc/group`.
struct Group<'a> {
    name: &'a str,
    gid: u32,
    members: &'a str,
}

impl Users {
    /// The users of these two files.
    pub(crate) fn new(passwd: String, group: String) -> Users {
        Users { passwd, group }
    }

    /// Reads the files of an image; `layers` are its directories, the lowest first.
    pub fn read(layers: &[PathBuf]) -> Result<Users, ImageUserError> {
        let text = |path: &str| {
            let content = layers::read(layers, Path::new(path))?;
            Ok::<_, io::Error>(String::from_utf8_lossy(&content.unwrap_or_default()).into_owned())
        };
        Ok(Users::new(text("etc/passwd")?, text("etc/group")?))
    }

    /// The user that is named so, with its groups: the one that is named, else those it is in. Nobody means root.
    pub fn account(&self, named: &str) -> Result<Account, ImageUserError> {
        let (user, group) = named.split_once(':').unwrap_or((named, ""));
        let user = if user.is_empty() { "0" } else { user };
        let found = self.users().find(|other| other.name == user || Some(other.uid) == number(user));
        let unknown = || ImageUserError::User(user.to_owned());
        let uid = found.as_ref().map(|found| found.uid).or_else(|| number(user)).ok_or_else(unknown)?;
        let groups = match group {
            "" => self.groups_of(found.as_ref()),
            group => vec![self.group(group)?],
        };
        let home = found.as_ref().map(|found| found.home).filter(|home| home.starts_with('/')).unwrap_or("/");
        let gid = groups.first().copied().unwrap_or_default();
        Ok(Account { credentials: Credentials { uid, gid, groups }, home: home.into() })
    }

    /// The number of a group.
    pub(crate) fn group(&self, named: &str) -> Result<u32, ImageUserError> {
        let found = self.groups().find(|group| group.name == named).map(|group| group.gid);
        found.or_else(|| number(named)).ok_or_else(|| ImageUserError::Group(named.to_owned()))
    }

    /// The primary group first.
    fn groups_of(&self, user: Option<&User<'_>>) -> Vec<u32> {
        let Some(user) = user else { return vec![0] };
        let has = |group: &Group<'_>| group.members.split(',').any(|member| member == user.name);
        let mut groups = vec![user.gid];
        groups.extend(self.groups().filter(has).map(|group| group.gid).filter(|gid| *gid != user.gid));
        groups
    }

    fn users(&self) -> impl Iterator<Item = User<'_>> {
        self.passwd.lines().filter_map(|line| match line.trim().split(':').collect::<Vec<_>>()[..] {
            [name, _, uid, gid, _, home, ..] if !name.is_empty() => {
                Some(User { name, uid: number(uid)?, gid: number(gid)?, home })
            }
            _ => None,
        })
    }

    fn groups(&self) -> impl Iterator<Item = Group<'_>> {
        self.group.lines().filter_map(|line| match line.trim().split(':').collect::<Vec<_>>()[..] {
            [name, _, gid, members, ..] if !name.is_empty() => Some(Group { name, gid: number(gid)?, members }),
            _ => None,
        })
    }
}

/// The highest number means "no change" to the kernel.
fn number(text: &str) -> Option<u32> {
    text.parse().ok().filter(|number| *number != u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn users() -> Users {
        let passwd = "root:x:0:0:root:/root:/bin/sh\nbroken\nweb:x:101:102::/srv:/bin/false\nodd:x:7:8::nowhere:\n";
        let group = "root:x:0:\nweb:x:102:\nlogs:x:103:other,web\nweb2:x:104:webber\n";
        Users { passwd: passwd.to_owned(), group: group.to_owned() }
    }

    #[test]
    fn users_are_found_by_name_and_number() {
        for (named, uid, groups, home) in [
            ("", 0, vec![0], "/root"),
            ("root", 0, vec![0], "/root"),
            ("web", 101, vec![102, 103], "/srv"),
            ("101", 101, vec![102, 103], "/srv"),
            ("web:logs", 101, vec![103], "/srv"),
            ("web:5", 101, vec![5], "/srv"),
            ("4000", 4000, vec![0], "/"),
            ("4000:4001", 4000, vec![4001], "/"),
            ("odd", 7, vec![8], "/"),
        ] {
            let found = users().account(named).unwrap();
            let credentials = Credentials { uid, gid: groups[0], groups };
            assert_eq!(found, Account { credentials, home: home.into() }, "{named}");
        }
    }

    #[test]
    fn who_is_not_there_is_named() {
        let said = |named: &str| users().account(named).unwrap_err().to_string();
        assert_eq!(said("nobody"), "The image has no user 'nobody'");
        assert_eq!(said("web:nobody"), "The image has no group 'nobody'");
        assert_eq!(said("4294967295"), "The image has no user '4294967295'");
        assert_eq!(said("-1"), "The image has no user '-1'");
    }
}
