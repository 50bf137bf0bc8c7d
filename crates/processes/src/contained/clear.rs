//! The end of what a dead shim left behind.

use std::io;

use rustix::process::Signal;
use tokio::task::spawn_blocking;

use super::GLANCE;
use crate::process::Process;

/// The most attempts to kill what is left.
const ATTEMPTS: u32 = 200;

/// Kills what is left until there is nothing. To look for it may mean to look at every process of the machine, so that is
/// done beside the runtime. An error means that it is not known what is left.
pub(super) async fn clear(left: impl Fn() -> Vec<Process> + Clone + Send + 'static) -> io::Result<()> {
    for _ in 0..ATTEMPTS {
        let processes = spawn_blocking(left.clone()).await?;
        if processes.is_empty() {
            return Ok(());
        }
        for process in processes {
            process.signal(Signal::KILL);
            process.reap();
        }
        tokio::time::sleep(GLANCE).await;
    }
    tracing::error!("processes of a lost task cannot be killed");
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;

    use super::*;
    use crate::kernel::Spawn;

    #[tokio::test]
    async fn what_is_left_is_killed_and_looked_for_beside_the_runtime() {
        let argv = vec!["sleep".to_owned(), "1000".to_owned()];
        let child = Spawn { path: "sleep".into(), argv, ..Spawn::default() }.start().unwrap();
        let process = child.process().unwrap();
        let (looked, looks) = mpsc::channel();
        clear(move || {
            looked.send(thread::current().id()).unwrap();
            process.is_alive().then_some(process).into_iter().collect()
        })
        .await
        .unwrap();
        assert!(!process.is_alive());
        assert!(looks.iter().all(|thread| thread != thread::current().id()));
    }

    #[tokio::test]
    async fn a_look_that_breaks_off_has_not_found_that_nothing_is_left() {
        assert!(clear(|| panic!("as /proc may make it")).await.is_err());
    }
}
