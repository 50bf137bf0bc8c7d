//! Carrying out what the core wants done.

use std::ops::ControlFlow;
use std::os::fd::OwnedFd;

use containers::cgroup::{Cgroup, MemoryReport};
use mesos::v1::ContainerId;
use mesos::v1::cygnet::AgentCall;
use processes::{Process, WaitStatus};
use shell::Now;

use super::{Actor, Course, FAREWELL};
use crate::core::{Action, Owner, StartError};
use crate::error::AgentError;
use crate::handle::Request;
use crate::ids::ExecutorKey;
use crate::memory;

impl Actor {
    pub(super) fn carry_out(&mut self, action: Action, now: Now) -> Course {
        match action {
            // Done already, together with all others.
            Action::Persist(_) => {}
            Action::ToExecutor(stream, event) => {
                if self.streams.to_executor(stream, &event) {
                    self.closed(stream, now);
                }
            }
            Action::ToPool(stream, event) => {
                if self.streams.to_pool(stream, &event) {
                    self.closed(stream, now);
                }
            }
            Action::CloseStream(stream) => self.streams.close(stream),
            Action::ToMaster(call) => self.tell_master(*call),
            Action::Job(job) => self.jobs.add(job),
            Action::Watch(owner, process) => self.wait(owner, process.open()),
            Action::Register => {
                let registration = self.registration.clone();
                self.waiting.spawn(registration.run());
            }
            Action::Leave => self.leave(now),
            Action::TurnedAway(message) => return ControlFlow::Break(Err(AgentError::TurnedAway { message })),
        }
        ControlFlow::Continue(())
    }

    /// Without a master the call is not needed: a subscription says everything anew.
    fn tell_master(&mut self, call: AgentCall) {
        if self.master.as_ref().is_some_and(|master| master.send(call).is_err()) {
            self.master = None;
        }
    }

    pub(super) fn started(&mut self, owner: Owner, result: Result<(Process, OwnedFd), StartError>, now: Now) {
        self.jobs.start_answered();
        let process = result.map(|(process, pidfd)| {
            self.wait(owner.clone(), Some(pidfd));
            process
        });
        self.core.started(now, &owner, process);
    }

    fn wait(&mut self, owner: Owner, process: Option<OwnedFd>) {
        let handle = self.handle.clone();
        let memory = self.memory_of(&owner);
        self.waiting.spawn(async move {
            let end = async {
                match process {
                    Some(pidfd) => processes::ended(pidfd).await.map(WaitStatus::as_raw),
                    None => None,
                }
            };
            let status = match memory {
                Some((key, container, cgroup)) => {
                    let exceeded = |report: MemoryReport| Request::Exceeded(key, container, Box::new(report.into()));
                    let tell = async |report| {
                        let _ending = handle.send(exceeded(report)).await;
                    };
                    memory::watched(&cgroup, end, tell).await
                }
                None => end.await,
            };
            let _ = handle.send(Request::Ended(owner, status)).await;
        });
    }

    /// The memory of an executor's own process and of what it starts.
    fn memory_of(&self, owner: &Owner) -> Option<(ExecutorKey, ContainerId, Cgroup)> {
        let (Owner::Executor(key, container), Some(cgroups)) = (owner, &self.cgroups) else { return None };
        Some((key.clone(), container.clone(), cgroups.of_run(container)))
    }

    fn leave(&mut self, now: Now) {
        self.tell_master(self.core.farewell());
        match self.master {
            Some(_) => self.leaving = Some(now.elapsed + FAREWELL),
            None => self.done = true,
        }
    }
}
