//! Sandboxes of executors, of groups and of containers: made, given to their users, linked, filled, aged and removed.
//!
//! Comes in: paths and users. Goes out: the disk as it is wanted. Everything but [`fill`] and [`discard`] waits for the disk,
//! and is called where a thread may wait. Owns nothing.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use containers::identity::{self, IdentityError};
use containers::provision::Provision;
use containers::users::Users;
use fetcher::{FetchError, Fetcher, Item, Link, Space, Want};
use mesos::command::SANDBOX_MODE;
use mesos::v1::ExecutorId;
use processes::{Credentials, UserError, furnish, give};
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, UTIME_NOW, utimensat};
use tokio::task::spawn_blocking;

use crate::core::{Preparation, SandboxError};
use crate::layout::{Layout, private_directory, relink};

/// Makes the sandbox of an executor with its two log files, the `latest` link, and the place for the executor's state.
/// Gives the user that everything belongs to, if not to the agent.
pub(crate) fn make(layout: &Layout, preparation: &Preparation) -> Result<Option<Credentials>, SandboxError> {
    let state = layout.executor_state(&preparation.container);
    let user = match &preparation.image_of {
        Some(executor) => in_image(&state, executor, preparation.user.as_deref())?,
        None => {
            let found = preparation.user.as_deref().map_or(Ok(None), Credentials::to_become);
            // A pool runs the tasks of a framework whose user is unknown here as itself.
            let user = if preparation.pooled { if_known(found) } else { found };
            user.map_err(SandboxError::User)?
        }
    };
    make_run(&preparation.directory, &state, preparation, &user).map_err(SandboxError::Disk)?;
    Ok(user)
}

/// The user of an executor with an image: the one that it names, or the image's.
fn in_image(state: &Path, executor: &ExecutorId, named: Option<&str>) -> Result<Option<Credentials>, SandboxError> {
    let ready = Provision::read(state, &executor.value.as_str().into()).map_err(SandboxError::Disk)?;
    let Some(image) = ready.and_then(|ready| ready.image) else {
        return Err(SandboxError::Disk(io::ErrorKind::NotFound.into()));
    };
    let found = Users::read(&image.layers).map_err(IdentityError::from).and_then(|users| match named {
        Some(name) => identity::account(&users, name),
        None => Ok(users.account(&image.config.user)?),
    });
    Ok(Some(found.map_err(SandboxError::ImageUser)?.credentials))
}

/// Nobody in place of a user that is unknown here: what is started runs as the agent. A resolver that fails has not said
/// that, and nothing runs as the agent for its sake.
pub(crate) fn if_known(found: Result<Option<Credentials>, UserError>) -> Result<Option<Credentials>, UserError> {
    match found {
        Err(UserError::Unknown(_)) => Ok(None),
        found => found,
    }
}

fn make_run(sandbox: &Path, state: &Path, wanted: &Preparation, user: &Option<Credentials>) -> io::Result<()> {
    fs::create_dir_all(sandbox)?;
    private_directory(state)?;
    furnish(sandbox, wanted.mode, user.as_ref())?;
    // The state of pooled executors belongs to their pool, and one with an image sees nothing of it.
    if !wanted.pooled && wanted.image_of.is_none() {
        give(&File::open(state)?, user.as_ref())?;
    }
    sandbox.parent().map_or(Ok(()), |runs| relink(sandbox, &runs.join("latest")))
}

/// Makes the sandbox of a container in that of its parent, which may hold anything but is left by no link, and the
/// links to parts of either that the container wants to see.
pub(crate) fn nest(parent: &Path, name: &Path, links: &[Link], user: Option<&Credentials>) -> io::Result<()> {
    let (outer, sandbox) = (Space::open(parent)?, parent.join(name));
    let own = outer.inner(name)?;
    furnish(&sandbox, SANDBOX_MODE, user)?;
    links.iter().try_for_each(|link| link.make((&outer, parent), (&own, &sandbox), user))
}

/// Fetches what a command names by URI.
pub(crate) async fn fill(
    fetcher: &Fetcher,
    sandbox: PathBuf,
    items: Vec<Item>,
    user: Option<Credentials>,
) -> Result<(), FetchError> {
    if items.is_empty() {
        return Ok(());
    }
    fetcher.fetch(Want { items, sandbox, user }).await
}

/// Marks a sandbox as last used now. One that is gone needs no age.
pub(crate) fn touch(sandbox: &Path) {
    let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
    let times = Timestamps { last_access: now, last_modification: now };
    let _gone = utimensat(CWD, sandbox, &times, AtFlags::empty());
}

/// Removes a sandbox, which may lie in one of another user's.
pub(crate) fn remove(sandbox: &Path) -> io::Result<()> {
    let name = sandbox.file_name().and_then(|name| name.to_str()).ok_or(io::ErrorKind::InvalidInput)?;
    Space::open(sandbox.parent().unwrap_or(sandbox))?.clear(name)
}

/// The same of one that nobody has seen, on a thread that may wait.
pub(crate) async fn discard(sandbox: PathBuf) {
    let (path, removing) = (sandbox.clone(), move || remove(&sandbox));
    match spawn_blocking(removing).await {
        Ok(Err(error)) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!(sandbox = %path.display(), %error, "the sandbox of a container that never ran is left");
        }
        // One that panicked has logged it.
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use mesos::v1::volume::source::{self, SandboxPath, sandbox_path::Type as Whose};
    use mesos::v1::{Volume, volume};

    use super::*;

    #[test]
    fn a_nested_sandbox_is_made_with_its_links_and_removed_without_following_any() {
        let directory = tempfile::tempdir().unwrap();
        let parent = directory.path().canonicalize().unwrap();
        let link = |whose: Whose, path: &str, name: &str| {
            let sandbox_path = Some(SandboxPath { r#type: Some(whose.into()), path: path.to_owned() });
            let r#type = Some(source::Type::SandboxPath.into());
            let source = Some(volume::Source { r#type, sandbox_path, ..volume::Source::default() });
            Link::of(&Volume { source, container_path: name.to_owned(), ..Volume::default() }).unwrap()
        };
        let links = [link(Whose::Parent, "shared/data", "data"), link(Whose::Self_, "own", "mine")];
        nest(&parent, Path::new("containers/c"), &links, None).unwrap();
        let sandbox = parent.join("containers/c");
        assert!(sandbox.join("stdout").is_file() && sandbox.join("stderr").is_file());
        assert_eq!(fs::metadata(&sandbox).unwrap().permissions().mode() & 0o777, SANDBOX_MODE);
        assert_eq!(fs::read_link(sandbox.join("data")).unwrap(), parent.join("shared/data"));
        assert_eq!(fs::read_link(sandbox.join("mine")).unwrap(), sandbox.join("own"));
        remove(&sandbox).unwrap();
        assert!(!sandbox.exists() && parent.join("shared/data").is_dir());
    }

    #[test]
    fn a_resolver_that_fails_is_no_unknown_user() {
        let failed = UserError::Resolver { name: "www".to_owned(), source: io::ErrorKind::TimedOut.into() };
        assert_eq!(if_known(Err(failed)).unwrap_err().to_string(), "cannot look up the user 'www': timed out");
        assert_eq!(if_known(Err(UserError::Unknown("www".to_owned()))).unwrap(), None);
        let www = Credentials { uid: 33, gid: 33, groups: vec![33] };
        assert_eq!(if_known(Ok(Some(www.clone()))).unwrap(), Some(www));
    }

    #[test]
    fn a_parent_that_put_a_link_in_the_way_gets_nothing_made_elsewhere() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().canonicalize().unwrap();
        let (parent, elsewhere) = (root.join("parent"), root.join("elsewhere"));
        fs::create_dir_all(&parent).unwrap();
        fs::create_dir_all(&elsewhere).unwrap();
        symlink(&elsewhere, parent.join("containers")).unwrap();
        assert!(nest(&parent, Path::new("containers/c"), &[], None).is_err());
        assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);
    }
}
