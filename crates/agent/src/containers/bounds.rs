//! The bounds of a session: it may do what the program may whose container it joins, and no more.
//!
//! In: the directories of the shims around it, the nearest first. Out: the program that one of them started, as it is on
//! file there, and the session within its bounds.

use std::io;
use std::path::{Path, PathBuf};

use ::containers::docker::{self, Record, Running};
use processes::{Program, ShimFiles};

/// The variable that names the sandbox.
const SANDBOX: &str = "MESOS_SANDBOX";

/// The program around a session.
#[derive(Debug, PartialEq)]
pub(super) struct Around {
    program: Program,
    /// True if it has files of its own.
    pub(super) is_apart: bool,
}

/// The program of the first of these directories that has one, or Docker's container there.
///
/// # Errors
///
/// A program that cannot be read may have had bounds.
pub(super) fn of(directories: &[PathBuf]) -> io::Result<Option<Around>> {
    for directory in directories {
        match ShimFiles::new(directory).program() {
            Ok(logged) => return Ok(Some(Around::of(logged.program))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        if let Some(running) = Record::read(directory)?.and_then(|record| record.running) {
            return Around::of_docker(&running).map(Some);
        }
    }
    Ok(None)
}

impl Around {
    fn of(program: Program) -> Around {
        Around { is_apart: program.namespaces.is_some(), program }
    }

    fn of_docker(running: &Running) -> io::Result<Around> {
        let config = &running.container.config;
        let variables = config.env.iter().filter_map(|variable| variable.split_once('='));
        let program = Program {
            environment: variables.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            working_directory: Path::new("/").join(&config.working_dir),
            confinement: Some(docker::confinement(running).map_err(io::Error::other)?),
            ..Program::default()
        };
        Ok(Around { program, is_apart: true })
    }
}

/// Puts a session into the bounds of the program around it, and, if that has files of its own, into its directory.
pub(super) fn join(session: &mut Program, Around { program: around, is_apart }: Around) {
    session.confinement = around.confinement;
    if !is_apart {
        return;
    }
    session.working_directory = around.working_directory;
    let sandbox = around.environment.into_iter().find(|(name, _)| name == SANDBOX);
    session.environment.retain(|(name, _)| name != SANDBOX);
    session.environment.extend(sandbox);
}

#[cfg(test)]
mod tests {
    use ::containers::docker::Seen;
    use processes::rootfs::{Root, Rootfs};
    use processes::{CapabilitySet, Confinement, Namespaces, Network};

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
        join(&mut session, Around::of(confined.clone()));
        assert_eq!(session, Program { confinement: confinement.clone(), ..program("/host") });
        join(&mut session, Around::of(Program { namespaces: Some(Box::new(namespaces)), ..confined }));
        assert_eq!(session, Program { confinement, ..program("/inside") });
    }

    #[test]
    fn a_container_of_dockers_has_its_bounds_on_file_too() {
        let directory = tempfile::tempdir().unwrap();
        let mut container = docker::Container::default();
        (container.config.working_dir, container.config.env) = ("/srv".to_owned(), vec![format!("{SANDBOX}=/inside")]);
        let process = processes::Process::this().unwrap();
        let seen = Seen { capabilities: CapabilitySet::from_bits(1), ..Seen::default() };
        let running = Running::new(process, container, seen);
        let (name, socket) = ("mesos-c".to_owned(), "/none".into());
        let record = Record { name, socket, adopted: None, running: Some(running), ended: None };
        record.write(directory.path()).unwrap();
        let mut session = program("/host");
        join(&mut session, of(&[directory.path().to_owned()]).unwrap().unwrap());
        let bounding = session.confinement.clone().and_then(|bounds| bounds.capabilities).unwrap().bounding;
        assert_eq!((bounding.bits(), session.working_directory.as_path()), (1, Path::new("/srv")));
        assert_eq!(session.environment, program("/inside").environment);
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
