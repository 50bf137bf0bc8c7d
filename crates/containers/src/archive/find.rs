//! The file that has the image of a name.

use std::path::{Path, PathBuf};

use super::{ArchiveError, docker, oci};
use crate::image::Reference;

/// The file or directory in this one that has the image.
pub(super) fn find(directory: &Path, reference: &Reference) -> Result<PathBuf, ArchiveError> {
    let tried = names(reference);
    let found = tried.iter().map(|name| directory.join(name)).find(|path| is_image(path));
    found.ok_or_else(|| {
        let (reference, directory) = (reference.to_string(), directory.to_owned());
        match directory.is_dir() {
            true => {
                let tried = tried.into_iter().filter(|name| name.ends_with(".tar")).collect();
                ArchiveError::NotFound { reference, directory, tried }
            }
            false => ArchiveError::NoDirectory { reference, directory },
        }
    })
}

/// A directory may also have images in it.
fn is_image(path: &Path) -> bool {
    path.is_file() || [docker::MANIFEST, oci::INDEX].iter().any(|document| path.join(document).is_file())
}

/// Names as Mesos has them, `REPOSITORY:TAG.tar`, with and without what users leave out; without `.tar` for a directory.
fn names(reference: &Reference) -> Vec<String> {
    let version = reference.version().to_string();
    let whole = format!("{}/{}", reference.registry(), reference.repository());
    let short = reference.repository().strip_prefix("library/");
    let mut names = Vec::new();
    for repository in short.into_iter().chain([reference.repository(), &whole]) {
        names.push(format!("{repository}:{version}"));
        if version == "latest" {
            names.push(repository.to_owned());
        }
    }
    names.dedup();
    names.into_iter().flat_map(|name| [format!("{name}.tar"), format!("{name}.tar.gz"), name]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_found_by_what_users_write() {
        for (reference, name) in [
            ("nginx", "nginx:latest.tar"),
            ("nginx", "nginx.tar"),
            ("nginx:1.27", "library/nginx:1.27.tar"),
            ("nginx:1.27", "nginx:1.27.tar.gz"),
            ("127.0.0.1:5000/cygnet/app:1", "cygnet/app:1.tar"),
            ("127.0.0.1:5000/cygnet/app:1", "127.0.0.1:5000/cygnet/app:1/index.json"),
        ] {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, "").unwrap();
            let found = find(directory.path(), &reference.parse().unwrap()).unwrap();
            assert!(found == path || found == path.parent().unwrap(), "{found:?}");
            let error = find(directory.path(), &"other:2".parse().unwrap()).unwrap_err().to_string();
            assert!(
                error.contains("there is no image docker.io/library/other:2 in") && error.contains("other:2.tar or"),
                "{error}"
            );
        }
    }
    #[test]
    fn a_directory_that_is_not_there_is_named() {
        let error = find(Path::new("/nowhere/images"), &"nginx".parse().unwrap()).unwrap_err().to_string();
        assert!(error.starts_with("there is no directory /nowhere/images, where image "), "{error}");
    }
}
