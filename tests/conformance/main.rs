//! The Mesos v1 APIs, asked of an implementation: its rows are the lines of their description, each named after
//! the section and line it comes from, and each tried in both forms of messages where there are two.
//!
//! It talks from outside to whoever `CYGNET_CONFORMANCE_MASTER` and `CYGNET_CONFORMANCE_AGENT` name (URLs), or else to
//! a master and an agent that it starts. `cargo test --test conformance -- FILTER` runs some.
//!
//! [`target`] is what is tested, [`answer`] the answers about a row's own framework, [`executor`] plays an executor, and
//! [`rows`] has the rows by section.

mod answer;
mod executor;
mod row;
mod rows;
mod shape;
mod target;

use std::sync::Arc;

use libtest_mimic::Arguments;

use crate::target::Target;

/// Rows mostly wait, so many go beside each other.
const THREADS: usize = 8;

fn main() {
    row::keep_failures_quiet();
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(THREADS);
    let target = Arc::new(Target::default());
    let trials = rows::all().into_iter().map(|row| row.trial(&target)).collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    // Stops what was started: nothing is dropped by an exit.
    drop(target);
    conclusion.exit();
}
