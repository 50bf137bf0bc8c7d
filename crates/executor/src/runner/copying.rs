//! The copies of images that a task needs before it is started, where layers cannot be laid over each other. They lie with
//! what it changes, and go with that.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use containers::copy::{Copy, CopyError, Watch, copy};
use tokio::task::spawn_blocking;

use super::Runner;
use super::running::Unstarted;
use crate::task::Unrunnable;

/// Has a copy stop when nobody waits for it any more.
struct Stops(Arc<Watch>);

impl Drop for Stops {
    fn drop(&mut self) {
        self.0.stop();
    }
}

impl Runner {
    /// Makes the copies, unless the task is to end. In either case nobody writes to them afterwards, and what is of no use
    /// is removed.
    pub(super) async fn copy_images(&self, copies: &[Copy]) -> Result<(), Unstarted> {
        if copies.is_empty() {
            return Ok(());
        }
        let watch = Stops(Arc::default());
        let (copies, seen) = (copies.to_vec(), watch.0.clone());
        let mut making = spawn_blocking(move || make(&copies, &seen));
        let mut leaving = self.leave.subscribe();
        let made = tokio::select! {
            made = &mut making => Some(made),
            Ok(_) = leaving.wait_for(|leaves| *leaves) => None,
        };
        let made = match made {
            Some(made) => made,
            None => {
                watch.0.stop();
                making.await
            }
        };
        let bytes = watch.0.bytes();
        let made = made.map_err(|error| Unrunnable::Changes(error.into()))?;
        made.inspect(|()| tracing::info!(bytes, "the image was copied")).map_err(|error| match error {
            CopyError::Stopped => Unstarted::Leaving("image was copied"),
            error @ CopyError::Disk { .. } => Unrunnable::Copy(error).into(),
        })
    }
}

/// Makes all of them, or none. A process before this one may have been killed in the middle.
fn make(copies: &[Copy], watch: &Watch) -> Result<(), CopyError> {
    copies.iter().try_for_each(remove)?;
    copies.iter().try_for_each(|one| make_one(one, watch)).inspect_err(|_first_error_counts| {
        let removed = copies.iter().try_for_each(remove);
        let _by_its_agent = removed.inspect_err(|error| tracing::warn!(%error, "a copy of an image is left"));
    })
}

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
