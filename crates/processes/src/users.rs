//! Users and groups by name and by number, as the system's resolver knows them: from its files, LDAP, or wherever else
//! nsswitch.conf(5) says. The resolver may ask a server, so all of it is for threads that may wait.

use std::ffi::CString;
use std::io;

use nix::unistd::{Gid, Group, Uid, User, getgrouplist};
use serde::{Deserialize, Serialize};

/// A user by number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// User.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Supplementary groups.
    pub groups: Vec<u32>,
}

/// A user that nobody can be.
#[derive(Debug, thiserror::Error)]
pub enum UserError {
    /// This machine has no such user.
    #[error("No such user '{0}'")]
    Unknown(String),
    /// The resolver failed.
    #[error("cannot look up the user '{name}': {source}")]
    Resolver {
        /// The user's name.
        name: String,
        /// The resolver's word.
        source: io::Error,
    },
}

impl Credentials {
    /// The user of this name, with every group, the primary one first.
    pub fn of(name: &str) -> Result<Credentials, UserError> {
        let failed = |errno: nix::Error| UserError::Resolver { name: name.to_owned(), source: errno.into() };
        let unknown = || UserError::Unknown(name.to_owned());
        let text = CString::new(name).map_err(|_nul| unknown())?;
        let user = User::from_name(name).map_err(failed)?.ok_or_else(unknown)?;
        let mut groups: Vec<u32> =
            getgrouplist(&text, user.gid).map_err(failed)?.into_iter().map(Gid::as_raw).collect();
        let gid = user.gid.as_raw();
        groups.sort_by_key(|group| *group != gid);
        groups.dedup();
        Ok(Credentials { uid: user.uid.as_raw(), gid, groups })
    }

    /// The user to become in order to be the one of this name. Nothing if this process is that user, or if it may not
    /// become another one: only root may, and a task of a process that is not root runs as its process.
    pub fn to_become(name: &str) -> Result<Option<Credentials>, UserError> {
        if !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        let own = rustix::process::geteuid().as_raw();
        Ok(Some(Credentials::of(name)?).filter(|user| user.uid != own))
    }
}

/// The name of the user with this number, or the number.
pub fn user_name(uid: u32) -> String {
    let user = User::from_uid(Uid::from_raw(uid)).ok().flatten();
    user.map_or_else(|| uid.to_string(), |user| user.name)
}

/// The name of the group with this number, or the number.
pub fn group_name(gid: u32) -> String {
    let group = Group::from_gid(Gid::from_raw(gid)).ok().flatten();
    group.map_or_else(|| gid.to_string(), |group| group.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_user_of_every_machine_is_found_by_name_and_number() {
        let root = Credentials::of("root").unwrap();
        assert_eq!((root.uid, root.gid, root.groups.first()), (0, 0, Some(&0)));
        assert_eq!((user_name(0), group_name(0)), ("root".to_owned(), "root".to_owned()));
    }

    #[test]
    fn a_name_that_nobody_has_is_an_error_that_says_it() {
        for name in ["no-such-user", "roo", "", "a\0b"] {
            assert_eq!(Credentials::of(name).unwrap_err().to_string(), format!("No such user '{name}'"));
        }
        assert_eq!((user_name(u32::MAX - 7), group_name(u32::MAX - 7)), ("4294967288".into(), "4294967288".into()));
    }

    #[test]
    fn nobody_becomes_the_user_it_is() {
        assert_eq!(Credentials::to_become("root").unwrap(), None);
    }
}
