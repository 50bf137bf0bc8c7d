//! From an order to a running program: its parent is looked up, its place made, what it names by URI fetched, and it is
//! started. Runs in a task of its own for each launch; comes back with what came of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ::containers::cgroup::{Birthplace, CgroupError};
use ::containers::provision::{Provision, Settings};
use ::containers::rootfs::Cgroups as Visible;
use ::containers::{logs, spec};
use fetcher::{Fetcher, Item};
use mesos::command;
use mesos::v1::{ContainerId, Resource};
use processes::contained;
use processes::{Contained, Credentials, End, Logged, Logs, Rotations, mark};
use tokio::task::spawn_blocking;

use super::bounds::{self, Around};
use super::order::{Class, Order};
use super::parent::{Parent, Surroundings};
use super::record::ContainerRecord;
use super::room::{self, Place};
use super::session::{self, Join, Session};
use super::{LaunchRefusal, Output};
use crate::cgroups::Cgroups;
use crate::handle::{self, look};
use crate::layout::{Layout, private_directory};
use crate::sandbox;

/// The settings of launches, which do not change.
#[derive(Debug, Clone)]
pub(crate) struct ContainerSettings {
    pub(crate) executor_binary: PathBuf,
    /// The variables that task containers find in their environment.
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) switch_user: bool,
    pub(crate) log_rotations: Rotations,
    /// The things that the operator says of every container.
    pub(crate) operator: Settings,
}

/// Everything that launches need.
#[derive(Debug, Clone)]
pub(crate) struct Launcher {
    pub(crate) settings: ContainerSettings,
    pub(crate) layout: Layout,
    pub(crate) fetcher: Fetcher,
    pub(crate) actor: handle::Handle,
    pub(crate) cgroups: Option<Cgroups>,
    /// The control groups to remove, which may be of an earlier life.
    pub(crate) removable: Option<Cgroups>,
}

#[derive(Debug)]
pub(crate) enum StartedProgram {
    Task(Contained),
    /// A task that was quicker than its launch.
    Over(End),
    /// With whom its output goes to from the beginning.
    Session(Session, Option<Output>),
}

/// A container that has been launched.
#[derive(Debug)]
pub(crate) struct Started {
    pub(super) program: StartedProgram,
    /// The place of the sandboxes of those nested in it.
    pub(super) sandbox: PathBuf,
    pub(super) resources: Vec<Resource>,
}

fn refused(error: impl std::fmt::Display) -> LaunchRefusal {
    LaunchRefusal::Order(error.to_string())
}

fn unmade(error: impl std::fmt::Display) -> LaunchRefusal {
    LaunchRefusal::Sandbox(format!("Failed to create sandbox: {error}"))
}

/// Everything up to the running program. `known` is the parent, if it is a container known here.
pub(super) async fn launch(
    launcher: &Launcher,
    order: Order,
    known: Option<Parent>,
    output: Option<Output>,
) -> Result<Started, LaunchRefusal> {
    if let Some(unsupported) = order.unsupported() {
        return Err(LaunchRefusal::Order(unsupported));
    }
    let parent = match (known, &order.id.parent) {
        (Some(parent), _) => Some(parent),
        (None, Some(id)) => Some(executor(launcher, id).await?),
        (None, None) => None,
    };
    let joined = joined(parent.as_ref()).await?;
    let user = user(launcher, &order, parent.as_ref(), joined.as_ref()).await?;
    match order.class {
        Class::Session => join(launcher, order, parent, joined, user, output).await,
        Class::Task => shim(launcher, order, parent, user).await,
    }
}

/// An executor's container, or that of a task of one, which the agent's books have.
async fn executor(launcher: &Launcher, id: &ContainerId) -> Result<Parent, LaunchRefusal> {
    let books = look(&launcher.actor).await.map_err(|_| refused("The agent is shutting down"))?;
    let root = books.root(id).ok_or_else(|| LaunchRefusal::Order(format!("Parent container {id} does not exist")))?;
    spawn_blocking(move || root.parent()).await.map_err(refused)
}

async fn joined(parent: Option<&Parent>) -> Result<Option<Surroundings>, LaunchRefusal> {
    let Some(main) = parent.and_then(|parent| parent.main) else { return Ok(None) };
    let read = spawn_blocking(move || Surroundings::of(main)).await.map_err(refused)?;
    read.map(Some).map_err(|error| refused(format!("Cannot join the container: {error}")))
}

/// The user it names, or else its parent's.
async fn user(
    launcher: &Launcher,
    order: &Order,
    parent: Option<&Parent>,
    joined: Option<&Surroundings>,
) -> Result<Option<Credentials>, LaunchRefusal> {
    if !launcher.settings.switch_user {
        return Ok(None);
    }
    let look_up = |name: String| spawn_blocking(move || Credentials::to_become(&name));
    match order.command.user.as_ref().filter(|user| !user.is_empty()) {
        Some(name) => look_up(name.clone()).await.map_err(refused)?.map_err(refused),
        None if joined.is_some() => Ok(joined.and_then(|joined| joined.user.clone())),
        // Where that user is unknown, its tasks run as the agent does.
        None => match parent.and_then(|parent| parent.user.clone()) {
            Some(name) => sandbox::if_known(look_up(name).await.map_err(refused)?).map_err(refused),
            None => Ok(None),
        },
    }
}

/// A session: everything is its parent's.
async fn join(
    launcher: &Launcher,
    order: Order,
    parent: Option<Parent>,
    joined: Option<Surroundings>,
    user: Option<Credentials>,
    output: Option<Output>,
) -> Result<Started, LaunchRefusal> {
    let Some(parent) = parent else {
        return Err(LaunchRefusal::Order("A session needs a container to join".to_owned()));
    };
    let around = around(launcher, &order).await?;
    let is_apart = around.as_ref().is_some_and(|around| around.is_apart);
    let can_join = joined.as_ref().map(|joined| !joined.namespaces.is_empty());
    // Otherwise it would have the host's files, and the agent's rights.
    if (is_apart && can_join != Some(true)) || (parent.is_apart && can_join.is_none()) {
        return Err(LaunchRefusal::Order("The container has no process to join".to_owned()));
    }
    // The default executor has no process of its own.
    let inherited = match &joined {
        Some(joined) => joined.environment.iter().cloned().collect(),
        None => launcher.settings.environment.clone(),
    };
    let kinds = joined.map(|joined| joined.namespaces).filter(|kinds| !kinds.is_empty());
    let join = parent.main.zip(kinds);
    let mut program = program(launcher, &order, inherited, &parent.sandbox, user)?;
    program.birthplace = cgroup(launcher, &order).await?;
    if let Some(around) = around {
        bounds::join(&mut program, around);
    }
    start_session(program, order.resources, join, output).await
}

/// The program in whose bounds a session is: the next one around it that a shim or Docker started.
async fn around(launcher: &Launcher, order: &Order) -> Result<Option<Around>, LaunchRefusal> {
    let books = look(&launcher.actor).await.map_err(|_| refused("The agent is shutting down"))?;
    let mut directories = Vec::new();
    let mut next = order.id.parent.as_deref();
    while let Some(id) = next {
        directories.push(launcher.layout.container(id));
        directories.extend(books.root(id).map(|root| root.state));
        next = id.parent.as_deref();
    }
    spawn_blocking(move || bounds::of(&directories)).await.map_err(refused)?.map_err(refused)
}

async fn start_session(
    program: processes::Program,
    resources: Vec<Resource>,
    join: Option<Join>,
    output: Option<Output>,
) -> Result<Started, LaunchRefusal> {
    let (path, sandbox) = (program.path.clone(), program.working_directory.clone());
    let started = spawn_blocking(move || session::start(&program, join)).await.map_err(refused)?;
    let started = started.map_err(|error| refused(format!("Cannot run '{}': {error}", path.display())))?;
    Ok(Started { program: StartedProgram::Session(started, output), sandbox, resources })
}

/// A task: a shim is its parent.
async fn shim(
    launcher: &Launcher,
    order: Order,
    parent: Option<Parent>,
    user: Option<Credentials>,
) -> Result<Started, LaunchRefusal> {
    let outer = parent.as_ref().map(|parent| parent.sandbox.clone());
    let (sandbox, directory) = place(launcher, &order, parent, user.as_ref()).await?;
    let mut program = program(launcher, &order, launcher.settings.environment.clone(), &sandbox, user)?;
    program.birthplace = cgroup(launcher, &order).await?;
    let program = roomy(launcher, &order, program, (&sandbox, outer, &directory)).await?;
    let rotations = logs::of_task(launcher.settings.log_rotations, &program.environment).map_err(refused)?;
    let program = Logged { program, logs: Logs::of(&sandbox), rotations };
    let shim = [launcher.settings.executor_binary.display().to_string(), "shim".to_owned()];
    match contained::start(program, &shim, &directory).await.map_err(refused)? {
        Ok(contained) => Ok(Started { program: StartedProgram::Task(contained), sandbox, resources: order.resources }),
        Err(End::NotStarted(why)) => Err(LaunchRefusal::Order(why)),
        Err(end) => Ok(Started { program: StartedProgram::Over(end), sandbox, resources: order.resources }),
    }
}

/// The program in its room, between its sandbox, the one around that, and the directory of its shim.
async fn roomy(
    launcher: &Launcher,
    order: &Order,
    mut program: processes::Program,
    (sandbox, outer, state): (&Path, Option<PathBuf>, &Path),
) -> Result<processes::Program, LaunchRefusal> {
    let visible = |cgroups: &Cgroups| spec::cgroups(&cgroups.root().mounts, program.birthplace.as_ref());
    let cgroups = launcher.cgroups.as_ref().map_or(Visible::Nothing, visible);
    let provision = Provision { settings: launcher.settings.operator.clone(), ..Provision::default() };
    let (order, sandbox, state) = (order.clone(), sandbox.to_owned(), state.to_owned());
    let give = move || {
        let place = Place { provision: &provision, sandbox: &sandbox, outer: outer.as_deref(), state: &state, cgroups };
        room::give(&mut program, &order, place).map(|()| program)
    };
    spawn_blocking(give).await.map_err(refused)?.map_err(refused)
}

/// The cgroup that the container is born in, which is made if it is to be its own.
async fn cgroup(launcher: &Launcher, order: &Order) -> Result<Option<Birthplace>, LaunchRefusal> {
    let Some(cgroups) = launcher.cgroups.clone() else { return Ok(None) };
    let limits = order.limits(cgroups.policy());
    let id = order.id.clone();
    let born_in = move || {
        let Some(limits) = limits else { return Ok(cgroups.around(&id).map(|cgroup| cgroup.birthplace())) };
        let own = cgroups.own(&id);
        own.create(&limits)?;
        Ok::<_, CgroupError>(Some(own.birthplace()))
    };
    spawn_blocking(born_in).await.map_err(refused)?.map_err(refused)
}

/// Makes the sandbox and the shim's directory, and fills the former.
async fn place(
    launcher: &Launcher,
    order: &Order,
    parent: Option<Parent>,
    user: Option<&Credentials>,
) -> Result<(PathBuf, PathBuf), LaunchRefusal> {
    let directory = launcher.layout.container(&order.id);
    let outer = parent.map_or_else(|| launcher.layout.root().to_owned(), |parent| parent.sandbox);
    let name = Path::new("containers").join(&order.id.value);
    let sandbox = outer.join(&name);
    let items = order.command.uris.iter().map(Item::of).collect::<Result<Vec<_>, _>>().map_err(refused)?;
    let record = ContainerRecord::new(&order.id, sandbox.clone(), &order.resources);
    let (links, owner, state) = (order.links(), user.cloned(), directory.clone());
    let make = move || {
        // An earlier container of this name has been removed from the books.
        let _nothing_there = processes::remove_tree(&state);
        private_directory(&state)?;
        sandbox::nest(&outer, &name, &links, owner.as_ref())?;
        record.write(&state)
    };
    spawn_blocking(make).await.map_err(unmade)?.map_err(unmade)?;
    sandbox::fill(&launcher.fetcher, sandbox.clone(), items, user.cloned()).await.map_err(refused)?;
    Ok((sandbox, directory))
}

/// The program of a container: its command, with its variables above those it inherits, in its sandbox.
fn program(
    launcher: &Launcher,
    order: &Order,
    inherited: BTreeMap<String, String>,
    sandbox: &Path,
    user: Option<Credentials>,
) -> Result<processes::Program, LaunchRefusal> {
    let (path, arguments) = command::program(&order.command, command::SYSTEM_SHELL).map_err(refused)?;
    let terminal = order.terminal().map_err(refused)?;
    let mut environment = inherited;
    environment.insert("MESOS_SANDBOX".to_owned(), sandbox.display().to_string());
    if terminal.is_some() {
        environment.insert("TERM".to_owned(), "xterm".to_owned());
    }
    environment.extend(command::variables(order.command.environment.as_ref()).map_err(refused)?);
    environment.extend([mark(&launcher.layout.container(&order.id))]);
    let environment = environment.into_iter().collect();
    let working_directory = sandbox.to_owned();
    Ok(processes::Program { path, arguments, environment, working_directory, user, terminal, ..Default::default() })
}

#[cfg(test)]
pub(super) mod tests {
    use mesos::v1::CommandInfo;
    use tokio::runtime::Builder;
    use tokio::task::yield_now;

    use super::*;

    pub(in crate::containers) fn launcher(work_dir: &Path) -> Launcher {
        let layout = Layout::create(work_dir).unwrap();
        let settings = ContainerSettings {
            executor_binary: "/none".into(),
            environment: BTreeMap::new(),
            switch_user: false,
            log_rotations: Rotations::default(),
            operator: Settings::default(),
        };
        Launcher {
            settings,
            layout,
            fetcher: Fetcher::uncached(),
            actor: shell::inbox("agent").0,
            cgroups: None,
            removable: None,
        }
    }

    /// With the only thread that may wait taken, the disk is not touched, and the runtime goes on.
    #[test]
    fn a_sandbox_is_made_by_a_thread_that_may_wait() {
        let runtime = Builder::new_current_thread().max_blocking_threads(1).enable_all().build().unwrap();
        runtime.block_on(async {
            let directory = tempfile::tempdir().unwrap();
            let launcher = launcher(directory.path());
            let command = CommandInfo::default();
            let order = Order {
                id: "c".into(),
                class: Class::Task,
                command,
                container: None,
                resources: Vec::new(),
                limits: BTreeMap::new(),
            };
            let (free, taken) = std::sync::mpsc::channel::<()>();
            let waiting = spawn_blocking(move || taken.recv());
            let sandbox = launcher.layout.standalone().join("c");
            let placed = tokio::spawn(async move { place(&launcher, &order, None, None).await });
            for _ in 0..100 {
                yield_now().await;
            }
            assert!(!sandbox.exists() && !waiting.is_finished());
            drop(free);
            assert_eq!(placed.await.unwrap().unwrap().0, sandbox);
            assert!(sandbox.join("stdout").is_file());
        });
    }
}
