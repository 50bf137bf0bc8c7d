//! `POST /api/v1`: the operator API, as far as it reads.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use mesos::server::{self, Refusal};
use mesos::v1::agent::{Call, call, response};
use mesos::v1::{FileInfo, Metric, TimeInfo, agent};
use mesos::validate;

use super::{Shared, body, files, legacy, recovered, statistics};
use crate::files::Entry;
use crate::version;

pub(super) async fn call(State(shared): State<Shared>, request: Request) -> Result<Response, Refusal> {
    recovered(&shared).await?;
    let (parts, body) = request.into_parts();
    let body = body::read(body).await?;
    let (_, call): (_, Call) = server::decode_call(&parts.headers, &body)?;
    let codec = server::accept(&parts.headers)?;
    validate::agent_call(&call).map_err(|invalid| Refusal::bad_request(invalid.to_string()))?;
    Ok(server::reply(codec, &answer(&shared, call).await?))
}

async fn answer(shared: &Shared, call: Call) -> Result<agent::Response, Refusal> {
    use call::Type;
    let viewed = match call.r#type() {
        Type::GetAgent => shared.actor.view(|core, _| core.get_agent()).await,
        Type::GetFlags => shared.actor.view(|core, _| core.get_flags()).await,
        Type::GetFrameworks => shared.actor.view(|core, _| core.get_frameworks()).await,
        Type::GetExecutors => shared.actor.view(|core, _| core.get_executors()).await,
        Type::GetTasks => shared.actor.view(|core, _| core.get_tasks()).await,
        Type::GetState => shared.actor.view(|core, _| core.get_state()).await,
        Type::GetHealth => Ok(health()),
        Type::GetVersion => Ok(version()),
        Type::GetMetrics => Ok(metrics(shared).await?),
        Type::GetContainers => Ok(containers(shared).await?),
        Type::ListFiles => Ok(list_files(shared, call).await?),
        Type::ReadFile => Ok(read_file(shared, call).await?),
        other => {
            let message = format!("{} is not implemented by this agent", other.as_str_name());
            return Err(Refusal::new(StatusCode::NOT_IMPLEMENTED, message));
        }
    };
    viewed.map_err(Refusal::from)
}

fn reply(kind: response::Type) -> agent::Response {
    agent::Response { r#type: Some(kind.into()), ..agent::Response::default() }
}

fn health() -> agent::Response {
    let get_health = Some(response::GetHealth { healthy: true });
    agent::Response { get_health, ..reply(response::Type::GetHealth) }
}

fn version() -> agent::Response {
    let get_version = Some(response::GetVersion { version_info: version::info() });
    agent::Response { get_version, ..reply(response::Type::GetVersion) }
}

async fn metrics(shared: &Shared) -> Result<agent::Response, Refusal> {
    let snapshot = legacy::snapshot(shared).await?;
    let metrics = snapshot.into_iter().map(|(name, value)| Metric { name, value: Some(value) }).collect();
    let get_metrics = Some(response::GetMetrics { metrics });
    Ok(agent::Response { get_metrics, ..reply(response::Type::GetMetrics) })
}

async fn containers(shared: &Shared) -> Result<agent::Response, Refusal> {
    let measured = statistics::measured(shared, |_| true).await?;
    let entry = |(container, usage): (crate::core::Container, _)| response::get_containers::Container {
        framework_id: Some(container.framework_id),
        executor_id: Some(container.executor_id),
        executor_name: Some(container.executor_name),
        container_id: container.container_id,
        container_status: Some(container.status),
        resource_statistics: Some(usage),
    };
    let get_containers = Some(response::GetContainers { containers: measured.into_iter().map(entry).collect() });
    Ok(agent::Response { get_containers, ..reply(response::Type::GetContainers) })
}

async fn list_files(shared: &Shared, call: Call) -> Result<agent::Response, Refusal> {
    let path = call.list_files.unwrap_or_default().path;
    let entries = files::listed(shared, path).await?;
    let file_infos = entries.into_iter().map(file_info).collect();
    let list_files = Some(response::ListFiles { file_infos });
    Ok(agent::Response { list_files, ..reply(response::Type::ListFiles) })
}

fn file_info(entry: Entry) -> FileInfo {
    FileInfo {
        path: entry.path,
        nlink: i32::try_from(entry.nlink).ok(),
        size: Some(entry.size),
        mtime: Some(TimeInfo { nanoseconds: entry.mtime_secs.saturating_mul(1_000_000_000) }),
        mode: Some(entry.mode),
        uid: Some(entry.user),
        gid: Some(entry.group),
    }
}

async fn read_file(shared: &Shared, call: Call) -> Result<agent::Response, Refusal> {
    let asked = call.read_file.unwrap_or_default();
    let piece = files::piece(shared, asked.path, Some(asked.offset), asked.length).await?;
    let read_file = Some(response::ReadFile { size: piece.size, data: piece.data });
    Ok(agent::Response { read_file, ..reply(response::Type::ReadFile) })
}
