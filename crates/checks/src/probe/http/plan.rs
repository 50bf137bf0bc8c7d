//! An HTTP probe as the engine keeps it, and how its answers are judged. Pure.

use std::sync::{Arc, LazyLock};

use super::target::Target;
use crate::outcome::{Answer, Failure, Outcome, Reason, Said};
use crate::probe::http2::BodyLimits;
use crate::spec::matcher::{BadExpectation, KEPT, Matcher, first_objection};
use crate::spec::{HTTP2, HttpProbe, HttpVersion, Redirects, Reuse, SpecError, StatusRanges, TlsPlan};

/// An HTTP probe, ready to be attempted.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(super) target: Target,
    pub(super) redirects: Redirects,
    pub(super) connection: Reuse,
    /// For `https`, there or anywhere a redirect leads.
    pub(super) tls: Arc<TlsPlan>,
    /// The settings that most checks leave at their default.
    extras: Option<Box<Extras>>,
}

/// The rarer parts of a probe.
#[derive(Clone, Debug)]
pub(super) struct Extras {
    pub(super) version: HttpVersion,
    pub(super) source: Option<std::net::IpAddr>,
    pub(super) method: Box<str>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Box<[u8]>,
    healthy: StatusRanges,
    ignored: Option<StatusRanges>,
    expect: Box<[Matcher]>,
    max_body: u64,
    pub(super) tell_answer: bool,
}

static DEFAULTS: LazyLock<Extras> = LazyLock::new(|| Extras::of(&HttpProbe::default(), Box::default()));

impl Plan {
    pub(crate) fn of(probe: HttpProbe) -> Result<Plan, SpecError> {
        let bad = |error: BadExpectation| SpecError { field: "probe.http.expect", problem: error.to_string() };
        let expect = probe.expect.iter().map(Matcher::compile).collect::<Result<_, _>>().map_err(bad)?;
        let protocol = (probe.version == HttpVersion::Http2).then_some(HTTP2);
        let tls = TlsPlan::of(&probe.tls, protocol)?;
        let extras = is_special(&probe).then(|| Box::new(Extras::of(&probe, expect)));
        let plan =
            Plan { target: Target::of(&probe), redirects: probe.redirects, connection: probe.connection, tls, extras };
        plan.validate()
    }

    /// HTTP/2 is stricter about what can be sent at all.
    fn validate(self) -> Result<Plan, SpecError> {
        if self.extras().version == HttpVersion::Http2 {
            let problem = |error: http::Error| SpecError { field: "probe.http", problem: error.to_string() };
            super::request::http2(&self.target, self.extras()).map_err(problem)?;
        }
        Ok(self)
    }

    pub(super) fn extras(&self) -> &Extras {
        self.extras.as_deref().unwrap_or(&DEFAULTS)
    }

    /// By the status first, then by the body.
    pub(super) fn judge(&self, status: u16, body: &[u8]) -> Outcome {
        let extras = self.extras();
        if extras.ignored.as_ref().is_some_and(|ignored| ignored.contains(status)) {
            return Outcome::Inconclusive(Reason::IgnoredStatus(status));
        }
        if !extras.healthy.contains(status) {
            return Outcome::Failure(Failure::Status(status));
        }
        match first_objection(&extras.expect, body) {
            None => Outcome::Success(Answer::Status(status)),
            Some(cause) => Outcome::Failure(Failure::Body { cause }),
        }
    }
}

/// True if anything is not as in [`HttpProbe::default`] that a plan does not keep anyway.
fn is_special(probe: &HttpProbe) -> bool {
    let usual = HttpProbe {
        scheme: probe.scheme,
        address: probe.address,
        host: probe.host.clone(),
        path: probe.path.clone(),
        redirects: probe.redirects,
        connection: probe.connection,
        tls: probe.tls.clone(),
        ..HttpProbe::default()
    };
    *probe != usual
}

impl Extras {
    fn of(probe: &HttpProbe, expect: Box<[Matcher]>) -> Extras {
        Extras {
            version: probe.version,
            source: probe.source,
            method: probe.method.as_str().into(),
            headers: probe.headers.clone(),
            body: probe.body.as_slice().into(),
            healthy: probe.healthy_statuses.clone(),
            ignored: probe.ignored_statuses.clone(),
            expect,
            max_body: probe.max_body,
            tell_answer: probe.tell_answer,
        }
    }

    pub(super) fn limits(&self) -> BodyLimits {
        let kept = match self.tell_answer {
            _ if !self.expect.is_empty() => KEPT,
            true => Said::LIMIT,
            false => Said::OF_FAILURE,
        };
        BodyLimits { longest: self.max_body, kept }
    }
}
