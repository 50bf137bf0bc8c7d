//! The room of a task container, as the tasks of executors have it: what it may do, its volumes, its shared memory.
//!
//! In: the order, its program so far, and the operator's settings. Out: the program with its bounds and its namespaces, and
//! the places of its volumes. Waits for the disk.

use std::path::Path;

use ::containers::places::{self, PlaceError};
use ::containers::provision::Provision;
use ::containers::rootfs::Cgroups;
use ::containers::spec::{self, Room, Sandboxes, SpecError, VolumeError, Volumes};
use processes::Program;
use rustix::process::geteuid;

use super::order::Order;

/// The surroundings of a task that is to be given its room.
pub(super) struct Place<'a> {
    pub(super) provision: &'a Provision,
    pub(super) sandbox: &'a Path,
    /// The sandbox of the container it is nested in.
    pub(super) outer: Option<&'a Path>,
    /// The directory of its shim.
    pub(super) state: &'a Path,
    pub(super) cgroups: Cgroups,
}

/// Why a task cannot have the room it asks for.
#[derive(Debug, thiserror::Error)]
pub(super) enum RoomError {
    /// The author of the container, or the operator.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// A volume cannot be had.
    #[error(transparent)]
    Volume(#[from] VolumeError),
    /// Nor can its place.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// The agent may not make containers.
    #[error("A container with files or shared memory of its own needs an agent that runs as root")]
    Unprivileged,
}

/// Gives a program the bounds and the namespaces that the order asks for.
pub(super) fn give(program: &mut Program, order: &Order, place: Place<'_>) -> Result<(), RoomError> {
    let container = order.container.as_ref();
    let owner = program.user.as_ref().map(|user| (user.uid, user.gid));
    let is_root = owner.map_or_else(|| geteuid().is_root(), |(uid, _)| uid == 0);
    program.confinement = spec::confinement(container, &place.provision.settings, false, is_root)?;
    let sandboxes = Sandboxes { own: place.sandbox, parent: place.outer };
    let volumes = Volumes::of(order.unlinked(), place.provision, sandboxes)?;
    let room = Room {
        container,
        provision: place.provision,
        sandbox: place.sandbox,
        changes: place.state,
        volumes: volumes.mounts.clone(),
        host_names: spec::host_names(),
        cgroups: place.cgroups,
        owner: owner.unwrap_or((0, 0)),
        init: false,
        read_only: false,
    };
    program.namespaces = room.namespaces()?.map(Box::new);
    if program.namespaces.is_some() && !geteuid().is_root() {
        return Err(RoomError::Unprivileged);
    }
    Ok(places::make(&volumes, place.sandbox, &place.provision.settings, program.user.as_ref(), true)?)
}
