//! The calling half of the APIs.
//!
//! In: calls. Out: replies, or a stream of events for each subscription. One connection is kept for calls and made anew
//! when it has died; every subscription has a connection of its own. Each connection is driven by one small task, which
//! ends with the connection. Redirects to the leading master are followed, and remembered with the kept connection.

mod connection;
mod error;
mod location;
mod stranger;
mod stream;

use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use tokio::{sync::Mutex, time::timeout};

use self::{connection::Connection, location::Target};
pub use self::{error::ClientError, stranger::Stranger, stream::EventStream};
use crate::{codec::Codec, credentials::Credential, server::MESOS_STREAM_ID, union::Union, wire::Wire};

/// The largest reply that is read.
pub const MAX_REPLY_BYTES: usize = 64 * 1024 * 1024;

/// The number of redirects that one call follows.
const MAX_REDIRECTS: usize = 5;

/// The limits on how long things may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Until a connection is made.
    pub connect: Duration,
    /// From sending a call to the end of its reply, and until a subscription is answered.
    pub reply: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), reply: Duration::from_secs(30) }
    }
}

/// The answer to a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// A 2xx status.
    pub status: StatusCode,
    /// The body, often empty.
    pub body: Bytes,
}

/// Talks to one master or agent. Clones share the kept connection, over which calls go one after the other.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

struct Shared {
    authority: String,
    codec: Codec,
    timeouts: Timeouts,
    authorization: Option<HeaderValue>,
    /// A tokio lock: it is held while a call is under way, which keeps calls in order.
    kept: Mutex<Option<Connection>>,
}

/// A request whose target may still change.
struct Outgoing {
    method: Method,
    headers: HeaderMap,
    body: Bytes,
}

impl Client {
    /// A client of the server at `authority` (`ip:port`). Connects when it is first used.
    pub fn new(authority: impl Into<String>, codec: Codec) -> Client {
        Self::with_timeouts(authority, codec, Timeouts::default())
    }

    /// The same, with other limits on how long things may take.
    pub fn with_timeouts(authority: impl Into<String>, codec: Codec, timeouts: Timeouts) -> Client {
        let shared =
            Shared { authority: authority.into(), codec, timeouts, authorization: None, kept: Mutex::new(None) };
        Client { shared: Arc::new(shared) }
    }

    /// A client of the same server that shows this token with every call, as `Authorization: Bearer`.
    pub fn with_token(&self, token: &str) -> Result<Client, ClientError> {
        let mut value =
            HeaderValue::try_from(format!("Bearer {token}")).map_err(|error| ClientError::Request(error.into()))?;
        value.set_sensitive(true);
        Ok(self.authorized(Some(value)))
    }

    /// A client of the same server that says who it is with every request, if it is to.
    pub fn with_credential(&self, credential: Option<&Credential>) -> Client {
        self.authorized(credential.and_then(Credential::authorization))
    }

    fn authorized(&self, authorization: Option<HeaderValue>) -> Client {
        let Shared { authority, codec, timeouts, .. } = &*self.shared;
        let (authority, kept) = (authority.clone(), Mutex::new(None));
        let shared = Shared { authority, codec: *codec, timeouts: *timeouts, authorization, kept };
        Client { shared: Arc::new(shared) }
    }

    /// The server that this client calls first.
    pub fn authority(&self) -> &str {
        &self.shared.authority
    }

    /// Makes a call and expects a 2xx reply.
    pub async fn call<C: Wire>(&self, path: &str, call: &C, stream_id: Option<&str>) -> Result<Reply, ClientError> {
        let outgoing = self.shared.outgoing(call, stream_id)?;
        self.shared.expect_success(path, outgoing).await
    }

    /// Makes a call that is answered with one message.
    pub async fn ask<C: Wire, R: Wire>(&self, path: &str, call: &C) -> Result<R, ClientError> {
        let reply = self.call(path, call, None).await?;
        let decoded = self.shared.codec.decode(&reply.body);
        decoded.map_err(|source| ClientError::Message { peer: self.shared.authority.clone(), source })
    }

    /// Makes a call that is answered with a stream of events, on a connection of its own.
    pub async fn subscribe<C: Wire, E: Union>(&self, path: &str, call: &C) -> Result<EventStream<E>, ClientError> {
        let outgoing = self.shared.outgoing(call, None)?;
        self.shared.subscribe(path, outgoing).await
    }

    /// Reads a path, whatever the status of the answer.
    pub async fn get(&self, path: &str) -> Result<(StatusCode, Bytes), ClientError> {
        let outgoing = Outgoing { method: Method::GET, headers: self.shared.authorization(), body: Bytes::new() };
        self.shared.exchange(path, outgoing).await.map(|reply| (reply.status, reply.body))
    }
}

impl Shared {
    fn outgoing<C: Wire>(&self, call: &C, stream_id: Option<&str>) -> Result<Outgoing, ClientError> {
        let mut outgoing = Outgoing::call(self.codec, call, stream_id)?;
        outgoing.headers.extend(self.authorization());
        Ok(outgoing)
    }

    fn authorization(&self) -> HeaderMap {
        self.authorization.iter().map(|value| (header::AUTHORIZATION, value.clone())).collect()
    }

    async fn expect_success(&self, path: &str, outgoing: Outgoing) -> Result<Reply, ClientError> {
        let reply = self.exchange(path, outgoing).await?;
        if reply.status.is_success() { Ok(reply) } else { Err(ClientError::refused(&self.authority, reply)) }
    }

    /// One call over the kept connection, following redirects.
    async fn exchange(&self, path: &str, outgoing: Outgoing) -> Result<Reply, ClientError> {
        let mut kept = self.kept.lock().await;
        let mut target = Target::new(kept.as_ref().map_or(self.authority.as_str(), Connection::peer), path);
        for _ in 0..=MAX_REDIRECTS {
            // Taken out while it is in use: if this call is dropped half-way, so is the connection.
            let (reply, headers, connection) = self.attempt(kept.take(), &target, &outgoing).await?;
            *kept = Some(connection);
            match location::redirect(reply.status, &headers, &target)? {
                Some(next) => target = next,
                None => return Ok(reply),
            }
        }
        Err(ClientError::Redirects { peer: self.authority.clone(), limit: MAX_REDIRECTS })
    }

    /// One exchange with one server. A kept connection may have died since it was last used, which shows as an error
    /// before anything was answered; that is worth one more try on a new one.
    async fn attempt(
        &self,
        kept: Option<Connection>,
        target: &Target,
        outgoing: &Outgoing,
    ) -> Result<(Reply, HeaderMap, Connection), ClientError> {
        if let Some(connection) = kept.filter(|kept| kept.serves(&target.authority)) {
            match self.over(connection, target, outgoing).await {
                Err(ClientError::Connection { .. }) => {}
                done => return done,
            }
        }
        let base = || Target { authority: self.authority.clone(), path: target.path.clone() };
        match self.fresh(target, outgoing).await {
            // The leader we were once sent to is gone: ask where we always could.
            Err(ClientError::Connect { .. } | ClientError::ConnectTimeout { .. })
                if target.authority != self.authority =>
            {
                self.fresh(&base(), outgoing).await
            }
            done => done,
        }
    }

    async fn fresh(&self, target: &Target, outgoing: &Outgoing) -> Result<(Reply, HeaderMap, Connection), ClientError> {
        let connection = Connection::open(&target.authority, self.timeouts.connect).await?;
        self.over(connection, target, outgoing).await
    }

    async fn over(
        &self,
        mut connection: Connection,
        target: &Target,
        outgoing: &Outgoing,
    ) -> Result<(Reply, HeaderMap, Connection), ClientError> {
        let exchange = async {
            let response = connection.send(outgoing.request(target)?).await?;
            let (status, headers) = (response.status(), response.headers().clone());
            let body = connection.whole(response, MAX_REPLY_BYTES).await?;
            Ok((Reply { status, body }, headers))
        };
        let (reply, headers) = self.within(target, exchange).await?;
        Ok((reply, headers, connection))
    }

    async fn subscribe<E: Union>(&self, path: &str, outgoing: Outgoing) -> Result<EventStream<E>, ClientError> {
        let mut target = Target::new(&self.authority, path);
        for _ in 0..=MAX_REDIRECTS {
            let mut connection = Connection::open(&target.authority, self.timeouts.connect).await?;
            let answer = async { connection.send(outgoing.request(&target)?).await };
            let response = self.within(&target, answer).await?;
            match location::redirect(response.status(), response.headers(), &target)? {
                Some(next) => target = next,
                None => return self.stream(connection, response, &target).await,
            }
        }
        Err(ClientError::Redirects { peer: self.authority.clone(), limit: MAX_REDIRECTS })
    }

    async fn stream<E: Union>(
        &self,
        mut connection: Connection,
        response: http::Response<Incoming>,
        target: &Target,
    ) -> Result<EventStream<E>, ClientError> {
        if response.status() == StatusCode::OK {
            return Ok(EventStream::new(connection, response, self.codec));
        }
        let status = response.status();
        let body = self.within(target, connection.whole(response, MAX_REPLY_BYTES)).await?;
        Err(ClientError::refused(connection.peer(), Reply { status, body }))
    }

    async fn within<T>(
        &self,
        target: &Target,
        work: impl Future<Output = Result<T, ClientError>>,
    ) -> Result<T, ClientError> {
        let after = self.timeouts.reply;
        let late = |_| ClientError::ReplyTimeout { peer: target.authority.clone(), after };
        timeout(after, work).await.map_err(late)?
    }
}

impl Outgoing {
    fn call<C: Wire>(codec: Codec, call: &C, stream_id: Option<&str>) -> Result<Outgoing, ClientError> {
        let media_type = HeaderValue::from_static(codec.media_type());
        let mut headers =
            HeaderMap::from_iter([(header::CONTENT_TYPE, media_type.clone()), (header::ACCEPT, media_type)]);
        if let Some(id) = stream_id {
            let value = HeaderValue::try_from(id).map_err(|error| ClientError::Request(error.into()))?;
            headers.insert(MESOS_STREAM_ID, value);
        }
        Ok(Outgoing { method: Method::POST, headers, body: codec.encode(call) })
    }

    fn request(&self, target: &Target) -> Result<Request<Full<Bytes>>, ClientError> {
        let mut request = Request::builder()
            .method(self.method.clone())
            .uri(&target.path)
            .header(header::HOST, &target.authority)
            .body(Full::new(self.body.clone()))
            .map_err(ClientError::Request)?;
        request.headers_mut().extend(self.headers.clone());
        Ok(request)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("authority", &self.shared.authority).finish_non_exhaustive()
    }
}
