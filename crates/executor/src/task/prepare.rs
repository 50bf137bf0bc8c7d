//! From a task to everything that is needed to run it: the shim's program, and how the commands of its checks run.

use std::path::PathBuf;

use checks::spec::CommandProbe;
use containers::cgroup::Assignment;
use containers::copy::{Backend, Copy};
use containers::identity::{self, Identity};
use containers::places;
use containers::provision::{Provision, Settings};
use containers::rootfs::Cgroups;
use containers::spec::{self, Room, Volumes};
use containers::users::Users;
use health::Problem;
use mesos::command::secret_variables;
use mesos::v1::{CommandInfo, FrameworkInfo, TaskInfo};
use processes::rootfs::Root;
use processes::{Birthplace, Credentials, Program};

use super::identity::{of_host, of_image};
use super::oom;
use crate::command::probe_of;
use crate::config::{ExecutorConfig, Variables};
use crate::state::CHANGES;
use crate::task::supported::unsupported;
use crate::task::{self, Unrunnable, volumes};

/// A task that is ready to be started.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) program: Program,
    /// The things that have to be there before it starts.
    volumes: Volumes,
    /// The trees that have to be copied before.
    pub(crate) copies: Vec<Copy>,
    /// The layers of its image, the lowest first, as far as they are known.
    image: Vec<PathBuf>,
    settings: Settings,
}

impl Prepared {
    /// Works out what the task runs as, with, and in.
    pub(crate) fn new(
        config: &ExecutorConfig,
        framework: Option<&FrameworkInfo>,
        task: &TaskInfo,
    ) -> Result<Prepared, Unrunnable> {
        let provision = provision(config, task)?;
        if let Some(what) = task.container.as_ref().and_then(|container| unsupported(container, &provision)) {
            return Err(Unrunnable::Unsupported(what));
        }
        let mut identity = match &provision.image {
            Some(image) => of_image(config, task, image, &provision)?,
            None => of_host(config, framework, task, &provision.settings)?,
        };
        if identity.user.is_some() && config.state_directory.starts_with(&config.sandbox) {
            return Err(Unrunnable::ExposedState);
        }
        identity.environment.extend([config.mark()]);
        Prepared::of(config, task, &provision, identity)
    }

    fn of(
        config: &ExecutorConfig,
        task: &TaskInfo,
        provision: &Provision,
        identity: Identity,
    ) -> Result<Prepared, Unrunnable> {
        let container = task.container.as_ref();
        let cgroup = config.cgroup.as_ref().map(Assignment::cgroup).transpose()?;
        let birthplace = cgroup.map(|cgroup| cgroup.birthplace());
        let (has_image, is_root) = (provision.image.is_some(), is_root(identity.user.as_ref()));
        let mut volumes = volumes::of(config, task, provision)?;
        let (changes, backend) = (config.state_directory.join(CHANGES), backend(config, provision)?);
        let copies = match backend {
            Backend::Copy => spec::copies(provision, &mut volumes.mounts, &changes),
            Backend::Overlay => Vec::new(),
        };
        let room = Room {
            container,
            provision,
            sandbox: &config.sandbox,
            changes: &changes,
            backend,
            volumes: volumes.mounts.clone(),
            host_names: spec::host_names(),
            cgroups: cgroups(config, birthplace.as_ref()),
            owner: identity.user.as_ref().map_or((0, 0), |user| (user.uid, user.gid)),
            init: is_labelled(task, INIT),
            read_only: is_labelled(task, READ_ONLY),
        };
        let namespaces = room.namespaces()?.map(Box::new);
        if namespaces.is_some() && !rustix::process::geteuid().is_root() {
            return Err(Unrunnable::Unprivileged);
        }
        let (secrets, environment) = identity.environment.into_iter().partition(|(name, _)| is_secret(task, name));
        let bounds = spec::confinement(container, &provision.settings, has_image, is_root)?;
        let program = Program {
            path: identity.path,
            arguments: identity.arguments,
            environment,
            secrets,
            working_directory: identity.working_directory,
            terminal: mesos::command::terminal(container)?,
            birthplace,
            confinement: oom::adjusted(bounds, config, task),
            user: identity.user,
            namespaces,
        };
        Ok(Prepared { program, volumes, copies, image: layers(provision), settings: provision.settings.clone() })
    }

    /// Makes the places of its volumes, in sandboxes that are there.
    pub(crate) fn make_places(&self, config: &ExecutorConfig) -> Result<(), Unrunnable> {
        let has_hosts_files = self.layers().is_empty();
        let user = self.program.user.as_ref();
        Ok(places::make(&self.volumes, &config.sandbox, &self.settings, user, has_hosts_files)?)
    }

    /// A task that was started before, perhaps by another process: its checks run as it does, whatever became of that by
    /// which it was prepared. Only its secrets are on no disk of ours, and are had again from where they are.
    pub(crate) fn again(config: &ExecutorConfig, task: &TaskInfo, program: Program) -> Result<Prepared, Unrunnable> {
        let provision = provision_again(config, task);
        let (image, settings) = (layers(&provision), provision.settings);
        let secrets = spec::secret_values(task::given(task), settings.secrets_directory.as_deref())?;
        let program = Program { secrets: secrets.into_iter().collect(), ..program };
        Ok(Prepared { program, volumes: Volumes::default(), copies: Vec::new(), image, settings })
    }

    /// The command of a check: it sees what the task sees, and its own variables above that. A user that it names
    /// counts only with `own_users`.
    pub(crate) fn check(&self, command: &CommandInfo, own_users: bool) -> Result<CommandProbe, Problem> {
        let cannot = |error: Unrunnable| Problem::Command(error.into());
        let directory = self.settings.secrets_directory.as_deref();
        let own = spec::variables(command.environment.as_ref(), directory).map_err(|error| cannot(error.into()))?;
        let of_task = self.program.environment.iter().chain(&self.program.secrets).cloned();
        let environment = of_task.chain(own).collect::<Variables>();
        let run = probe_of(command).map_err(|error| cannot(error.into()))?;
        let user = match command.user.as_deref().filter(|name| own_users && !name.is_empty()) {
            Some(name) => Some(self.user(name).map_err(cannot)?),
            None => self.program.user.clone(),
        };
        Ok(CommandProbe {
            command: run,
            environment: environment.into_iter().collect(),
            working_directory: Some(self.program.working_directory.clone()),
            // A task may do without its sandbox; Mesos' executor stays in one that was removed.
            fallback_directory: Some(PathBuf::from("/")),
            user,
            birthplace: self.program.birthplace.clone(),
            confinement: self.program.confinement.clone(),
        })
    }

    /// The layers of its image, the lowest first; none of one that has the host's files. The copy that it runs in, which it
    /// may have changed, only if nobody knows them any more.
    fn layers(&self) -> Vec<PathBuf> {
        match self.program.namespaces.as_ref().map(|namespaces| &namespaces.rootfs.root) {
            Some(Root::Overlay { lower, .. }) => lower.iter().rev().cloned().collect(),
            Some(Root::Directory(tree)) if self.image.is_empty() => vec![tree.clone()],
            Some(Root::Directory(_)) => self.image.clone(),
            Some(Root::Tree(_)) | None => Vec::new(),
        }
    }

    fn user(&self, name: &str) -> Result<Credentials, Unrunnable> {
        match self.layers().as_slice() {
            [] => Ok(Credentials::of(name)?),
            layers => Ok(identity::account(&Users::read(layers)?, name)?.credentials),
        }
    }
}

/// The things that the agent has made ready for the task.
fn provision(config: &ExecutorConfig, task: &TaskInfo) -> Result<Provision, Unrunnable> {
    let read = Provision::read(&config.provisions, &task.task_id).map_err(Unrunnable::Provision)?;
    // An agent that wrote none, as one of Apache Mesos, has nothing to give.
    Ok(read.unwrap_or_default())
}

/// The same for a task that has begun, which goes on without: only its secrets, and the users of its checks, need it then.
fn provision_again(config: &ExecutorConfig, task: &TaskInfo) -> Provision {
    let has_image = task.container.as_ref().is_some_and(|container| container.image().is_some());
    let why = match Provision::read(&config.provisions, &task.task_id) {
        Ok(Some(provision)) => return provision,
        Ok(None) if !has_image => return Provision::default(),
        Ok(None) => "it is gone".to_owned(),
        Err(error) => error.to_string(),
    };
    let file = Provision::path(&config.provisions, &task.task_id);
    tracing::warn!(file = %file.display(), why, "what the agent made ready for the task is not known any more");
    Provision::default()
}

/// The layers of its image, the lowest first.
fn layers(provision: &Provision) -> Vec<PathBuf> {
    provision.image.as_ref().map_or_else(Vec::new, |image| image.layers.clone())
}

/// The way in which images become file systems for this executor's tasks.
fn backend(config: &ExecutorConfig, provision: &Provision) -> Result<Backend, Unrunnable> {
    if provision.images().next().is_none() {
        return Ok(Backend::Overlay);
    }
    let no_overlay = |cause| Unrunnable::NoOverlay { directory: config.state_directory.clone(), cause };
    Backend::choose(provision.settings.image_backend, &config.state_directory).map_err(no_overlay)
}

fn is_secret(task: &TaskInfo, name: &str) -> bool {
    secret_variables(task::given(task)).any(|variable| variable.name == name)
}

fn is_root(user: Option<&Credentials>) -> bool {
    user.map_or_else(|| rustix::process::geteuid().is_root(), |user| user.uid == 0)
}

fn cgroups(config: &ExecutorConfig, birthplace: Option<&Birthplace>) -> Cgroups {
    config.cgroup.as_ref().map_or(Cgroups::Nothing, |cgroup| spec::cgroups(&cgroup.mounts, birthplace))
}

/// The label by which a task says that its program is to be the first process of its container.
const INIT: (&str, &str) = ("cygnet.init", "false");

/// The label by which a task says that the root of its image is not to be written to, as Docker's `--read-only` does.
const READ_ONLY: (&str, &str) = ("cygnet.read_only_rootfs", "true");

fn is_labelled(task: &TaskInfo, wanted: (&str, &str)) -> bool {
    let mut labels = task.labels.iter().flat_map(|labels| &labels.labels);
    labels.any(|label| (label.key.as_str(), label.value()) == wanted)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use checks::spec::Command;
    use containers::image::ImageConfig;
    use containers::provision::ProvisionedImage;
    use mesos::v1::Environment;
    use mesos::v1::environment::Variable;
    use processes::Network;
    use processes::rootfs::Rootfs;

    use super::*;

    fn task_of(environment: &[(&str, &str)]) -> Prepared {
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let program = Program { environment, working_directory: "/sandbox".into(), ..Program::default() };
        let (copies, image) = (Vec::new(), Vec::new());
        Prepared { program, volumes: Volumes::default(), copies, image, settings: Settings::default() }
    }

    #[test]
    fn a_checks_command_runs_in_the_sandbox_with_the_tasks_variables_under_its_own() {
        let own = Variable { name: "B".to_owned(), value: Some("check".to_owned()), ..Variable::default() };
        let command = CommandInfo {
            shell: Some(false),
            value: Some("probe".to_owned()),
            arguments: vec!["zeroth".to_owned()],
            environment: Some(Environment { variables: vec![own] }),
            ..CommandInfo::default()
        };
        let task = task_of(&[("A", "task"), ("B", "task")]);
        let probe = task.check(&command, false).unwrap();
        assert_eq!(probe.command, Command::Exec { path: "probe".to_owned(), argv: vec!["zeroth".to_owned()] });
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(probe.environment, [pair("A", "task"), pair("B", "check")]);
        assert_eq!(probe.working_directory.as_deref(), Some(Path::new("/sandbox")));
    }

    /// Whatever became of the file by which it was started.
    #[test]
    fn a_task_that_goes_on_has_the_users_of_its_image_by_what_was_started() {
        let directory = tempfile::tempdir().unwrap();
        let layer = directory.path().join("layer");
        std::fs::create_dir_all(layer.join("etc")).unwrap();
        std::fs::write(layer.join("etc/passwd"), "inside:x:4711:4711::/:/bin/sh\n").unwrap();
        let root = Root::Overlay { lower: vec![layer], upper: "/u".into(), work: "/w".into() };
        let rootfs = Rootfs { root, entries: Vec::new(), read_only: false };
        let namespaces = processes::Namespaces { network: Network::Host, hostname: None, rootfs, init: false };
        let program = Program { namespaces: Some(Box::new(namespaces)), ..Program::default() };
        let config = config(directory.path());
        let task = TaskInfo { task_id: "t".into(), ..TaskInfo::default() };
        let command =
            CommandInfo { value: Some("true".to_owned()), user: Some("inside".to_owned()), ..CommandInfo::default() };
        for damage in [None, Some("{")] {
            std::fs::create_dir_all(config.provisions.join("provisions")).unwrap();
            damage.iter().for_each(|text| {
                std::fs::write(config.provisions.join("provisions/t.json"), text).unwrap();
            });
            let again = Prepared::again(&config, &task, program.clone()).unwrap();
            assert_eq!(again.check(&command, true).unwrap().user.map(|user| user.uid), Some(4711), "{damage:?}");
        }
    }

    #[test]
    fn the_users_of_a_copied_image_are_those_of_the_image_whatever_its_task_has_written() {
        let directory = tempfile::tempdir().unwrap();
        let users = |tree: &str, uid: u32| {
            let tree = directory.path().join(tree);
            std::fs::create_dir_all(tree.join("etc")).unwrap();
            std::fs::write(tree.join("etc/passwd"), format!("inside:x:{uid}:{uid}::/:/bin/sh\n")).unwrap();
            tree
        };
        let (layer, copy) = (users("layer", 4711), users("copy", 0));
        let rootfs = Rootfs { root: Root::Directory(copy), entries: Vec::new(), read_only: false };
        let namespaces = processes::Namespaces { network: Network::Host, hostname: None, rootfs, init: false };
        let program = Program { namespaces: Some(Box::new(namespaces)), ..Program::default() };
        let config = ImageConfig::parse(br#"{"os": "linux", "architecture": "amd64", "config": {}}"#).unwrap();
        let image = ProvisionedImage { reference: "app:1".to_owned(), layers: vec![layer], config };
        let config = self::config(directory.path());
        let task = TaskInfo { task_id: "t".into(), ..TaskInfo::default() };
        let provision = Provision { image: Some(image), ..Provision::default() };
        provision.write(&config.provisions, &task.task_id).unwrap();
        let again = Prepared::again(&config, &task, program).unwrap();
        assert_eq!(again.user("inside").unwrap().uid, 4711);
    }

    fn config(sandbox: &Path) -> ExecutorConfig {
        let variables = [
            ("MESOS_FRAMEWORK_ID", "F"),
            ("MESOS_EXECUTOR_ID", "E"),
            ("MESOS_SLAVE_PID", "slave(1)@127.0.0.1:5051"),
            ("MESOS_DIRECTORY", sandbox.to_str().unwrap()),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        ExecutorConfig::from_variables(&variables.into()).unwrap()
    }

    #[test]
    fn a_check_of_a_task_of_a_group_may_name_its_user() {
        let user = |name: &str, own_users| {
            let value = Some("true".to_owned());
            let command = CommandInfo { value, user: Some(name.to_owned()), ..CommandInfo::default() };
            let probe = task_of(&[]).check(&command, own_users);
            probe.map(|probe| probe.user.map(|user| user.uid)).map_err(|problem| problem.to_string())
        };
        assert_eq!(user("root", true), Ok(Some(0)));
        assert_eq!(user("nobody-here", false), Ok(None), "as for single tasks");
        assert!(user("nobody-here", true).unwrap_err().contains("No such user 'nobody-here'"));
    }
}
