//! The arrows between the modules directly below a crate's `src/`: from each file, the paths that begin with `crate::` or
//! lead there by `super::`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::circles::Arrows;
use super::source::production;

/// Reads the crate whose sources lie here.
pub(super) fn arrows(source: &Path) -> anyhow::Result<Arrows> {
    let files = files(source)?;
    let roots = ["lib.rs", "main.rs"].map(|name| fs::read_to_string(source.join(name)).unwrap_or_default());
    let exported: BTreeMap<_, _> = roots.iter().flat_map(|root| exports(&production(root))).collect();
    let mut arrows = Arrows::new();
    for file in &files {
        let within = file.strip_prefix(source)?;
        let Some((module, depth)) = module_of(within) else { continue };
        let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        let named = arrows.entry(module.clone()).or_default();
        let code = production(&text);
        for (at, first) in firsts(&code, depth) {
            let to = exported.get(&first).unwrap_or(&first);
            if *to != module && !named.contains_key(to) {
                named.insert(to.clone(), format!("{}:{}", within.display(), code[..at].lines().count().max(1)));
            }
        }
    }
    keep_modules(&mut arrows);
    Ok(arrows)
}

/// A name that is no module of this crate is an item of its root.
fn keep_modules(arrows: &mut Arrows) {
    let modules: Vec<_> = arrows.keys().cloned().collect();
    arrows.values_mut().for_each(|named| named.retain(|to, _| modules.contains(to)));
}

fn files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// The module directly below the root that a file belongs to, and how deep below the root the file's own module is. None
/// for the root itself and for tests.
fn module_of(file: &Path) -> Option<(String, usize)> {
    let path: Vec<_> = file.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
    let is_test = |part: &String| part == "tests" || part.ends_with("_tests");
    let is_root = path.len() == 1 && ["lib", "main"].contains(&path[0].as_str());
    let depth = path.len() - usize::from(path.last().is_some_and(|last| last == "mod"));
    (!is_root && !path.iter().any(is_test)).then(|| (path[0].clone(), depth))
}

/// The first names behind each `crate::`, or behind as many `super::` as lead from this depth to the root, and where.
fn firsts(code: &str, depth: usize) -> Vec<(usize, String)> {
    let upward = "super::".repeat(depth);
    let starts = ["crate::", &upward].map(|start| behind(code, start));
    starts.concat().into_iter().flat_map(|at| heads(&code[at..]).into_iter().map(move |name| (at, name))).collect()
}

/// The places behind this start of a path.
fn behind(code: &str, start: &str) -> Vec<usize> {
    let begins = |at: usize| !code[..at].ends_with(|before: char| before.is_alphanumeric() || "_:".contains(before));
    code.match_indices(start).filter(|(at, _)| begins(*at)).map(|(at, _)| at + start.len()).collect()
}

/// The first name of a path, or of each path in braces.
fn heads(path: &str) -> Vec<String> {
    let Some(list) = path.strip_prefix('{') else { return vec![word(path)] };
    let mut depth = 0;
    let mut deeper = |letter: char| {
        depth += i32::from(letter == '{') - i32::from(letter == '}');
        depth
    };
    let list: String = list
        .chars()
        .map_while(|letter| Some((letter, deeper(letter))).filter(|(_, depth)| *depth >= 0))
        .map(|(letter, depth)| if depth > 0 && letter == ',' { ' ' } else { letter })
        .collect();
    list.split(',').map(|part| word(part.trim())).filter(|name| !name.is_empty()).collect()
}

fn word(path: &str) -> String {
    path.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect()
}

/// The names that the root takes from its modules, each with its module: `crate::App` is one of `app`.
fn exports(root: &str) -> Vec<(String, String)> {
    let uses = root.split("use ").skip(1).filter_map(|rest| rest.split_once(';'));
    let uses = uses.filter_map(|(path, _)| path.trim_start_matches("self::").split_once("::"));
    let named = uses.flat_map(|(module, rest)| {
        let names = rest.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
        names.filter(|name| !name.is_empty()).map(move |name| (name.to_owned(), module.to_owned()))
    });
    named.filter(|(name, module)| name != module).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_found_wherever_they_stand() {
        let names = |code, depth| firsts(code, depth).into_iter().map(|(_, name)| name).collect::<Vec<_>>();
        assert_eq!(names("use crate::app::App; fn f(x: crate::time::Now)", 1), ["app", "time"]);
        assert_eq!(names("use crate::{\n    a::{b, c},\n    d, e::f};", 1), ["a", "d", "e"]);
        assert_eq!(names("use super::super::x::y; mycrate::z", 2), ["x"]);
    }

    #[test]
    fn a_file_belongs_to_the_module_at_the_top() {
        assert_eq!(module_of(Path::new("core/view.rs")), Some(("core".into(), 2)));
        assert_eq!(module_of(Path::new("core/mod.rs")), Some(("core".into(), 1)));
        assert_eq!(module_of(Path::new("lib.rs")), None);
        assert_eq!(module_of(Path::new("core/tests/world.rs")), None);
    }

    #[test]
    fn what_the_root_hands_on_belongs_to_its_module() {
        let found = exports("pub use app::{App, brake::Brake as Limit};\npub(crate) use error::Error;\n");
        assert!(found.contains(&("App".into(), "app".into())) && found.contains(&("Error".into(), "error".into())));
    }
}
