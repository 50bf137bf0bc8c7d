//! Registries: images are pulled from them, by Docker's API of version 2, which is also OCI's.
//!
//! From the inside out: `challenge` reads how a registry wants to be asked, [`DockerConfig`] has the credentials, `access`
//! makes proofs of them, `wire` sends one request, a [`Repository`] follows it wherever it leads, and `pull` fetches
//! documents and blobs, verifies them, and tries again at the pace of `backoff`, while a [`Meter`] counts. [`Registries`]
//! is what an agent has one of. [`Pulls`] says which of the pulls that are wanted are to be begun.
//!
//! In: the name of an image and credentials. Out: documents, and blobs into any file; who keeps them is not known here.
//! Challenge, credentials, access, pace, pulls and progress are pure. Registries are not trusted: what they send is
//! bounded in size, a document in time, too, and a blob in silence.

mod access;
mod backoff;
mod challenge;
mod error;
mod login;
mod progress;
mod pull;
mod pulls;
mod repository;
#[cfg(test)]
mod tests;
mod told;
mod wire;

use std::time::Duration;

use urls::{Authority, Host};

pub use self::backoff::Pace;
pub use self::error::{PullError, Reason};
pub use self::login::{ConfigError, DockerConfig, Login};
pub use self::progress::{Meter, Progress, Trouble};
pub use self::pull::{Beginning, Described, total};
pub use self::pulls::{Order, Pulls};
pub use self::repository::Repository;
use self::repository::Terms;
pub use self::told::told;
use self::wire::Wire;
use crate::image::{Platform, Reference};

/// A server that says nothing for this long is given up, as Mesos' fetcher does.
const STALL: Duration = Duration::from_secs(60);
/// The time in which manifests, configurations and tokens are to be here.
const DOCUMENT: Duration = Duration::from_secs(300);
/// The largest image, compressed.
const MOST_BYTES: u64 = 64 << 30;

/// The registries, as one agent talks to them.
#[derive(Clone, Debug)]
pub struct Registries {
    /// The credentials of the agent, `--docker_config`.
    pub config: DockerConfig,
    /// The registries that are spoken to without TLS, as in images' names; those on this machine are anyway.
    pub insecure: Vec<String>,
    /// The time of silence after which a server is given up.
    pub stall: Duration,
    /// The time in which manifests, configurations and tokens are to be here. Layers have all the time they need.
    pub document: Duration,
    /// The pace of further tries.
    pub pace: Pace,
    /// The largest image, compressed.
    pub most_bytes: u64,
    /// The machine that images are for.
    pub platform: Platform,
}

impl Default for Registries {
    fn default() -> Registries {
        Registries {
            config: DockerConfig::default(),
            insecure: Vec::new(),
            stall: STALL,
            document: DOCUMENT,
            pace: Pace::default(),
            most_bytes: MOST_BYTES,
            platform: Platform::here(),
        }
    }
}

impl Registries {
    /// The login for an image: by its app's own credentials, else by the agent's.
    pub fn login(&self, image: &Reference, own: Option<&DockerConfig>) -> Option<Login> {
        own.and_then(|own| own.login(image)).or_else(|| self.config.login(image)).cloned()
    }

    /// The repository of an image, for one pull, whose progress goes to this meter.
    pub fn repository(&self, image: &Reference, login: Option<Login>, meter: Meter) -> Result<Repository, PullError> {
        let scheme = if self.is_plain(image.registry()) { "http" } else { "https" };
        let wire = Wire { stall: self.stall, document: self.document, trusted: None };
        let terms = Terms { wire, here: self.platform.clone(), most_bytes: self.most_bytes, pace: self.pace };
        Repository::new(image, &format!("{scheme}://{}", image.host()), login, terms, meter)
    }

    fn is_plain(&self, registry: &str) -> bool {
        let is_here = |host| match host {
            Host::Address { ip, .. } => ip.is_loopback(),
            Host::Name(name) => name == "localhost",
        };
        let here = Authority::parse(registry).is_ok_and(|authority| is_here(authority.host));
        here || self.insecure.iter().any(|named| named == registry)
    }
}
