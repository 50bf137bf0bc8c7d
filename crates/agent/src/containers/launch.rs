//! From an order to a running program: its parent is looked up, and it joins that, or becomes a container of its own (see
//! `task`). Runs in a task of its own for each launch; comes back with what came of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ::containers::cgroup::{Birthplace, CgroupError};
use ::containers::provision::Settings;
use fetcher::Fetcher;
use mesos::command;
use mesos::v1::{ContainerId, Resource};
use processes::{Contained, Credentials, End, Program, Rotations, mark};
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use super::bounds::{self, Around};
use super::order::{Class, Order};
use super::parent::{Parent, Surroundings};
use super::session::{self, Join, Session};
use super::{LaunchRefusal, Output, task};
use crate::cgroups::Cgroups;
use crate::handle::{self, look};
use crate::layout::Layout;
use crate::provisioner::Provisioner;
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
    pub(crate) provisioner: Provisioner,
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

pub(super) fn refused(error: impl std::fmt::Display) -> LaunchRefusal {
    LaunchRefusal::Order(processes::in_words(&error.to_string()))
}

/// Everything up to the running program. `known` is the parent, if it is a container known here. What takes long is given up
/// with the token.
pub(super) async fn launch(
    launcher: &Launcher,
    order: Order,
    known: Option<Parent>,
    output: Option<Output>,
    over: CancellationToken,
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
    match order.class {
        Class::Session => join(launcher, order, parent, joined, output).await,
        Class::Task => task::start(launcher, order, (parent, joined), over).await,
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
pub(super) async fn user(
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
        None => match parent.and_then(|parent| parent.user.clone()) {
            // Where that user is unknown, its tasks run as the agent does.
            Some(name) => sandbox::if_known(look_up(name).await.map_err(refused)?).map_err(refused),
            // It may be one of an image, and not the agent's.
            None if parent.is_some_and(|parent| parent.is_apart) => {
                Err(LaunchRefusal::Order("The container has no process yet that says whose it is".to_owned()))
            }
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
    let mut program = match around.as_ref().and_then(Around::dockers) {
        Some(inside) => beside(launcher, &order, &parent, inside)?,
        None => among(launcher, &order, &parent, joined.as_ref()).await?,
    };
    let kinds = joined.map(|joined| joined.namespaces).filter(|kinds| !kinds.is_empty());
    let join = parent.main.zip(kinds);
    if let Some(around) = around {
        bounds::join(&mut program, around);
    }
    start_session(program, order.resources, join, output).await
}

/// The program of a session beside those of a container of Docker's, which this one is like.
fn beside(launcher: &Launcher, order: &Order, parent: &Parent, inside: &Program) -> Result<Program, LaunchRefusal> {
    let inherited = inside.environment.iter().cloned().collect();
    let program = program(launcher, order, inherited, &parent.sandbox, inside.user.clone())?;
    Ok(Program { birthplace: inside.birthplace.clone(), ..program })
}

/// The program of a session in any other container: much is that of the process it joins.
async fn among(
    launcher: &Launcher,
    order: &Order,
    parent: &Parent,
    joined: Option<&Surroundings>,
) -> Result<Program, LaunchRefusal> {
    let user = user(launcher, order, Some(parent), joined).await?;
    // The default executor has no process of its own.
    let inherited = match joined {
        Some(joined) => joined.environment.iter().cloned().collect(),
        None => launcher.settings.environment.clone(),
    };
    let program = program(launcher, order, inherited, &parent.sandbox, user)?;
    Ok(Program { birthplace: cgroup(launcher, order).await?, ..program })
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
    let user = order.command.user.clone().filter(|user| !user.is_empty());
    let found = spawn_blocking(move || bounds::of(&directories, user.as_deref())).await.map_err(refused)?;
    found.map_err(|error| refused(format!("Cannot join the container: {error}")))
}

async fn start_session(
    program: Program,
    resources: Vec<Resource>,
    join: Option<Join>,
    output: Option<Output>,
) -> Result<Started, LaunchRefusal> {
    let (path, sandbox) = (program.path.clone(), program.working_directory.clone());
    let started = spawn_blocking(move || session::start(&program, join)).await.map_err(refused)?;
    let started = started.map_err(|error| refused(format!("Cannot run '{}': {error}", path.display())))?;
    Ok(Started { program: StartedProgram::Session(started, output), sandbox, resources })
}

/// The cgroup that the container is born in, which is made if it is to be its own.
pub(super) async fn cgroup(launcher: &Launcher, order: &Order) -> Result<Option<Birthplace>, LaunchRefusal> {
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

/// The program of a container: its command, with its variables above those it inherits, in its sandbox.
pub(super) fn program(
    launcher: &Launcher,
    order: &Order,
    inherited: BTreeMap<String, String>,
    sandbox: &Path,
    user: Option<Credentials>,
) -> Result<Program, LaunchRefusal> {
    let (path, arguments) = command::program(&order.command, command::SYSTEM_SHELL).map_err(refused)?;
    let terminal = order.terminal().map_err(refused)?;
    let mut environment = inherited;
    environment.insert("MESOS_SANDBOX".to_owned(), sandbox.display().to_string());
    environment.extend(own_environment(order)?);
    environment.extend([mark(&launcher.layout.container(&order.id))]);
    let environment = environment.into_iter().collect();
    let working_directory = sandbox.to_owned();
    Ok(Program { path, arguments, environment, working_directory, user, terminal, ..Default::default() })
}

/// The variables of a container above all that it inherits.
pub(super) fn own_environment(order: &Order) -> Result<BTreeMap<String, String>, LaunchRefusal> {
    let is_terminal = order.container.as_ref().is_some_and(|container| container.tty_info.is_some());
    let kind = is_terminal.then(|| ("TERM".to_owned(), "xterm".to_owned()));
    let named = command::variables(order.command.environment.as_ref()).map_err(refused)?;
    Ok(kind.into_iter().chain(named).collect())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::networks::{NetworkOptions, Networks};
    use crate::provisioner::Maker;

    pub(in crate::containers) fn launcher(work_dir: &Path) -> Launcher {
        let layout = Layout::create(work_dir).unwrap();
        let settings = ContainerSettings {
            executor_binary: "/none".into(),
            environment: BTreeMap::new(),
            switch_user: false,
            log_rotations: Rotations::default(),
            operator: Settings::default(),
        };
        let actor = shell::inbox("agent").0;
        let networks = Networks::of(&NetworkOptions::default(), work_dir).unwrap();
        let operator = Settings::default();
        let maker = Maker { layout: layout.clone(), settings: operator, images: None, networks, actor: actor.clone() };
        let provisioner = Provisioner::start(maker);
        Launcher { settings, layout, fetcher: Fetcher::uncached(), actor, cgroups: None, removable: None, provisioner }
    }
}
