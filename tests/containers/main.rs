//! Containers in a whole cluster: images from a directory of archives and from a registry, bridges with mapped ports, checks
//! of every kind inside, volumes, groups of two images; and kills of any part at any moment, with nothing left.
//!
//! [`mesos`] has rows of Mesos' own tests, under their names there, [`nested`] those of the operator API, [`custom`] those of
//! frameworks' own executors, [`apps`] what users of Marathon run, [`examples`] the files of that directory, [`hostile`] those
//! who want out, [`rounds`] the kills; [`world`] is a cluster on a machine of its own. A row that needs what this
//! machine lacks says so, and is skipped.

mod apps;
mod custom;
mod examples;
mod hostile;
mod mesos;
mod nested;
mod rounds;
mod world;

use harness::machine::on_a_machine;
use libtest_mimic::{Arguments, Trial};

/// A test and its name, which it is told.
type Test = (&'static str, fn(&str));

/// Each has a cluster, which is several processes.
const THREADS: usize = 2;

fn main() {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(THREADS);
    let kinds =
        [mesos::TESTS, nested::TESTS, custom::TESTS, apps::TESTS, examples::TESTS, hostile::TESTS, rounds::TESTS];
    let all = kinds.concat();
    libtest_mimic::run(&arguments, all.into_iter().map(trial).collect()).exit();
}

fn trial((name, test): Test) -> Trial {
    Trial::test(name, move || {
        let lacking = world::lacking();
        let ran = lacking.is_none().then(|| on_a_machine(|| test(name))).flatten();
        if ran.is_none() {
            println!("SKIPPED {name}: {}", lacking.unwrap_or("no network namespaces here"));
        }
        Ok(())
    })
}
