//! The counts of attempts of health checks, for monitoring: the name they are counted under, and the answer for the agent.
//!
//! In: tasks, and what the engine has counted. Out: names, and [`Measured`]. Pure.

use checks::{Series, SeriesName};
use health::{Kind, health_checks};
use mesos::v1::TaskInfo;
use mesos::v1::cygnet::CheckSeries;
use mesos::v1::cygnet::check_series::{Attempts, Durations};
use mesos::v1::cygnet::pool_call::Measured;

/// The name of a health check in metrics: its own, or else its id, or else its place. The task's `check` has none.
pub(super) fn series_name(task: &TaskInfo, kind: Kind) -> Option<SeriesName> {
    let Kind::Health(index) = kind else { return None };
    let known = health_checks(task).nth(index)?;
    let check = known.name.clone().or_else(|| known.id.clone()).unwrap_or_else(|| index.to_string());
    Some(SeriesName { subject: task.counted_as.clone().unwrap_or_else(|| task.name.clone()), check })
}

/// The answer to the agent's question of this number.
pub(crate) fn measured(uuid: Vec<u8>, all: &[Series]) -> Measured {
    let first = all.iter().find_map(|series| series.durations.first());
    let bounds =
        first.map(|(_, took)| took.buckets().map(|(bound, _)| bound).filter(|bound| bound.is_finite()).collect());
    Measured { uuid, bounds: bounds.unwrap_or_default(), series: all.iter().map(told).collect() }
}

fn told(series: &Series) -> CheckSeries {
    let attempts =
        series.attempts.iter().map(|(kind, count)| Attempts { kind: kind.as_str().to_owned(), count: *count });
    let durations = series.durations.iter().map(|(phase, took)| Durations {
        phase: phase.as_str().to_owned(),
        sum_seconds: took.sum().as_secs_f64(),
        counts: took.buckets().map(|(_, up_to)| up_to).collect(),
    });
    CheckSeries {
        app: series.name.subject.clone(),
        check: series.name.check.clone(),
        attempts: attempts.collect(),
        durations: durations.collect(),
    }
}

#[cfg(test)]
mod tests {
    use mesos::v1::HealthCheck;

    use super::*;

    #[test]
    fn a_check_is_counted_under_its_name_of_the_app_or_else_of_the_task() {
        let named = |name: Option<&str>, id: Option<&str>, counted_as: Option<&str>| {
            let owned = |text: Option<&str>| text.map(str::to_owned);
            let check = HealthCheck { name: owned(name), id: owned(id), ..HealthCheck::default() };
            let task = TaskInfo {
                name: "web.shop".to_owned(),
                counted_as: owned(counted_as),
                health_check: Some(check),
                ..TaskInfo::default()
            };
            assert_eq!(series_name(&task, Kind::Check), None);
            let SeriesName { subject, check } = series_name(&task, Kind::Health(0)).unwrap();
            format!("{subject} {check}")
        };
        assert_eq!(named(Some("front"), Some("3"), Some("/shop/web")), "/shop/web front");
        assert_eq!(named(None, Some("3"), None), "web.shop 3");
        assert_eq!(named(None, None, None), "web.shop 0");
    }
}
