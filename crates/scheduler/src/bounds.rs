//! Bounds on what comes from outside and is kept: executors of others send what they like, and all of it would be stored with
//! the instance, ten times over with its app, and shown to whoever looks. In: a status as it came. Out: the same, with no text
//! longer and no list with more than people read, and with no number that cannot be written down. Pure.

use checks::Said;
use mesos::v1::cygnet::{CheckHistory, HealthCheckResult, Phases, TaskEnd};
use mesos::v1::{ContainerStatus, TaskStatus};

/// The longest name, of a check or of a network.
const NAME: usize = 256;

/// The longest word, such as the kind of a failure or an address.
const WORD: usize = 64;

/// The longest text, in bytes: as much as an executor of ours tells of what a task said last.
pub(crate) const WORDS: usize = 4 * 1024;

/// The most checks of a task, and attempts of each of one that is over: the latter are as many as executors of ours tell.
const CHECKS: usize = 32;
const ATTEMPTS: usize = 60;

/// The most networks of a task, and addresses in each.
const NETWORKS: usize = 16;

/// A status within all bounds.
pub(crate) fn bounded(mut status: TaskStatus) -> TaskStatus {
    shorten(&mut status.message, WORDS);
    status.health.iter_mut().for_each(|health| health.checks.truncate(CHECKS));
    status.health.iter_mut().flat_map(|health| &mut health.checks).for_each(bound_result);
    status.end.iter_mut().for_each(bound_end);
    status.container_status.iter_mut().for_each(bound_container);
    status
}

fn bound_result(result: &mut HealthCheckResult) {
    shorten(&mut result.kind, WORD);
    shorten(&mut result.cause, Said::OF_FAILURE);
    shorten(&mut result.excerpt, Said::OF_FAILURE);
    result.phases.iter_mut().for_each(bound_phases);
    finite(&mut result.duration_seconds);
}

fn bound_phases(phases: &mut Phases) {
    let Phases { started, connected, secured, answered } = phases;
    [started, connected, secured, answered].into_iter().for_each(finite);
}

/// JSON has no word for the others: a record would be written that nobody can read.
fn finite(seconds: &mut Option<f64>) {
    *seconds = seconds.filter(|it| it.is_finite());
}

fn bound_end(end: &mut TaskEnd) {
    if let Some(errors) = &mut end.last_errors {
        *errors = ending(errors, WORDS).to_owned();
    }
    end.checks.truncate(CHECKS);
    end.checks.iter_mut().for_each(bound_history);
}

fn bound_history(history: &mut CheckHistory) {
    shorten(&mut history.id, NAME);
    shorten(&mut history.name, NAME);
    [&mut history.p50_seconds, &mut history.p99_seconds].into_iter().for_each(finite);
    history.attempts.drain(..history.attempts.len().saturating_sub(ATTEMPTS));
    for attempt in &mut history.attempts {
        attempt.kind = beginning(&attempt.kind, WORD).to_owned();
        attempt.phases.iter_mut().for_each(bound_phases);
    }
}

fn bound_container(container: &mut ContainerStatus) {
    container.network_infos.truncate(NETWORKS);
    for network in &mut container.network_infos {
        shorten(&mut network.name, NAME);
        network.ip_addresses.truncate(NETWORKS);
        network.ip_addresses.iter_mut().for_each(|address| shorten(&mut address.ip_address, WORD));
    }
}

fn shorten(text: &mut Option<String>, most: usize) {
    if let Some(text) = text {
        text.truncate(text.floor_char_boundary(most));
    }
}

/// As many whole characters of a text as fit into so many bytes.
pub(crate) fn beginning(text: &str, most: usize) -> &str {
    text.get(..text.floor_char_boundary(most)).unwrap_or(text)
}

/// The same, of its end.
fn ending(text: &str, most: usize) -> &str {
    text.get(text.ceil_char_boundary(text.len().saturating_sub(most))..).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use mesos::v1::NetworkInfo;
    use mesos::v1::cygnet::{CheckAttempt, TaskHealth};
    use mesos::v1::network_info::IpAddress;

    use super::*;

    /// A status in which every text is this one, and every list has so many.
    fn status(text: &str, many: usize) -> TaskStatus {
        let said = || Some(text.to_owned());
        let phases = Phases { started: Some(0.5), ..Phases::default() };
        let result = HealthCheckResult {
            kind: said(),
            cause: said(),
            excerpt: said(),
            reported_at: Some(1.0),
            duration_seconds: Some(0.5),
            phases: Some(phases),
            ..HealthCheckResult::default()
        };
        let attempt = |number| CheckAttempt {
            started_ms: number,
            duration_us: 1,
            kind: text.into(),
            code: None,
            phases: Some(phases),
        };
        let attempts = (0..many as u64).map(attempt).collect();
        let checks = CheckHistory { id: said(), name: said(), attempts, ..CheckHistory::default() };
        let address = IpAddress { ip_address: said(), ..IpAddress::default() };
        let network = NetworkInfo { name: said(), ip_addresses: vec![address; many], ..NetworkInfo::default() };
        TaskStatus {
            message: said(),
            health: Some(TaskHealth { verdict: None, checks: vec![result] }),
            end: Some(TaskEnd { last_errors: said(), checks: vec![checks; many], ..TaskEnd::default() }),
            container_status: Some(ContainerStatus {
                network_infos: vec![network; many],
                ..ContainerStatus::default()
            }),
            ..TaskStatus::default()
        }
    }

    #[test]
    fn no_text_is_longer_and_no_list_has_more_than_is_read() {
        let told = bounded(status(&"\u{e9}x".repeat(2000), 70));
        let length = mesos::json::to_vec(&told).len();
        assert!(length < 512 * 1024, "{length}");
        assert_eq!(told.message.map(|text| text.len()), Some(WORDS - 1), "no character is cut in two");
        let end = told.end.unwrap();
        let last = end.checks[0].attempts.iter().map(|attempt| attempt.started_ms);
        assert!(last.eq(10..70), "the last ones are kept");
        assert_eq!((end.checks.len(), end.last_errors.map(|text| text.len())), (CHECKS, Some(WORDS)));
    }

    #[test]
    fn what_is_within_bounds_stays_as_it_is() {
        let short = status("connection refused", 16);
        assert_eq!(bounded(short.clone()), short);
        assert_eq!((ending("abc", 2), ending("\u{e9}", 1), beginning("a\u{e9}", 2)), ("bc", "", "a"));
    }

    #[test]
    fn no_number_is_kept_that_cannot_be_written_down() {
        let mut told = status("timeout", 1);
        let strange = Phases { started: Some(f64::NAN), answered: Some(f64::INFINITY), ..Phases::default() };
        told.health.as_mut().unwrap().checks[0].phases = Some(strange);
        told.end.as_mut().unwrap().checks[0].attempts[0].phases = Some(strange);
        let TaskStatus { health, end, .. } = bounded(told);
        assert_eq!(health.unwrap().checks[0].phases, Some(Phases::default()));
        assert_eq!(end.unwrap().checks[0].attempts[0].phases, Some(Phases::default()));
    }
}
