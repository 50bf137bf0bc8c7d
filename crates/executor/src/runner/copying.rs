//! The copies of images that a task needs before it is started, where layers cannot be laid over each other.

use containers::copy::{Copy, CopyError, make, unless};

use super::Runner;
use super::running::Unstarted;
use crate::task::Unrunnable;

impl Runner {
    /// Makes the copies, unless the task is to end. In either case nobody writes to them afterwards, and what is of no use
    /// is removed.
    pub(super) async fn copy_images(&self, copies: &[Copy]) -> Result<(), Unstarted> {
        if copies.is_empty() {
            return Ok(());
        }
        let (copies, mut leaving) = (copies.to_vec(), self.leave.subscribe());
        let left = async {
            if leaving.wait_for(|leaves| *leaves).await.is_err() {
                // Nobody is there any more who could say so.
                std::future::pending().await
            }
        };
        let made = unless(left, move |watch| make(&copies, watch)).await;
        made.map_err(|error| Unrunnable::Changes(error.into()))?.map_err(|error| match error {
            CopyError::Stopped => Unstarted::Leaving("image was copied"),
            error @ CopyError::Disk { .. } => Unrunnable::Copy(error).into(),
        })
    }
}
