//! Circles of apps that wait for one another. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::Dependencies;
use crate::ids::AppId;

/// True if there is a circle: takes away again and again what depends on nothing that is left; what remains goes round in
/// circles.
pub(crate) fn has_circle(order: &Dependencies) -> bool {
    let mut left: BTreeMap<&AppId, BTreeSet<&AppId>> =
        order.iter().map(|(app, below)| (app, below.iter().collect())).collect();
    loop {
        let before = left.len();
        let known: BTreeSet<&AppId> = left.keys().copied().collect();
        left.retain(|_, below| below.iter().any(|below| known.contains(below)));
        if left.len() == before {
            return before > 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(pairs: &[(&str, &[&str])]) -> Dependencies {
        let ids = |names: &[&str]| names.iter().map(|name| AppId::new(name)).collect();
        pairs.iter().map(|(app, below)| (AppId::new(app), ids(below))).collect()
    }

    #[test]
    fn circles_are_found_however_long() {
        assert!(!has_circle(&order(&[("a", &["b", "c"]), ("b", &["c"]), ("c", &[])])));
        assert!(!has_circle(&order(&[("a", &["nobody"])])));
        assert!(has_circle(&order(&[("a", &["a"])])));
        assert!(has_circle(&order(&[("x", &["a"]), ("a", &["b"]), ("b", &["c"]), ("c", &["a"])])));
    }
}
