//! A layer, made entry by entry in the directory that is this process' root.

use std::io::{BufRead, Read};
use std::path::{Path, PathBuf};

use super::disk::{self, Metadata};
use super::members::{Kind, Member, Members};
use super::name::{Target, place};
use super::stream::{Meter, decoded};
use super::{Bounds, UnpackError, Unpacked};

/// The bytes of all names: each of their parts may be a directory to be made, and those of directories are remembered.
const MOST_NAMES: usize = 128 * 1024 * 1024;

/// Unpacks an archive.
pub(super) fn unpack(input: impl BufRead, bounds: Bounds) -> Result<Unpacked, UnpackError> {
    let mut members = Members::new(Meter::new(decoded(input)?, bounds.bytes));
    let mut layer = Layer { bounds, bytes: 0, entries: 0, names: 0, directories: Vec::new() };
    while let Some(member) = members.next()? {
        layer.count(&member)?;
        layer.add(&member, &mut members)?;
    }
    let diff_id = members.into_inner().finish()?;
    layer.finish();
    Ok(Unpacked { diff_id, bytes: layer.bytes, entries: layer.entries })
}

struct Layer {
    bounds: Bounds,
    bytes: u64,
    entries: u64,
    names: usize,
    /// Directories, which get their times when nothing changes in them any more.
    directories: Vec<(PathBuf, Metadata)>,
}

impl Layer {
    fn count(&mut self, member: &Member) -> Result<(), UnpackError> {
        let too_large = |what: &str, most| UnpackError::TooLarge { what: what.to_owned(), most };
        self.entries += 1;
        self.names += member.name.len();
        if let Kind::File(bytes) = member.kind {
            self.bytes = self.bytes.saturating_add(bytes);
        } else if let Kind::Sparse(sparse) = &member.kind {
            self.bytes = self.bytes.saturating_add(sparse.bytes);
        }
        match self.bounds {
            Bounds { entries, .. } if self.entries > entries => Err(too_large("entries", entries)),
            Bounds { bytes, .. } if self.bytes > bytes => Err(too_large("bytes", bytes)),
            _ if self.names > MOST_NAMES => Err(too_large("bytes of names", MOST_NAMES as u64)),
            _ => Ok(()),
        }
    }

    fn add(&mut self, member: &Member, data: &mut impl Read) -> Result<(), UnpackError> {
        let failed = |errno| UnpackError::disk(&member.name, errno);
        match (Target::of(&member.name)?, &member.kind) {
            (_, Kind::Nothing) | (Target::Nothing, _) => Ok(()),
            (Target::Layer, Kind::Directory) => self.directory(Path::new("/"), member),
            (Target::Layer, _) => Err(UnpackError::entry(&member.name, "the layer itself is a directory")),
            (Target::Hidden(path), _) => disk::hide(&path).map_err(failed),
            (Target::Opaque(path), _) => {
                disk::parents(&path.join("inside")).and_then(|()| disk::hide_below(&path)).map_err(failed)
            }
            (Target::File(path), Kind::Directory) => {
                disk::directory(&path).map_err(failed)?;
                self.directory(&path, member)
            }
            (Target::File(path), _) => file(&path, member, data),
        }
    }

    fn directory(&mut self, path: &Path, member: &Member) -> Result<(), UnpackError> {
        let metadata = Metadata::of(member);
        metadata.apply(path, member).map_err(|errno| UnpackError::disk(&member.name, errno))?;
        self.directories.push((path.to_owned(), metadata));
        Ok(())
    }

    /// Gives directories their times, the last first.
    fn finish(&mut self) {
        for (path, metadata) in self.directories.drain(..).rev() {
            // One that was replaced by something else later is not there any more.
            let _replaced = metadata.apply_times(&path);
        }
    }
}

fn file(path: &Path, member: &Member, data: &mut impl Read) -> Result<(), UnpackError> {
    let failed = |errno| UnpackError::disk(&member.name, errno);
    match &member.kind {
        Kind::File(_) | Kind::Sparse(_) => return disk::file(path, member, data),
        Kind::Link(to) => {
            let to = place(to)?;
            return match disk::link(&to, path) {
                Err(rustix::io::Errno::NOENT) => {
                    let why = format!(
                        "it is a link to '{}', which is not in the layer",
                        to.display().to_string().escape_debug()
                    );
                    Err(UnpackError::entry(&member.name, why))
                }
                other => other.map_err(failed),
            };
        }
        Kind::Symlink(to) => disk::symlink(to, path).map_err(failed)?,
        _ => disk::node(path, member).map_err(failed)?,
    }
    let metadata = Metadata::of(member);
    metadata.apply(path, member).and_then(|()| metadata.apply_times(path)).map_err(failed)
}
