//! The entrance for a fuzzer, which feeds archives. Only there for it and for the test below, which feeds the corpus.
//!
//! In: any bytes. Out: nothing, or a panic, which is a bug.

use std::io::{Read, copy, sink};
use std::path::{Component, Path};

use super::members::{Kind, Members};
use super::name::{Target, place};
use super::stream::{Meter, decoded};

/// The most bytes of an archive.
const MOST: u64 = 16 * 1024 * 1024;

/// All entries of an archive: what they name is in the layer, and the pieces of a file are in the file.
pub fn layer(bytes: &[u8]) {
    let Ok(input) = decoded(bytes) else { return };
    let mut members = Members::new(Meter::new(input, MOST));
    while let Ok(Some(member)) = members.next() {
        if let Ok(Target::File(path) | Target::Hidden(path) | Target::Opaque(path)) = Target::of(&member.name) {
            assert!(is_inside(&path), "{}", path.display());
        }
        match &member.kind {
            Kind::Link(to) => assert!(place(to).is_ok_and(|to| is_inside(&to)) || place(to).is_err()),
            Kind::Sparse(sparse) => {
                let ends = sparse.segments.iter().map(|(offset, length)| offset.checked_add(*length));
                assert!(ends.into_iter().all(|end| end.is_some_and(|end| end <= sparse.bytes)));
            }
            Kind::File(bytes) => drop(copy(&mut (&mut members).take(*bytes), &mut sink())),
            _ => {}
        }
    }
}

fn is_inside(path: &Path) -> bool {
    let mut parts = path.components();
    parts.next() == Some(Component::RootDir) && parts.all(|part| matches!(part, Component::Normal(_)))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    #[test]
    fn the_corpus_is_digested() {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/layer");
        let files: Vec<_> = fs::read_dir(&directory).unwrap().flatten().collect();
        assert!(files.len() > 3);
        files.iter().for_each(|file| super::layer(&fs::read(file.path()).unwrap()));
    }
}
