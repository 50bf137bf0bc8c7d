//! The epoll set. In: descriptors with the key of their check. Out: the keys that may be able to go on.

use std::collections::VecDeque;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};
use rustix::io::Errno;

use crate::timetable::Key;

/// The readiness to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interest {
    Read,
    Write,
    Both,
}

impl Interest {
    fn flags(self) -> epoll::EventFlags {
        match self {
            Interest::Read => epoll::EventFlags::IN,
            Interest::Write => epoll::EventFlags::OUT,
            Interest::Both => epoll::EventFlags::IN | epoll::EventFlags::OUT,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Poller {
    epoll: OwnedFd,
}

/// The number of keys that one look takes in at most.
const EVENTS: usize = 256;

impl Poller {
    pub(crate) fn new() -> rustix::io::Result<Poller> {
        Ok(Poller { epoll: epoll::create(epoll::CreateFlags::CLOEXEC)? })
    }

    pub(crate) fn add(&self, source: impl AsFd, key: Key, interest: Interest) -> rustix::io::Result<()> {
        epoll::add(&self.epoll, source, epoll::EventData::new_u64(key), interest.flags())
    }

    pub(crate) fn modify(&self, source: impl AsFd, key: Key, interest: Interest) -> rustix::io::Result<()> {
        epoll::modify(&self.epoll, source, epoll::EventData::new_u64(key), interest.flags())
    }

    /// Closing does it as well, unless a child that is about to become its program still has a copy: then what is ready
    /// would be reported, over and over, until it is one.
    pub(crate) fn remove(&self, source: impl AsFd) {
        let _was_never_added = epoll::delete(&self.epoll, source);
    }

    /// The keys that are ready, up to [`EVENTS`] of them; waits for the first one no longer than this. A key stays ready
    /// until what made it so is dealt with, and the longest ready ones come first.
    pub(crate) fn wait(&self, wait: Duration, ready: &mut VecDeque<Key>) -> rustix::io::Result<()> {
        ready.clear();
        let mut events = Vec::with_capacity(EVENTS);
        match epoll::wait(&self.epoll, spare_capacity(&mut events), Some(&timespec(wait))) {
            // A process that was stopped and goes on gets EINTR, whatever has become ready meanwhile.
            Err(Errno::INTR) => drop(epoll::wait(&self.epoll, spare_capacity(&mut events), Some(&timespec(NO_TIME)))?),
            other => drop(other?),
        }
        ready.extend(events.iter().map(|event| event.data.u64()));
        Ok(())
    }
}

const NO_TIME: Duration = Duration::ZERO;

fn timespec(wait: Duration) -> Timespec {
    let seconds = i64::try_from(wait.as_secs()).unwrap_or(i64::MAX);
    Timespec { tv_sec: seconds, tv_nsec: wait.subsec_nanos().into() }
}
