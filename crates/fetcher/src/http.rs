//! Downloads: one GET over HTTP or HTTPS, redirects followed, into a file. No task of its own.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, HOST, LOCATION, USER_AGENT};
use http::uri::Scheme;
use http::{Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::fs::File;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::error::Reason;

/// As many redirects as curl follows for Mesos would be a loop.
const MAX_REDIRECTS: usize = 20;

/// A server that says nothing for this long is given up: Mesos' `--fetcher_stall_timeout`.
const STALL_TIMEOUT: Duration = Duration::from_secs(60);

/// How to download; the trusted certificates are read once.
#[derive(Clone, Debug)]
pub(crate) struct Downloads {
    tls: Option<Arc<ClientConfig>>,
}

fn failed(error: impl std::fmt::Display) -> Reason {
    Reason::Http(error.to_string())
}

/// With everything that caused it: the connection's errors say little by themselves.
fn traced(error: &dyn std::error::Error) -> Reason {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    let text = causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"));
    Reason::Http(text)
}

async fn patiently<T>(work: impl Future<Output = T>) -> Result<T, Reason> {
    let late = || Reason::Http(format!("the server said nothing for {} seconds", STALL_TIMEOUT.as_secs()));
    timeout(STALL_TIMEOUT, work).await.map_err(|_| late())
}

impl Downloads {
    pub(crate) fn new() -> Downloads {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().ok();
        let config = versions.map(|versions| versions.with_root_certificates(roots).with_no_client_auth());
        Downloads { tls: config.map(Arc::new) }
    }

    /// Downloads into an empty file, not more than so many bytes.
    pub(crate) async fn get(&self, url: &Uri, target: File, most: u64) -> Result<(), Reason> {
        let mut url = url.clone();
        for _ in 0..MAX_REDIRECTS {
            let response = self.ask(&url).await?;
            match response.status() {
                StatusCode::OK => return save(response, target, most).await,
                status if status.is_redirection() => url = next(&url, &response)?,
                status => return Err(Reason::Http(format!("Unexpected HTTP response code: {}", status.as_u16()))),
            }
        }
        Err(Reason::Http(format!("more than {MAX_REDIRECTS} redirects")))
    }

    async fn ask(&self, url: &Uri) -> Result<Response<Incoming>, Reason> {
        let secure = url.scheme() == Some(&Scheme::HTTPS);
        let host = url.host().ok_or_else(|| failed("the URL names no host"))?;
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let port = url.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let cannot = |error| Reason::Http(format!("cannot connect to {host}:{port}: {error}"));
        let stream = patiently(TcpStream::connect((bare, port))).await?.map_err(cannot)?;
        let request = request(url, host)?;
        if !secure {
            return exchange(stream, request).await;
        }
        let tls = self.tls.clone().ok_or_else(|| failed("TLS is not available"))?;
        let name = ServerName::try_from(bare.to_owned()).map_err(failed)?;
        let stream = patiently(TlsConnector::from(tls).connect(name, stream)).await?.map_err(cannot)?;
        exchange(stream, request).await
    }
}

fn request(url: &Uri, host: &str) -> Result<Request<Empty<Bytes>>, Reason> {
    let path = url.path_and_query().map_or("/", |path| path.as_str());
    let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let mut request = Request::get(path).header(HOST, host).header(USER_AGENT, "cygnet-fetcher");
    let authority = url.authority().map_or("", |authority| authority.as_str());
    if let Some((who, _)) = authority.rsplit_once('@') {
        request = request.header(AUTHORIZATION, format!("Basic {}", STANDARD.encode(who)));
    }
    request.body(Empty::new()).map_err(failed)
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    request: Request<Empty<Bytes>>,
) -> Result<Response<Incoming>, Reason> {
    let shaken = patiently(hyper::client::conn::http1::handshake(TokioIo::new(stream))).await?;
    let (mut sender, connection) = shaken.map_err(|error| traced(&error))?;
    // Ends with the body, or with whoever reads it.
    tokio::spawn(connection);
    patiently(sender.send_request(request)).await?.map_err(|error| traced(&error))
}

/// Where a redirect leads. From HTTPS it never leads back to plain HTTP.
fn next(url: &Uri, response: &Response<Incoming>) -> Result<Uri, Reason> {
    let location = response.headers().get(LOCATION).and_then(|location| location.to_str().ok());
    let location = location.ok_or_else(|| failed("a redirect without a location"))?;
    let (scheme, authority) = (url.scheme_str().unwrap_or("http"), url.authority().map_or("", |it| it.as_str()));
    let absolute = if location.contains("://") {
        location.to_owned()
    } else if location.starts_with("//") {
        format!("{scheme}:{location}")
    } else if location.starts_with('/') {
        format!("{scheme}://{authority}{location}")
    } else {
        let parent = url.path().rsplit_once('/').map_or("", |(parent, _)| parent);
        format!("{scheme}://{authority}{parent}/{location}")
    };
    let next: Uri = absolute.parse().map_err(|error| failed(format!("a redirect to nowhere: {error}")))?;
    match (url.scheme_str(), next.scheme_str()) {
        (_, Some("https")) | (Some("http"), Some("http")) => Ok(next),
        _ => Err(Reason::Http(format!("a redirect to {next}, which is not followed"))),
    }
}

async fn save(response: Response<Incoming>, mut file: File, most: u64) -> Result<(), Reason> {
    let mut left = most;
    let mut body = response.into_body();
    while let Some(frame) = patiently(body.frame()).await? {
        if let Ok(data) = frame.map_err(|error| traced(&error))?.into_data() {
            let length = u64::try_from(data.len()).unwrap_or(u64::MAX);
            left = left.checked_sub(length).ok_or(Reason::TooLarge { most })?;
            file.write_all(&data).await?;
        }
    }
    file.flush().await?;
    Ok(())
}
