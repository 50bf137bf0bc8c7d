//! The gRPC health protocol: one call of `grpc.health.v1.Health/Check` over HTTP/2.

mod message;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::task::Poll;

use bytes::Bytes;
use http::Request;
use rustls::pki_types::ServerName;
use urls::Authority;

use super::http2::{BodyLimits, Reply, Session, Violation};
use super::kept::Handshake;
use super::poller::Poller;
use super::stream::{Endpoint, Received, Stream};
use super::tools::Tools;
use crate::outcome::{Answer, Failure, Outcome, Phases, Said};
use crate::place::Place;
use crate::spec::{GrpcProbe, HTTP2, SpecError, TlsPlan};

/// A health message is a few bytes long.
const LIMITS: BodyLimits = BodyLimits { longest: 64 * 1024, kept: 64 * 1024 };

/// A call, ready to be made.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    address: SocketAddr,
    source: Option<IpAddr>,
    authority: Box<str>,
    service: Box<str>,
    metadata: Box<[(String, String)]>,
    tls: Option<Arc<TlsPlan>>,
}

#[derive(Debug)]
pub(crate) struct Attempt {
    stream: Stream,
    session: Session,
    said: Option<Box<Said>>,
}

/// Any bytes as the body of a reply.
#[cfg(any(feature = "fuzzing", test))]
pub(crate) fn fuzz(bytes: &[u8]) {
    let mut trailers = http::HeaderMap::new();
    trailers.insert("grpc-status", http::HeaderValue::from_static("0"));
    let mut headers = http::HeaderMap::new();
    headers.insert("content-type", http::HeaderValue::from_static("application/grpc"));
    let _any_judgement_will_do = message::judge(&Reply { status: 200, headers, body: bytes.to_vec(), trailers });
}

impl Plan {
    pub(super) fn of(probe: GrpcProbe) -> Result<Plan, SpecError> {
        let tls = probe.tls.as_ref().map(|tls| TlsPlan::of(tls, Some(HTTP2))).transpose()?;
        let authority = probe.authority.unwrap_or_else(|| Authority::from(probe.address).header(0)).into();
        let (address, source) = (probe.address, probe.source);
        let (service, metadata) = (probe.service.into(), probe.metadata.into());
        let plan = Plan { address, source, authority, service, metadata, tls };
        // Metadata was looked at before.
        let problem = |error: http::Error| SpecError { field: "probe.grpc.authority", problem: error.to_string() };
        plan.request().map_err(problem)?;
        Ok(plan)
    }

    fn request(&self) -> Result<Request<()>, http::Error> {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let request = Request::post(format!("{scheme}://{}/grpc.health.v1.Health/Check", self.authority))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .header("user-agent", super::USER_AGENT);
        let metadata = self.metadata.iter();
        metadata.fold(request, |request, (name, value)| request.header(name, value)).body(())
    }

    fn server_name(&self) -> ServerName<'static> {
        let name =
            Authority::parse(&self.authority).ok().and_then(|there| ServerName::try_from(there.host.bare()).ok());
        name.unwrap_or_else(|| ServerName::IpAddress(self.address.ip().into()))
    }
}

impl Attempt {
    pub(super) fn start(plan: &Plan, place: &Place, tools: &mut Tools<'_>) -> Result<Attempt, Outcome> {
        let invalid = |error: http::Error| Outcome::Failure(Failure::Invalid { cause: error.to_string() });
        let request = plan.request().map_err(invalid)?;
        let tls = plan.tls.as_deref().map(|tls| (tls, tls.server_name(|| plan.server_name())));
        let endpoint = Endpoint { address: plan.address, source: plan.source, tls, handshake: Handshake::Deferred };
        let stream = Stream::open(endpoint, place, tools)?;
        let session = Session::new(request, Bytes::from(message::request(&plan.service)), LIMITS);
        let mut attempt = Attempt { stream, session, said: None };
        let spoken = attempt.feed(&[])?.map(|reply| attempt.judge(reply, plan, tools));
        match if spoken.is_ready() { spoken } else { attempt.advance(plan, tools) } {
            Poll::Ready(outcome) => Err(outcome),
            Poll::Pending => Ok(attempt),
        }
    }

    pub(super) fn phases(&self) -> Phases {
        self.stream.phases()
    }

    /// The server's message about a call that failed.
    pub(super) fn said(&self) -> Option<Box<Said>> {
        self.said.clone()
    }

    /// Its connection does not wake it until it has gone on again.
    pub(super) fn rest(&mut self, poller: &Poller) -> bool {
        self.stream.rest(poller)
    }

    pub(super) fn advance(&mut self, plan: &Plan, tools: &mut Tools<'_>) -> Poll<Outcome> {
        loop {
            let elapsed = tools.elapsed();
            let reply = match self.stream.exchange(tools.scratch, elapsed) {
                Err(outcome) => return Poll::Ready(outcome),
                Ok(Received::NotYet) => break,
                Ok(Received::End) => Ok(self.end()),
                Ok(Received::Bytes(length)) => self.feed(tools.scratch.get(..length).unwrap_or_default()),
            };
            match reply {
                Err(outcome) => return Poll::Ready(outcome),
                Ok(Poll::Ready(reply)) => return Poll::Ready(self.judge(reply, plan, tools)),
                Ok(Poll::Pending) => {}
            }
        }
        self.stream.register(tools).map_or_else(Poll::Ready, |()| Poll::Pending)
    }

    fn feed(&mut self, bytes: &[u8]) -> Result<Poll<Result<Reply, Violation>>, Outcome> {
        let mut out = Vec::new();
        let reply = self.session.advance(bytes, &mut out);
        self.stream.push(&out)?;
        Ok(reply)
    }

    fn end(&mut self) -> Poll<Result<Reply, Violation>> {
        self.session.end(&mut Vec::new())
    }

    fn judge(&mut self, reply: Result<Reply, Violation>, plan: &Plan, tools: &Tools<'_>) -> Outcome {
        let found = match reply {
            Ok(reply) => {
                let judged = message::judge(&reply);
                self.said = judged.is_err().then(|| message::said(&reply)).flatten();
                judged
            }
            Err(violation) => Err(violation.into()),
        };
        let objection = || plan.tls.as_ref()?.object(self.stream.certificate(), tools.time_of_day());
        match found.and_then(|()| objection().map_or(Ok(()), Err)) {
            Ok(()) => Outcome::Success(Answer::Serving),
            Err(failure) => Outcome::Failure(failure),
        }
    }
}
