//! `GET /cygnet/v1/metrics`: the metrics of each app and pod, and of the scheduler, for Prometheus. None of it is Marathon's,
//! whose own are at `/metrics`.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use checks::Series;
use mesos::build::Build;
use mesos::server::{CHECK_ATTEMPTS, CHECK_DURATIONS, Exposition, FamilyType, Form};

use super::Api;
use super::answer::Rejected;

pub(super) async fn show(State(api): State<Api>, headers: HeaderMap) -> Result<Response, Rejected> {
    let numbers = api.ask(|view, now| view.monitoring(now)).await?;
    let mut page = Exposition::new(Form::of(&headers));
    numbers.tell(&mut page);
    if let Some(series) = api.engine.series().await {
        tell_checks(&mut page, &series);
    }
    let acts = f64::from(u8::from(api.standing.borrow().is_acting()));
    let help = "1 while the scheduler acts: it has its store, and no other has taken its place.";
    page.family("cygnet_leader", FamilyType::Gauge, help).sample(&[], acts);
    let help = "Always 1; the version of the process is its label.";
    page.family("cygnet_build_info", FamilyType::Gauge, help).sample(&[("version", Build::current().version)], 1.0);
    Ok(page.into_response())
}

/// The checks that the scheduler makes itself; agents have those that executors make.
fn tell_checks(page: &mut Exposition, all: &[Series]) {
    let mut family = page.family(CHECK_ATTEMPTS.0, FamilyType::Counter, CHECK_ATTEMPTS.1);
    for series in all {
        let (app, check) = (series.name.subject.as_str(), series.name.check.as_str());
        for (kind, count) in &series.attempts {
            family.count(&[("app", app), ("check", check), ("kind", kind.as_str())], *count);
        }
    }
    let mut family = page.family(CHECK_DURATIONS.0, FamilyType::Histogram, CHECK_DURATIONS.1);
    for series in all {
        let (app, check) = (series.name.subject.as_str(), series.name.check.as_str());
        for (phase, took) in &series.durations {
            let labels = [("app", app), ("check", check), ("phase", phase.as_str())];
            family.histogram(&labels, took.buckets(), took.sum().as_secs_f64());
        }
    }
}
