//! The APIs over HTTP: routes, and what all of them share. Each handler reads a request, asks the actor, and answers.
//!
//! Comes in: requests. Goes out: answers and event streams. Owns no task; [`serve`] owns the connections.

mod access;
mod administration;
mod agent;
mod answer;
mod files;
mod legacy;
mod metrics;
mod operator;
mod scheduler;

use std::sync::Arc;

use axum::Router;
use axum::http::HeaderMap;
use axum::routing::{MethodFilter, MethodRouter, get, post};
use mesos::server::{self, MESOS_STREAM_ID, guarded, mesos_paths, only_get, only_post};

use crate::ids::StreamId;
use crate::options::Options;
use crate::request::Handle;

/// What handlers share.
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    pub(crate) actor: Handle,
    /// `host:port`, where others reach this master.
    pub(crate) authority: String,
    pub(crate) options: Arc<Options>,
}

/// All routes. Paths are forgiving the way Mesos' are: `/master/state`, `/state/` and `/state.json` are all `/state`.
pub(crate) fn router(shared: Shared) -> Router {
    let logging = get(server::toggle_logging).post(server::toggle_logging).with_state(shared.options.logging.clone());
    let mut routes = Routes::default()
        .post("/api/v1/scheduler", post(scheduler::call))
        .post("/cygnet/v1/agent", post(agent::call))
        .post("/api/v1", post(operator::call))
        .post("/teardown", post(legacy::teardown))
        .get("/health", get(server::health))
        .get("/version", get(server::version))
        .get("/redirect", get(legacy::redirect))
        .get("/flags", get(legacy::flags))
        .get("/metrics/snapshot", get(metrics::snapshot))
        .get("/system/stats", get(server::system_stats))
        .get("/logging/toggle", logging)
        .get("/weights", get(administration::weights).put(administration::update_weights))
        .get("/files/browse", get(files::browse))
        .get("/files/read", get(files::read))
        .get("/files/download", get(files::download))
        .get("/files/debug", get(files::debug));
    for (path, ..) in legacy::READS {
        routes = routes.get(path, get(legacy::read));
    }
    for (path, _) in administration::EMPTY {
        let changes = MethodFilter::POST.or(MethodFilter::PUT).or(MethodFilter::DELETE);
        routes = routes.get(path, get(administration::empty).on(changes, administration::refuse));
    }
    for (path, _) in administration::REFUSED {
        routes = routes.post(path, post(administration::refuse));
    }
    let authentication = shared.options.authentication.clone();
    let credentials = authentication.credentials.clone();
    let router = guarded(routes.router.with_state(shared), credentials, move |path| authentication.realm(path));
    mesos_paths("master", &routes.known, router)
}

/// Routes, and the paths they are known by.
#[derive(Default)]
struct Routes {
    router: Router<Shared>,
    known: Vec<&'static str>,
}

impl Routes {
    fn get(self, path: &'static str, methods: MethodRouter<Shared>) -> Self {
        self.with(path, methods.fallback(only_get))
    }

    fn post(self, path: &'static str, methods: MethodRouter<Shared>) -> Self {
        self.with(path, methods.fallback(only_post))
    }

    fn with(mut self, path: &'static str, methods: MethodRouter<Shared>) -> Self {
        self.known.push(path);
        Routes { router: self.router.route(path, methods), known: self.known }
    }
}

/// A fresh id for a stream.
fn new_stream_id() -> StreamId {
    StreamId::new(uuid::Uuid::new_v4().to_string())
}

/// The stream a request says it belongs to. What is not text matches no stream.
fn sent_stream_id(headers: &HeaderMap) -> Option<StreamId> {
    headers.get(MESOS_STREAM_ID).map(|value| StreamId::new(String::from_utf8_lossy(value.as_bytes())))
}
