//! The meaning of a URI: its source, its name in the sandbox, what is done with it there. Pure.

use std::path::{Component, Path, PathBuf};

use mesos::checksum::Checksum;
use mesos::v1::command_info::Uri;
use urls::{Url, UrlError};

use crate::archive::Format;
use crate::error::{BadUri, FetchError};

/// One thing to fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    pub(crate) uri: String,
    pub(crate) source: Source,
    /// Its place below the sandbox.
    pub(crate) name: PathBuf,
    pub(crate) executable: bool,
    pub(crate) extract: Option<Format>,
    pub(crate) cache: bool,
    pub(crate) checksum: Option<Checksum>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    File(PathBuf),
    Http(Url),
}

impl Item {
    /// Reads a URI of a command.
    pub fn of(uri: &Uri) -> Result<Item, FetchError> {
        item(uri).map_err(|reason| FetchError { uri: uri.value.clone(), reason: reason.into() })
    }
}

fn item(uri: &Uri) -> Result<Item, BadUri> {
    let source = source(&uri.value)?;
    let name = match uri.output_file.as_deref() {
        Some(name) => output_file(name)?,
        None => base_name(&uri.value)?,
    };
    let executable = uri.executable();
    // By its name in the sandbox, as Mesos decides.
    let extract = if uri.extract() && !executable { Format::of(&name) } else { None };
    let checksum = uri.checksum.as_deref().map(str::parse).transpose()?;
    Ok(Item { uri: uri.value.clone(), source, name, executable, extract, cache: uri.cache(), checksum })
}

fn source(value: &str) -> Result<Source, BadUri> {
    if value.contains(['\\', '\'', '\0']) {
        return Err(BadUri::Characters);
    }
    let local = value.strip_prefix("file://localhost").or_else(|| value.strip_prefix("file://")).unwrap_or(value);
    if local.starts_with('/') {
        return Ok(Source::File(PathBuf::from(local)));
    }
    match Url::absolute(value) {
        Ok(url) => Ok(Source::Http(url)),
        Err(UrlError::Relative(_)) => Err(BadUri::Relative),
        Err(UrlError::Scheme(scheme)) => Err(BadUri::Scheme(scheme)),
        Err(error) => Err(BadUri::Url(error)),
    }
}

/// As Mesos takes it: everything after the last slash, a query included.
fn base_name(value: &str) -> Result<PathBuf, BadUri> {
    let path = match value.split_once("://") {
        Some((_, rest)) => rest.split_once('/').map(|(_, path)| path).unwrap_or_default(),
        None => value,
    };
    let name = path.rsplit('/').next().unwrap_or_default();
    if name.is_empty() || name == "." || name == ".." {
        return Err(BadUri::NoName);
    }
    Ok(PathBuf::from(name))
}

/// A path below the sandbox, never out of it.
fn output_file(name: &str) -> Result<PathBuf, BadUri> {
    let plain = |component: Component<'_>| matches!(component, Component::Normal(_));
    let path = Path::new(name);
    if name.is_empty() || name.contains('\0') || name.ends_with('/') || !path.components().all(plain) {
        return Err(BadUri::OutputFile(name.to_owned()));
    }
    Ok(path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(value: &str) -> Uri {
        Uri { value: value.to_owned(), ..Uri::default() }
    }

    fn of(uri: &Uri) -> Item {
        Item::of(uri).unwrap()
    }

    #[test]
    fn names_are_those_of_mesos() {
        for (value, name) in [
            ("/opt/tool", "tool"),
            ("file:///opt/a b.txt", "a b.txt"),
            ("file://localhost/opt/a", "a"),
            ("http://host/a/b.tgz", "b.tgz"),
            ("https://host:8443/b?x=1", "b?x=1"),
        ] {
            assert_eq!(of(&uri(value)).name, Path::new(name), "{value}");
        }
        let named = Uri { output_file: Some("sub/own.tgz".to_owned()), ..uri("http://host/a") };
        assert_eq!((of(&named).name.as_path(), of(&named).extract), (Path::new("sub/own.tgz"), Some(Format::Tar)));
    }

    #[test]
    fn archives_are_extracted_unless_somebody_says_no() {
        for (name, format) in [
            ("a.tar", Some(Format::Tar)),
            ("a.tar.gz", Some(Format::Tar)),
            ("a.tgz", Some(Format::Tar)),
            ("a.tar.bz2", Some(Format::Tar)),
            ("a.tbz2", Some(Format::Tar)),
            ("a.tar.xz", Some(Format::Tar)),
            ("a.txz", Some(Format::Tar)),
            ("a.zip", Some(Format::Zip)),
            ("a.gz", Some(Format::Gzip)),
            ("a.txt", None),
            ("tar", None),
        ] {
            assert_eq!(of(&uri(&format!("/opt/{name}"))).extract, format, "{name}");
        }
        let whole = Uri { extract: Some(false), ..uri("/opt/a.tgz") };
        let program = Uri { executable: Some(true), ..uri("/opt/a.tgz") };
        assert_eq!((of(&whole).extract, of(&program).extract), (None, None));
    }

    #[test]
    fn everything_else_is_refused_by_name() {
        let outside = |name: &str| Uri { output_file: Some(name.to_owned()), ..uri("/opt/a") };
        let unsure = |checksum: &str| Uri { checksum: Some(checksum.to_owned()), ..uri("/opt/a") };
        let bad = [
            unsure("sha256:abc"),
            unsure("md5:d41d8cd98f00b204e9800998ecf8427e"),
            uri("hdfs://host/a"),
            uri("ftp://host/a"),
            uri("a"),
            uri("/"),
            uri("http://host"),
            uri("http://host/"),
            uri("http://host:99999/a"),
            uri("http://host:0/a"),
            uri("http:///a"),
            uri("http://a b/c"),
            uri("/opt/it's"),
            uri(""),
            outside("../out"),
            outside("/abs"),
            outside(""),
            outside("a/../../b"),
            outside("./a"),
        ];
        for bad in bad {
            let refused = Item::of(&bad).unwrap_err().to_string();
            assert!(refused.starts_with(&format!("Failed to fetch '{}': ", bad.value)), "{refused}");
        }
    }
}
