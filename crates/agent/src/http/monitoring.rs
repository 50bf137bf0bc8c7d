//! `GET /cygnet/v1/metrics`: for Prometheus, the health checks that executors on this agent make, asked of their pools, and the
//! agent itself. Comes in: requests. Goes out: a page; a pool that does not answer in time is not in it but by name. Owns no
//! task.

use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use futures_util::future::join_all;
use mesos::build::Build;
use mesos::server::{CHECK_ATTEMPTS, CHECK_DURATIONS, Exposition, FamilyType, Form, Refusal};
use mesos::v1::FrameworkId;
use mesos::v1::cygnet::CheckSeries;
use mesos::v1::cygnet::pool_call::Measured;
use tokio::time::timeout;

use super::Shared;
use crate::core::Snapshot;
use crate::handle::{self, look};

/// The longest wait for a pool's answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// A framework, and what its pool has counted if that has answered.
type Answered = (FrameworkId, Option<Measured>);

pub(super) async fn metrics(State(shared): State<Shared>, headers: HeaderMap) -> Result<Response, Refusal> {
    let snapshot = look(&shared.actor).await?;
    let frameworks = shared.actor.view(|core, _| core.pooled_frameworks()).await?;
    let pools = join_all(frameworks.into_iter().map(|framework| ask(&shared.actor, framework))).await;
    let mut page = Exposition::new(Form::of(&headers));
    tell_agent(&mut page, &snapshot);
    tell_pools(&mut page, &pools);
    tell_attempts(&mut page, &pools);
    tell_durations(&mut page, &pools);
    Ok(page.into_response())
}

async fn ask(actor: &handle::Handle, framework: FrameworkId) -> Answered {
    let question = actor.ask(|answer| handle::Request::Measure { framework: framework.clone(), answer });
    let answer = timeout(PATIENCE, question).await;
    (framework, answer.ok().and_then(Result::ok))
}

fn tell_agent(page: &mut Exposition, snapshot: &Snapshot) {
    let help = "1 while the master has the agent.";
    let registered = f64::from(u8::from(snapshot.link.is_connected()));
    page.family("cygnet_agent_registered", FamilyType::Gauge, help).sample(&[], registered);
    let tasks = snapshot.live_executors().map(|(_, executor)| executor.tasks().unfinished().count()).sum::<usize>();
    let help = "Tasks on the agent that have not ended.";
    page.family("cygnet_agent_tasks", FamilyType::Gauge, help).sample(&[], tasks as f64);
    let help = "Always 1; the version of the process is its label.";
    page.family("cygnet_build_info", FamilyType::Gauge, help).sample(&[("version", Build::current().version)], 1.0);
}

fn tell_pools(page: &mut Exposition, pools: &[Answered]) {
    let help = "1 if the process with the framework's executors has answered; if not, its checks are not on this page.";
    let mut family = page.family("cygnet_pool_answers", FamilyType::Gauge, help);
    for (framework, measured) in pools {
        let answers = f64::from(u8::from(measured.is_some()));
        family.sample(&[("framework_id", &framework.value)], answers);
    }
}

fn tell_attempts(page: &mut Exposition, pools: &[Answered]) {
    let mut family = page.family(CHECK_ATTEMPTS.0, FamilyType::Counter, CHECK_ATTEMPTS.1);
    for (framework, series, _) in all(pools) {
        for attempts in &series.attempts {
            let kind = ("kind", attempts.kind.as_str());
            family.count(
                &[("framework_id", framework), ("app", &series.app), ("check", &series.check), kind],
                attempts.count,
            );
        }
    }
}

fn tell_durations(page: &mut Exposition, pools: &[Answered]) {
    let mut family = page.family(CHECK_DURATIONS.0, FamilyType::Histogram, CHECK_DURATIONS.1);
    for (framework, series, bounds) in all(pools) {
        for took in &series.durations {
            let phase = ("phase", took.phase.as_str());
            let labels = [("framework_id", framework), ("app", &series.app), ("check", &series.check), phase];
            let bounds = bounds.iter().copied().chain([f64::INFINITY]);
            family.histogram(&labels, bounds.zip(took.counts.iter().copied()), took.sum_seconds);
        }
    }
}

/// The counts of all frameworks, with the bounds that they have.
fn all(pools: &[Answered]) -> impl Iterator<Item = (&str, &CheckSeries, &[f64])> {
    let answered =
        pools.iter().filter_map(|(framework, measured)| Some((framework.value.as_str(), measured.as_ref()?)));
    answered.flat_map(|(framework, measured)| {
        measured.series.iter().map(move |series| (framework, series, measured.bounds.as_slice()))
    })
}
