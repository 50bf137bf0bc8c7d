//! Twenty ways for an app not to be well, and what is said of each: by `cygnet status`, by `cygnet app show` and by the
//! page. `docs/why.md` has them with what was said, and each row here is one of its sections: what is said now has to be
//! what is written there, but for numbers, times and ids.
//!
//! `CYGNET_WRITE_WHY=1 cargo test -p system-tests --test why` writes the sections anew; it needs all that rows are skipped
//! for: control groups, `node` and Debian's `faketime`. What is above them is written by hand.
//!
//! [`ways`] are the rows, of which [`definitions`] has what is sent, [`acts`] what is done besides and [`signs`] how one
//! knows that it shows; [`stage`] has the two clusters they happen in, [`peers`] those whom health checks meet, [`words`]
//! what is said, [`document`] the file.

mod acts;
mod definitions;
mod document;
mod peers;
mod signs;
mod stage;
mod ways;
mod words;

use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};

use libtest_mimic::{Arguments, Failed, Trial};

use crate::document::Document;
use crate::stage::Stage;
use crate::ways::{WAYS, Way};
use crate::words::Words;

/// Looking takes processes, of which there are enough.
const THREADS: usize = 2;

/// The words about a way, for the document.
type Told = (usize, Words);

fn main() {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(THREADS);
    let writes = std::env::var_os("CYGNET_WRITE_WHY").is_some();
    let stage = (!arguments.list).then(|| Arc::new(Stage::set()));
    let document = Arc::new(Document::read());
    let (tell, told) = channel();
    let trials = WAYS.iter().enumerate().map(|(number, way)| {
        let (stage, document, tell) = (stage.clone(), Arc::clone(&document), writes.then(|| tell.clone()));
        Trial::test(way.name, move || {
            let stage = stage.ok_or("nothing runs")?;
            row(number, way, &stage, &document, tell.as_ref())
        })
    });
    let conclusion = libtest_mimic::run(&arguments, trials.collect());
    drop(tell);
    if let Some(stage) = stage.filter(|_| writes && !conclusion.has_failed()) {
        document.write(&stage.peers, told.into_iter().collect());
    }
    conclusion.exit();
}

/// The words of one way: as they are written, or to be written.
fn row(
    number: usize,
    way: &Way,
    stage: &Stage,
    document: &Document,
    tell: Option<&Sender<Told>>,
) -> Result<(), Failed> {
    if let Some(lacking) = stage.lacking(way) {
        println!("SKIPPED {}: {lacking}", way.name);
        return Ok(());
    }
    stage.settle(way);
    match tell {
        Some(tell) => tell.send((number, stage.words(way)))?,
        None => document.agrees(way, &stage.peers, || stage.words(way)),
    }
    (way.after)(stage, way);
    Ok(())
}
