//! One request and its answer, in either version of HTTP. Pure: bytes in, bytes out.

use std::task::Poll;

use bytes::Bytes;

use super::plan::{Extras, Plan};
use super::request;
use super::response::{Response, Wanted};
use super::target::Target;
use crate::outcome::{Failure, Outcome};
use crate::probe::http2::{Reply, Session};
use crate::spec::{HttpVersion, Reuse};

#[derive(Debug)]
pub(super) enum Dialogue {
    Http1(Box<Response>),
    Http2(Box<Session>),
    /// An answer over HTTP/2, whole.
    Replied(Box<Reply>),
}

/// An answer, whole or of which the header has come.
#[derive(Debug)]
pub(super) struct Answered<'a> {
    pub(super) status: u16,
    pub(super) location: Option<&'a str>,
    /// Known where bodies are kept.
    pub(super) content_type: Option<&'a str>,
    /// The body, if the answer is whole.
    pub(super) body: Option<&'a [u8]>,
}

impl Dialogue {
    /// And the first bytes to send.
    pub(super) fn begin(plan: &Plan, target: &Target, connection: Reuse) -> Result<(Dialogue, Vec<u8>), Outcome> {
        let extras = plan.extras();
        match extras.version {
            HttpVersion::Http1 => {
                let dialogue = Dialogue::Http1(Box::new(Response::new(wanted(target, extras))));
                Ok((dialogue, request::http1(target, extras, connection)))
            }
            HttpVersion::Http2 => {
                let invalid = |error: http::Error| Outcome::Failure(Failure::Invalid { cause: error.to_string() });
                let request = request::http2(target, extras).map_err(invalid)?;
                let body = Bytes::copy_from_slice(target.form.body(extras));
                let mut dialogue = Dialogue::Http2(Box::new(Session::new(request, body, extras.limits())));
                let spoken = dialogue.feed(&[]).map_err(Outcome::Failure)?;
                Ok((dialogue, spoken))
            }
        }
    }

    /// Takes bytes that have come; returns the bytes to send.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Result<Vec<u8>, Failure> {
        let mut out = Vec::new();
        match self {
            Dialogue::Http1(response) => response.feed(bytes)?,
            Dialogue::Http2(session) => {
                if let Poll::Ready(reply) = session.advance(bytes, &mut out) {
                    *self = Dialogue::Replied(Box::new(reply?));
                }
            }
            Dialogue::Replied(_) => {}
        }
        Ok(out)
    }

    /// The connection has ended.
    pub(super) fn end(&mut self) -> Result<(), Failure> {
        match self {
            Dialogue::Http1(response) => Ok(response.end()?),
            Dialogue::Http2(session) => match session.end(&mut Vec::new()) {
                Poll::Ready(reply) => {
                    *self = Dialogue::Replied(Box::new(reply?));
                    Ok(())
                }
                Poll::Pending => {
                    Err(Failure::Closed { cause: "the connection was closed within the answer".to_owned() })
                }
            },
            Dialogue::Replied(_) => Ok(()),
        }
    }

    /// The answer, as far as it is known.
    pub(super) fn answered(&self) -> Option<Answered<'_>> {
        match self {
            Dialogue::Http1(response) => response.head().map(|head| Answered {
                status: head.status,
                location: head.location.as_deref(),
                content_type: head.content_type.as_deref(),
                body: response.is_whole().then(|| response.body()),
            }),
            Dialogue::Http2(_) => None,
            Dialogue::Replied(reply) => Some(Answered {
                status: reply.status,
                location: text(reply, &http::header::LOCATION),
                content_type: text(reply, &http::header::CONTENT_TYPE),
                body: Some(&reply.body),
            }),
        }
    }

    /// The type of the body and the part of it that was kept until now; without a whole head, its beginning.
    pub(super) fn heard(&self) -> Option<(Option<&str>, &[u8])> {
        match self {
            Dialogue::Http1(response) => match response.head() {
                Some(head) => Some((head.content_type.as_deref(), response.body())),
                None => Some((None, response.torn_head())),
            },
            Dialogue::Http2(_) => None,
            Dialogue::Replied(reply) => Some((text(reply, &http::header::CONTENT_TYPE), &reply.body)),
        }
    }

    /// True if not a single byte has come yet.
    pub(super) fn is_untouched(&self) -> bool {
        matches!(self, Dialogue::Http1(response) if response.is_empty())
    }

    /// True if the connection can be used again.
    pub(super) fn keeps_alive(&self) -> bool {
        matches!(self, Dialogue::Http1(response) if response.keeps_alive())
    }
}

fn text<'a>(reply: &'a Reply, name: &http::HeaderName) -> Option<&'a str> {
    reply.headers.get(name).and_then(|value| value.to_str().ok())
}

fn wanted(target: &Target, extras: &Extras) -> Wanted {
    let limits = extras.limits();
    Wanted { longest: limits.longest, kept: limits.kept, body: target.form.method(extras) != "HEAD" }
}
