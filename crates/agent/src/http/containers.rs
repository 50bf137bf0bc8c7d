//! The operator API's calls about containers that others launch: nested ones, standalone ones, sessions and their streams.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use mesos::Union;
use mesos::recordio::Decoder;
use mesos::server::{self, MAX_CALL_BYTES, Refusal};
use mesos::v1::agent::call::attach_container_input::Content as Record;
use mesos::v1::agent::call::{self, Content};
use mesos::v1::agent::{self, ProcessIo, response};
use mesos::v1::task_status::Reason;
use mesos::v1::{CommandInfo, ContainerId, ContainerInfo, TaskState};

use super::Shared;
use super::negotiate::{Form, labelled};
use crate::containers::{
    AttachRefusal, Class, ContainerRequest as Request, Input, InputSender, KillRefusal, LaunchRefusal, Launched, Order,
    Termination, check_id,
};
use crate::handle::look;

/// Records that may wait for a client that does not read.
const QUEUED_RECORDS: usize = 256;

/// The longest that the first record of an input may take.
const FIRST_RECORD: Duration = Duration::from_secs(60);

/// SIGKILL
const DEFAULT_SIGNAL: i32 = 9;

/// A call about containers, apart from its older or newer name.
pub(super) enum Ask {
    Launch(Box<Order>),
    Session(Box<Order>),
    Wait(ContainerId, Naming),
    Kill(ContainerId, i32),
    Remove(ContainerId),
    AttachOutput(ContainerId),
}

/// Which of two answers a client expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Naming {
    Nested,
    Any,
}

impl Ask {
    /// A call about containers, with ids that can be; any other call is given back.
    pub(super) fn of(call: Content) -> Result<Result<Ask, Content>, Refusal> {
        let ask = match call {
            Content::LaunchNestedContainer(of) => {
                Ask::Launch(order(of.container_id, Class::Task, of.command, of.container))
            }
            Content::LaunchContainer(of) => {
                let launch = order(of.container_id, Class::Task, of.command, of.container);
                Ask::Launch(Box::new(Order { resources: of.resources, limits: of.limits, ..*launch }))
            }
            Content::LaunchNestedContainerSession(of) => {
                Ask::Session(order(of.container_id, Class::Session, of.command, of.container))
            }
            Content::WaitNestedContainer(of) => Ask::Wait(of.container_id, Naming::Nested),
            Content::WaitContainer(of) => Ask::Wait(of.container_id, Naming::Any),
            Content::KillNestedContainer(of) => Ask::Kill(of.container_id, signal(of.signal)),
            Content::KillContainer(of) => Ask::Kill(of.container_id, signal(of.signal)),
            Content::RemoveNestedContainer(of) => Ask::Remove(of.container_id),
            Content::RemoveContainer(of) => Ask::Remove(of.container_id),
            Content::AttachContainerOutput(of) => Ask::AttachOutput(of.container_id),
            other => return Ok(Err(other)),
        };
        ask.checked().map(Ok)
    }

    fn id(&self) -> &ContainerId {
        match self {
            Ask::Launch(order) | Ask::Session(order) => &order.id,
            Ask::Wait(id, _) | Ask::Kill(id, _) | Ask::Remove(id) | Ask::AttachOutput(id) => id,
        }
    }

    fn checked(self) -> Result<Ask, Refusal> {
        check_id(self.id()).map_err(invalid)?;
        let nested = matches!(self, Ask::Session(_) | Ask::Wait(_, Naming::Nested));
        match self.id().parent {
            None if nested => Err(invalid("Expecting 'container_id.parent' to be present")),
            _ => Ok(self),
        }
    }

    /// Does what is asked, and answers when that is done.
    pub(super) async fn answer(self, shared: &Shared, form: Form) -> Result<Response, Refusal> {
        let containers = &shared.containers;
        match self {
            Ask::Launch(order) => Ok(match containers.ask(|answer| Request::Launch(order, None, answer)).await?? {
                Launched::New => StatusCode::OK.into_response(),
                Launched::Already => server::accepted(),
            }),
            Ask::Session(order) => {
                let (output, response) = server::event_stream::<ProcessIo>(form.codec, None, QUEUED_RECORDS);
                match containers.ask(|answer| Request::Launch(order, Some(output), answer)).await?? {
                    Launched::New => Ok(labelled(response, form)),
                    Launched::Already => Ok(server::accepted()),
                }
            }
            Ask::Wait(id, naming) => {
                let termination = containers.ask(|answer| Request::Wait(id.clone(), answer)).await?;
                let termination = termination.ok_or_else(|| unknown(&id))?;
                Ok(server::reply(form.codec, &waited(termination, naming)))
            }
            Ask::Kill(id, signal) => {
                let killed = containers.ask(|answer| Request::Kill(id.clone(), signal, answer)).await?;
                killed.map_err(|refusal| match refusal {
                    KillRefusal::Unknown => {
                        let message = format!("Container '{id}' cannot be found (or is already killed)");
                        Refusal::new(StatusCode::NOT_FOUND, message)
                    }
                    KillRefusal::Failed(_) => internal(refusal),
                })?;
                Ok(StatusCode::OK.into_response())
            }
            Ask::Remove(id) => remove(shared, id).await,
            Ask::AttachOutput(id) => {
                has_root(shared, &id).await?.then_some(()).ok_or_else(|| unknown(&id))?;
                let (output, response) = server::event_stream::<ProcessIo>(form.codec, None, QUEUED_RECORDS);
                let attached = containers.ask(|answer| Request::AttachOutput(id.clone(), output, answer)).await?;
                attached.map_err(|refusal| attach(refusal, &id))?;
                Ok(labelled(response, form))
            }
        }
    }
}

/// True if the outermost container, this one or one around it, is here: an executor's container, or one that is
/// nobody's.
async fn has_root(shared: &Shared, id: &ContainerId) -> Result<bool, Refusal> {
    let known = look(&shared.actor).await?.is_root(id.root());
    Ok(known || shared.containers.ask(Request::List).await?.iter().any(|listed| listed.id.root() == id.root()))
}

/// One that never was counts as removed, if what it would be nested in is there.
async fn remove(shared: &Shared, id: ContainerId) -> Result<Response, Refusal> {
    if id.parent.is_some() && !has_root(shared, &id).await? {
        return Err(internal(format!("Container {} cannot be found", id.root())));
    }
    let removed = shared.containers.ask(|answer| Request::Remove(id, answer)).await?;
    removed.map_err(internal)?;
    Ok(StatusCode::OK.into_response())
}

fn order(id: ContainerId, class: Class, command: Option<CommandInfo>, container: Option<ContainerInfo>) -> Box<Order> {
    // Without one, what runs is for its image to say.
    let command = command.unwrap_or_else(|| CommandInfo { shell: Some(false), ..CommandInfo::default() });
    let (resources, limits) = (Vec::new(), BTreeMap::new());
    Box::new(Order { id, class, command, container, resources, limits })
}

fn signal(asked: Option<i32>) -> i32 {
    asked.unwrap_or(DEFAULT_SIGNAL)
}

fn waited(Termination { status, message, limitation }: Termination, naming: Naming) -> agent::Response {
    let exit_status = status;
    let (state, reason) = match limitation {
        Some(_) => (Some(TaskState::TaskFailed.into()), Some(Reason::ContainerLimitationMemory.into())),
        None => (None, None),
    };
    match naming {
        Naming::Nested => agent::Response::wait_nested_container(response::WaitNestedContainer {
            exit_status,
            state,
            reason,
            limitation,
            message,
        }),
        Naming::Any => {
            agent::Response::wait_container(response::WaitContainer { exit_status, state, reason, limitation, message })
        }
    }
}

/// ATTACH_CONTAINER_INPUT: the request's body is the stream. Answered when that ends, or the session does.
pub(super) async fn attach_input(shared: &Shared, form: Form, body: Body) -> Result<Response, Refusal> {
    let mut records =
        Records { codec: form.codec, body: body.into_data_stream(), decoder: Decoder::new(MAX_CALL_BYTES) };
    let late = |_| Refusal::new(StatusCode::REQUEST_TIMEOUT, "The first record did not arrive in time");
    let first = tokio::time::timeout(FIRST_RECORD, records.next()).await.map_err(late)??;
    let first = first.ok_or_else(|| Refusal::bad_request("Received EOF while reading the request's body"))?;
    let Ok(Record::ContainerId(id)) = first.content() else {
        return Err(invalid("Expecting 'attach_container_input.container_id' to be present"));
    };
    check_id(&id).map_err(invalid)?;
    has_root(shared, &id).await?.then_some(()).ok_or_else(|| unknown(&id))?;
    let attached = shared.containers.ask(|answer| Request::AttachInput(id.clone(), answer)).await?;
    let terminal = attached.map_err(|refusal| attach(refusal, &id))?;
    tokio::select! {
        passed = pass(&mut records, &terminal) => passed?,
        () = terminal.closed() => {}
    }
    Ok(StatusCode::OK.into_response())
}

async fn pass(records: &mut Records, terminal: &InputSender) -> Result<(), Refusal> {
    while let Some(record) = records.next().await? {
        let Ok(Record::ProcessIo(io)) = record.content() else {
            return Err(invalid("Expecting 'attach_container_input.type' to be PROCESS_IO"));
        };
        if let Some(input) = io.map(Input::of).transpose().map_err(invalid)?.flatten()
            && !terminal.send(input).await
        {
            break;
        }
    }
    Ok(())
}

/// A request's body, record by record.
struct Records {
    codec: mesos::Codec,
    body: BodyDataStream,
    decoder: Decoder,
}

impl Records {
    async fn next(&mut self) -> Result<Option<call::AttachContainerInput>, Refusal> {
        loop {
            let bad =
                |error: &dyn std::fmt::Display| Refusal::bad_request(format!("Failed to read the request: {error}"));
            if let Some(record) = self.decoder.next().map_err(|error| bad(&error))? {
                return self.input(&record).map(Some);
            }
            match self.body.next().await {
                Some(Ok(piece)) => self.decoder.push(&piece),
                // A client that goes away has no more to say.
                Some(Err(_)) | None => return Ok(None),
            }
        }
    }

    fn input(&self, record: &[u8]) -> Result<call::AttachContainerInput, Refusal> {
        match mesos::validate::agent_call(self.codec.decode(record)?)? {
            Content::AttachContainerInput(input) => Ok(input),
            _ => {
                let message = "Streaming is for ATTACH_CONTAINER_INPUT only";
                Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message))
            }
        }
    }
}

fn invalid(message: impl std::fmt::Display) -> Refusal {
    Refusal::bad_request(format!("Failed to validate agent::Call: {message}"))
}

fn unknown(id: &ContainerId) -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, format!("Container {id} cannot be found"))
}

fn internal(error: impl std::fmt::Display) -> Refusal {
    Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
}

fn attach(refusal: AttachRefusal, id: &ContainerId) -> Refusal {
    match refusal {
        AttachRefusal::Unknown => internal(format!("Unknown container {id}")),
        AttachRefusal::NotAttachable | AttachRefusal::Over | AttachRefusal::Failed(_) => internal(refusal),
        AttachRefusal::Taken => Refusal::new(StatusCode::CONFLICT, refusal.to_string()),
    }
}

impl From<LaunchRefusal> for Refusal {
    fn from(refusal: LaunchRefusal) -> Refusal {
        match refusal {
            LaunchRefusal::Order(message) => Refusal::bad_request(message),
            LaunchRefusal::Sandbox(message) => internal(message),
        }
    }
}
