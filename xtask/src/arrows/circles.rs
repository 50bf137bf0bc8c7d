//! Circles in a graph of modules.

use std::collections::{BTreeMap, BTreeSet};

/// For each module the modules it names, each with a place that does.
pub(super) type Arrows = BTreeMap<String, BTreeMap<String, String>>;

/// Each set of modules of which every one reaches every other, as text.
pub(super) fn of(arrows: &Arrows) -> Vec<String> {
    let reached: BTreeMap<&str, BTreeSet<&str>> =
        arrows.keys().map(|from| (from.as_str(), reach(arrows, from))).collect();
    let reaches = |from: &str, to: &str| reached.get(from).is_some_and(|all| all.contains(to));
    let circles = arrows.keys().filter(|module| reaches(module, module)).map(|module| {
        arrows.keys().filter(|other| reaches(module, other) && reaches(other, module)).collect::<Vec<_>>()
    });
    circles.collect::<BTreeSet<_>>().into_iter().map(|circle| told(arrows, &circle)).collect()
}

fn reach<'a>(arrows: &'a Arrows, from: &'a str) -> BTreeSet<&'a str> {
    let (mut found, mut open) = (BTreeSet::new(), vec![from]);
    while let Some(module) = open.pop() {
        let named = arrows.get(module).into_iter().flat_map(|named| named.keys());
        open.extend(named.map(String::as_str).filter(|named| found.insert(*named)));
    }
    found
}

fn told(arrows: &Arrows, circle: &[&String]) -> String {
    let within = circle.iter().flat_map(|from| arrows[*from].iter().map(move |(to, place)| (from, to, place)));
    let within = within.filter(|(_, to, _)| circle.contains(to));
    let told: Vec<_> = within.map(|(from, to, place)| format!("{from} -> {to} ({place})")).collect();
    format!("a circle: {}", told.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrows(all: &[(&str, &str)]) -> Arrows {
        let mut arrows = Arrows::new();
        for (from, to) in all {
            arrows.entry(from.to_string()).or_default().insert(to.to_string(), format!("{from}.rs:1"));
        }
        arrows
    }

    #[test]
    fn what_leads_one_way_is_no_circle() {
        assert_eq!(of(&arrows(&[("a", "b"), ("a", "c"), ("b", "c")])), Vec::<String>::new());
    }

    #[test]
    fn a_circle_is_told_once_with_the_places_that_make_it() {
        let found = of(&arrows(&[("a", "b"), ("b", "c"), ("c", "a"), ("c", "d"), ("e", "a")]));
        assert_eq!(found, ["a circle: a -> b (a.rs:1), b -> c (b.rs:1), c -> a (c.rs:1)"]);
    }
}
