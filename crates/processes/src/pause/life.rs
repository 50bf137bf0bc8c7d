//! The life of the first process, from its birth as a copy of the shim.

use std::convert::Infallible;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::Mode;
use rustix::process::{Signal, set_parent_process_death_signal, setsid, umask};
use rustix::system::sethostname;
use rustix::thread::{
    CapabilitySet, CapabilitySets, LinkNameSpaceType, clear_ambient_capability_set, move_into_link_name_space,
    remove_capability_from_bounding_set, set_capabilities, set_name, set_no_new_privs,
};

use super::{Namespaces, Network, loopback};
use crate::kernel::Spawn;
use crate::kernel::fork::close_all_but;
use crate::kernel::scheduling::be_ordinary;
use crate::kernel::signals::ignore;
use crate::rootfs::build;

/// The most capabilities there can be.
const CAPABILITIES: u32 = 64;

/// The word that all is made.
pub(super) const READY: u8 = 0;

/// The one who dies when its parent does, and what it needs.
pub(super) struct Life<'a> {
    namespaces: &'a Namespaces,
    /// The files by which it enters its cgroups.
    tasks: &'a [PathBuf],
    network: Option<OwnedFd>,
    /// A pidfd of it: from within another process namespace its number says nothing.
    parent: OwnedFd,
    tell: File,
}

impl<'a> Life<'a> {
    pub(super) fn new(
        namespaces: &'a Namespaces,
        tasks: &'a [PathBuf],
        network: Option<OwnedFd>,
        parent: OwnedFd,
        tell: OwnedFd,
    ) -> Life<'a> {
        Life { namespaces, tasks, network, parent, tell: tell.into() }
    }

    /// Comes back only when something is wrong, which the parent has been told.
    pub(super) fn live(mut self, program: Option<Spawn<'_>>) {
        let lived = match program {
            None => self.sleep(),
            Some(program) => self.become_program(program),
        };
        let Err(error) = lived;
        let _nobody_may_listen = self.tell.write_all(error.to_string().as_bytes());
    }

    fn sleep(&mut self) -> io::Result<Infallible> {
        hide_arguments()?;
        set_name(c"pause")?;
        setsid()?;
        self.make(&[])?;
        // The kernel reaps orphans for a parent that does not want to hear of them.
        ignore(&[Signal::CHILD])?;
        renounce()?;
        self.tell.write_all(&[READY])?;
        close_all_but(&[])?;
        loop {
            let _forever = poll(&mut [], None);
        }
    }

    fn become_program(&mut self, mut program: Spawn<'_>) -> io::Result<Infallible> {
        let streams: Vec<_> = program.streams.iter().flatten().copied().collect();
        // It is there already.
        program.birthplace = None;
        self.make(&streams)?;
        let path = program.path.display().to_string();
        self.tell.write_all(&[READY])?;
        let error = io::Error::from(program.replace(self.tell.as_fd()));
        Err(io::Error::other(format!("Cannot run '{path}': {error}")))
    }

    fn make(&mut self, streams: &[BorrowedFd<'_>]) -> io::Result<()> {
        set_parent_process_death_signal(Some(Signal::KILL))?;
        if has_ended(self.parent.as_fd())? {
            return Err(io::Error::other("the shim has ended"));
        }
        let own = [self.tell.as_fd(), self.parent.as_fd()].into_iter().chain(self.network.as_ref().map(AsFd::as_fd));
        close_all_but(&own.chain(streams.iter().copied()).collect::<Vec<_>>())?;
        if !self.tasks.is_empty() {
            be_ordinary()?;
        }
        self.tasks.iter().try_for_each(|tasks| enter_cgroup(tasks))?;
        if let Some(network) = &self.network {
            move_into_link_name_space(network.as_fd(), Some(LinkNameSpaceType::Network))?;
        }
        if self.namespaces.network == Network::Own {
            loopback::bring_up()?;
        }
        if let Some(name) = &self.namespaces.hostname {
            sethostname(name.as_bytes())?;
        }
        build(&self.namespaces.rootfs).map_err(io::Error::other)?;
        umask(Mode::WGRP | Mode::WOTH);
        Ok(())
    }
}

fn enter_cgroup(tasks: &Path) -> io::Result<()> {
    let named = |cause| io::Error::other(format!("Cannot enter the control group of '{}': {cause}", tasks.display()));
    OpenOptions::new().write(true).open(tasks).and_then(|mut file| file.write_all(b"0")).map_err(named)
}

fn has_ended(process: BorrowedFd<'_>) -> io::Result<bool> {
    let mut readable = [PollFd::from_borrowed_fd(process, PollFlags::IN)];
    Ok(poll(&mut readable, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }))? > 0)
}

/// The arguments are the shim's: where it keeps its files is nobody's business in the container.
fn hide_arguments() -> io::Result<()> {
    const FIRST: usize = 48;
    let absent = || io::Error::other("/proc does not say where the arguments are");
    let line = fs::read_to_string("/proc/self/stat")?;
    let fields = line.rsplit_once(')').ok_or_else(absent)?.1.split_ascii_whitespace();
    let mut places = fields.skip(FIRST - 3).map_while(|field| field.parse::<u64>().ok());
    let (Some(from), Some(to)) = (places.next(), places.next()) else { return Err(absent()) };
    let length = usize::try_from(to.saturating_sub(from)).map_err(|_| absent())?;
    let mut hidden = b"pause".to_vec();
    hidden.resize(length, 0);
    OpenOptions::new().write(true).open("/proc/self/mem")?.write_all_at(&hidden, from)
}

/// All that this process was allowed to do goes: somebody who got hold of it would have gained nothing.
fn renounce() -> io::Result<()> {
    set_no_new_privs(true)?;
    clear_ambient_capability_set()?;
    for number in 0..CAPABILITIES {
        match remove_capability_from_bounding_set(CapabilitySet::from_bits_retain(1 << number)) {
            // The kernel knows no more.
            Err(rustix::io::Errno::INVAL) => break,
            removed => removed?,
        }
    }
    let none = CapabilitySet::empty();
    Ok(set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })?)
}
