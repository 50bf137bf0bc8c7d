//! The room of a container, as the tasks of executors have it: what it may do, its volumes, its shared memory.
//!
//! In: the container, its program so far, and what is ready for it. Out: the program with its bounds and its namespaces, and
//! the places of its volumes. Waits for the disk.

use std::io;
use std::path::{Path, PathBuf};

use ::containers::copy::{Backend, CopyError, Watch, make};
use ::containers::places::{self, PlaceError};
use ::containers::provision::Provision;
use ::containers::rootfs::{Cgroups, make_changes};
use ::containers::spec::{self, Room, Sandboxes, SpecError, VolumeError, Volumes};
use mesos::v1::{ContainerInfo, Volume};
use processes::Program;
use rustix::process::geteuid;

/// The surroundings of a task that is to be given its room.
pub(crate) struct Place<'a> {
    pub(crate) provision: &'a Provision,
    pub(crate) sandbox: &'a Path,
    /// The sandbox of the container it is nested in.
    pub(crate) outer: Option<&'a Path>,
    /// The directory of its shim, in which there is what it changes of its image, too.
    pub(crate) state: &'a Path,
    pub(crate) cgroups: Cgroups,
    /// The one who may stop copies of its images.
    pub(crate) watch: &'a Watch,
}

/// Why a task cannot have the room it asks for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RoomError {
    /// The author of the container, or the operator.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// A volume cannot be had.
    #[error(transparent)]
    Volume(#[from] VolumeError),
    /// Nor can its place.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// The machine: the directories for what it changes of its image.
    #[error("Cannot keep what the container changes of its image: {0}")]
    Changes(io::Error),
    /// The machine: images cannot be used where the agent keeps its state.
    #[error("Images cannot be used: layers cannot be laid over each other in '{}': {cause}", directory.display())]
    NoOverlay { directory: PathBuf, cause: io::Error },
    /// The machine: a copy of an image.
    #[error(transparent)]
    Copy(#[from] CopyError),
    /// The agent may not make containers.
    #[error("A container with files or shared memory of its own needs an agent that runs as root")]
    Unprivileged,
}

/// Gives a program the bounds and the namespaces that its container asks for.
pub(crate) fn give<'a>(
    program: &mut Program,
    container: Option<&ContainerInfo>,
    volumes: impl IntoIterator<Item = &'a Volume>,
    place: Place<'_>,
) -> Result<(), RoomError> {
    let Place { provision, sandbox, outer, state, cgroups, watch } = place;
    let (settings, has_image) = (&provision.settings, provision.image.is_some());
    let owner = program.user.as_ref().map(|user| (user.uid, user.gid));
    let is_root = owner.map_or_else(|| geteuid().is_root(), |(uid, _)| uid == 0);
    program.confinement = spec::confinement(container, settings, has_image, is_root)?;
    let mut volumes = Volumes::of(volumes, provision, Sandboxes { own: sandbox, parent: outer })?;
    let changes = changes(state);
    let backend = images(provision, &mut volumes, &changes, watch)?;
    let room = Room {
        container,
        provision,
        sandbox,
        changes: &changes,
        backend,
        volumes: volumes.mounts.clone(),
        host_names: spec::host_names(),
        cgroups,
        owner: owner.unwrap_or((0, 0)),
        init: false,
        read_only: false,
    };
    program.namespaces = room.namespaces()?.map(Box::new);
    if program.namespaces.is_some() && !geteuid().is_root() {
        return Err(RoomError::Unprivileged);
    }
    Ok(places::make(&volumes, sandbox, settings, program.user.as_ref(), !has_image)?)
}

/// Makes the place of what it changes of its image; where layers cannot be laid over each other, with copies of them.
fn images(provision: &Provision, volumes: &mut Volumes, changes: &Path, watch: &Watch) -> Result<Backend, RoomError> {
    if provision.images().next().is_none() {
        return Ok(Backend::Overlay);
    }
    make_changes(changes).map_err(RoomError::Changes)?;
    let no_overlay = |cause| RoomError::NoOverlay { directory: changes.to_owned(), cause };
    let backend = Backend::choose(provision.settings.image_backend, changes).map_err(no_overlay)?;
    if backend == Backend::Copy {
        let copies = spec::copies(provision, &mut volumes.mounts, changes);
        make(&copies, watch)?;
    }
    Ok(backend)
}

/// The directory for what a container changes of its image.
pub(super) fn changes(state: &Path) -> PathBuf {
    state.join("changes")
}
