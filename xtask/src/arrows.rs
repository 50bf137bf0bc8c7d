//! The arrows of the house: each crate depends only on crates below it in the table of ARCHITECTURE.md, and the modules
//! directly below a crate's `src/` depend on each other in one direction. In: the sources, as text. Out: nothing, or an
//! error that names each wrong arrow with a file that draws it.
//!
//! Tests are left out: they may look wherever they like. Macros are not expanded, which has hidden no arrow so far.

mod circles;
mod crates;
mod paths;
mod source;

use std::path::Path;

use anyhow::ensure;

use crate::command::root;

/// The packages beside `crates/` that have modules.
const OTHERS: [&str; 2] = ["bench", "xtask"];

/// Reads the whole workspace.
pub(crate) fn run() -> anyhow::Result<()> {
    let listed = crates::listed(root())?;
    let mut wrong = crates::upward(root(), &listed)?;
    let places = listed.iter().map(|name| format!("crates/{name}")).chain(OTHERS.map(String::from));
    for place in places {
        wrong.extend(circles_of(&place)?);
    }
    ensure!(wrong.is_empty(), "arrows that ARCHITECTURE.md does not draw:\n  {}", wrong.join("\n  "));
    println!("arrows: {} crates in order, no circles between modules", listed.len());
    Ok(())
}

fn circles_of(place: &str) -> anyhow::Result<Vec<String>> {
    let source: &Path = &root().join(place).join("src");
    let circles = circles::of(&paths::arrows(source)?);
    Ok(circles.into_iter().map(|circle| format!("{place}: {circle}")).collect())
}
