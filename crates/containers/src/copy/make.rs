//! The copies that a container needs before it is started: all of them or none, and none once nobody waits for them. They
//! lie with what it changes, and go with that.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use tokio::task::{JoinError, spawn_blocking};

use super::{Copy, CopyError, Watch, copy};

/// Makes all of them, or none. A process before this one may have been killed in the middle.
pub fn make(copies: &[Copy], watch: &Watch) -> Result<(), CopyError> {
    copies.iter().try_for_each(remove)?;
    let made = copies.iter().try_for_each(|one| make_one(one, watch)).inspect_err(|_first_error_counts| {
        let removed = copies.iter().try_for_each(remove);
        let _by_its_agent = removed.inspect_err(|error| tracing::warn!(%error, "a copy of an image is left"));
    });
    made.inspect(|()| tracing::info!(copies = copies.len(), bytes = watch.bytes(), "images were copied"))
}

/// Does what copies on a thread that may wait. Once the other is over it stops; in either case nobody copies any more
/// afterwards.
///
/// # Errors
///
/// The work panicked.
pub async fn unless<T: Send + 'static>(
    over: impl Future<Output = ()>,
    work: impl FnOnce(&Watch) -> T + Send + 'static,
) -> Result<T, JoinError> {
    let stops = Stops(Arc::default());
    let watch = stops.0.clone();
    let mut working = spawn_blocking(move || work(&watch));
    tokio::select! {
        worked = &mut working => worked,
        () = over => {
            stops.0.stop();
            working.await
        }
    }
}

/// Has a copy stop when nobody waits for it any more.
struct Stops(Arc<Watch>);

impl Drop for Stops {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// The user of a container has to get into its root, whatever this process' umask.
fn make_one(one: &Copy, watch: &Watch) -> Result<(), CopyError> {
    copy(one, watch)?;
    let for_all = fs::Permissions::from_mode(0o755);
    fs::set_permissions(&one.to, for_all).map_err(|cause| CopyError::Disk { path: one.to.clone(), cause })
}

fn remove(one: &Copy) -> Result<(), CopyError> {
    match processes::remove_tree(&one.to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed.map_err(|cause| CopyError::Disk { path: one.to.clone(), cause }),
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};
    use std::path::Path;

    use super::*;

    fn copy_of(layer: &Path, to: &Path) -> Copy {
        Copy { layers: vec![layer.to_owned()], to: to.to_owned() }
    }

    #[test]
    fn all_copies_are_made_or_none_and_what_is_left_of_an_earlier_one_is_gone() {
        let directory = tempfile::tempdir().unwrap();
        let (layer, to, other) =
            (directory.path().join("layer"), directory.path().join("a"), directory.path().join("b"));
        fs::create_dir(&layer).unwrap();
        fs::write(layer.join("file"), "new").unwrap();
        fs::create_dir(&to).unwrap();
        fs::write(to.join("rest"), "old").unwrap();
        make(&[copy_of(&layer, &to)], &Watch::default()).unwrap();
        assert!(to.join("file").exists() && !to.join("rest").exists());
        assert_eq!(fs::metadata(&to).unwrap().permissions().mode() & 0o777, 0o755);
        let missing = directory.path().join("none");
        assert!(make(&[copy_of(&layer, &to), copy_of(&missing, &other)], &Watch::default()).is_err());
        assert!(!to.exists() && !other.exists());
    }

    #[tokio::test]
    async fn a_copy_stops_once_it_is_of_no_use() {
        let copies = |watch: &Watch| {
            while watch.copied(0).is_ok() {
                std::thread::yield_now();
            }
            "stopped"
        };
        assert_eq!(unless(ready(()), copies).await.unwrap(), "stopped");
        assert_eq!(unless(pending(), |_| "done").await.unwrap(), "done");
    }
}
