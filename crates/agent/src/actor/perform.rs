//! Carrying out what the core wants done.

use std::ops::ControlFlow;

use mesos::v1::cygnet::{AgentCall, agent_call};
use tokio::time::Instant;

use super::{Actor, Course, FAREWELL, Request};
use crate::chores::Chore;
use crate::containers;
use crate::core::{Action, Owner};
use crate::error::AgentError;
use crate::processes::{self, Process, Program};
use crate::users;

impl Actor {
    pub(super) fn perform(&mut self, action: Action) -> Course {
        match action {
            // Done already, together with all others.
            Action::Persist(_) => {}
            Action::ToExecutor(stream, event) => {
                if let Some(broken) = self.streams.to_executor(stream, &event) {
                    self.closed(broken);
                }
            }
            Action::ToPool(stream, event) => {
                if let Some(broken) = self.streams.to_pool(stream, &event) {
                    self.closed(broken);
                }
            }
            Action::CloseStream(stream) => self.streams.close(stream),
            Action::ToMaster(call) => self.tell_master(*call),
            Action::Prepare(preparation) => self.chores.add(Chore::Prepare(preparation)),
            Action::Start(owner, program, user) => self.start(owner, *program, user),
            Action::Watch(owner, process) => self.watch(owner, process),
            Action::KillTree(process) => self.chores.add(Chore::KillTree(process)),
            Action::KillRun(container) => self.chores.add(Chore::KillRun(container)),
            Action::Retire(sandbox) => self.chores.add(Chore::Retire(sandbox)),
            Action::DestroyContainers(root) => self.containers.say(containers::Request::Destroy(root)),
            Action::RemoveState(container) => self.chores.add(Chore::RemoveState(container)),
            Action::Sweep(live) => self.chores.add(Chore::Sweep(live)),
            Action::EndStrangers(known, patience) => self.chores.add(Chore::EndStrangers(known, patience)),
            Action::Named(agent) => self.chores.add(Chore::Link(agent)),
            Action::Register => {
                let registration = self.registration.clone();
                self.waiting.spawn(registration.run());
            }
            Action::Leave => return self.leave(),
            Action::TurnedAway(message) => return ControlFlow::Break(Err(AgentError::TurnedAway { message })),
        }
        ControlFlow::Continue(())
    }

    /// Without a master the call is not needed: whoever subscribes says everything anew.
    fn tell_master(&mut self, call: AgentCall) {
        if self.master.as_ref().is_some_and(|master| master.send(call).is_err()) {
            self.master = None;
        }
    }

    fn start(&mut self, owner: Owner, program: Program, user: Option<String>) {
        let result = start(program, user).map(|(process, pidfd)| {
            let (handle, owner) = (self.handle.clone(), owner.clone());
            self.waiting.spawn(async move {
                let status = processes::ended(pidfd).await;
                let _ = handle.send(Request::Ended(owner, status)).await;
            });
            process
        });
        self.core.started(self.clock.now(), &owner, result);
    }

    fn watch(&mut self, owner: Owner, process: Process) {
        let handle = self.handle.clone();
        self.waiting.spawn(async move {
            let status = match process.open() {
                Some(pidfd) => processes::ended(pidfd).await,
                None => None,
            };
            let _ = handle.send(Request::Ended(owner, status)).await;
        });
    }

    fn leave(&mut self) -> Course {
        let call = AgentCall { r#type: Some(agent_call::Type::Unregister.into()), ..AgentCall::default() };
        let agent_id = self.core.registration().agent_id;
        self.tell_master(AgentCall { agent_id, ..call });
        if self.master.is_none() {
            return ControlFlow::Break(Ok(()));
        }
        self.leaving = Some(Instant::now() + FAREWELL);
        ControlFlow::Continue(())
    }
}

fn start(mut program: Program, user: Option<String>) -> Result<(Process, std::os::fd::OwnedFd), String> {
    if let Some(user) = user {
        program.user = users::credentials(&user)?;
    }
    let path = program.path.display().to_string();
    processes::start(program).map_err(|error| format!("cannot start {path}: {error}"))
}
