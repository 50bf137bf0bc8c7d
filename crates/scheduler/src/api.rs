//! `/v2`: Marathon's REST API over the actor.
//!
//! In: HTTP requests, each bounded in size and time. Out: answers in Marathon's shapes, and the event stream. Owns nothing
//! but the answers under way. [`routes`] has all paths, and a file for each part of the API answers them; [`answer`] makes the
//! answers. Around them: [`envelope`], [`front`], [`cors`], [`methods`] and [`standing`].

mod agents;
pub(crate) mod answer;
mod apps;
mod checks;
mod cors;
mod deployments;
mod dry_run;
mod envelope;
mod front;
mod groups;
mod history;
mod logs;
mod looking;
mod methods;
mod monitoring;
mod overview;
mod page;
mod pods;
mod routes;
mod standing;
mod stream;
mod subscriptions;
mod system;
mod tasks;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ::checks::Engine;
use axum::http::{Extensions, HeaderMap, StatusCode, Version};
use axum::{Router, middleware};
use serde_json::{Value, json};
use tokio::sync::{Notify, watch};
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};

use crate::agents::Agents;
use crate::core::{Core, View};
use crate::events::Origin;
use crate::handle::Handle;
use crate::operator::Operator;
use crate::options::Options;
use crate::standing::Standing;
use crate::time::Now;
use answer::{Rejected, gone};
pub(crate) use front::front;

#[derive(Clone)]
pub(crate) struct Api {
    actor: Handle,
    agents: Agents,
    /// Its address for others: host and port.
    authority: String,
    port: u16,
    options: Value,
    name: String,
    /// The places to which events are posted from the start, if they are posted to those who ask for it.
    callbacks: Option<Vec<String>>,
    /// The origins whose web pages may read.
    origins: cors::Origins,
    abdication: Arc<Notify>,
    operator: Operator,
    standing: watch::Receiver<Standing>,
    /// The engine of the scheduler's own checks.
    engine: Engine,
}

impl Api {
    pub(crate) fn new(
        actor: Handle,
        engine: Engine,
        options: &Options,
        address: SocketAddr,
        abdication: Arc<Notify>,
        (operator, agents): (Operator, Agents),
    ) -> Api {
        let allowed = Some(&options.allowed_origins).filter(|origins| !origins.is_empty());
        let shown = json!({
            "master": options.master, "framework_name": options.framework_name, "mesos_role": options.role,
            "mesos_user": options.user, "failover_timeout": options.failover_timeout.as_secs(), "checkpoint": true,
            "hostname": options.host(address), "features": ["task_killing", "secrets"],
            "default_network_name": options.default_network_name, "mesos_bridge_name": options.mesos_bridge_name, "executor": "//cmd", "ha": false,
            "local_port_min": 10000, "local_port_max": 20000, "mesos_leader_ui_url": format!("http://{}/", options.masters().next().unwrap_or_default()),
            "webui_url": null, "env_vars_prefix": null, "access_control_allow_origin": allowed,
            "task_launch_timeout": millis(options.task_launch_timeout), "reconciliation_interval": 600_000,
        });
        let origins = options.allowed_origins.iter().filter_map(|origin| origin.parse().ok()).collect();
        let standing = actor.standing();
        let (name, callbacks) = (options.framework_name.clone(), options.event_callbacks.clone());
        Api {
            actor,
            agents,
            authority: options.authority(address),
            port: address.port(),
            options: shown,
            name,
            callbacks,
            origins,
            abdication,
            operator,
            standing,
            engine,
        }
    }
}

impl Api {
    /// Looks at the core.
    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(View<'_>, Now) -> T + Send + 'static,
    ) -> Result<T, Rejected> {
        self.actor.ask(question).await.ok_or_else(gone)
    }

    /// Makes a change that a client asked for; events name who asked and where, if that is given.
    async fn change<T: Send + 'static>(
        &self,
        origin: Option<Origin>,
        change: impl FnOnce(&mut Core, Now) -> T + Send + 'static,
    ) -> Result<T, Rejected> {
        let change = move |core: &mut Core, now| match origin {
            Some(origin) => core.asked_by(origin, |core| change(core, now)),
            None => change(core, now),
        };
        self.actor.change(change).await.ok_or_else(gone)
    }
}

/// Smaller answers fit into one packet anyway.
const PACKED_FROM_BYTES: u16 = 1400;

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// The mark of an answer that goes on for as long as something happens.
#[derive(Debug, Clone, Copy)]
struct Live;

/// Large answers are packed for who asks for it: a list of ten thousand instances shrinks to a tenth. Streams are not, as
/// what happens has to be there at once.
fn compression() -> CompressionLayer<impl Predicate> {
    let is_over = |_: StatusCode, _: Version, _: &HeaderMap, marks: &Extensions| marks.get::<Live>().is_none();
    let worthwhile = SizeAbove::new(PACKED_FROM_BYTES).and(NotForContentType::SSE).and(is_over);
    CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(worthwhile)
}

pub(crate) fn router(api: Api) -> Router {
    let (leader, origins, standing) = (format!("http://{}", api.authority), api.origins.clone(), api.standing.clone());
    let (routes, methods) = routes::all();
    let routes = routes
        .fallback(system::not_found)
        .method_not_allowed_fallback(system::not_allowed)
        .layer(middleware::from_fn_with_state(standing, standing::told))
        .layer(middleware::from_fn(dry_run::only_where_known))
        .layer(middleware::from_fn(front::json_only))
        .layer(middleware::from_fn_with_state(Arc::new(methods), methods::told))
        .layer(middleware::from_fn_with_state(origins, cors::told))
        .layer(compression())
        .with_state(api);
    envelope::wrap(routes, leader)
}
