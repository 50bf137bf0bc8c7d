//! Word of the kernel having killed a process of a cgroup for want of memory.
//!
//! In: a cgroup. Out: [`OomWatch::killed`] comes back once the kernel has counted a kill. It owns one or two descriptors and
//! no task; while nothing happens it costs nothing.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use rustix::event::{EventfdFlags, eventfd};
use rustix::fs::inotify;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::time::sleep;

use super::driver::OomSignal;
use super::files::write;
use super::{Cgroup, CgroupError};

/// The time between two looks at the count after a signal, and their number.
const GLANCE: Duration = Duration::from_millis(10);
const LOOKS: usize = 50;

/// A cgroup that is watched for kills.
#[derive(Debug)]
pub struct OomWatch {
    cgroup: Cgroup,
    signal: AsyncFd<OwnedFd>,
    /// The looks at the count before the next signal.
    looks: usize,
}

impl OomWatch {
    /// Watches a cgroup that is there. Must be called on a tokio runtime.
    pub fn new(cgroup: &Cgroup) -> Result<OomWatch, CgroupError> {
        let signal = match cgroup.driver.oom_signal(&cgroup.name) {
            OomSignal::EventControl(directory) => event(&directory)?,
            OomSignal::Modified(file) => modified(&file).map_err(|source| CgroupError::Read { path: file, source })?,
        };
        let path = cgroup.name.clone();
        let failed = |source| CgroupError::Read { path, source };
        let signal = processes::watched(signal, Interest::READABLE).map_err(failed)?;
        Ok(OomWatch { cgroup: cgroup.clone(), signal, looks: 1 })
    }

    /// Comes back when the kernel has killed, be it before the watch began; with an error when the cgroup is gone. Dropping
    /// the future loses nothing.
    pub async fn killed(&mut self) -> Result<(), CgroupError> {
        loop {
            while self.looks > 0 {
                if self.cgroup.oom_kills()? > 0 {
                    return Ok(());
                }
                self.looks -= 1;
                if self.looks > 0 {
                    sleep(GLANCE).await;
                }
            }
            self.signalled().await.map_err(|source| CgroupError::Read { path: self.cgroup.name.clone(), source })?;
            // Version 1 gives its signal before it kills, and counts after.
            self.looks = LOOKS;
        }
    }

    async fn signalled(&self) -> io::Result<()> {
        let mut ready = self.signal.readable().await?;
        let mut word = [0_u8; 512];
        // The count says all; the word only that there is one to look at.
        let _looked_at = ready.try_io(|signal| Ok(rustix::io::read(signal, &mut word)?));
        Ok(())
    }
}

fn event(directory: &Path) -> Result<OwnedFd, CgroupError> {
    let control = directory.join("memory.oom_control");
    let failed = |source: io::Error| CgroupError::Read { path: control.clone(), source };
    let event = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).map_err(|errno| failed(errno.into()))?;
    let file = File::open(&control).map_err(failed)?;
    write(&directory.join("cgroup.event_control"), format!("{} {}", event.as_raw_fd(), file.as_raw_fd()))?;
    Ok(event)
}

fn modified(file: &Path) -> io::Result<OwnedFd> {
    let watch = inotify::init(inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK)?;
    inotify::add_watch(&watch, file, inotify::WatchFlags::MODIFY)?;
    Ok(watch)
}
