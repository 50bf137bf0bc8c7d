//! The bounds of a session: it may do what the program may whose container it joins, and no more.
//!
//! In: the directories of the shims around it, the nearest first. Out: the program that one of them started, as it is on
//! file there, or what a program of Docker's container there would be, and the session within its bounds.

use std::io;
use std::path::PathBuf;

use ::containers::docker::{Inside, Record, Running};
use processes::{Program, ShimFiles};

use super::parent::Surroundings;

/// The variable that names the sandbox.
const SANDBOX: &str = "MESOS_SANDBOX";

/// The program around a session.
#[derive(Debug, PartialEq)]
pub(super) struct Around {
    program: Program,
    /// True if it has files of its own.
    pub(super) is_apart: bool,
    /// True if Docker started it.
    is_dockers: bool,
}

/// The program of the first of these directories that has one, or that of Docker's container there, as this user if one is
/// named.
///
/// # Errors
///
/// A program that cannot be read may have had bounds, and so may one in a container of which not all is known.
pub(super) fn of(directories: &[PathBuf], user: Option<&str>) -> io::Result<Option<Around>> {
    for directory in directories {
        match ShimFiles::new(directory).program() {
            Ok(logged) => return Ok(Some(Around::of(logged.program))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        if let Some(running) = Record::read(directory)?.and_then(|record| record.running) {
            return Around::of_docker(&running, user).map(Some);
        }
    }
    Ok(None)
}

impl Around {
    fn of(program: Program) -> Around {
        Around { is_apart: program.namespaces.is_some(), program, is_dockers: false }
    }

    /// The values of secrets are in no file: the container's first process has them.
    fn of_docker(running: &Running, user: Option<&str>) -> io::Result<Around> {
        let first = running.process().ok_or_else(|| io::Error::other("its first process has ended"))?;
        let inside = Inside::of(first, running, user).map_err(io::Error::other)?;
        let birthplace = inside.birthplace.ok_or_else(|| io::Error::other("its cgroup cannot be seen"))?;
        // What was read is only believed if the process still lives.
        let secrets = Surroundings::of(first)?.environment.into_iter();
        let secrets = secrets.filter(|(name, _)| inside.secrets.contains(name));
        let program = Program {
            environment: inside.environment.into_iter().chain(secrets).collect(),
            working_directory: inside.directory,
            user: Some(inside.user),
            birthplace: Some(birthplace),
            confinement: Some(inside.confinement),
            ..Program::default()
        };
        Ok(Around { program, is_apart: true, is_dockers: true })
    }

    /// The program that a session in a container of Docker's is to be like: its variables, its user, its cgroup are the
    /// container's, whoever its first process has become.
    pub(super) fn dockers(&self) -> Option<&Program> {
        self.is_dockers.then_some(&self.program)
    }
}

/// Puts a session into the bounds of the program around it, and, if that has files of its own, into its directory.
pub(super) fn join(session: &mut Program, Around { program: around, is_apart, .. }: Around) {
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
    use std::path::Path;

    use ::containers::docker::{Container, Seen};
    use processes::rootfs::{Root, Rootfs};
    use processes::{CapabilitySet, Confinement, Namespaces, Network, Process};

    use super::*;

    /// The record of a container with this first process.
    fn docker(process: Process) -> Record {
        let mut container = Container::default();
        (container.config.working_dir, container.config.user) = ("/srv".to_owned(), "4000:4001".to_owned());
        container.config.env = vec![format!("{SANDBOX}=/inside"), "PATH=<secret>".to_owned()];
        let seen = Seen { capabilities: CapabilitySet::from_bits(1), ..Seen::default() };
        let running = Some(Running::new(process, container, seen));
        Record { name: "mesos-c".to_owned(), socket: "/none".into(), adopted: None, running, ended: None }
    }

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
        let directories = [directory.path().to_owned()];
        docker(Process::this().unwrap()).write(directory.path()).unwrap();
        let mut session = program("/host");
        let around = of(&directories, None).unwrap().unwrap();
        let inside = around.dockers().unwrap().clone();
        assert_eq!((inside.user.unwrap().uid, inside.birthplace.is_some()), (4000, true));
        let secret = ("PATH".to_owned(), std::env::var("PATH").unwrap());
        assert!(inside.environment.contains(&secret), "from the first process");
        join(&mut session, around);
        let bounding = session.confinement.clone().and_then(|bounds| bounds.capabilities).unwrap().bounding;
        assert_eq!((bounding.bits(), session.working_directory.as_path()), (1, Path::new("/srv")));
        assert_eq!(session.environment, program("/inside").environment);
        let named = of(&directories, Some("5000")).unwrap().unwrap();
        assert_eq!(named.dockers().unwrap().user.as_ref().unwrap().uid, 5000);
    }

    #[test]
    fn a_container_of_dockers_of_which_not_all_is_known_is_not_entered() {
        let directory = tempfile::tempdir().unwrap();
        let directories = [directory.path().to_owned()];
        let own = Process::this().unwrap();
        docker(Process { start: own.start + 1, ..own }).write(directory.path()).unwrap();
        let gone = of(&directories, None).unwrap_err();
        assert_eq!(gone.to_string(), "its first process has ended");
        docker(own).write(directory.path()).unwrap();
        assert!(of(&directories, Some("nobody-here")).unwrap_err().to_string().contains("'nobody-here'"));
        std::fs::write(directory.path().join("docker.json"), "{").unwrap();
        assert!(of(&directories, None).is_err());
    }

    #[test]
    fn bounds_that_cannot_be_read_are_no_freedom() {
        let directory = tempfile::tempdir().unwrap();
        let nowhere = directory.path().join("none");
        assert_eq!(of(std::slice::from_ref(&nowhere), None).unwrap(), None);
        std::fs::write(directory.path().join("spec.json"), "{").unwrap();
        assert!(of(&[nowhere, directory.path().to_owned()], None).is_err());
    }
}
