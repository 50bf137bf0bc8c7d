//! Files inside an archive, by name.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Component, Path, PathBuf};

use rustix::fs::OFlags;
use tar::EntryType;

use super::error::Reason;
use crate::image::{Compression, MOST_BYTES};
use crate::store::Store;
use crate::unpack::{compression, decoded};

/// The most files in an archive.
const MOST_FILES: usize = 100_000;
/// The most links from one name to the next.
const MOST_LINKS: usize = 8;

/// An archive whose files can be read in any order.
pub(super) enum Source {
    Directory(PathBuf),
    Tar { file: File, names: BTreeMap<PathBuf, Place> },
}

/// The place of a file in a tar archive.
pub(super) enum Place {
    Data { offset: u64, length: u64 },
    Link(PathBuf),
}

impl Source {
    /// Opens an archive. A compressed one is read once, into a file of the store's.
    pub(super) fn open(path: &Path, store: &Store) -> Result<Source, Reason> {
        if path.is_dir() {
            return Ok(Source::Directory(path.to_owned()));
        }
        let mut file = regular(path)?;
        let mut first = [0; 4];
        let length = file.read_at(&mut first, 0)?;
        if compression(&first[..length]) != Compression::None {
            file = decompressed(&file, store)?;
        }
        let names = names(&file)?;
        Ok(Source::Tar { file, names })
    }

    /// True if there is a file of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        match self {
            Source::Directory(directory) => directory.join(name).exists(),
            Source::Tar { names, .. } => names.contains_key(Path::new(name)),
        }
    }

    /// The document of this name.
    pub(super) fn document(&mut self, name: &str) -> Result<Vec<u8>, Reason> {
        let (file, length) = self.file(name)?;
        if length > MOST_BYTES as u64 {
            return Err(Reason::TooLarge { what: "bytes in a document", most: MOST_BYTES as u64 });
        }
        let mut content = Vec::new();
        file.take(length).read_to_end(&mut content)?;
        Ok(content)
    }

    /// The file of this name, at its beginning, and its length.
    pub(super) fn file(&mut self, name: &str) -> Result<(File, u64), Reason> {
        let missing = || Reason::Missing(name.escape_debug().to_string());
        let clean = clean(Path::new(name)).ok_or_else(missing)?;
        match self {
            Source::Directory(directory) => {
                let path = directory.join(clean);
                if !path.exists() {
                    return Err(missing());
                }
                let file = regular(&path)?;
                let length = file.metadata()?.len();
                Ok((file, length))
            }
            Source::Tar { file, names, .. } => {
                let (offset, length) = follow(names, clean).ok_or_else(missing)?;
                let mut file = file.try_clone()?;
                file.seek(SeekFrom::Start(offset))?;
                Ok((file, length))
            }
        }
    }
}

/// Opens a regular file, and nothing that might keep its reader waiting.
fn regular(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().read(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed()).open(path)?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::other(format!("{} is no regular file", path.display()))),
    }
}

fn decompressed(file: &File, store: &Store) -> Result<File, Reason> {
    let most = store.bounds().bytes;
    let mut plain = store.scratch()?;
    let mut input = decoded(BufReader::new(file))?.take(most + 1);
    if io::copy(&mut input, &mut plain)? > most {
        return Err(Reason::TooLarge { what: "bytes", most });
    }
    Ok(plain)
}

fn names(mut file: &File) -> Result<BTreeMap<PathBuf, Place>, Reason> {
    file.rewind()?;
    let mut archive = tar::Archive::new(file);
    let mut names = BTreeMap::new();
    for entry in archive.entries_with_seek()? {
        let entry = entry?;
        let Some(name) = clean(&entry.path()?) else { continue };
        let link = entry.link_name()?.map(|link| link.into_owned()).unwrap_or_default();
        let place = match entry.header().entry_type() {
            EntryType::Regular | EntryType::Continuous => {
                Place::Data { offset: entry.raw_file_position(), length: entry.size() }
            }
            EntryType::Link => Place::Link(link),
            EntryType::Symlink => Place::Link(name.parent().map_or_else(|| link.clone(), |parent| parent.join(&link))),
            _ => continue,
        };
        names.insert(name, place);
        if names.len() > MOST_FILES {
            return Err(Reason::TooLarge { what: "files", most: MOST_FILES as u64 });
        }
    }
    Ok(names)
}

/// Docker links layers that several images of an archive share.
fn follow(names: &BTreeMap<PathBuf, Place>, mut name: PathBuf) -> Option<(u64, u64)> {
    for _ in 0..MOST_LINKS {
        match names.get(&name)? {
            Place::Data { offset, length } => return Some((*offset, *length)),
            Place::Link(to) => name = clean(to)?,
        }
    }
    None
}

/// The name without what means nothing; none if it leads out of the archive.
fn clean(name: &Path) -> Option<PathBuf> {
    let mut clean = PathBuf::new();
    for part in name.components() {
        match part {
            Component::Normal(part) => clean.push(part),
            Component::CurDir => {}
            Component::ParentDir => {
                if !clean.pop() {
                    return None;
                }
            }
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(clean)
}
