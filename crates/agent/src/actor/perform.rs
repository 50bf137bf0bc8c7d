//! Carrying out what the core wants done.

use std::ops::ControlFlow;
use std::os::fd::OwnedFd;

use mesos::v1::cygnet::AgentCall;
use processes::{Process, WaitStatus};
use shell::Now;

use super::{Actor, Course, FAREWELL};
use crate::core::{Action, Owner, StartError};
use crate::error::AgentError;
use crate::handle::Request;

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
        self.waiting.spawn(async move {
            let status = match process {
                Some(pidfd) => processes::ended(pidfd).await.map(WaitStatus::as_raw),
                None => None,
            };
            let _ = handle.send(Request::Ended(owner, status)).await;
        });
    }

    fn leave(&mut self, now: Now) {
        self.tell_master(self.core.farewell());
        match self.master {
            Some(_) => self.leaving = Some(now.elapsed + FAREWELL),
            None => self.done = true,
        }
    }
}
