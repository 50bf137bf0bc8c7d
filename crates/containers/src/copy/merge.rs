//! The names of a directory of an image, by those that its layers have. Pure.

use std::collections::BTreeMap;
use std::ffi::CString;

/// The thing that a layer has by a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A directory; an opaque one hides what lower layers have in it.
    Directory { opaque: bool },
    /// A mark that lower layers' things of this name are gone.
    Whiteout,
    /// Anything else.
    Other,
}

/// The thing that the image has by a name. Layers are numbers here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// Nothing.
    Nothing,
    /// The thing of this layer.
    Of(usize),
    /// The entries that these layers have in it, the topmost first.
    Directory { layers: Vec<usize>, closed: bool },
}

/// The names of one directory.
#[derive(Debug, Default)]
pub(super) struct Names(BTreeMap<CString, Seen>);

impl Names {
    /// Adds a name of a layer, after all names of the layers above it.
    pub(super) fn add(&mut self, layer: usize, name: CString, kind: Kind) {
        match (self.0.get_mut(&name), kind) {
            (None, Kind::Directory { opaque }) => {
                self.0.insert(name, Seen::Directory { layers: vec![layer], closed: opaque });
            }
            (None, Kind::Whiteout) => drop(self.0.insert(name, Seen::Nothing)),
            (None, Kind::Other) => drop(self.0.insert(name, Seen::Of(layer))),
            (Some(Seen::Directory { layers, closed: closed @ false }), Kind::Directory { opaque }) => {
                layers.push(layer);
                *closed = opaque;
            }
            (Some(Seen::Directory { closed, .. }), _) => *closed = true,
            (Some(Seen::Nothing | Seen::Of(_)), _) => {}
        }
    }

    /// All of them, in order.
    pub(super) fn into_seen(self) -> impl DoubleEndedIterator<Item = (CString, Seen)> {
        self.0.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Kind = Kind::Directory { opaque: false };
    const OPAQUE: Kind = Kind::Directory { opaque: true };

    fn seen(kinds: &[Kind]) -> Seen {
        let mut names = Names::default();
        kinds.iter().enumerate().for_each(|(layer, kind)| names.add(layer, c"name".to_owned(), *kind));
        names.into_seen().next().unwrap().1
    }

    #[test]
    fn the_topmost_counts_and_directories_are_merged_down_to_what_hides() {
        let merged = |layers: &[usize], closed| Seen::Directory { layers: layers.to_vec(), closed };
        for (kinds, expected) in [
            (&[Kind::Other, PLAIN][..], Seen::Of(0)),
            (&[Kind::Whiteout, PLAIN], Seen::Nothing),
            (&[PLAIN, PLAIN, PLAIN], merged(&[0, 1, 2], false)),
            (&[PLAIN, OPAQUE, PLAIN], merged(&[0, 1], true)),
            (&[OPAQUE, PLAIN], merged(&[0], true)),
            (&[PLAIN, Kind::Whiteout, PLAIN], merged(&[0], true)),
            (&[PLAIN, Kind::Other, PLAIN], merged(&[0], true)),
        ] {
            assert_eq!(seen(kinds), expected, "{kinds:?}");
        }
    }
}
