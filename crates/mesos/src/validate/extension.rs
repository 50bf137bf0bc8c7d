//! The part that Cygnet's own fields add to checks. In: options and probes. Out: what is wrong with them, as far as can
//! be said without compiling patterns and reading certificates, which is done where the task runs.

use std::net::IpAddr;

use super::{Invalid, Verdict, ensure, seconds};
use crate::v1::cygnet::{
    ExchangeProbe, Expectation, FailureRate, GrpcProbe, HttpOptions, ListenProbe, StatusRange, TcpOptions, Tls, tls,
};
use crate::v1::{CommandInfo, HealthCheck};

/// The longest window of a failure rate.
const LONGEST_WINDOW: u32 = 64;

/// The range of HTTP statuses.
const STATUSES: std::ops::RangeInclusive<u32> = 100..=599;

/// The options of a probe over HTTP.
pub(super) fn http(options: &HttpOptions) -> Verdict {
    address("options.address", options.address.as_deref())?;
    address("options.source_address", options.source_address.as_deref())?;
    options.healthy_statuses.iter().try_for_each(|range| statuses("options.healthy_statuses", range))?;
    options.ignored_statuses.iter().try_for_each(|range| statuses("options.ignored_statuses", range))?;
    options.expect.iter().try_for_each(|expected| expectation("options.expect", expected))?;
    options.tls.as_ref().map_or(Ok(()), |settings| tls("options.tls", settings))
}

/// The options of a probe over TCP.
pub(super) fn tcp(options: &TcpOptions) -> Verdict {
    address("options.address", options.address.as_deref())?;
    address("options.source_address", options.source_address.as_deref())
}

/// A probe of the gRPC health protocol.
pub(super) fn grpc(probe: &GrpcProbe) -> Verdict {
    address("grpc.address", probe.address.as_deref())?;
    address("grpc.source_address", probe.source_address.as_deref())?;
    probe.tls.as_ref().map_or(Ok(()), |settings| tls("grpc.tls", settings))
}

/// The command of a check. Mesos runs an empty one, with which a shell succeeds, always.
pub(super) fn says_what_to_run(field: &str, info: &CommandInfo) -> Verdict {
    ensure(!info.value().trim().is_empty(), || format!("Expecting '{field}' not to be empty"))
}

/// A probe that asks the kernel.
pub(super) fn listen(probe: &ListenProbe) -> Verdict {
    address("listen.address", probe.address.as_deref())
}

/// A probe that sends and expects bytes.
pub(super) fn exchange(probe: &ExchangeProbe) -> Verdict {
    address("exchange.address", probe.address.as_deref())?;
    address("exchange.source_address", probe.source_address.as_deref())?;
    probe.expect.iter().try_for_each(|expected| expectation("exchange.expect", expected))
}

/// The schedule and judgement of a health check beyond what Mesos has.
pub(super) fn judgement(check: &HealthCheck) -> Verdict {
    check.failure_rate.as_ref().map_or(Ok(()), failure_rate)?;
    seconds("jitter_seconds", check.jitter_seconds)?;
    seconds("unhealthy_interval_seconds", check.unhealthy_interval_seconds)?;
    seconds("edge_interval_seconds", check.edge_interval_seconds)
}

fn failure_rate(rate: &FailureRate) -> Verdict {
    ensure((1..=LONGEST_WINDOW).contains(&rate.window), || {
        format!("Expecting 'failure_rate.window' to be 1 to {LONGEST_WINDOW}")
    })?;
    ensure((1..=rate.window).contains(&rate.failures), || {
        "Expecting 'failure_rate.failures' to be 1 to 'failure_rate.window'".to_owned()
    })
}

fn address(field: &str, value: Option<&str>) -> Verdict {
    ensure(value.is_none_or(|value| value.parse::<IpAddr>().is_ok()), || {
        format!("Expecting '{field}' to be an IP address, but it is '{}'", value.unwrap_or_default())
    })
}

fn statuses(field: &str, range: &StatusRange) -> Verdict {
    let fits = range.begin <= range.end && STATUSES.contains(&range.begin) && STATUSES.contains(&range.end);
    ensure(fits, || {
        format!("Expecting '{field}' to be ranges within 100 to 599, but one is {}-{}", range.begin, range.end)
    })
}

fn expectation(field: &str, expected: &Expectation) -> Verdict {
    let parts = [expected.contains.is_some(), expected.matches.is_some(), expected.json_path.is_some()];
    ensure(parts.into_iter().filter(|set| *set).count() == 1, || {
        format!("Expecting exactly one of 'contains', 'matches' and 'json_path' to be set in '{field}'")
    })
}

fn tls(field: &str, settings: &Tls) -> Verdict {
    let by_roots = settings.verification() == tls::Verification::Roots;
    ensure(!by_roots || settings.roots.is_some(), || format!("Expecting '{field}.roots' to be set for ROOTS"))?;
    ensure(settings.client_certificates.is_some() == settings.client_key.is_some(), || {
        format!("Expecting both or none of '{field}.client_certificates' and '{field}.client_key' to be set")
    })?;
    seconds(&format!("{field}.expires_within_seconds"), settings.expires_within_seconds)
}

/// An error that says where it belongs.
pub(super) fn missing(what: &str, kind: &str, subject: &str) -> Invalid {
    Invalid(format!("Expecting '{what}' to be set for {kind} {subject}"))
}
