//! The name of an image, as `docker pull` takes it: `[HOST[:PORT]/]REPOSITORY[:TAG][@DIGEST]`.
//!
//! The grammar is that of `distribution/reference`; names without a host are Docker Hub's.

use std::fmt;
use std::str::FromStr;

use super::digest::{Digest, DigestError};

/// The name that Docker gives its registry, and the host that answers for it.
const HUB: &str = "docker.io";
const HUB_HOST: &str = "registry-1.docker.io";
/// The repository of Docker Hub's own images.
const OFFICIAL: &str = "library/";
const DEFAULT_TAG: &str = "latest";
const LONGEST_REPOSITORY: usize = 255;
const LONGEST_TAG: usize = 128;

/// The name of an image.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reference {
    registry: String,
    repository: String,
    version: Version,
}

/// The one of a repository's images that is meant.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Version {
    /// A name that the registry may give to another image tomorrow.
    Tag(String),
    /// The image whose manifest has this digest, for ever.
    Digest(Digest),
}

/// Why a name is none of an image's; its author is at fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// It is empty.
    #[error("the image has no name")]
    Empty,
    /// A letter is not allowed where it stands, or a part is missing.
    #[error("'{name}' is no name of an image: {part} '{value}' is not valid")]
    Part {
        /// The whole name.
        name: String,
        /// The part that is wrong: host, repository or tag.
        part: &'static str,
        /// The text of that part.
        value: String,
    },
    /// Docker Hub and others want it in lower case.
    #[error("'{name}' is no name of an image: the repository must be lowercase")]
    UpperCase {
        /// The whole name.
        name: String,
    },
    /// The text behind `@` is no digest.
    #[error("'{name}' is no name of an image: {source}")]
    Digest {
        /// The whole name.
        name: String,
        /// The fault in it.
        source: DigestError,
    },
}

impl Reference {
    /// The registry's host, with its port if it has one, as users write it: `docker.io` if they do not.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The host to connect to.
    pub fn host(&self) -> &str {
        if self.registry == HUB { HUB_HOST } else { &self.registry }
    }

    /// The repository in the registry, `library/nginx` for Docker Hub's `nginx`.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The image in the repository.
    pub fn version(&self) -> &Version {
        &self.version
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Version::Tag(tag) => f.write_str(tag),
            Version::Digest(digest) => digest.fmt(f),
        }
    }
}

impl fmt::Display for Reference {
    /// The whole name, with what is understood if it is left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let separator = if matches!(self.version, Version::Tag(_)) { ':' } else { '@' };
        write!(f, "{}/{}{separator}{}", self.registry, self.repository, self.version)
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(name: &str) -> Result<Reference, ReferenceError> {
        if name.is_empty() {
            return Err(ReferenceError::Empty);
        }
        let wrong = |part, value: &str| ReferenceError::Part { name: name.to_owned(), part, value: value.to_owned() };
        let (rest, digest) = split_digest(name)?;
        let (registry, path) = split_registry(rest);
        let (path, tag) = split_tag(path);
        if path.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(ReferenceError::UpperCase { name: name.to_owned() });
        }
        let official = registry == HUB && !path.contains('/');
        let repository = if official { format!("{OFFICIAL}{path}") } else { path.to_owned() };
        match tag {
            _ if !is_host(registry) => Err(wrong("the host", registry)),
            _ if !is_repository(path) || repository.len() > LONGEST_REPOSITORY => Err(wrong("the repository", path)),
            Some(tag) if !is_tag(tag) => Err(wrong("the tag", tag)),
            tag => {
                let named = Version::Tag(tag.unwrap_or(DEFAULT_TAG).to_owned());
                let version = digest.map_or(named, Version::Digest);
                Ok(Reference { registry: registry.to_owned(), repository, version })
            }
        }
    }
}

/// A digest decides alone, whatever tag stands before it.
fn split_digest(name: &str) -> Result<(&str, Option<Digest>), ReferenceError> {
    let Some((rest, digest)) = name.split_once('@') else { return Ok((name, None)) };
    let digest = digest.parse().map_err(|source| ReferenceError::Digest { name: name.to_owned(), source })?;
    Ok((rest, Some(digest)))
}

/// The first part is a host if it could be no repository: it has a dot or a port, or is `localhost`.
fn split_registry(name: &str) -> (&str, &str) {
    let could_be = |host: &str| host.contains(['.', ':']) || host == "localhost";
    match name.split_once('/') {
        Some(("index.docker.io", path)) => (HUB, path),
        Some((host, path)) if could_be(host) => (host, path),
        _ => (HUB, name),
    }
}

fn split_tag(path: &str) -> (&str, Option<&str>) {
    match path.rsplit_once(':') {
        Some((path, tag)) => (path, Some(tag)),
        None => (path, None),
    }
}

fn is_host(host: &str) -> bool {
    let (name, port) = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, port)) => {
            return address.parse::<std::net::Ipv6Addr>().is_ok() && (port.is_empty() || is_port(port.get(1..)));
        }
        None => host.split_once(':').map_or((host, None), |(name, port)| (name, Some(port))),
    };
    let is_label = |label: &str| {
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !label.is_empty() && label.bytes().all(inner) && !label.starts_with('-') && !label.ends_with('-')
    };
    name.split('.').all(is_label) && (port.is_none() || is_port(port))
}

fn is_port(port: Option<&str>) -> bool {
    port.is_some_and(|port| port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok())
}

fn is_repository(path: &str) -> bool {
    path.split('/').all(is_component)
}

/// Letters and digits, in which `.`, `_`, `__` or any number of `-` may stand alone.
fn is_component(component: &str) -> bool {
    let alphanumeric = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let separated =
        |separator: &str| matches!(separator, "" | "." | "_" | "__") || separator.bytes().all(|byte| byte == b'-');
    let ends = component.bytes().next().is_some_and(alphanumeric) && component.bytes().last().is_some_and(alphanumeric);
    let separators = component.split(|letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit());
    ends && separators.into_iter().all(separated)
}

fn is_tag(tag: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let mut bytes = tag.bytes();
    tag.len() <= LONGEST_TAG
        && bytes.next().is_some_and(word)
        && bytes.all(|byte| word(byte) || byte == b'.' || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_mean_what_they_mean_to_docker() {
        let digest = format!("sha256:{}", "a1".repeat(32));
        for (name, whole, host) in [
            ("nginx", "docker.io/library/nginx:latest", "registry-1.docker.io"),
            ("nginx:1.27-alpine", "docker.io/library/nginx:1.27-alpine", "registry-1.docker.io"),
            ("docker.io/nginx", "docker.io/library/nginx:latest", "registry-1.docker.io"),
            ("index.docker.io/a/b", "docker.io/a/b:latest", "registry-1.docker.io"),
            ("user/app__x:V1", "docker.io/user/app__x:V1", "registry-1.docker.io"),
            ("localhost/app", "localhost/app:latest", "localhost"),
            ("127.0.0.1:5000/cygnet/nginx:1", "127.0.0.1:5000/cygnet/nginx:1", "127.0.0.1:5000"),
            ("[::1]:5000/a", "[::1]:5000/a:latest", "[::1]:5000"),
            ("quay.io/a/b/c.d-e---f:x", "quay.io/a/b/c.d-e---f:x", "quay.io"),
            (&format!("quay.io/a@{digest}"), &format!("quay.io/a@{digest}"), "quay.io"),
            (&format!("a:1@{digest}"), &format!("docker.io/library/a@{digest}"), "registry-1.docker.io"),
        ] {
            let reference: Reference = name.parse().unwrap();
            assert_eq!((reference.to_string().as_str(), reference.host()), (whole, host), "{name}");
            assert_eq!(whole.parse::<Reference>().unwrap(), reference);
        }
    }

    #[test]
    fn names_that_docker_refuses_say_what_is_wrong_with_them() {
        let long = "a".repeat(256);
        for (name, why) in [
            ("", "the image has no name"),
            ("Nginx", "the repository must be lowercase"),
            ("a/../b", "the repository 'a/../b' is not valid"),
            ("a//b", "the repository 'a//b' is not valid"),
            ("/a", "the repository '/a' is not valid"),
            ("a__", "the repository 'a__' is not valid"),
            ("a___b", "the repository 'a___b' is not valid"),
            ("a b", "the repository 'a b' is not valid"),
            ("a:", "the tag '' is not valid"),
            ("a:.x", "the tag '.x' is not valid"),
            ("a:x/y", "the host 'a:x' is not valid"),
            ("-a.b/c", "the host '-a.b' is not valid"),
            ("a.b:99999/c", "the host 'a.b:99999' is not valid"),
            ("[::x]:1/c", "the host '[::x]:1' is not valid"),
            ("a@sha256:12", "sha256:12"),
            ("a@md5:12", "md5"),
            (&long, "the repository"),
        ] {
            let error = name.parse::<Reference>().unwrap_err().to_string();
            assert!(error.contains(why), "{name}: {error}");
        }
    }
}
