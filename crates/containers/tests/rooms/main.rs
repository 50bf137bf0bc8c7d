//! Containers as a whole: a shim, the first process, mounts, and a program inside, all of them real. This binary is also the
//! shim, because a test of another kind has threads before it begins.
//!
//! `many` measures a thousand of them, for `--ignored`.

mod checked;
mod devices;
mod ends;
mod hostile;
mod logs;
mod many;
mod mounts;
mod seen;
mod world;

use std::path::Path;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial, run};

use self::world::lacking;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [verb, directory] = arguments.as_slice()
        && verb == "shim"
    {
        return processes::shim::main(Path::new(directory));
    }
    // As executors are: what a shim that is killed leaves is theirs to reap.
    rustix::process::set_child_subreaper(Some(rustix::process::getpid())).expect("orphans");
    let tests =
        [ends::TESTS, mounts::TESTS, hostile::TESTS, seen::TESTS, checked::TESTS, devices::TESTS, logs::TESTS].concat();
    let trials = tests.into_iter().map(|(name, test)| trial(name, test));
    let measured = many::TESTS.iter().map(|(name, test)| trial(name, *test).with_ignored_flag(true));
    run(&Arguments::from_args(), trials.chain(measured).collect()).exit_code()
}

/// A test that needs what not every machine has.
fn trial(name: &'static str, test: fn()) -> Trial {
    Trial::test(name, move || {
        match lacking() {
            Some(lacking) => println!("SKIPPED {name}: {lacking}"),
            None => test(),
        }
        Ok(())
    })
}
