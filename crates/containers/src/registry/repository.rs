//! A repository as one pull sees it: requests with a proof of who asks, sent on to other hosts without it.

use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, LOCATION, RANGE, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, Request, StatusCode};
use http_body_util::Full;
use tokio::time::{Instant, sleep};
use urls::{Scheme, Url};

use super::access::{Access, Refusal, Step, TokenRequest, short};
use super::backoff::{Backoff, Pace};
use super::error::{PullError, Reason};
use super::login::Login;
use super::progress::{Meter, Trouble};
use super::wire::{Answer, Wire, address};
use crate::image::{Platform, Reference};

/// As many as curl follows for Mesos.
const MAX_REDIRECTS: usize = 20;
/// The largest answer of a token server.
const MOST_OF_TOKEN: usize = 256 * 1024;

/// A header that only some requests have.
type Header = (HeaderName, HeaderValue);

/// An image in its repository, on its way here. A copy has the same proof of who asks, and may fetch beside it.
#[derive(Clone, Debug)]
pub struct Repository {
    image: Reference,
    /// Scheme and host of the registry, with the path of the repository.
    base: Url,
    terms: Terms,
    access: Access,
    meter: Meter,
    /// The beginning of the time that the pure parts are told.
    began: Instant,
}

/// The way to registries, and the bounds on what is fetched from them.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    pub(super) wire: Wire,
    pub(super) here: Platform,
    pub(super) most_bytes: u64,
    pub(super) pace: Pace,
}

impl Repository {
    /// The repository of an image at a registry whose URL has neither path nor name.
    pub(super) fn new(
        image: &Reference,
        registry: &str,
        login: Option<Login>,
        terms: Terms,
        meter: Meter,
    ) -> Result<Repository, PullError> {
        let base = Url::absolute(&format!("{registry}/v2/{}/", image.repository()));
        let base = base.map_err(|error| told(image, error.into()))?;
        let access = Access::new(login, image.repository());
        Ok(Repository { image: image.clone(), base, terms, access, meter, began: Instant::now() })
    }

    /// The image.
    pub fn image(&self) -> &Reference {
        &self.image
    }

    pub(super) fn terms(&self) -> &Terms {
        &self.terms
    }

    pub(super) fn meter(&self) -> &Meter {
        &self.meter
    }

    pub(super) fn error(&self, reason: Reason) -> PullError {
        told(&self.image, reason)
    }

    /// A part of the repository: whole, or from some byte on. Anything but success is an error, a 404 the one given.
    pub(super) async fn get(
        &mut self,
        path: &str,
        header: Option<Header>,
        missing: impl FnOnce(String) -> Reason,
    ) -> Result<Answer, Reason> {
        let url = self.base.join(path)?;
        let mut again = false;
        loop {
            let (answer, at_home) = self.follow(&url, header.clone()).await?;
            if answer.status() != StatusCode::UNAUTHORIZED || !at_home {
                return self.judged(answer, at_home, missing).await;
            }
            let headers = answer.headers(WWW_AUTHENTICATE).into_iter().map(str::to_owned).collect();
            let refusal = Refusal { headers, said: answer.said().await };
            match self.access.challenged(refusal, &url, again)? {
                Step::Again => {}
                Step::Token(request) => self.token(&request).await?,
            }
            again = true;
        }
    }

    /// The answer at the end of all redirects, and whether the registry itself gave it.
    async fn follow(&self, url: &Url, header: Option<Header>) -> Result<(Answer, bool), Reason> {
        let (mut url, mut at_home) = (url.clone(), true);
        for _ in 0..MAX_REDIRECTS {
            let authorization = if at_home { self.access.authorization(self.now()) } else { None };
            let answer = self.terms.wire.ask(&url, request(&url, header.clone(), authorization)?).await?;
            if !answer.status().is_redirection() || answer.status() == StatusCode::NOT_MODIFIED {
                return Ok((answer, at_home));
            }
            let next = next(&url, &answer)?;
            at_home &= is_same_origin(&url, &next);
            url = next;
        }
        Err(Reason::Redirects(MAX_REDIRECTS))
    }

    /// A host that we were sent to knows no users: it refuses when what it was sent has run out.
    async fn judged(
        &self,
        answer: Answer,
        at_home: bool,
        missing: impl FnOnce(String) -> Reason,
    ) -> Result<Answer, Reason> {
        let (status, after) = (answer.status(), answer.retry_after());
        if matches!(status, StatusCode::OK | StatusCode::PARTIAL_CONTENT) {
            return Ok(answer);
        }
        let said = answer.said().await;
        Err(match status.as_u16() {
            code @ (401 | 403) if at_home => self.access.refused(code, said),
            404 => missing(said),
            429 => Reason::TooManyRequests { after, said },
            code @ (401 | 403 | 408 | 500..) => Reason::Server { status: code, after, said },
            code => Reason::Status { status: code, said },
        })
    }

    async fn token(&mut self, request: &TokenRequest) -> Result<(), Reason> {
        let server = address(&request.url);
        let asked = async {
            let answer = self.terms.wire.ask(&request.url, request.request()?).await?;
            if answer.status() == StatusCode::OK {
                return answer.document(MOST_OF_TOKEN).await;
            }
            let missing = |said| Reason::Status { status: 404, said };
            self.judged(answer, true, missing).await?;
            Err(Reason::NoToken)
        };
        let granted = match asked.await {
            Ok(reply) => self.access.granted(&reply, self.now()),
            Err(reason) => Err(reason),
        };
        granted.map_err(|reason| Reason::Token { server, reason: Box::new(reason) })
    }

    pub(super) fn backoff(&self) -> Backoff {
        Backoff::new(self.terms.pace, self.now())
    }

    /// Waits until it may be tried again, or gives the error back.
    pub(super) async fn wait(&self, backoff: &mut Backoff, reason: Reason, progressed: bool) -> Result<(), PullError> {
        let now = self.now();
        if progressed {
            backoff.progressed(now);
        }
        let again = if reason.is_transient() { backoff.failed(now, reason.asked_for()) } else { None };
        let Some(again) = again else { return Err(self.error(reason)) };
        let wait = again.saturating_sub(now);
        tracing::info!(image = %self.image, %reason, ?wait, "a pull waits before it is tried again");
        self.meter.trouble(Some(Trouble { words: reason.to_string(), wait }));
        sleep(wait).await;
        Ok(())
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }
}

fn told(image: &Reference, reason: Reason) -> PullError {
    let whole = image.to_string();
    let name = whole.strip_prefix(image.registry()).unwrap_or(&whole).trim_start_matches('/').to_owned();
    PullError { registry: image.registry().to_owned(), image: name, reason }
}

fn request(
    url: &Url,
    header: Option<Header>,
    authorization: Option<HeaderValue>,
) -> Result<Request<Full<Bytes>>, Reason> {
    let mut request = Request::get(&url.path)
        .body(Full::default())
        .map_err(|_| Reason::Redirect { to: short(&url.path), why: "which is no place" })?;
    request.headers_mut().extend(header.into_iter().chain(authorization.map(|value| (AUTHORIZATION, value))));
    Ok(request)
}

/// The target of a redirect. From HTTPS it never leads back to plain HTTP.
fn next(url: &Url, answer: &Answer) -> Result<Url, Reason> {
    let to = answer.header(LOCATION).unwrap_or_default();
    let nowhere = || Reason::Redirect { to: short(to), why: "which is no place" };
    let next = if to.is_empty() { Err(nowhere()) } else { url.join(to).map_err(|_| nowhere()) }?;
    if url.scheme == Scheme::Https && next.scheme == Scheme::Http {
        return Err(Reason::Redirect { to: short(to), why: "which is less safe than where we are" });
    }
    Ok(next)
}

fn is_same_origin(one: &Url, other: &Url) -> bool {
    one.scheme == other.scheme && one.authority.host == other.authority.host && one.port() == other.port()
}

/// The header that names the documents we understand.
pub(super) fn accept(kinds: &'static str) -> Header {
    (ACCEPT, HeaderValue::from_static(kinds))
}

/// The header that asks for the rest only.
pub(super) fn from_byte(first: u64) -> Header {
    (RANGE, HeaderValue::try_from(format!("bytes={first}-")).expect("digits may stand in a header"))
}
