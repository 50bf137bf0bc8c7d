//! A task container, from an order to a program below a shim: its directory, with the record of it, then its images, its
//! program, its sandbox and its room. Whatever is made belongs to that directory, and goes with it.

use std::path::{Path, PathBuf};

use ::containers::copy::{Watch, unless};
use ::containers::identity::{Identity, InImage};
use ::containers::provision::{Provision, ProvisionedImage, ProvisionedNetwork};
use ::containers::rootfs::Cgroups as Visible;
use ::containers::{logs, spec};
use fetcher::Item;
use processes::{Contained, Credentials, End, Logged, Logs, Program, contained};
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use super::LaunchRefusal;
use super::launch::{Launcher, Started, StartedProgram, cgroup, own_environment, program, refused, user};
use super::order::Order;
use super::parent::{Parent, Surroundings};
use super::record::ContainerRecord;
use super::room::{self, Place};
use crate::cgroups::Cgroups;
use crate::core::TaskNeeds;
use crate::handle::look;
use crate::layout::private_directory;
use crate::provisioner::ContainerNeeds;
use crate::sandbox;

/// The places of a task container.
#[derive(Debug, Clone)]
struct Spot {
    /// The sandbox of the one around it, or the work directory.
    outer: PathBuf,
    /// The name of its own sandbox in there.
    name: PathBuf,
    /// The directory of its shim.
    state: PathBuf,
    is_nested: bool,
}

fn unmade(error: impl std::fmt::Display) -> LaunchRefusal {
    LaunchRefusal::Sandbox(format!("Failed to create sandbox: {error}"))
}

/// Starts it below a shim. What takes long, such as a pull, a fetch or a copy, is given up with the token.
pub(super) async fn start(
    launcher: &Launcher,
    order: Order,
    (parent, joined): (Option<Parent>, Option<Surroundings>),
    over: CancellationToken,
) -> Result<Started, LaunchRefusal> {
    let spot = Spot::of(launcher, &order, parent.as_ref());
    spot.reserve(&order).await?;
    let provision = provision(launcher, &order, over.clone()).await?;
    let program = match provision.image.clone() {
        Some(image) => in_image(launcher, &order, &provision, image).await?,
        None => {
            let user = user(launcher, &order, parent.as_ref(), joined.as_ref()).await?;
            program(launcher, &order, launcher.settings.environment.clone(), &spot.sandbox(), user)?
        }
    };
    spot.make(&order, program.user.as_ref()).await?;
    let started = start_in(&spot, launcher, order, (program, provision), over).await;
    if started.is_err() {
        // Nobody has seen it.
        sandbox::discard(spot.sandbox()).await;
    }
    started
}

/// Starts it in a sandbox that is there.
async fn start_in(
    spot: &Spot,
    launcher: &Launcher,
    order: Order,
    (mut program, provision): (Program, Provision),
    over: CancellationToken,
) -> Result<Started, LaunchRefusal> {
    let filled = over.run_until_cancelled(spot.fill(launcher, &order, program.user.clone())).await;
    filled.unwrap_or_else(|| Err(LaunchRefusal::Order("The launch was given up".to_owned())))?;
    program.birthplace = cgroup(launcher, &order).await?;
    let program = roomy(launcher, &order, program, (provision, spot), over).await?;
    run(launcher, program, spot, order).await
}

async fn run(launcher: &Launcher, program: Program, spot: &Spot, order: Order) -> Result<Started, LaunchRefusal> {
    let sandbox = spot.sandbox();
    let rotations = logs::of_task(launcher.settings.log_rotations, &program.environment).map_err(refused)?;
    let program = Logged { program, logs: Logs::of(&sandbox), rotations };
    let shim = [launcher.settings.executor_binary.display().to_string(), "shim".to_owned()];
    let started: Result<Contained, End> = contained::start(program, &shim, &spot.state).await.map_err(refused)?;
    match started {
        Ok(contained) => Ok(Started { program: StartedProgram::Task(contained), sandbox, resources: order.resources }),
        Err(End::NotStarted(why)) => Err(LaunchRefusal::Order(why)),
        Err(end) => Ok(Started { program: StartedProgram::Over(end), sandbox, resources: order.resources }),
    }
}

/// All that it needs and that is there before it is made: its images, and the network of those around it.
async fn provision(launcher: &Launcher, order: &Order, over: CancellationToken) -> Result<Provision, LaunchRefusal> {
    let images = TaskNeeds::of(order.id.value.as_str().into(), order.container.as_ref());
    let network = network(launcher, order).await?;
    if !images.has_images() {
        return Ok(Provision { network, settings: launcher.settings.operator.clone(), ..Provision::default() });
    }
    let wanted = ContainerNeeds { container: order.id.clone(), network, images };
    launcher.provisioner.contain(wanted, over).await.map_err(refused)
}

/// The network of the executor that it is nested in, however deep.
async fn network(launcher: &Launcher, order: &Order) -> Result<Option<ProvisionedNetwork>, LaunchRefusal> {
    if order.id.parent.is_none() {
        return Ok(None);
    }
    let (root, directory) = (order.id.root(), launcher.layout.container(order.id.root()));
    let books = look(&launcher.actor).await.map_err(|_| refused("The agent is shutting down"))?;
    if let Some(root) = books.root(root) {
        return Ok(root.network);
    }
    // A standalone container is in the host's; an executor may have left a moment ago.
    match spawn_blocking(move || ContainerRecord::read(&directory)).await.map_err(refused)? {
        Ok(_) => Ok(None),
        Err(_) => Err(LaunchRefusal::Order(format!("Parent container {root} does not exist"))),
    }
}

/// Its program with an image: its own variables go above the image's, and the user that it names before that of the image.
async fn in_image(
    launcher: &Launcher,
    order: &Order,
    provision: &Provision,
    image: ProvisionedImage,
) -> Result<Program, LaunchRefusal> {
    let terminal = order.terminal().map_err(refused)?;
    let own = own_environment(order)?;
    let (order, provision) = (order.clone(), provision.clone());
    let (inherited, switch_user) = (launcher.settings.environment.clone(), launcher.settings.switch_user);
    let identity = move || {
        let named = order.command.user.as_deref().filter(|name| switch_user && !name.is_empty());
        let (command, image) = (Some(&order.command), &image);
        InImage { image, provision: &provision, command, user: named, inherited: &inherited, own }.identity()
    };
    let identity = spawn_blocking(identity).await.map_err(refused)?.map_err(refused)?;
    let Identity { user, environment, path, arguments, working_directory } = identity;
    let environment = environment.into_iter().collect();
    Ok(Program { path, arguments, environment, working_directory, user, terminal, ..Program::default() })
}

/// The program in its room.
async fn roomy(
    launcher: &Launcher,
    order: &Order,
    mut program: Program,
    (provision, spot): (Provision, &Spot),
    over: CancellationToken,
) -> Result<Program, LaunchRefusal> {
    let visible = |cgroups: &Cgroups| spec::cgroups(&cgroups.root().mounts, program.birthplace.as_ref());
    let cgroups = launcher.cgroups.as_ref().map_or(Visible::Nothing, visible);
    let (order, spot) = (order.clone(), spot.clone());
    let give = move |watch: &Watch| {
        let (sandbox, outer) = (spot.sandbox(), spot.is_nested.then_some(spot.outer.as_path()));
        let place = Place { provision: &provision, sandbox: &sandbox, outer, state: &spot.state, cgroups, watch };
        room::give(&mut program, order.container.as_ref(), order.unlinked(), place).map(|()| program)
    };
    unless(over.cancelled(), give).await.map_err(refused)?.map_err(refused)
}

impl Spot {
    fn of(launcher: &Launcher, order: &Order, parent: Option<&Parent>) -> Spot {
        let outer = parent.map_or_else(|| launcher.layout.root().to_owned(), |parent| parent.sandbox.clone());
        let name = Path::new("containers").join(&order.id.value);
        Spot { outer, name, state: launcher.layout.container(&order.id), is_nested: parent.is_some() }
    }

    fn sandbox(&self) -> PathBuf {
        self.outer.join(&self.name)
    }

    /// Makes the shim's directory, by which everything else is found again.
    async fn reserve(&self, order: &Order) -> Result<(), LaunchRefusal> {
        let (state, record) = (self.state.clone(), ContainerRecord::new(&order.id, self.sandbox(), &order.resources));
        let make = move || {
            // An earlier container of this name has been removed from the books.
            let _nothing_there = processes::remove_tree(&state);
            private_directory(&state)?;
            record.write(&state)
        };
        spawn_blocking(make).await.map_err(unmade)?.map_err(unmade)
    }

    /// Makes the sandbox.
    async fn make(&self, order: &Order, user: Option<&Credentials>) -> Result<(), LaunchRefusal> {
        let (links, owner, spot) = (order.links(), user.cloned(), self.clone());
        let make = move || sandbox::nest(&spot.outer, &spot.name, &links, owner.as_ref());
        spawn_blocking(make).await.map_err(unmade)?.map_err(unmade)
    }

    async fn fill(&self, launcher: &Launcher, order: &Order, user: Option<Credentials>) -> Result<(), LaunchRefusal> {
        let items = order.command.uris.iter().map(Item::of).collect::<Result<Vec<_>, _>>().map_err(refused)?;
        sandbox::fill(&launcher.fetcher, self.sandbox(), items, user).await.map_err(refused)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::pin::pin;

    use futures_util::future::poll_immediate;
    use mesos::v1::CommandInfo;
    use tokio::runtime::Builder;

    use super::super::launch::tests::launcher;
    use super::super::order::Class;
    use super::*;

    /// With the only thread that may wait taken, the disk is not touched up to the first wait for that.
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
            let spot = Spot::of(&launcher, &order, None);
            let (sandbox, state) = (spot.sandbox(), spot.state.clone());
            let mut placing = pin!(async {
                spot.reserve(&order).await?;
                spot.make(&order, None).await
            });
            assert!(poll_immediate(&mut placing).await.is_none());
            assert!(!state.exists() && !sandbox.exists() && !waiting.is_finished());
            drop(free);
            placing.await.unwrap();
            assert_eq!(ContainerRecord::read(&state).unwrap().sandbox, sandbox);
            assert!(sandbox.join("stdout").is_file());
        });
    }
}
