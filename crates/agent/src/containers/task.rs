//! A task container, from an order to a program below a shim: its directory, with the record of it, then its images, its
//! program, its sandbox and its room. Whatever is made belongs to that directory, and goes with it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::containers::copy::Watch;
use ::containers::identity::{Identity, InImage};
use ::containers::provision::{Provision, ProvisionedImage, ProvisionedNetwork};
use ::containers::rootfs::Cgroups as Visible;
use ::containers::{logs, spec};
use fetcher::Item;
use processes::{Contained, Credentials, End, Logged, Logs, Program, contained, mark};
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

/// Starts it below a shim. What takes long, a pull or a copy, is given up with the token.
pub(super) async fn start(
    launcher: &Launcher,
    order: Order,
    (parent, joined): (Option<Parent>, Option<Surroundings>),
    over: CancellationToken,
) -> Result<Started, LaunchRefusal> {
    let spot = Spot::of(launcher, &order, parent.as_ref());
    spot.reserve(&order).await?;
    let provision = provision(launcher, &order, over.clone()).await?;
    let mut program = match provision.image.clone() {
        Some(image) => in_image(launcher, &order, &provision, image, &spot).await?,
        None => {
            let user = user(launcher, &order, parent.as_ref(), joined.as_ref()).await?;
            program(launcher, &order, launcher.settings.environment.clone(), &spot.sandbox(), user)?
        }
    };
    spot.furnish(launcher, &order, program.user.as_ref()).await?;
    program.birthplace = cgroup(launcher, &order).await?;
    let program = roomy(launcher, &order, program, (provision, &spot), over).await?;
    run(launcher, program, &spot, order).await
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
    let books = look(&launcher.actor).await.map_err(|_| refused("The agent is shutting down"))?;
    Ok(books.root(order.id.root()).and_then(|root| root.network))
}

/// Its program with an image: its own variables go above the image's, and the user that it names before that of the image.
async fn in_image(
    launcher: &Launcher,
    order: &Order,
    provision: &Provision,
    image: ProvisionedImage,
    spot: &Spot,
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
    let Identity { user, mut environment, path, arguments, working_directory } = identity;
    environment.extend([mark(&spot.state)]);
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
    let (order, spot, copying) = (order.clone(), spot.clone(), Arc::new(Watch::default()));
    let watch = copying.clone();
    let give = move || {
        let (sandbox, outer) = (spot.sandbox(), spot.is_nested.then_some(spot.outer.as_path()));
        let place =
            Place { provision: &provision, sandbox: &sandbox, outer, state: &spot.state, cgroups, watch: &watch };
        room::give(&mut program, order.container.as_ref(), order.unlinked(), place).map(|()| program)
    };
    let mut giving = spawn_blocking(give);
    let given = tokio::select! {
        given = &mut giving => given,
        () = over.cancelled() => {
            copying.stop();
            giving.await
        }
    };
    given.map_err(refused)?.map_err(refused)
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

    /// Makes the sandbox, and fills it.
    async fn furnish(
        &self,
        launcher: &Launcher,
        order: &Order,
        user: Option<&Credentials>,
    ) -> Result<(), LaunchRefusal> {
        let items = order.command.uris.iter().map(Item::of).collect::<Result<Vec<_>, _>>().map_err(refused)?;
        let (links, owner, spot) = (order.links(), user.cloned(), self.clone());
        let make = move || sandbox::nest(&spot.outer, &spot.name, &links, owner.as_ref());
        spawn_blocking(make).await.map_err(unmade)?.map_err(unmade)?;
        sandbox::fill(&launcher.fetcher, self.sandbox(), items, user.cloned()).await.map_err(refused)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use mesos::v1::CommandInfo;
    use tokio::runtime::Builder;
    use tokio::task::yield_now;

    use super::super::launch::tests::launcher;
    use super::super::order::Class;
    use super::*;

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
            let spot = Spot::of(&launcher, &order, None);
            let (sandbox, state) = (spot.sandbox(), spot.state.clone());
            let placed = tokio::spawn(async move {
                spot.reserve(&order).await?;
                spot.furnish(&launcher, &order, None).await
            });
            for _ in 0..100 {
                yield_now().await;
            }
            assert!(!state.exists() && !sandbox.exists() && !waiting.is_finished());
            drop(free);
            placed.await.unwrap().unwrap();
            assert_eq!(ContainerRecord::read(&state).unwrap().sandbox, sandbox);
            assert!(sandbox.join("stdout").is_file());
        });
    }
}
