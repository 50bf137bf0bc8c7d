//! Whoever adopts orphans must bury them.
//!
//! It must not take the end of a child from somebody who waits for it. So it buries only what was dead a whole sweep
//! ago already: nobody wants that any more.

use std::time::Duration;

use rustix::process::{Pid, WaitOptions, waitpid};
use tokio::time::sleep;

use super::tree::own_zombies;

const SWEEP: Duration = Duration::from_secs(10);

/// Buries forgotten children, for ever.
pub(crate) async fn bury() {
    let mut dead = Vec::new();
    loop {
        sleep(SWEEP).await;
        let now_dead = own_zombies();
        for process in now_dead.iter().filter(|process| dead.contains(*process)) {
            let _ = waitpid(Pid::from_raw(process.pid), WaitOptions::NOHANG);
        }
        dead = now_dead;
    }
}
