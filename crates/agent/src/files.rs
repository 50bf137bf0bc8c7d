//! What others may read of the disk: sandboxes, and nothing that a path or a link would lead to outside of them.
//!
//! Comes in: the path somebody names, the real one or `/frameworks/<F>/executors/<E>/runs/latest/...`. Goes out: an
//! open file or a list. That a path stays inside is decided by what was opened, not by how it was spelled, so that
//! nobody can exchange a directory for a link at the right moment.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{Mode, OFlags, open};

use crate::users;

/// No more than this of a file at a time: sixteen pages, as Mesos has it.
const MAX_PIECE_BYTES: u64 = 16 * 4096;

/// Why something cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    #[error("no such file or directory")]
    NotFound,
    #[error("Cannot read a directory.")]
    Directory,
    #[error("Cannot browse a file.")]
    NotADirectory,
    #[error("reading failed: {0}")]
    Io(io::Error),
}

/// One thing in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) path: String,
    pub(crate) nlink: u64,
    pub(crate) size: u64,
    pub(crate) mtime_secs: i64,
    pub(crate) mode: u32,
    pub(crate) user: String,
    pub(crate) group: String,
}

/// A piece of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    /// Of the whole file.
    pub(crate) size: u64,
    pub(crate) offset: u64,
    pub(crate) data: Vec<u8>,
}

/// A regular file, open.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) file: File,
    pub(crate) size: u64,
    pub(crate) name: String,
}

/// The sandboxes.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    root: PathBuf,
    /// Those of containers that are nobody's executor.
    standalone: PathBuf,
}

impl Files {
    /// Everything below `root` and `standalone`, paths without links.
    pub(crate) fn new(root: PathBuf, standalone: PathBuf) -> Files {
        Files { root, standalone }
    }

    fn has(&self, path: &Path) -> bool {
        path.starts_with(&self.root) || path.starts_with(&self.standalone)
    }

    /// What is in a directory, by name.
    pub(crate) fn browse(&self, agent: Option<&str>, path: &str) -> Result<Vec<Entry>, FileError> {
        let (file, metadata) = self.open(agent, path)?;
        if !metadata.is_dir() {
            return Err(FileError::NotADirectory);
        }
        let directory = fs::read_dir(format!("/proc/self/fd/{}", file.as_raw_fd())).map_err(FileError::Io)?;
        // What vanishes meanwhile is not listed.
        let mut entries: Vec<Entry> = directory
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let name = entry.file_name();
                Some(described(Path::new(path).join(name), &entry.metadata().ok()?))
            })
            .collect();
        entries.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(entries)
    }

    /// A piece of a file. Without an offset nothing is read: the answer says where the file ends.
    pub(crate) fn read(
        &self,
        agent: Option<&str>,
        path: &str,
        offset: Option<u64>,
        length: Option<u64>,
    ) -> Result<Piece, FileError> {
        let Opened { file, size, .. } = self.open_file(agent, path)?;
        let offset = offset.unwrap_or(size);
        let wanted = length.unwrap_or(MAX_PIECE_BYTES).min(MAX_PIECE_BYTES).min(size.saturating_sub(offset));
        let mut data = vec![0; usize::try_from(wanted).unwrap_or_default()];
        let read = fill(&file, &mut data, offset).map_err(FileError::Io)?;
        data.truncate(read);
        Ok(Piece { size, offset, data })
    }

    /// A regular file.
    pub(crate) fn open_file(&self, agent: Option<&str>, path: &str) -> Result<Opened, FileError> {
        let (file, metadata) = self.open(agent, path)?;
        if metadata.is_dir() {
            return Err(FileError::Directory);
        }
        if !metadata.is_file() {
            return Err(FileError::NotFound);
        }
        let name = Path::new(path).file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(Opened { file, size: metadata.len(), name })
    }

    fn open(&self, agent: Option<&str>, path: &str) -> Result<(File, Metadata), FileError> {
        let path = self.real(agent, path).ok_or(FileError::NotFound)?;
        // A first look, so that nothing outside is even opened; the second one cannot be deceived.
        let resolved = path.canonicalize().map_err(not_found)?;
        if !self.has(&resolved) {
            return Err(FileError::NotFound);
        }
        // Opening a pipe must not wait for a writer.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
        let file: File = open(&resolved, flags, Mode::empty()).map_err(|errno| not_found(errno.into()))?.into();
        let opened = fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).map_err(FileError::Io)?;
        if !self.has(&opened) {
            return Err(FileError::NotFound);
        }
        let metadata = file.metadata().map_err(FileError::Io)?;
        Ok((file, metadata))
    }

    /// The place on disk that a path means.
    fn real(&self, agent: Option<&str>, path: &str) -> Option<PathBuf> {
        let path = Path::new(path);
        if path.components().any(|component| component == Component::ParentDir) {
            return None;
        }
        match path.strip_prefix("/frameworks") {
            Ok(below) => Some(self.root.join(agent?).join("frameworks").join(below)),
            Err(_) => self.has(path).then(|| path.to_owned()),
        }
    }
}

fn not_found(error: io::Error) -> FileError {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::PermissionDenied => FileError::NotFound,
        _ => FileError::Io(error),
    }
}

fn fill(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, offset + filled as u64)? {
            0 => break,
            read => filled += read,
        }
    }
    Ok(filled)
}

fn described(path: PathBuf, metadata: &Metadata) -> Entry {
    Entry {
        path: path.display().to_string(),
        nlink: metadata.nlink(),
        size: metadata.size(),
        mtime_secs: metadata.mtime(),
        mode: metadata.mode(),
        user: users::user_name(metadata.uid()),
        group: users::group_name(metadata.gid()),
    }
}

/// `-rw-r--r--`
pub(crate) fn mode_text(mode: u32) -> String {
    let kind = match mode & 0o170_000 {
        0o040_000 => 'd',
        0o120_000 => 'l',
        0o010_000 => 'p',
        0o140_000 => 's',
        0o020_000 => 'c',
        0o060_000 => 'b',
        _ => '-',
    };
    let bits = (0..9).map(|bit| if mode & (0o400 >> bit) != 0 { ['r', 'w', 'x'][bit % 3] } else { '-' });
    std::iter::once(kind).chain(bits).collect()
}

impl Piece {
    /// As text. A character that is cut at the end is left for the next piece, unless nothing else is there.
    pub(crate) fn text(&self) -> String {
        let whole = match std::str::from_utf8(&self.data) {
            Err(error) if error.error_len().is_none() && error.valid_up_to() > 0 => error.valid_up_to(),
            _ => self.data.len(),
        };
        String::from_utf8_lossy(self.data.get(..whole).unwrap_or_default()).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    struct Place {
        _directory: tempfile::TempDir,
        outside: PathBuf,
        sandbox: PathBuf,
        files: Files,
    }

    fn place() -> Place {
        let directory = tempfile::tempdir().unwrap();
        let outside = directory.path().canonicalize().unwrap();
        let sandbox = outside.join("slaves/S/frameworks/F/executors/E/runs/C");
        fs::create_dir_all(&sandbox).unwrap();
        fs::write(sandbox.join("stdout"), "hello\n").unwrap();
        fs::write(outside.join("secret"), "secret").unwrap();
        symlink(&sandbox, sandbox.parent().unwrap().join("latest")).unwrap();
        let files = Files::new(outside.join("slaves"), outside.join("containers"));
        Place { _directory: directory, outside, sandbox, files }
    }

    #[test]
    fn the_real_path_and_the_virtual_one_lead_to_the_same() {
        let place = place();
        let Place { sandbox, files, .. } = &place;
        for path in
            [sandbox.join("stdout").display().to_string(), "/frameworks/F/executors/E/runs/latest/stdout".into()]
        {
            let piece = files.read(Some("S"), &path, Some(0), None).unwrap();
            assert_eq!((piece.text().as_str(), piece.offset, piece.size), ("hello\n", 0, 6));
        }
        let entries = files.browse(Some("S"), "/frameworks/F/executors/E/runs/latest").unwrap();
        assert_eq!(entries.len(), 1);
        assert_eq!(entries[0].path, "/frameworks/F/executors/E/runs/latest/stdout");
        assert_eq!(mode_text(entries[0].mode & 0o170_644), "-rw-r--r--");
    }

    #[test]
    fn offsets_and_lengths_are_what_mesos_makes_of_them() {
        let place = place();
        let Place { sandbox, files, .. } = &place;
        let path = sandbox.join("stdout").display().to_string();
        let read = |offset, length| {
            let piece = files.read(None, &path, offset, length).unwrap();
            (piece.text(), piece.offset)
        };
        assert_eq!(read(None, None), (String::new(), 6));
        assert_eq!(read(Some(1), Some(3)), ("ell".to_owned(), 1));
        assert_eq!(read(Some(99), Some(3)), (String::new(), 99));
        fs::write(sandbox.join("stdout"), vec![b'x'; 100_000]).unwrap();
        assert_eq!(read(Some(0), None).0.len(), 65536);
        assert!(matches!(files.read(None, &sandbox.display().to_string(), None, None), Err(FileError::Directory)));
    }

    #[test]
    fn a_cut_character_waits_for_the_next_piece() {
        let piece = |data: &[u8]| Piece { size: 9, offset: 0, data: data.to_vec() };
        assert_eq!(piece(b"a\xc3").text(), "a");
        assert_eq!(piece(b"\xc3").text(), "\u{fffd}");
        assert_eq!(piece(b"a\xffb").text(), "a\u{fffd}b");
    }

    #[test]
    fn nothing_leads_outside() {
        let place = place();
        let Place { outside, sandbox, files, .. } = &place;
        symlink(outside.join("secret"), sandbox.join("link")).unwrap();
        symlink("../../../../../../../../secret", sandbox.join("relative")).unwrap();
        symlink("/", sandbox.join("root")).unwrap();
        let runs = "/frameworks/F/executors/E/runs/latest";
        let paths = [
            outside.join("secret").display().to_string(),
            sandbox.join("link").display().to_string(),
            sandbox.join("../../../../../../../../secret").display().to_string(),
            format!("{runs}/link"),
            format!("{runs}/relative"),
            format!("{runs}/root/etc/passwd"),
            format!("{runs}/../../../../../../../secret"),
            "/etc/passwd".to_owned(),
            "secret".to_owned(),
            String::new(),
            format!("{}-elsewhere/x", outside.join("slaves").display()),
        ];
        for path in paths {
            assert!(matches!(files.read(Some("S"), &path, Some(0), None), Err(FileError::NotFound)), "{path}");
            assert!(matches!(files.browse(Some("S"), &path), Err(FileError::NotFound)), "{path}");
        }
    }

    #[test]
    fn a_pipe_is_no_file_and_keeps_nobody_waiting() {
        let place = place();
        let Place { sandbox, files, .. } = &place;
        let pipe = sandbox.join("pipe");
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, Mode::RUSR | Mode::WUSR).unwrap();
        assert!(matches!(files.read(None, &pipe.display().to_string(), Some(0), None), Err(FileError::NotFound)));
    }
}
