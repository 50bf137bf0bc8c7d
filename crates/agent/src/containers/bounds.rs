//! The bounds of a session: it may do what the program may whose container it joins, and no more.
//!
//! In: the directories of the shims around it, the nearest first. Out: the program that one of them started, as it is on
//! file there, and the session within its bounds.

use std::io;
use std::path::PathBuf;

use processes::{Program, ShimFiles};

/// The variable that names the sandbox.
const SANDBOX: &str = "MESOS_SANDBOX";

/// The program of the first of these directories that has one.
///
/// # Errors
///
/// A program that cannot be read may have had bounds.
pub(super) fn of(directories: &[PathBuf]) -> io::Result<Option<Program>> {
    for directory in directories {
        match ShimFiles::new(directory).program() {
            Ok(logged) => return Ok(Some(logged.program)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// Puts a session into the bounds of the program around it, and, if that has files of its own, into its directory.
pub(super) fn join(session: &mut Program, around: Program) {
    session.confinement = around.confinement;
    if around.namespaces.is_none() {
        return;
    }
    session.working_directory = around.working_directory;
    let sandbox = around.environment.into_iter().find(|(name, _)| name == SANDBOX);
    session.environment.retain(|(name, _)| name != SANDBOX);
    session.environment.extend(sandbox);
}

#[cfg(test)]
mod tests {
    use processes::rootfs::{Root, Rootfs};
    use processes::{Confinement, Namespaces, Network};

    use super::*;

    fn program(directory: &str) -> Program {
        let environment = vec![(SANDBOX.to_owned(), directory.to_owned())];
        Program { environment, working_directory: directory.into(), ..Program::default() }
    }

    #[test]
    fn a_session_has_the_bounds_and_where_there_is_one_the_place_of_its_container() {
        let confinement = Some(Confinement { no_new_privileges: true, ..Confinement::default() });
        let rootfs = Rootfs { root: Root::Tree("/".into()), entries: Vec::new(), read_only: false };
        let namespaces = Namespaces { network: Network::Host, hostname: None, rootfs, init: false };
        let confined = Program { confinement: confinement.clone(), ..program("/inside") };
        let mut session = program("/host");
        join(&mut session, confined.clone());
        assert_eq!(session, Program { confinement: confinement.clone(), ..program("/host") });
        join(&mut session, Program { namespaces: Some(Box::new(namespaces)), ..confined });
        assert_eq!(session, Program { confinement, ..program("/inside") });
    }

    #[test]
    fn bounds_that_cannot_be_read_are_no_freedom() {
        let directory = tempfile::tempdir().unwrap();
        let nowhere = directory.path().join("none");
        assert_eq!(of(std::slice::from_ref(&nowhere)).unwrap(), None);
        std::fs::write(directory.path().join("spec.json"), "{").unwrap();
        assert!(of(&[nowhere, directory.path().to_owned()]).is_err());
    }
}
