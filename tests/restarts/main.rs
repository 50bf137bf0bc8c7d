//! Restarts with damaged state: each kind of file that the parts of a cluster keep is made empty, cut in half, removed, or
//! replaced by an older one; then the part that keeps it is killed and started again. Afterwards everything runs once,
//! nothing runs unowned, and a line in the log names each file.
//!
//! A cluster tells which files there are, so that a new file is a new row. [`world`] is a cluster, [`settled`] what is to
//! be true of it, [`damage`] what is done to a file, [`place`] which part keeps it, [`quiet`] which rows need no line in
//! the log. `cargo test -p system-tests --test restarts -- FILTER` runs some.

mod damage;
mod log;
mod place;
mod quiet;
mod settled;
mod world;

use libtest_mimic::{Arguments, Failed, Trial};

use crate::damage::Damage;
use crate::place::{Part, Place};
use crate::world::World;

/// Rows mostly wait, so some go beside each other; with more of them than this, clusters with containers wait for two
/// processors until their time is over.
const THREADS: usize = 4;

fn main() {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(THREADS);
    let places = if arguments.list { Vec::new() } else { World::start().places() };
    let trials = places.into_iter().flat_map(|place| Damage::ALL.map(|damage| trial(place.clone(), damage)));
    let layers = Trial::test("the files of layers of images are absent", layers_are_lost);
    libtest_mimic::run(&arguments, trials.chain([layers]).collect()).exit();
}

/// Tasks that live from them end, and others run from what is brought again.
fn layers_are_lost() -> Result<(), Failed> {
    if let Some(lacking) = world::lacking() {
        println!("SKIPPED the files of layers of images are absent: {lacking}");
        return Ok(());
    }
    let mut world = World::start();
    world.kill(Part::Agent);
    let before = world.log();
    let layers = world.lose_layers();
    world.restart(Part::Agent, &[], &before);
    layers.iter().for_each(|layer| world.names(layer, &before));
    world.settles();
    world.ends();
    Ok(())
}

fn trial(place: Place, damage: Damage) -> Trial {
    let reason = quiet::reason(&place, damage);
    let name = format!("{} of the {} is {}", place.kind(), place.part().name(), damage.name());
    Trial::test(name, move || {
        let mut world = World::start();
        let files = world.files(&place);
        world.kill(place.part());
        let before = world.log();
        let struck = world.damage(&files, damage);
        world.restart(place.part(), &files, &before);
        world.settles();
        if reason.is_none() {
            struck.iter().for_each(|file| world.names(file, &before));
        }
        world.ends();
        Ok(())
    })
}
