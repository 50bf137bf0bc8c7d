//! The surroundings of a container's own programs, for a command that is to run beside them: with its variables, in its
//! working directory, as its user, confined as it is, in its cgroup.
//!
//! In: the container as it is on file, its first process, and a user, if one is named. Out: [`Inside`]. Small files of
//! `/proc` and of the container are read, and no daemon is asked.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use processes::{Birthplace, Confinement, Credentials, DEFAULT_PATH, Label, Process};

use super::confinement::{Seen, confinement};
use super::container::RunConfig;
use super::limits::{limits_of, within_reach};
use super::record::Running;
use super::secrets::HIDDEN;
use super::users::user_of;
use crate::cgroup::birthplace_of;
use crate::seccomp::SeccompError;
use crate::users::ImageUserError;

/// The surroundings of a container's programs.
#[derive(Clone, Debug)]
pub struct Inside {
    /// Its variables; those that are secrets have no value here.
    pub environment: BTreeMap<String, String>,
    /// The names of those.
    pub secrets: Vec<String>,
    /// Its working directory.
    pub directory: PathBuf,
    /// Its user, or the one that was named.
    pub user: Credentials,
    /// Its cgroup; nothing where that cannot be seen from here.
    pub birthplace: Option<Birthplace>,
    /// Its bounds.
    pub confinement: Confinement,
}

/// Why nothing can run as its programs do.
#[derive(Debug, thiserror::Error)]
pub enum InsideError {
    /// It has no such user; whoever names it is at fault.
    #[error(transparent)]
    User(#[from] ImageUserError),
    /// The machine: its filter of system calls is unknown here.
    #[error(transparent)]
    Seccomp(#[from] SeccompError),
    /// The machine: the limits of its first process cannot be read.
    #[error("Cannot read the limits of the container: {0}")]
    Limits(io::Error),
    /// The machine: its label cannot be read.
    #[error("Cannot read the label that a security module has given to the container: {0}")]
    Label(io::Error),
}

impl Inside {
    /// The surroundings in a container with this first process. Takes its time: a filter of system calls is worked out.
    pub fn of(process: Process, running: &Running, user: Option<&str>) -> Result<Inside, InsideError> {
        let config = &running.container.config;
        let account = user_of(process.pid, &running.container, user)?;
        let now = Seen::of(process).unwrap_or_default();
        let bounds = confinement(running, now)?;
        let (secrets, environment) = variables(config, &account.home);
        Ok(Inside {
            environment,
            secrets,
            directory: Path::new("/").join(&config.working_dir),
            user: account.credentials,
            birthplace: birthplace_of(process.pid),
            confinement: Confinement {
                limits: limits_of(process.pid).and_then(within_reach).map_err(InsideError::Limits)?,
                oom_score_adjustment: Some(running.container.host_config.oom_score_adj),
                label: Label::of(process.pid).map_err(InsideError::Label)?,
                ..bounds
            },
        })
    }
}

/// The names of variables that are secrets, and all others.
fn variables(config: &RunConfig, home: &Path) -> (Vec<String>, BTreeMap<String, String>) {
    let name = Some(config.hostname.clone()).filter(|name| !name.is_empty()).map(|name| ("HOSTNAME", name));
    let usual = [("PATH", DEFAULT_PATH.to_owned()), ("HOME", home.display().to_string())];
    let usual = usual.into_iter().chain(name).map(|(name, value)| (name.to_owned(), value));
    let own = config.env.iter().filter_map(|variable| variable.split_once('='));
    let (hidden, open): (Vec<_>, Vec<_>) = own.partition(|(_, value)| *value == HIDDEN);
    let open = open.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
    (hidden.into_iter().map(|(name, _)| name.to_owned()).collect(), usual.chain(open).collect())
}

#[cfg(test)]
mod tests {
    use super::super::container::Container;
    use super::*;

    /// This process stands for the first one of a container.
    fn inside(env: &[&str], user: Option<&str>) -> Result<Inside, InsideError> {
        let process = Process::this().unwrap();
        let mut container = Container::default();
        container.config.env = env.iter().map(|&variable| variable.to_owned()).collect();
        (container.config.user, container.config.working_dir) = ("4000:4001".to_owned(), "srv".to_owned());
        container.config.hostname = "box".to_owned();
        Inside::of(process, &Running::new(process, container, Seen::default()), user)
    }

    #[test]
    fn a_command_has_the_variables_of_the_container_and_of_its_user() {
        let found = inside(&["A=b=c", "KEY=<secret>", "nonsense"], None).unwrap();
        let expected = [("A", "b=c"), ("HOME", "/"), ("HOSTNAME", "box"), ("PATH", DEFAULT_PATH)];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(found.environment.into_iter().collect::<Vec<_>>(), expected);
        assert_eq!((found.secrets, found.directory.as_path()), (vec!["KEY".to_owned()], Path::new("/srv")));
        let own = inside(&["PATH=/bin", "HOME=/home"], None).unwrap().environment;
        assert_eq!((own["PATH"].as_str(), own["HOME"].as_str()), ("/bin", "/home"));
    }

    #[test]
    fn a_user_who_is_named_goes_before_that_of_the_container() {
        assert_eq!(inside(&[], None).unwrap().user.uid, 4000);
        assert_eq!(inside(&[], Some("5000")).unwrap().user.uid, 5000);
        let nobody = inside(&[], Some("nobody-here")).unwrap_err();
        assert!(nobody.to_string().contains("'nobody-here'"), "{nobody}");
    }
}
