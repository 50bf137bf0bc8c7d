//! Network namespaces that outlive whoever is in them: each is held by a mount of its handle.
//!
//! ```text
//!   <directory>/<container>/ns      the handle; what is joined here stays until it is released
//!   <directory>/<container>/...     what each network has to remember of the container
//! ```
//!
//! The agent owns the directory. A namespace is made before a container's first process, which enters it; an executor
//! and an agent may end and find it again. It is let go after all that was made for it is gone: a plugin of CNI that is
//! asked to remove an interface whose namespace is no more leaves rules behind.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::thread;

use rustix::io::Errno;
use rustix::mount::{UnmountFlags, mount_bind, unmount};

use super::NetworkError;
use super::links::loopback_up;
use super::netlink::Netlink;

/// The namespaces of an agent's containers.
#[derive(Clone, Debug)]
pub struct Namespaces {
    directory: PathBuf,
}

/// A namespace that was made just now: its loopback is up, and nothing else is there.
#[derive(Debug)]
pub struct Made {
    container: String,
    directory: PathBuf,
    inside: Netlink,
}

const HANDLE: &str = "ns";

impl Namespaces {
    /// The namespaces below this directory, which is made with the first of them.
    pub fn new(directory: PathBuf) -> Namespaces {
        Namespaces { directory }
    }

    /// The directory for what is to be remembered of a container.
    pub fn directory(&self, container: &str) -> PathBuf {
        self.directory.join(container)
    }

    /// The handle of a container's namespace, to be entered.
    pub fn handle(&self, container: &str) -> PathBuf {
        Namespaces::handle_in(&self.directory(container))
    }

    /// The same, in a container's directory.
    pub(super) fn handle_in(directory: &Path) -> PathBuf {
        directory.join(HANDLE)
    }

    /// The containers that have something here, whether they live or not.
    pub fn containers(&self) -> Result<Vec<String>, NetworkError> {
        let failed = |source| NetworkError::file(&self.directory, source);
        let entries = match fs::read_dir(&self.directory) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(failed)?,
        };
        let mut names = Vec::new();
        for entry in entries {
            names.extend(entry.map_err(failed)?.file_name().into_string());
        }
        names.sort();
        Ok(names)
    }

    /// Removes the directory, and the one above that is its agent's, if nothing is in them.
    pub(super) fn retire(&self) {
        for directory in self.directory.ancestors().take(2) {
            // One that is not empty stays.
            let _left = fs::remove_dir(directory);
        }
    }

    /// Makes one for a container.
    ///
    /// # Errors
    ///
    /// The container has one, its id could be no name of a directory, or this process may not make namespaces.
    pub fn make(&self, container: &str) -> Result<Made, NetworkError> {
        if container.is_empty() || container.starts_with('.') || container.contains(['/', '\0']) {
            return Err(NetworkError::Container { container: container.to_owned() });
        }
        let directory = self.directory(container);
        let failed = |source| NetworkError::Namespace { container: container.to_owned(), source };
        fs::create_dir_all(&self.directory).map_err(|source| NetworkError::file(&self.directory, source))?;
        fs::create_dir(&directory).map_err(failed)?;
        let handle = self.handle(container);
        let inside = File::create_new(&handle).and_then(|_empty| held(handle)).map_err(failed);
        let inside = inside.inspect_err(|_| {
            let _its_error_is_told = self.release(container);
        })?;
        Ok(Made { container: container.to_owned(), directory, inside })
    }

    /// Lets a container's namespace go, with what was remembered of it. It is no more once nobody is in it.
    pub fn release(&self, container: &str) -> Result<(), NetworkError> {
        let failed = |source| NetworkError::Namespace { container: container.to_owned(), source };
        loop {
            match unmount(self.handle(container), UnmountFlags::DETACH) {
                Ok(()) => {}
                Err(Errno::INVAL | Errno::NOENT | Errno::NOTDIR) => break,
                Err(errno) => return Err(failed(errno.into())),
            }
        }
        match processes::remove_tree(&self.directory(container)) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            removed => removed.map_err(failed),
        }
    }
}

impl Made {
    /// The container it is for.
    pub fn container(&self) -> &str {
        &self.container
    }

    /// The directory for what is to be remembered of the container.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Its handle.
    pub fn handle(&self) -> PathBuf {
        Namespaces::handle_in(&self.directory)
    }

    /// A socket that makes links, addresses and routes in it.
    pub(super) fn inside(&self) -> &Netlink {
        &self.inside
    }
}

/// A new namespace is mounted at `handle`. A thread of its own goes there and ends.
fn held(handle: PathBuf) -> io::Result<Netlink> {
    let make = move || {
        processes::namespace::new_network()?;
        let inside = Netlink::route()?;
        inside.carry_out(&[loopback_up()])?;
        mount_bind("/proc/thread-self/ns/net", &handle)?;
        Ok(inside)
    };
    let thread = thread::Builder::new().name("namespace".to_owned()).spawn(make)?;
    thread.join().unwrap_or_else(|_panicked| Err(io::Error::other("the thread that makes it ended early")))
}

/// Writes a small file at once. It need not be on disk: no container lives through a power cut.
pub(super) fn remember(path: &Path, content: &[u8]) -> Result<(), NetworkError> {
    let new = path.with_extension("new");
    let written = fs::write(&new, content).and_then(|()| fs::rename(&new, path));
    written.map_err(|source| NetworkError::file(path, source))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_that_leaves_takes_its_directories_along_if_nothing_is_in_them() {
        let runtime = tempfile::tempdir().unwrap();
        let own = runtime.path().join("agent-1");
        let namespaces = Namespaces::new(own.join("networks"));
        fs::create_dir_all(namespaces.directory("left")).unwrap();
        namespaces.retire();
        assert!(namespaces.directory("left").is_dir());
        fs::remove_dir(namespaces.directory("left")).unwrap();
        namespaces.retire();
        assert!(!own.exists() && runtime.path().is_dir());
    }
}
