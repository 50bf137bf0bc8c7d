//! The checks of a task in a container of Docker's. Commands run as the container's own programs: with its variables, in its
//! working directory, as its user, confined as it is, in its cgroup.

use std::cell::OnceCell;
use std::time::Duration;

use checks::CheckSpec;
use checks::spec::CommandProbe;
use containers::docker::{Image, Inside, Running};
use containers::{image, spec};
use health::{InvalidCheck, Kind, Problem};
use mesos::v1::cygnet::HealthAction;
use mesos::v1::health_check::Type;
use mesos::v1::{CommandInfo, HealthCheck, TaskInfo};
use processes::Process;

use super::secrets::Secrets;
use crate::command::probe_of;
use crate::config::Variables;

/// Docker's defaults: seconds between attempts, seconds for one, failures that count.
const INTERVAL: f64 = 30.0;
const TIMEOUT: f64 = 30.0;
const RETRIES: u32 = 3;

/// Tells of checks that make no sense.
pub(super) fn valid(task: &TaskInfo, secrets: &Secrets) -> Result<(), InvalidCheck> {
    health::specs(task, &|command| probe(command, secrets)).map(drop)
}

/// The checks of a task whose container runs. To look its user up and to work out its filter may take long.
pub(super) fn specs(
    process: Process,
    running: &Running,
    task: &TaskInfo,
    secrets: &Secrets,
) -> Result<Vec<(Kind, CheckSpec)>, InvalidCheck> {
    let known = OnceCell::<Inside>::new();
    health::specs(task, &|command| {
        let probe = probe(command, secrets)?;
        let inside = match known.get() {
            Some(inside) => inside.clone(),
            None => {
                let hidden = secrets.values(task).map_err(|error| Problem::Command(error.into()))?;
                let inside = Inside::of(process, running, None);
                let mut first = inside.map_err(|error| Problem::Command(error.into()))?;
                first.environment.extend(hidden);
                let _kept = known.set(first.clone());
                first
            }
        };
        Ok(within(inside, probe))
    })
}

/// The command of a check, wherever it is to run.
fn probe(command: &CommandInfo, secrets: &Secrets) -> Result<CommandProbe, Problem> {
    let own = spec::variables(command.environment.as_ref(), secrets.directory());
    let own = own.map_err(|error| Problem::Command(error.into()))?;
    Ok(CommandProbe {
        command: probe_of(command).map_err(|error| Problem::Command(error.into()))?,
        environment: own.into_iter().collect(),
        working_directory: None,
        fallback_directory: Some("/".into()),
        user: None,
        birthplace: None,
        confinement: None,
    })
}

/// The same inside: its own variables go above the container's.
fn within(inside: Inside, probe: CommandProbe) -> CommandProbe {
    let environment: Variables = inside.environment.into_iter().chain(probe.environment).collect();
    CommandProbe {
        environment: environment.into_iter().collect(),
        working_directory: Some(inside.directory),
        user: Some(inside.user),
        birthplace: inside.birthplace,
        confinement: Some(inside.confinement),
        ..probe
    }
}

/// The check of an image, for a task that has none of its own. It reports and never kills, as Docker's never does.
pub(crate) fn adopt(task: &TaskInfo, image: &Image) -> Option<image::HealthCheck> {
    let is_checked = task.check.is_some() || health::health_checks(task).next().is_some();
    let check = image.config.healthcheck.clone().filter(|_| !is_checked)?;
    command(&check.test).is_some().then_some(check)
}

/// An image's check as a health check of its task.
pub(crate) fn adopted(check: &image::HealthCheck) -> Option<HealthCheck> {
    let seconds = |nanoseconds: u64, default: f64| {
        if nanoseconds == 0 { default } else { Duration::from_nanos(nanoseconds).as_secs_f64() }
    };
    let interval = seconds(check.interval, INTERVAL);
    Some(HealthCheck {
        r#type: Some(Type::Command.into()),
        command: Some(command(&check.test)?),
        name: Some("HEALTHCHECK".to_owned()),
        delay_seconds: Some(interval),
        interval_seconds: Some(interval),
        timeout_seconds: Some(seconds(check.timeout, TIMEOUT)),
        grace_period_seconds: Some(seconds(check.start_period, 0.0)),
        unhealthy_after: Some(if check.retries == 0 { RETRIES } else { check.retries }),
        action: Some(HealthAction::Report.into()),
        ..HealthCheck::default()
    })
}

/// `["CMD", ...]` or `["CMD-SHELL", text]`.
fn command(test: &[String]) -> Option<CommandInfo> {
    let (kind, words) = test.split_first()?;
    let value = words.first()?.clone();
    match kind.as_str() {
        "CMD" => Some(CommandInfo {
            shell: Some(false),
            value: Some(value),
            arguments: words.to_vec(),
            ..CommandInfo::default()
        }),
        "CMD-SHELL" => Some(CommandInfo { shell: Some(true), value: Some(value), ..CommandInfo::default() }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use mesos::v1::CheckInfo;

    use super::*;

    fn image(test: &[&str]) -> Image {
        let mut image = Image::default();
        let test = test.iter().map(|&word| word.to_owned()).collect();
        let (interval, retries) = (5_000_000_000, 2);
        image.config.healthcheck =
            Some(image::HealthCheck { test, interval, retries, ..image::HealthCheck::default() });
        image
    }

    #[test]
    fn the_check_of_an_image_is_that_of_a_task_without_one() {
        let bare = TaskInfo::default();
        let shell = adopted(&adopt(&bare, &image(&["CMD-SHELL", "curl -f localhost || exit 1"])).unwrap()).unwrap();
        let command = shell.command.clone().unwrap();
        assert_eq!((command.shell(), command.value()), (true, "curl -f localhost || exit 1"));
        assert_eq!((shell.interval_seconds(), shell.timeout_seconds(), shell.unhealthy_after), (5.0, 30.0, Some(2)));
        assert_eq!(shell.action(), HealthAction::Report);
        let words = adopted(&adopt(&bare, &image(&["CMD", "/probe", "-q"])).unwrap()).unwrap().command.unwrap();
        assert_eq!((words.shell(), words.value(), words.arguments.len()), (false, "/probe", 2));
        for none in [&["NONE"][..], &[], &["CMD"], &["OTHER", "x"]] {
            assert_eq!(adopt(&bare, &image(none)), None, "{none:?}");
        }
        let checked = TaskInfo { check: Some(CheckInfo::default()), ..TaskInfo::default() };
        let healthy = TaskInfo { health_checks: vec![HealthCheck::default()], ..TaskInfo::default() };
        assert!([checked, healthy].iter().all(|task| adopt(task, &image(&["CMD", "x"])).is_none()));
    }
}
