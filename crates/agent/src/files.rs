//! The files that others may read: sandboxes, and nothing that a path or a link would lead to outside of them, and
//! the agent's log.
//!
//! Comes in: the path somebody names, the real one or `/frameworks/<F>/executors/<E>/runs/latest/...`. Goes out: an
//! open file or a list. That a path stays inside is decided by what was opened, not by how it was spelled, so that
//! nobody can exchange a directory for a link at the right moment.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Component, Path, PathBuf};

use mesos::server::LogFile;
use mesos::server::files::{Entry, FileError, Opened};
use rustix::fs::{Mode, OFlags, open};

const LOG: &str = "/slave/log";

#[derive(Debug, Clone)]
pub(crate) struct Files {
    root: PathBuf,
    /// Sandboxes of standalone containers.
    standalone: PathBuf,
    log: Option<LogFile>,
}

impl Files {
    /// Everything below `root` and `standalone`, paths without links.
    pub(crate) fn new(root: PathBuf, standalone: PathBuf, log: Option<LogFile>) -> Files {
        Files { root, standalone, log }
    }

    /// Names that lead to files beside the sandboxes.
    pub(crate) fn attached(&self) -> impl Iterator<Item = (String, PathBuf)> {
        self.log.iter().map(|log| (LOG.to_owned(), log.path()))
    }

    fn has(&self, path: &Path) -> bool {
        path.starts_with(&self.root) || path.starts_with(&self.standalone)
    }

    /// The entries of a directory, by name; a file has none.
    pub(crate) fn browse(&self, agent: Option<&str>, path: &str) -> Result<Vec<Entry>, FileError> {
        if self.open_log(path).is_some() {
            return Ok(Vec::new());
        }
        let file = self.open(agent, path)?;
        if !file.metadata().map_err(FileError::Io)?.is_dir() {
            return Ok(Vec::new());
        }
        let directory = fs::read_dir(format!("/proc/self/fd/{}", file.as_raw_fd())).map_err(FileError::Io)?;
        // Entries that vanish meanwhile are not listed.
        let mut entries: Vec<Entry> = directory
            .filter_map(|entry| {
                let entry = entry.ok()?;
                Some(Entry::new(&Path::new(path).join(entry.file_name()), &entry.metadata().ok()?))
            })
            .collect();
        entries.sort_by(|one, other| one.path().cmp(other.path()));
        Ok(entries)
    }

    pub(crate) fn open_file(&self, agent: Option<&str>, path: &str) -> Result<Opened, FileError> {
        match self.open_log(path) {
            Some(log) => Ok(log),
            None => Opened::new(self.open(agent, path)?, Path::new(path)),
        }
    }

    fn open_log(&self, path: &str) -> Option<Opened> {
        self.log.as_ref()?.open(LOG, path).ok()
    }

    fn open(&self, agent: Option<&str>, path: &str) -> Result<File, FileError> {
        let path = self.real(agent, path).ok_or(FileError::NotFound)?;
        // A first look, so that nothing outside is even opened; the second one cannot be deceived.
        let resolved = path.canonicalize()?;
        if !self.has(&resolved) {
            return Err(FileError::NotFound);
        }
        // Opening a pipe must not wait for a writer.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
        let file: File = open(&resolved, flags, Mode::empty()).map_err(io::Error::from)?.into();
        let opened = fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).map_err(FileError::Io)?;
        if !self.has(&opened) {
            return Err(FileError::NotFound);
        }
        Ok(file)
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
        let files = Files::new(outside.join("slaves"), outside.join("containers"), None);
        Place { _directory: directory, outside, sandbox, files }
    }

    #[test]
    fn the_real_path_and_the_virtual_one_lead_to_the_same() {
        let place = place();
        let Place { sandbox, files, .. } = &place;
        for path in
            [sandbox.join("stdout").display().to_string(), "/frameworks/F/executors/E/runs/latest/stdout".into()]
        {
            let piece = files.open_file(Some("S"), &path).unwrap().piece(Some(0), None).unwrap();
            assert_eq!((piece.text().as_str(), piece.offset, piece.size), ("hello\n", 0, 6));
        }
        let entries = files.browse(Some("S"), "/frameworks/F/executors/E/runs/latest").unwrap();
        assert_eq!(entries.len(), 1);
        assert_eq!(entries[0].path(), "/frameworks/F/executors/E/runs/latest/stdout");
        assert!(files.browse(Some("S"), "/frameworks/F/executors/E/runs/latest/stdout").unwrap().is_empty());
    }

    #[test]
    fn offsets_and_lengths_are_what_mesos_makes_of_them() {
        let place = place();
        let Place { sandbox, files, .. } = &place;
        let path = sandbox.join("stdout").display().to_string();
        let read = |offset, length| {
            let piece = files.open_file(None, &path).unwrap().piece(offset, length).unwrap();
            (piece.text(), piece.offset)
        };
        assert_eq!(read(None, None), (String::new(), 6));
        assert_eq!(read(Some(1), Some(3)), ("ell".to_owned(), 1));
        assert_eq!(read(Some(99), Some(3)), (String::new(), 99));
        fs::write(sandbox.join("stdout"), vec![b'x'; 100_000]).unwrap();
        assert_eq!(read(Some(0), None).0.len(), 65536);
        assert!(matches!(files.open_file(None, &sandbox.display().to_string()), Err(FileError::Directory)));
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
            assert!(matches!(files.open_file(Some("S"), &path), Err(FileError::NotFound)), "{path}");
            assert!(matches!(files.browse(Some("S"), &path), Err(FileError::NotFound)), "{path}");
        }
    }

    #[test]
    fn a_pipe_is_no_file_and_keeps_nobody_waiting() {
        let place = place();
        let Place { sandbox, files, .. } = &place;
        let pipe = sandbox.join("pipe");
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, Mode::RUSR | Mode::WUSR).unwrap();
        assert!(matches!(files.open_file(None, &pipe.display().to_string()), Err(FileError::NotFound)));
    }

    #[test]
    fn the_log_has_a_name_of_its_own() {
        let place = place();
        let log = LogFile::External(place.outside.join("secret"));
        let files = Files::new(place.outside.join("slaves"), place.outside.join("containers"), Some(log));
        assert_eq!(files.open_file(None, "/slave/log").unwrap().piece(Some(0), None).unwrap().text(), "secret");
        assert!(files.browse(None, "/slave/log").unwrap().is_empty());
        let attached: Vec<_> = files.attached().collect();
        assert_eq!(attached, [("/slave/log".to_owned(), place.outside.join("secret"))]);
        assert!(matches!(place.files.open_file(None, "/slave/log"), Err(FileError::NotFound)));
    }
}
