//! The ways in which a pull fails: each names the registry and the image, and says what to do.

use std::io;
use std::time::Duration;

use urls::UrlError;

use crate::image::{Digest, ManifestError};

/// Why an image, or a part of it, is not here.
#[derive(Debug, thiserror::Error)]
#[error("cannot pull '{image}' from {registry}: {reason}")]
pub struct PullError {
    /// The registry, as the image's name has it.
    pub registry: String,
    /// The repository and the image in it.
    pub image: String,
    /// Why.
    pub reason: Reason,
}

/// A reason for a failed pull.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// The name of the registry, or a place it sends us to, makes no sense.
    #[error("{0}")]
    Address(#[from] UrlError),
    /// No name server knows it.
    #[error("the host {host} is not known: correct the image's name, or the name servers of this machine ({source})")]
    UnknownHost {
        /// The host.
        host: String,
        /// The resolver's words.
        source: io::Error,
    },
    /// Nobody listens there, or nobody can get there.
    #[error("cannot connect to {address}: {source}; is it running, and may this machine connect to it?")]
    Connect {
        /// Host and port.
        address: String,
        /// The system's words.
        source: io::Error,
    },
    /// It is not who it should be, or speaks no TLS.
    #[error(
        "no safe connection to {address}: {source}; add the authority of its certificate to those that this machine \
         trusts, or name it in the agent's 'insecure_registry' if it speaks plain HTTP"
    )]
    Tls {
        /// Host and port.
        address: String,
        /// The words of TLS.
        source: io::Error,
    },
    /// The machine's own certificates cannot be read.
    #[error("the certificates that this machine trusts cannot be read: {0}")]
    Trust(String),
    /// The connection broke, or what came is not HTTP.
    #[error("the connection to {address} broke: {words}")]
    Connection {
        /// Host and port.
        address: String,
        /// The words of HTTP, with what caused them.
        words: String,
    },
    /// Nothing came for too long.
    #[error("{address} said nothing for {after:?}")]
    Stalled {
        /// Host and port.
        address: String,
        /// The time it was waited for.
        after: Duration,
    },
    /// A short document took too long.
    #[error("{address} did not send a whole document within {after:?}")]
    Slow {
        /// Host and port.
        address: String,
        /// The time it was waited for.
        after: Duration,
    },
    /// It sends us round and round.
    #[error("it sent us on more than {0} times")]
    Redirects(usize),
    /// It sends us where we do not go.
    #[error("it sends us to '{to}', {why}")]
    Redirect {
        /// The place.
        to: String,
        /// Why not.
        why: &'static str,
    },
    /// It wants to know who asks in a way that we do not know.
    #[error("it wants credentials in a way that is not supported: '{0}'; Basic and Bearer are")]
    Challenge(String),
    /// It wants credentials, and we have none.
    #[error(
        "it wants credentials, and there are none for it{}: add them to the agent's 'docker_config' or to the app's \
         'pullConfig', or correct the name: some registries ask for credentials where there is no such image",
        quoted(said)
    )]
    NoCredentials {
        /// The registry's words.
        said: String,
    },
    /// It does not let us have it.
    #[error(
        "it refuses the credentials of {user} ({status}){}: correct them in the agent's 'docker_config' or the app's \
         'pullConfig', or let {user} pull from this repository",
        quoted(said)
    )]
    Refused {
        /// The user, or another word for him.
        user: String,
        /// 401 or 403.
        status: u16,
        /// The registry's words.
        said: String,
    },
    /// The server that gives tokens for this registry failed.
    #[error("no token from {server}: {reason}")]
    Token {
        /// Host and port.
        server: String,
        /// Why.
        reason: Box<Reason>,
    },
    /// The answer of a token server has another form.
    #[error("its answer has no token that could be sent")]
    NoToken,
    /// There is no such image.
    #[error("there is no such image{}: correct its name, or push it", quoted(said))]
    NoManifest {
        /// The registry's words.
        said: String,
    },
    /// The manifest names a blob that is not there.
    #[error("it has no blob {digest}, which the image's manifest names: push the image again")]
    NoBlob {
        /// The blob.
        digest: Digest,
    },
    /// The manifest cannot be used.
    #[error("{0}")]
    Manifest(#[from] ManifestError),
    /// The index names another index.
    #[error("its index names an index where an image is expected")]
    Nested,
    /// The configuration cannot be read.
    #[error("the image's configuration cannot be read: {0}")]
    Config(serde_json::Error),
    /// The image is for another kind of machine.
    #[error("the image is for {image}, but this machine is {here}: build and push it for {here}, too")]
    Platform {
        /// The image's.
        image: String,
        /// This machine's.
        here: String,
    },
    /// It is not what was asked for.
    #[error("{expected} was asked for, but {found} came: the registry, or something on the way to it, is broken")]
    Digest {
        /// As in the manifest or the image's name.
        expected: Digest,
        /// The digest of what came.
        found: Digest,
    },
    /// The connection ended before the blob did.
    #[error("{digest} ended after {got} of {expected} bytes")]
    Short {
        /// The blob.
        digest: Digest,
        /// The bytes that came.
        got: u64,
        /// The bytes in the manifest.
        expected: u64,
    },
    /// More came than the manifest says.
    #[error("{digest} has more than the {expected} bytes that the manifest says: the registry is broken")]
    Long {
        /// The blob.
        digest: Digest,
        /// The bytes in the manifest.
        expected: u64,
    },
    /// A document is larger than any of its kind.
    #[error("it sent a document of more than {most} bytes, the most that is read")]
    DocumentTooLarge {
        /// The bound.
        most: usize,
    },
    /// The image is larger than the agent allows.
    #[error("its layers have {bytes} bytes; at most {most} are fetched here (an option of the agent)")]
    TooLarge {
        /// All layers.
        bytes: u64,
        /// The bound.
        most: u64,
    },
    /// It was asked too often.
    #[error(
        "it has been asked too often (429){}{}; with credentials more may be allowed",
        after.map(|after| format!(" and wants to be left alone for {after:?}")).unwrap_or_default(), quoted(said)
    )]
    TooManyRequests {
        /// The time that it wants to be left alone.
        after: Option<Duration>,
        /// The registry's words.
        said: String,
    },
    /// It failed by itself.
    #[error("it failed ({status}){}: look at its log", quoted(said))]
    Server {
        /// 5xx or 408; of a host that it sent us to, 401 and 403, too.
        status: u16,
        /// The time that it wants to be left alone.
        after: Option<Duration>,
        /// Its words.
        said: String,
    },
    /// It answered with something that makes no sense here.
    #[error("it answered {status}{}; is this the address of a registry?", quoted(said))]
    Status {
        /// The status.
        status: u16,
        /// Its words.
        said: String,
    },
    /// The blob cannot be written where it is to be kept.
    #[error("it cannot be stored: {0}")]
    Store(io::Error),
}

fn quoted(said: &str) -> String {
    if said.is_empty() { String::new() } else { format!(", saying '{said}'") }
}

impl Reason {
    /// True if another try may go well, though nobody changes anything.
    pub fn is_transient(&self) -> bool {
        match self {
            Reason::UnknownHost { .. }
            | Reason::Connect { .. }
            | Reason::Connection { .. }
            | Reason::Stalled { .. }
            | Reason::Slow { .. }
            | Reason::Short { .. }
            | Reason::TooManyRequests { .. }
            | Reason::Server { .. } => true,
            Reason::Token { reason, .. } => reason.is_transient(),
            _ => false,
        }
    }

    /// The time for which the registry wants to be left alone.
    pub(super) fn asked_for(&self) -> Option<Duration> {
        match self {
            Reason::TooManyRequests { after, .. } | Reason::Server { after, .. } => *after,
            Reason::Token { reason, .. } => reason.asked_for(),
            _ => None,
        }
    }
}
