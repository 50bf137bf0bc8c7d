//! One request over HTTP or HTTPS on a connection of its own. Owns the task that drives the connection, which ends with
//! the [`Answer`].

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AsHeaderName, CONTENT_LENGTH, HOST, RETRY_AFTER, USER_AGENT};
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_util::task::AbortOnDropHandle;
use urls::{Scheme, Url};

use super::access::short;
use super::error::Reason;

/// The time after which the next of a host's addresses is tried.
const CONNECT: Duration = Duration::from_secs(15);
/// The bound on the head of an answer, and on what is read at once.
const MOST_BUFFERED: usize = 256 * 1024;
/// The bound on what is read of an error.
const MOST_SAID: usize = 16 * 1024;

/// The way to servers.
#[derive(Clone, Debug)]
pub(super) struct Wire {
    /// The time of silence after which a server is given up.
    pub(super) stall: Duration,
    /// The time in which a document is to be here.
    pub(super) document: Duration,
    /// The authorities it trusts instead of the machine's.
    pub(super) trusted: Option<Arc<ClientConfig>>,
}

/// An answer, whose body is still to come.
#[derive(Debug)]
pub(super) struct Answer {
    response: Response<Incoming>,
    address: String,
    stall: Duration,
    document: Duration,
    _driver: AbortOnDropHandle<()>,
}

impl Wire {
    /// Sends a request, whose target is the URL's path, to the URL's host.
    pub(super) async fn ask(&self, url: &Url, request: Request<Full<Bytes>>) -> Result<Answer, Reason> {
        let address = address(url);
        let stream = self.connect(url).await?;
        if url.scheme == Scheme::Http {
            return self.exchange(stream, url, request).await;
        }
        let malformed = |error| Reason::Tls { address: address.clone(), source: io::Error::other(error) };
        let name = ServerName::try_from(url.authority.host.bare()).map_err(malformed)?;
        let connecting = TlsConnector::from(self.trusted().await?).connect(name, stream);
        let stream = self.patiently(&address, connecting).await?.map_err(|source| match source.get_ref() {
            Some(cause) if cause.is::<rustls::Error>() => Reason::Tls { address: address.clone(), source },
            _ => Reason::Connect { address: address.clone(), source },
        })?;
        self.exchange(stream, url, request).await
    }

    async fn connect(&self, url: &Url) -> Result<TcpStream, Reason> {
        let (host, address) = (url.authority.host.to_resolve(), address(url));
        let unknown = |source| Reason::UnknownHost { host: host.clone(), source };
        let places = self.patiently(&address, lookup_host((host.as_str(), url.port()))).await?.map_err(unknown)?;
        let mut last = Reason::Connect { address: address.clone(), source: io::Error::other("it has no address") };
        for place in places {
            let connecting = timeout(self.stall.min(CONNECT), TcpStream::connect(place));
            match connecting.await.unwrap_or_else(|late| Err(late.into())) {
                Ok(stream) => return Ok(stream),
                Err(source) => last = Reason::Connect { address: address.clone(), source },
            }
        }
        Err(last)
    }

    async fn exchange(
        &self,
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        url: &Url,
        mut request: Request<Full<Bytes>>,
    ) -> Result<Answer, Reason> {
        let address = address(url);
        let host = url.authority.header(url.scheme.default_port());
        let host = HeaderValue::try_from(host).map_err(|error| broken(&address, &error))?;
        request.headers_mut().insert(HOST, host);
        request.headers_mut().insert(USER_AGENT, HeaderValue::from_static("cygnet"));
        let shaken = http1::Builder::new().max_buf_size(MOST_BUFFERED).handshake(TokioIo::new(stream));
        let (mut sender, connection) = shaken.await.map_err(|error| broken(&address, &error))?;
        // How it ends shows in whatever is using it.
        let driver = AbortOnDropHandle::new(tokio::spawn(async move { drop(connection.await) }));
        let response = self.patiently(&address, sender.send_request(request)).await?;
        let response = response.map_err(|error| broken(&address, &error))?;
        Ok(Answer { response, address, stall: self.stall, document: self.document, _driver: driver })
    }

    async fn trusted(&self) -> Result<Arc<ClientConfig>, Reason> {
        match &self.trusted {
            Some(trusted) => Ok(trusted.clone()),
            None => fetcher::trusted().await.map_err(|error| Reason::Trust(error.to_string())),
        }
    }

    async fn patiently<T>(&self, address: &str, work: impl Future<Output = T>) -> Result<T, Reason> {
        patiently(self.stall, address, work).await
    }
}

impl Answer {
    pub(super) fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// The values of a header that are text.
    pub(super) fn headers(&self, name: HeaderName) -> Vec<&str> {
        self.response.headers().get_all(name).iter().filter_map(|value| value.to_str().ok()).collect()
    }

    /// The first value of a header, if it is text.
    pub(super) fn header(&self, name: impl AsHeaderName) -> Option<&str> {
        self.response.headers().get(name)?.to_str().ok()
    }

    /// The length of the body, if the server says it.
    pub(super) fn length(&self) -> Option<u64> {
        self.header(CONTENT_LENGTH)?.parse().ok()
    }

    /// The time that the server wants to be left alone. The date that it might be instead is left out.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        self.header(RETRY_AFTER)?.trim().parse().ok().map(Duration::from_secs)
    }

    /// The next piece of the body; none at its end.
    pub(super) async fn piece(&mut self) -> Result<Option<Bytes>, Reason> {
        loop {
            let frame = patiently(self.stall, &self.address, self.response.body_mut().frame()).await?;
            let Some(frame) = frame.transpose().map_err(|error| broken(&self.address, &error))? else {
                return Ok(None);
            };
            match frame.into_data() {
                Ok(data) if !data.is_empty() => return Ok(Some(data)),
                _ => {}
            }
        }
    }

    /// The whole body, which must not be large nor take long.
    pub(super) async fn document(mut self, most: usize) -> Result<Vec<u8>, Reason> {
        if self.length().is_some_and(|length| length > most as u64) {
            return Err(Reason::DocumentTooLarge { most });
        }
        let (after, address) = (self.document, self.address.clone());
        let collecting = async {
            let mut document = Vec::new();
            while let Some(piece) = self.piece().await? {
                if document.len() + piece.len() > most {
                    return Err(Reason::DocumentTooLarge { most });
                }
                document.extend_from_slice(&piece);
            }
            Ok(document)
        };
        timeout(after, collecting).await.unwrap_or(Err(Reason::Slow { address, after }))
    }

    /// The words of an error: the first message of a registry's, or the text.
    pub(super) async fn said(self) -> String {
        let body = self.document(MOST_SAID).await.unwrap_or_default();
        let errors: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
        let first = &errors["errors"][0];
        match first["message"].as_str().filter(|message| !message.is_empty()).or_else(|| first["code"].as_str()) {
            Some(message) => short(message),
            None => short(String::from_utf8_lossy(&body).trim()),
        }
    }
}

/// Host and port.
pub(super) fn address(url: &Url) -> String {
    format!("{}:{}", url.authority.host, url.port())
}

async fn patiently<T>(stall: Duration, address: &str, work: impl Future<Output = T>) -> Result<T, Reason> {
    timeout(stall, work).await.map_err(|_| Reason::Stalled { address: address.to_owned(), after: stall })
}

/// With everything that caused it: the connection's errors say little by themselves.
fn broken(address: &str, error: &dyn std::error::Error) -> Reason {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    let words = causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"));
    Reason::Connection { address: address.to_owned(), words }
}
