//! The one reader of URLs as people write them, and as RFC 3986 has them. Pure: no names are looked up.
//!
//! In: a URL, or a reference such as a `Location` together with where it was found. Out: its parts, ready to be sent, or
//! why it makes no sense, in words. The grammar is the crate `fluent-uri`; added to it is what people write all the same:
//! letters that have to be percent-encoded, and IPv6 zones.

mod authority;
mod encode;
mod scheme;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fluent_uri::{Uri, UriRef};

pub use authority::{Authority, Host};
pub use encode::path_and_query;
pub use scheme::Scheme;

/// An `http` or `https` URL. Its fragment, which is never sent, is forgotten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// `http` or `https`.
    pub scheme: Scheme,
    /// Host and port, as they are written.
    pub authority: Authority,
    /// Path and query, percent-encoded where necessary, beginning with `/`.
    pub path: String,
    /// The part before the `@`: `user` or `user:password`, decoded.
    user: Option<Vec<u8>>,
}

/// Why a URL makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UrlError {
    /// A scheme other than `http` and `https`.
    #[error("'{0}' is neither http nor https")]
    Scheme(String),
    /// Not what RFC 3986 calls a URL.
    #[error("'{text}' makes no sense from '{rest}' on")]
    Malformed {
        /// The whole text.
        text: String,
        /// The text from the fault on.
        rest: String,
    },
    /// A reference where a whole URL is wanted.
    #[error("'{0}' is no URL: it begins with no scheme, such as http://")]
    Relative(String),
    /// A blank or a control character.
    #[error("{0:?} has a blank or control character in it")]
    Invisible(String),
    /// No host is named.
    #[error("'{0}' names no host")]
    NoHost(String),
    /// A name where an address is needed, or an address with the name of an interface.
    #[error("'{0}' is to be looked up first: the engine looks up no names")]
    NotLookedUp(String),
    /// A host name in letters that DNS does not have.
    #[error("the host '{0}' is not in ASCII; write its name as DNS has it: xn--...")]
    NotAscii(String),
    /// A host name with something else in it.
    #[error("'{0}' is no host name")]
    Name(String),
    /// No port, or 0.
    #[error("there is no port {0}; ports are 1 to 65535")]
    Port(String),
}

impl Url {
    /// Reads a URL as people type it; without a scheme it is one of `http`.
    pub fn parse(text: &str) -> Result<Url, UrlError> {
        if encode::has_scheme(text) { Url::absolute(text) } else { Url::absolute(&format!("http://{text}")) }
    }

    /// Reads a URL as programs write it, with its scheme.
    pub fn absolute(text: &str) -> Result<Url, UrlError> {
        if !encode::has_scheme(text) {
            return Err(UrlError::Relative(text.to_owned()));
        }
        let (encoded, zone) = encode::encoded(text)?;
        let url = UriRef::parse(encoded.as_str()).map_err(|error| malformed(&encoded, error))?;
        let scheme = scheme(url.scheme().map_or("", |scheme| scheme.as_str()))?;
        let authority = url.authority().ok_or_else(|| UrlError::NoHost(text.to_owned()))?;
        let user = user(&authority);
        let authority = Authority::of(&authority, zone)?;
        Ok(Url { scheme, authority, path: target(url.path().as_str(), url.query().map(|query| query.as_str())), user })
    }

    /// The URL that a `Location` found there leads to. The name and password stay with scheme, host and port; others
    /// may be in it.
    pub fn join(&self, location: &str) -> Result<Url, UrlError> {
        let Reference { scheme, authority, path, user } = Reference::parse(location, self.scheme, &self.path)?;
        let there = Url { scheme, authority: authority.unwrap_or_else(|| self.authority.clone()), path, user };
        let same = there.scheme == self.scheme && there.authority.host == self.authority.host;
        let user = if same && there.port() == self.port() { self.user.clone() } else { None };
        Ok(Url { user: there.user.clone().or(user), ..there })
    }

    /// The value of `Authorization` for the name and password in the URL, if it has them.
    pub fn basic_auth(&self) -> Option<String> {
        self.user.as_ref().map(|user| format!("Basic {}", STANDARD.encode(user)))
    }

    /// The port, or the one its scheme means when it names none.
    pub fn port(&self) -> u16 {
        self.authority.port.unwrap_or_else(|| self.scheme.default_port())
    }
}

/// The target of a reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The scheme, its own or that of where it was found.
    pub scheme: Scheme,
    /// Another host, if it names one.
    pub authority: Option<Authority>,
    /// Path and query, percent-encoded where necessary, beginning with `/`.
    pub path: String,
    /// The part before the `@`, decoded.
    user: Option<Vec<u8>>,
}

impl Reference {
    /// Reads a `Location` that was found under this scheme and path.
    pub fn parse(text: &str, scheme_here: Scheme, path_here: &str) -> Result<Reference, UrlError> {
        let (encoded, zone) = encode::encoded(text)?;
        let reference = UriRef::parse(encoded.as_str()).map_err(|error| malformed(&encoded, error))?;
        let user = reference.authority().and_then(|authority| user(&authority));
        let authority = reference.authority().map(|authority| Authority::of(&authority, zone)).transpose()?;
        if let Some(name) = reference.scheme() {
            scheme(name.as_str())?;
            if authority.is_none() {
                return Err(UrlError::NoHost(text.to_owned()));
            }
        }
        let here = format!("{}://here{path_here}", scheme_here.as_str());
        let here = Uri::parse(here.as_str()).map_err(|error| malformed(&here, error))?;
        let there = reference.resolve_against(&here).map_err(|_| UrlError::NoHost(text.to_owned()))?;
        let path = target(there.path().as_str(), there.query().map(|query| query.as_str()));
        Ok(Reference { scheme: scheme(there.scheme().as_str())?, authority, path, user })
    }
}

fn user(authority: &fluent_uri::component::Authority<'_>) -> Option<Vec<u8>> {
    authority.userinfo().map(|user| user.decode().to_bytes().into_owned())
}

fn scheme(name: &str) -> Result<Scheme, UrlError> {
    match name {
        name if name.eq_ignore_ascii_case("http") => Ok(Scheme::Http),
        name if name.eq_ignore_ascii_case("https") => Ok(Scheme::Https),
        other => Err(UrlError::Scheme(other.to_owned())),
    }
}

fn target(path: &str, query: Option<&str>) -> String {
    let path = if path.is_empty() { "/" } else { path };
    query.map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"))
}

fn malformed(text: &str, error: fluent_uri::ParseError) -> UrlError {
    UrlError::Malformed { text: text.to_owned(), rest: text.get(error.index()..).unwrap_or_default().to_owned() }
}

#[cfg(test)]
mod tests;
