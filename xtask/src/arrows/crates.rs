//! The arrows between crates, from their manifests.

use std::fs;
use std::path::Path;

use anyhow::{Context, ensure};

/// The crates in the order in which ARCHITECTURE.md lists them, the highest first.
pub(super) fn listed(root: &Path) -> anyhow::Result<Vec<String>> {
    let text = fs::read_to_string(root.join("ARCHITECTURE.md")).context("cannot read ARCHITECTURE.md")?;
    let names: Vec<_> = in_order(&text).filter(|name| root.join("crates").join(name).is_dir()).collect();
    for entry in fs::read_dir(root.join("crates"))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        ensure!(names.contains(&name), "ARCHITECTURE.md does not list the crate {name}");
    }
    Ok(names)
}

/// The first cell of each row of a table, where that is one word of code.
fn in_order(text: &str) -> impl Iterator<Item = String> {
    text.lines().filter_map(|line| Some(line.strip_prefix("| `")?.split_once('`')?.0.to_owned()))
}

/// The dependencies on a crate that is not below.
pub(super) fn upward(root: &Path, listed: &[String]) -> anyhow::Result<Vec<String>> {
    let mut wrong = Vec::new();
    for (place, name) in listed.iter().enumerate() {
        let manifest = root.join("crates").join(name).join("Cargo.toml");
        let manifest = fs::read_to_string(&manifest).with_context(|| format!("cannot read {}", manifest.display()))?;
        let above = dependencies(&manifest).filter(|named| listed[..=place].iter().any(|one| one == named));
        wrong.extend(above.map(|above| format!("crates/{name} depends on {above}, which is not below it")));
    }
    Ok(wrong)
}

/// The names in `[dependencies]`, as they stand.
fn dependencies(manifest: &str) -> impl Iterator<Item = &str> {
    let section = manifest.lines().skip_while(|line| line.trim() != "[dependencies]").skip(1);
    let section = section.take_while(|line| !line.starts_with('['));
    section.filter_map(|line| Some(line.split_once(['.', '=', ' '])?.0.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_crate_is_built_from_counts() {
        let manifest = "[package]\nname = \"b\"\n[dependencies]\na.workspace = true\nc = { path = \"c\" }\n[dev-dependencies]\nd.workspace = true\n";
        assert_eq!(dependencies(manifest).collect::<Vec<_>>(), ["a", "c"]);
    }

    #[test]
    fn the_order_is_that_of_the_table() {
        let text = "| crate | it is |\n|---|---|\n| `b` | above `a` |\n| `a` | below |\n";
        assert_eq!(in_order(text).collect::<Vec<_>>(), ["b", "a"]);
    }
}
