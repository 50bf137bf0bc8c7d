//! `POST /api/v1`: the operator API. Reads are here, calls about containers in `containers`.

use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::response::Response;
use mesos::build::version_info;
use mesos::server::{self, LoggingLevel, Refusal};
use mesos::v1::agent::{Call, call, response};
use mesos::v1::{ContainerId, Metric, agent};
use mesos::validate;

use super::containers::Ask;
use super::{Shared, containers, files, legacy, negotiate, recovered, statistics};
use crate::handle::look;
use crate::view;

pub(super) async fn call(State(shared): State<Shared>, request: Request) -> Result<Response, Refusal> {
    recovered(&shared).await?;
    let (parts, body) = request.into_parts();
    if parts.method != Method::POST {
        return Ok(server::only_post(parts.method).await);
    }
    let (content, form) = (negotiate::content(&parts.headers)?, negotiate::answer(&parts.headers)?);
    if content.streaming {
        return containers::attach_input(&shared, content, body).await;
    }
    let body = server::read_body(body).await?;
    let call: Call = content.codec.decode(&body)?;
    validate::agent_call(&call).map_err(|invalid| Refusal::bad_request(invalid.to_string()))?;
    if call.r#type() == call::Type::AttachContainerInput {
        let message = "Expecting 'Content-Type' of 'application/recordio' for ATTACH_CONTAINER_INPUT";
        return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
    }
    let asked = Ask::of(call.clone())?;
    if form.streaming && !asked.as_ref().is_some_and(Ask::is_streaming) {
        let message = format!("Streaming response is not supported for {} call", call.r#type().as_str_name());
        return Err(Refusal::new(StatusCode::NOT_ACCEPTABLE, message));
    }
    match asked {
        Some(ask) => ask.answer(&shared, form).await,
        None if call.r#type() == call::Type::SetLoggingLevel => set_logging(&shared, &call),
        None => Ok(server::reply(form.codec, &answer(&shared, call).await?)),
    }
}

async fn answer(shared: &Shared, call: Call) -> Result<agent::Response, Refusal> {
    use call::Type;
    let kind = call.r#type();
    Ok(match kind {
        Type::GetHealth => health(),
        Type::GetVersion => version(),
        Type::GetMetrics => metrics(shared).await?,
        Type::GetContainers => get_containers(shared, &call).await?,
        Type::GetLoggingLevel => logging_level(shared),
        Type::GetOperations => operations(),
        Type::GetResourceProviders => resource_providers(),
        Type::ListFiles => list_files(shared, call).await?,
        Type::ReadFile => read_file(shared, call).await?,
        Type::Unknown => return Err(Refusal::not_implemented()),
        _ => {
            let message = || format!("{} is not implemented by this agent", kind.as_str_name());
            let answer = view::operator::answer(&look(&shared.actor).await?, kind);
            return answer.ok_or_else(|| Refusal::new(StatusCode::NOT_IMPLEMENTED, message()));
        }
    })
}

/// SET_LOGGING_LEVEL
fn set_logging(shared: &Shared, call: &Call) -> Result<Response, Refusal> {
    let asked = call.set_logging_level.unwrap_or_default();
    let duration = asked.duration.to_duration();
    let duration = duration.ok_or_else(|| Refusal::bad_request("'set_logging_level.duration' is negative"))?;
    server::set_logging(shared.logging.as_ref(), asked.level, duration)
}

fn reply(kind: response::Type) -> agent::Response {
    agent::Response { r#type: Some(kind.into()), ..agent::Response::default() }
}

fn health() -> agent::Response {
    let get_health = Some(response::GetHealth { healthy: true });
    agent::Response { get_health, ..reply(response::Type::GetHealth) }
}

fn version() -> agent::Response {
    let get_version = Some(response::GetVersion { version_info: version_info() });
    agent::Response { get_version, ..reply(response::Type::GetVersion) }
}

async fn metrics(shared: &Shared) -> Result<agent::Response, Refusal> {
    let snapshot = legacy::snapshot(shared).await?;
    let metrics = snapshot.into_iter().map(|(name, value)| Metric { name, value: Some(value) }).collect();
    let get_metrics = Some(response::GetMetrics { metrics });
    Ok(agent::Response { get_metrics, ..reply(response::Type::GetMetrics) })
}

async fn get_containers(shared: &Shared, call: &Call) -> Result<agent::Response, Refusal> {
    let asked = call.get_containers.unwrap_or_default();
    let executors = statistics::measured(shared, |_| true).await?;
    let executors = executors.into_iter().map(|(container, usage)| response::get_containers::Container {
        framework_id: Some(container.framework_id),
        executor_id: Some(container.executor_id),
        executor_name: Some(container.executor_name),
        container_id: container.container_id,
        container_status: Some(container.status),
        resource_statistics: Some(usage),
    });
    let shown = move |id: &ContainerId| if id.parent.is_some() { asked.show_nested() } else { asked.show_standalone() };
    let others = match asked.show_nested() || asked.show_standalone() {
        true => statistics::launched(shared, shown).await?,
        false => Vec::new(),
    };
    let get_containers = Some(response::GetContainers { containers: executors.chain(others).collect() });
    Ok(agent::Response { get_containers, ..reply(response::Type::GetContainers) })
}

fn logging_level(shared: &Shared) -> agent::Response {
    let get_logging_level =
        Some(response::GetLoggingLevel { level: shared.logging.as_ref().map_or(0, LoggingLevel::get) });
    agent::Response { get_logging_level, ..reply(response::Type::GetLoggingLevel) }
}

/// This agent knows no operations on resources.
fn operations() -> agent::Response {
    let get_operations = Some(response::GetOperations {});
    agent::Response { get_operations, ..reply(response::Type::GetOperations) }
}

fn resource_providers() -> agent::Response {
    let get_resource_providers = Some(response::GetResourceProviders {});
    agent::Response { get_resource_providers, ..reply(response::Type::GetResourceProviders) }
}

async fn list_files(shared: &Shared, call: Call) -> Result<agent::Response, Refusal> {
    let path = call.list_files.unwrap_or_default().path;
    let entries = files::listed(shared, path).await?;
    let file_infos = entries.into_iter().map(Into::into).collect();
    let list_files = Some(response::ListFiles { file_infos });
    Ok(agent::Response { list_files, ..reply(response::Type::ListFiles) })
}

async fn read_file(shared: &Shared, call: Call) -> Result<agent::Response, Refusal> {
    let asked = call.read_file.unwrap_or_default();
    let piece = files::piece(shared, asked.path, Some(asked.offset), asked.length).await?;
    let read_file = Some(response::ReadFile { size: piece.size, data: piece.data });
    Ok(agent::Response { read_file, ..reply(response::Type::ReadFile) })
}
