//! The program of a container with an image: who it is, what it runs, and what it finds there.
//!
//! In: the image, the command, what is inherited. Out: an [`Identity`], or the reason for which there is none. Waits for
//! the disk: the users of an image are in its layers.

use std::collections::BTreeMap;
use std::path::PathBuf;

use mesos::v1::CommandInfo;
use processes::{Credentials, UserError};

use crate::provision::{Provision, ProvisionedImage};
use crate::spec::{self, Inside, SpecError};
use crate::users::{Account, ImageUserError, Users};

/// Variables by name.
pub type Variables = BTreeMap<String, String>;

/// A program, its user, and its surroundings.
#[derive(Debug, PartialEq)]
pub struct Identity {
    /// The user, if it is not that of whoever starts it.
    pub user: Option<Credentials>,
    /// Its variables.
    pub environment: Variables,
    /// The file to execute.
    pub path: PathBuf,
    /// All arguments, the zeroth included.
    pub arguments: Vec<String>,
    /// The directory it begins in.
    pub working_directory: PathBuf,
}

/// A program that is to have an image.
#[derive(Debug)]
pub struct InImage<'a> {
    /// The image.
    pub image: &'a ProvisionedImage,
    /// All that is ready for it.
    pub provision: &'a Provision,
    /// Its command, which may leave everything to the image.
    pub command: Option<&'a CommandInfo>,
    /// The user that goes before the image's.
    pub user: Option<&'a str>,
    /// The variables of those around it.
    pub inherited: &'a Variables,
    /// Its own.
    pub own: Variables,
}

/// Why there is no such program.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The image has no such user.
    #[error(transparent)]
    ImageUser(#[from] ImageUserError),
    /// The machine: its resolver, which has not said that there is no such user.
    #[error("Cannot start the container: {0}")]
    User(UserError),
    /// The command, or the image.
    #[error(transparent)]
    Command(#[from] SpecError),
}

impl InImage<'_> {
    /// Works it out.
    pub fn identity(self) -> Result<Identity, IdentityError> {
        let users = Users::read(&self.image.layers)?;
        let account = match self.user {
            Some(name) => account(&users, name)?,
            None => users.account(&self.image.config.user)?,
        };
        let sandbox = &self.provision.settings.sandbox_directory;
        let own_network = self.provision.network.is_some();
        let inside = Inside { image: &self.image.config, home: &account.home, sandbox, own_network };
        let environment = spec::environment(inside, self.inherited, self.own);
        let (path, arguments) = spec::program(self.command, &self.image.config)?;
        let working_directory = spec::working_directory(&self.image.config, sandbox);
        Ok(Identity { user: Some(account.credentials), environment, path, arguments, working_directory })
    }
}

/// The user of this name in an image. One that only the host knows is that one: people give tasks users of their machines.
pub fn account(users: &Users, name: &str) -> Result<Account, IdentityError> {
    match users.account(name) {
        Err(unknown @ ImageUserError::User(_)) => match Credentials::of(name) {
            Ok(credentials) => Ok(Account { credentials, home: "/".into() }),
            Err(UserError::Unknown(_)) => Err(unknown.into()),
            Err(failed) => Err(IdentityError::User(failed)),
        },
        found => Ok(found?),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::image::ImageConfig;

    #[test]
    fn the_user_that_is_named_goes_before_the_images_and_both_are_the_images_own() {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir_all(directory.path().join("etc")).unwrap();
        fs::write(directory.path().join("etc/passwd"), "web:x:71:72::/srv:/bin/sh\nowner:x:73:74::/:/bin/sh\n")
            .unwrap();
        let config = ImageConfig::parse(br#"{"config": {"User": "web", "Cmd": ["serve"]}}"#).unwrap();
        let layers = vec![directory.path().to_owned()];
        let image = ProvisionedImage { reference: "web:1".to_owned(), layers, config };
        let users = Users::read(&image.layers).unwrap();
        let of = |name: &str| account(&users, name).map(|account| account.credentials.uid);
        assert_eq!((of("owner").unwrap(), of("root").unwrap()), (73, 0), "the host knows root");
        assert_eq!(of("nobody-here").unwrap_err().to_string(), "The image has no user 'nobody-here'");
    }
}
