//! The work of a child between its birth and `exec`, laid out beforehand, so that the child allocates nothing.

use std::ffi::{CString, NulError, c_char};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::ptr;

use rustix::process::{Gid, Pid, Rlimit, Uid, getpid};

use super::clone::HAS_CLONE3;
use super::confine::Bounds;
use super::file_limit;
use super::spawn::Spawn;
use crate::{Birthplace, Credentials};

/// The directories of programs when the environment has no `PATH`.
const DEFAULT_PATH: &str = "/usr/local/bin:/bin:/usr/bin";

/// Strings and pointers in the form `execve` takes them.
pub(super) struct Plan {
    pub(super) programs: Vec<CString>,
    pub(super) argv: Strings,
    pub(super) environment: Strings,
    /// The directories to run in, in the order in which they are tried.
    pub(super) directories: Vec<CString>,
    pub(super) credentials: Option<Ids>,
    /// The files by which it enters its cgroups.
    pub(super) cgroups: Vec<CString>,
    pub(super) file_limit: Option<Rlimit>,
    pub(super) bounds: Bounds,
    pub(super) parent: Pid,
}

pub(super) struct Ids {
    pub(super) uid: Uid,
    pub(super) gid: Gid,
    pub(super) groups: Vec<Gid>,
}

impl From<&Credentials> for Ids {
    fn from(credentials: &Credentials) -> Ids {
        Ids {
            uid: Uid::from_raw(credentials.uid),
            gid: Gid::from_raw(credentials.gid),
            groups: credentials.groups.iter().copied().map(Gid::from_raw).collect(),
        }
    }
}

/// A list of strings, and the null-terminated list of pointers to them.
pub(super) struct Strings {
    _owned: Vec<CString>,
    pointers: Vec<*const c_char>,
}

impl Strings {
    fn new(owned: Vec<CString>) -> Strings {
        let pointers = owned.iter().map(|text| text.as_ptr()).chain([ptr::null()]).collect();
        Strings { _owned: owned, pointers }
    }

    pub(super) fn as_ptr(&self) -> *const *const c_char {
        self.pointers.as_ptr()
    }
}

impl Plan {
    pub(super) fn of(spawn: &Spawn<'_>) -> Result<Plan, NulError> {
        let argv = spawn.argv.iter().map(|argument| CString::new(argument.as_str())).collect::<Result<_, _>>()?;
        let variable = |(name, value): &(String, String)| CString::new(format!("{name}={value}"));
        let environment = spawn.environment.iter().map(variable).collect::<Result<_, _>>()?;
        Ok(Plan {
            programs: programs(spawn)?,
            argv: Strings::new(argv),
            environment: Strings::new(environment),
            directories: paths(&spawn.directories)?,
            credentials: spawn.credentials.as_ref().map(Ids::from),
            cgroups: paths(&entrances(spawn))?,
            file_limit: file_limit::original_limit(),
            bounds: bounds(spawn),
            parent: getpid(),
        })
    }
}

fn bounds(spawn: &Spawn<'_>) -> Bounds {
    spawn.confinement.as_ref().map(|confinement| Bounds::of(confinement, spawn.is_brief)).unwrap_or_default()
}

/// The files of the cgroups that the kernel cannot make the child in.
fn entrances(spawn: &Spawn<'_>) -> Vec<PathBuf> {
    match &spawn.birthplace {
        Some(Birthplace::Tasks(tasks)) => tasks.clone(),
        Some(Birthplace::Directory(directory)) if !HAS_CLONE3 => vec![directory.join("cgroup.procs")],
        Some(Birthplace::Directory(_)) | None => Vec::new(),
    }
}

fn paths(paths: &[PathBuf]) -> Result<Vec<CString>, NulError> {
    paths.iter().map(|path| CString::new(path.as_os_str().as_bytes())).collect()
}

/// The paths to try, in order. Which of them exists is seen from the child's own mount namespace.
fn programs(spawn: &Spawn<'_>) -> Result<Vec<CString>, NulError> {
    let program = spawn.path.as_os_str().as_bytes();
    if program.contains(&b'/') {
        return Ok(vec![CString::new(program)?]);
    }
    let path = spawn.environment.iter().find(|(name, _)| name == "PATH").map_or(DEFAULT_PATH, |(_, value)| value);
    let candidate = |directory: &str| {
        let directory = if directory.is_empty() { "." } else { directory };
        CString::new([directory.as_bytes(), b"/", program].concat())
    };
    path.split(':').map(candidate).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tried(path: &str, environment: &[(&str, &str)]) -> Vec<String> {
        let environment = environment.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let spawn = Spawn { path: path.into(), environment, ..Spawn::default() };
        programs(&spawn).unwrap().into_iter().map(|path| path.into_string().unwrap()).collect()
    }

    #[test]
    fn a_name_is_looked_up_in_the_given_path() {
        assert_eq!(tried("sh", &[("PATH", "/a:/b")]), ["/a/sh", "/b/sh"]);
        assert_eq!(tried("sh", &[("PATH", ":/b")]), ["./sh", "/b/sh"]);
        assert_eq!(tried("sh", &[]), ["/usr/local/bin/sh", "/bin/sh", "/usr/bin/sh"]);
        assert_eq!(tried("./sh", &[("PATH", "/a")]), ["./sh"]);
    }
}
