//! The choice of what is collected. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::image::Digest;

/// The amount that is to be collected.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Want {
    /// All that nobody needs.
    Everything,
    /// So many bytes, if nobody needs them.
    Bytes(u64),
}

impl Want {
    /// The bytes that a disk of this size lacks for its headroom, the fraction of it that is to stay free.
    pub fn headroom(fraction: f64, total: u64, available: u64) -> Want {
        // Fractions of a byte do not matter.
        let headroom = (total as f64 * fraction.clamp(0.0, 1.0)) as u64;
        Want::Bytes(headroom.saturating_sub(available))
    }

    fn is_met(self, bytes: u64) -> bool {
        matches!(self, Want::Bytes(wanted) if bytes >= wanted)
    }
}

/// An image of the store.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) name: String,
    pub(super) config: Digest,
    pub(super) layers: Vec<Digest>,
    /// True if it is to stay whatever happens.
    pub(super) kept: bool,
}

/// The content of the store.
#[derive(Debug, Default)]
pub(super) struct Inventory {
    /// Images, the least recently used first.
    pub(super) images: Vec<Candidate>,
    /// Layers and their bytes.
    pub(super) layers: BTreeMap<Digest, u64>,
    pub(super) configs: BTreeSet<Digest>,
}

/// The things to be removed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Doomed {
    pub(super) images: Vec<String>,
    pub(super) layers: Vec<Digest>,
    pub(super) configs: Vec<Digest>,
    pub(super) bytes: u64,
}

/// First what belongs to no image, then images from the least recently used on, until there is enough. An image that
/// something needs stays as a whole.
pub(super) fn choose(
    mut inventory: Inventory,
    (configs, layers): (&BTreeSet<Digest>, &BTreeSet<Digest>),
    want: Want,
) -> Doomed {
    let mut doomed = Doomed::default();
    if want.is_met(0) {
        return doomed;
    }
    inventory.images.reverse();
    let (mut stay, mut may_go): (Vec<_>, Vec<_>) =
        inventory.images.into_iter().partition(|image| image.kept || configs.contains(&image.config));
    loop {
        let needed = |layer: &Digest| {
            layers.contains(layer) || stay.iter().chain(&may_go).any(|image| image.layers.contains(layer))
        };
        let loose: Vec<Digest> = inventory.layers.keys().filter(|layer| !needed(layer)).copied().collect();
        for layer in loose {
            doomed.bytes += inventory.layers.remove(&layer).unwrap_or(0);
            doomed.layers.push(layer);
        }
        match may_go.pop() {
            Some(image) if !want.is_met(doomed.bytes) => doomed.images.push(image.name),
            image => {
                stay.extend(image);
                break;
            }
        }
    }
    stay.extend(may_go);
    let needed = |config: &&Digest| configs.contains(config) || stay.iter().any(|image| image.config == **config);
    doomed.configs = inventory.configs.iter().filter(|config| !needed(config)).copied().collect();
    doomed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(name: &str) -> Digest {
        Digest::of(name.as_bytes())
    }

    fn digests(names: &[&str]) -> BTreeSet<Digest> {
        names.iter().map(|name| digest(name)).collect()
    }

    /// Images `old`, `middle` and `new` of a common and an own layer each, one that is kept, and a layer of none.
    fn inventory() -> Inventory {
        let image = |name: &str, kept| Candidate {
            name: name.to_owned(),
            config: digest(&format!("{name} config")),
            layers: vec![digest("base"), digest(name)],
            kept,
        };
        let sizes = [("base", 100), ("kept", 1), ("old", 10), ("middle", 20), ("new", 40), ("loose", 5)];
        Inventory {
            images: vec![image("kept", true), image("old", false), image("middle", false), image("new", false)],
            layers: sizes.into_iter().map(|(name, bytes)| (digest(name), bytes)).collect(),
            configs: digests(&["kept config", "old config", "middle config", "new config", "loose config"]),
        }
    }

    #[test]
    fn the_least_recently_used_go_until_there_is_enough() {
        for (want, images, layers, bytes) in [
            (Want::Bytes(0), &[][..], &[][..], 0),
            (Want::Bytes(1), &[], &["loose"], 5),
            (Want::Bytes(5), &[], &["loose"], 5),
            (Want::Bytes(6), &["old"], &["loose", "old"], 15),
            (Want::Bytes(16), &["old", "middle"], &["loose", "old", "middle"], 35),
            (Want::Bytes(1000), &["old", "middle", "new"], &["loose", "old", "middle", "new"], 75),
            (Want::Everything, &["old", "middle", "new"], &["loose", "old", "middle", "new"], 75),
        ] {
            let doomed = choose(inventory(), (&digests(&[]), &digests(&[])), want);
            assert_eq!(
                (doomed.images.as_slice(), doomed.bytes),
                (&images.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()[..], bytes),
                "{want:?}"
            );
            assert_eq!(doomed.layers.into_iter().collect::<BTreeSet<_>>(), digests(layers), "{want:?}");
            assert_eq!(doomed.configs.len(), if bytes == 0 { 0 } else { images.len() + 1 }, "{want:?}");
        }
    }

    #[test]
    fn what_something_needs_stays() {
        let needed = (digests(&["old config"]), digests(&["base", "old", "loose"]));
        let doomed = choose(inventory(), (&needed.0, &needed.1), Want::Everything);
        assert_eq!(doomed.images, ["middle", "new"]);
        assert_eq!(doomed.layers.into_iter().collect::<BTreeSet<_>>(), digests(&["middle", "new"]));
        let doomed = choose(inventory(), (&digests(&["none"]), &digests(&["old"])), Want::Everything);
        assert!(doomed.images.contains(&"old".to_owned()) && !doomed.layers.contains(&digest("old")));
    }

    #[test]
    fn a_common_layer_goes_with_the_last_image_that_has_it() {
        let mut all = inventory();
        all.images.remove(0);
        let doomed = choose(all, (&digests(&[]), &digests(&[])), Want::Everything);
        assert_eq!((doomed.layers.len(), doomed.bytes, doomed.configs.len()), (6, 176, 5));
    }

    #[test]
    fn headroom_is_a_fraction_of_the_disk() {
        for (fraction, available, bytes) in [(0.1, 100, 0), (0.1, 99, 1), (0.1, 0, 100), (0.0, 0, 0), (7.0, 1, 999)] {
            assert_eq!(Want::headroom(fraction, 1000, available), Want::Bytes(bytes), "{fraction} {available}");
        }
    }
}
