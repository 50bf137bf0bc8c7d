//! URIs a command wants in its sandbox: files of this machine are copied, everything else is refused in words. Pure.

use std::path::{Path, PathBuf};

use mesos::v1::command_info::Uri;

use crate::ids::check_path_component;

/// Names that Mesos takes for archives, and would unpack.
const ARCHIVES: [&str; 9] = [".tgz", ".tar.gz", ".tbz2", ".tar.bz2", ".txz", ".tar.xz", ".zip", ".tar", ".gz"];

/// One file to copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LocalFile {
    pub(crate) from: PathBuf,
    /// What it is called in the sandbox.
    pub(crate) name: String,
    pub(crate) executable: bool,
}

/// The files these URIs mean, or why they cannot be had.
pub(super) fn local_files<'a>(uris: impl IntoIterator<Item = &'a Uri>) -> Result<Vec<LocalFile>, String> {
    uris.into_iter().map(local_file).collect()
}

fn local_file(uri: &Uri) -> Result<LocalFile, String> {
    let refused = |why: &str| format!("Failed to fetch '{}': {why}", uri.value);
    let path = uri.value.strip_prefix("file://").unwrap_or(&uri.value);
    if !path.starts_with('/') {
        return Err(refused("only files of this machine can be fetched by this agent, as /path or file:///path"));
    }
    let from = Path::new(path);
    let own_name = from.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let name = uri.output_file.as_deref().unwrap_or(own_name);
    check_path_component("output file", name).map_err(|bad| refused(&bad.to_string()))?;
    if uri.extract() && !uri.executable() && ARCHIVES.iter().any(|ending| own_name.ends_with(ending)) {
        return Err(refused("this agent does not extract archives; ask for the file itself with 'extract': false"));
    }
    Ok(LocalFile { from: from.to_owned(), name: name.to_owned(), executable: uri.executable() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(value: &str) -> Uri {
        Uri { value: value.to_owned(), ..Uri::default() }
    }

    #[test]
    fn files_of_this_machine_are_copied_under_their_name_or_another() {
        let named = Uri { output_file: Some("own".to_owned()), executable: Some(true), ..uri("/opt/tool.sh") };
        let whole = Uri { extract: Some(false), ..uri("/opt/a.tar.gz") };
        let files = local_files(&[uri("file:///opt/a.txt"), named, whole]).unwrap();
        let names: Vec<_> = files.iter().map(|file| (file.name.as_str(), file.executable)).collect();
        assert_eq!(names, [("a.txt", false), ("own", true), ("a.tar.gz", false)]);
        assert_eq!(files[0].from, Path::new("/opt/a.txt"));
    }

    #[test]
    fn everything_else_is_refused_by_name() {
        let outside = Uri { output_file: Some("../out".to_owned()), ..uri("/opt/a") };
        for bad in [uri("http://host/a"), uri("hdfs://a"), uri("a"), uri("/"), uri("/opt/a.tgz"), outside] {
            let refused = local_files([&bad]).unwrap_err();
            assert!(refused.contains(&bad.value) && refused.starts_with("Failed to fetch"), "{refused}");
        }
    }
}
