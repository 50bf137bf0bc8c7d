//! Downloads: one GET over HTTP or HTTPS, redirects followed, into a file. No task of its own.

use std::time::Duration;

use http::header::{AUTHORIZATION, HOST, LOCATION, USER_AGENT};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::fs::File;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use urls::{Scheme, Url};

use crate::error::Reason;
use crate::trust::trusted;

/// As many redirects as curl follows for Mesos would be a loop.
const MAX_REDIRECTS: usize = 20;

/// A server that says nothing for this long is given up: Mesos' `--fetcher_stall_timeout`.
const STALL_TIMEOUT: Duration = Duration::from_secs(60);

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

/// Downloads into an empty file, not more than so many bytes.
pub(crate) async fn get(url: &Url, target: File, most: u64) -> Result<(), Reason> {
    let mut url = url.clone();
    for _ in 0..MAX_REDIRECTS {
        let response = ask(&url).await?;
        match response.status() {
            StatusCode::OK => return save(response, target, most).await,
            status if status.is_redirection() => url = next(&url, &response)?,
            status => return Err(Reason::Http(format!("Unexpected HTTP response code: {}", status.as_u16()))),
        }
    }
    Err(Reason::Http(format!("more than {MAX_REDIRECTS} redirects")))
}

async fn ask(url: &Url) -> Result<Response<Incoming>, Reason> {
    let (host, port) = (url.authority.host.to_resolve(), url.port());
    let cannot = |error| Reason::Http(format!("cannot connect to {}:{port}: {error}", url.authority.host));
    let stream = patiently(TcpStream::connect((host.as_str(), port))).await?.map_err(cannot)?;
    let request = request(url)?;
    if url.scheme == Scheme::Http {
        return exchange(stream, request).await;
    }
    let name = ServerName::try_from(url.authority.host.bare()).map_err(failed)?;
    let stream = patiently(TlsConnector::from(trusted().await?).connect(name, stream)).await?.map_err(cannot)?;
    exchange(stream, request).await
}

fn request(url: &Url) -> Result<Request<Empty<Bytes>>, Reason> {
    let host = url.authority.header(url.scheme.default_port());
    let mut request = Request::get(&url.path).header(HOST, host).header(USER_AGENT, "cygnet-fetcher");
    if let Some(credentials) = url.basic_auth() {
        request = request.header(AUTHORIZATION, credentials);
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

/// The target of a redirect. From HTTPS it never leads back to plain HTTP.
fn next(url: &Url, response: &Response<Incoming>) -> Result<Url, Reason> {
    let location = response.headers().get(LOCATION).ok_or_else(|| failed("a redirect without a location"))?;
    let location = String::from_utf8_lossy(location.as_bytes());
    let next = url.join(&location).map_err(|error| failed(format!("a redirect to nowhere: {error}")))?;
    if url.scheme == Scheme::Https && next.scheme == Scheme::Http {
        return Err(Reason::Http(format!("a redirect to {location}, which is not followed")));
    }
    Ok(next)
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
