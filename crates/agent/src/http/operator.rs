//! `POST /api/v1`: the operator API. Reads are here, calls about containers in `containers`.

use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response as Reply};
use mesos::build::version_info;
use mesos::server::{self, LoggingLevel, Refusal};
use mesos::v1::agent::call::{self, Content};
use mesos::v1::agent::{Call, Response, response};
use mesos::v1::{ContainerId, Image, Metric};
use mesos::validate;

use super::containers::Ask;
use super::{Shared, containers, files, legacy, negotiate, recovered, statistics};
use crate::handle::look;
use crate::view;

pub(super) async fn call(State(shared): State<Shared>, request: Request) -> Result<Reply, Refusal> {
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
    let call = validate::agent_call(call)?;
    let kind = call.kind();
    if kind == call::Type::AttachContainerInput {
        let message = "Expecting 'Content-Type' of 'application/recordio' for ATTACH_CONTAINER_INPUT";
        return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
    }
    let streams = matches!(kind, call::Type::LaunchNestedContainerSession | call::Type::AttachContainerOutput);
    let asked = Ask::of(call)?;
    if form.streaming && !streams {
        let message = format!("Streaming response is not supported for {} call", kind.as_str_name());
        return Err(Refusal::new(StatusCode::NOT_ACCEPTABLE, message));
    }
    match asked {
        Ok(ask) => ask.answer(&shared, form).await,
        Err(Content::SetLoggingLevel(asked)) => set_logging(&shared, asked),
        Err(Content::PruneImages(asked)) => prune(&shared, asked.unwrap_or_default()).await,
        Err(call) => Ok(server::reply(form.codec, &answer(&shared, call).await?)),
    }
}

async fn answer(shared: &Shared, call: Content) -> Result<Response, Refusal> {
    Ok(match call {
        Content::GetHealth => Response::get_health(response::GetHealth { healthy: true }),
        Content::GetVersion => Response::get_version(response::GetVersion { version_info: version_info() }),
        Content::GetMetrics(_) => metrics(shared).await?,
        Content::GetContainers(asked) => get_containers(shared, asked.unwrap_or_default()).await?,
        Content::GetLoggingLevel => Response::get_logging_level(response::GetLoggingLevel {
            level: shared.logging.as_ref().map_or(0, LoggingLevel::get),
        }),
        // This agent knows neither operations on resources nor providers of them.
        Content::GetOperations => Response::get_operations(response::GetOperations {}),
        Content::GetResourceProviders => Response::get_resource_providers(response::GetResourceProviders {}),
        Content::ListFiles(asked) => list_files(shared, asked.path).await?,
        Content::ReadFile(asked) => read_file(shared, asked).await?,
        Content::Unknown => return Err(Refusal::not_implemented()),
        call => {
            let message = || format!("{} is not implemented by this agent", call.kind().as_str_name());
            let answer = view::operator::answer(&look(&shared.actor).await?, call.kind());
            return answer.ok_or_else(|| Refusal::new(StatusCode::NOT_IMPLEMENTED, message()));
        }
    })
}

/// PRUNE_IMAGES: what nobody needs is removed before the answer.
async fn prune(shared: &Shared, asked: call::PruneImages) -> Result<Reply, Refusal> {
    let images = shared.images.as_ref().ok_or_else(|| Refusal::bad_request("This agent has no images"))?;
    let name = |image: Image| Some(image.docker?.name);
    let excluded = asked.excluded_images.into_iter().filter_map(name);
    let excluded = excluded.filter_map(|name| images.named(&name)).collect();
    let pruned = images.prune(excluded).await;
    pruned
        .map_err(|error| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, format!("Failed to prune images: {error}")))?;
    Ok(StatusCode::OK.into_response())
}

/// SET_LOGGING_LEVEL
fn set_logging(shared: &Shared, asked: call::SetLoggingLevel) -> Result<Reply, Refusal> {
    let duration = asked.duration.to_duration();
    let duration = duration.ok_or_else(|| Refusal::bad_request("'set_logging_level.duration' is negative"))?;
    server::set_logging(shared.logging.as_ref(), asked.level, duration)
}

async fn metrics(shared: &Shared) -> Result<Response, Refusal> {
    let snapshot = legacy::snapshot(shared).await?;
    let metrics = snapshot.into_iter().map(|(name, value)| Metric { name, value: Some(value) }).collect();
    Ok(Response::get_metrics(response::GetMetrics { metrics }))
}

async fn get_containers(shared: &Shared, asked: call::GetContainers) -> Result<Response, Refusal> {
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
    Ok(Response::get_containers(response::GetContainers { containers: executors.chain(others).collect() }))
}

async fn list_files(shared: &Shared, path: String) -> Result<Response, Refusal> {
    let entries = files::listed(shared, path).await?;
    Ok(Response::list_files(response::ListFiles { file_infos: entries.into_iter().map(Into::into).collect() }))
}

async fn read_file(shared: &Shared, asked: call::ReadFile) -> Result<Response, Refusal> {
    let piece = files::piece(shared, asked.path, Some(asked.offset), asked.length).await?;
    Ok(Response::read_file(response::ReadFile { size: piece.size, data: piece.data }))
}
