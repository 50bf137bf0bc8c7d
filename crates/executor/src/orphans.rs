//! Whoever adopts orphans must bury them. One tokio task per process runs [`bury`]; in: nothing, out: nothing.
//!
//! It must not take the end of a child from somebody who waits for it, the check engine for one. So it buries only
//! what was dead a whole sweep ago already: nobody wants that any more.

use std::time::Duration;

use tokio::time::sleep;

use crate::tree::{Process, own_zombies, reap};

const SWEEP: Duration = Duration::from_secs(30);

/// Buries forgotten children, for ever.
pub(crate) async fn bury() {
    let mut dead: Vec<Process> = Vec::new();
    loop {
        sleep(SWEEP).await;
        let now_dead = own_zombies();
        now_dead.iter().filter(|process| dead.contains(process)).for_each(|process| reap(process.pid));
        dead = now_dead;
    }
}
