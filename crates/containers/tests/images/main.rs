//! Images on disk: layers, also hostile ones, their copies, the store, archives; and kills of any of them at any moment.
//!
//! This program is also the child that unpacks, and the process that is killed.

mod archives;
mod compare;
mod copies;
mod kills;
mod layers;
mod pulls;
mod world;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.get(1).map(String::as_str) {
        Some("unpack") => return containers::unpack::main(&arguments[2..]),
        Some("work") => return kills::work(&arguments[2..]),
        _ => {}
    }
    let all = [layers::TESTS, pulls::TESTS, archives::TESTS, compare::TESTS, copies::TESTS, kills::TESTS].concat();
    let trial = |(name, test): (&'static str, fn())| {
        Trial::test(name, move || {
            if !rustix::process::geteuid().is_root() {
                println!("SKIPPED {name}: needs root");
                return Ok(());
            }
            test();
            Ok(())
        })
    };
    libtest_mimic::run(&Arguments::from_args(), all.into_iter().map(trial).collect()).exit_code()
}
