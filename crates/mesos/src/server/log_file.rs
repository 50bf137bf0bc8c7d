//! The file a process logs to, as operators find it: Mesos attaches it under a name of its own, and says in `/state`
//! and `/flags` where it is. Owns nothing: the file is opened whenever somebody reads it.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::files::{FileError, Opened};

/// `O_NONBLOCK`: opening a pipe must not wait for a writer.
const NONBLOCK: i32 = 0o4000;

/// See the module's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogFile {
    /// The process writes it itself, into a directory.
    Own {
        /// The directory.
        directory: PathBuf,
        /// The file's name there.
        name: String,
    },
    /// Somebody else writes down what the process says, here.
    External(PathBuf),
}

impl LogFile {
    /// The path.
    pub fn path(&self) -> PathBuf {
        match self {
            LogFile::Own { directory, name } => directory.join(name),
            LogFile::External(path) => path.clone(),
        }
    }

    /// The flag that Mesos' masters and agents show for it, with its value.
    pub fn flag(&self) -> (&'static str, String) {
        match self {
            LogFile::Own { directory, .. } => ("log_dir", directory.display().to_string()),
            LogFile::External(path) => ("external_log_file", path.display().to_string()),
        }
    }

    /// Opens it for whoever asks for `asked`, if that is `name`, the name it is attached under.
    pub fn open(&self, name: &str, asked: &str) -> Result<Opened, FileError> {
        if asked.trim_matches('/') != name.trim_matches('/') {
            return Err(FileError::NotFound);
        }
        let path = self.path();
        Opened::new(open(&path)?, &path)
    }
}

fn open(path: &Path) -> Result<File, FileError> {
    Ok(OpenOptions::new().read(true).custom_flags(NONBLOCK).open(path)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_by_its_name_and_no_other() {
        let directory = std::env::temp_dir().join(format!("cygnet-log-file-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let log = LogFile::Own { directory: directory.clone(), name: "master.log".to_owned() };
        assert!(matches!(log.open("/master/log", "/master/log"), Err(FileError::NotFound)), "not there yet");
        std::fs::write(log.path(), "hello\n").unwrap();
        for asked in ["/master/log", "master/log", "/master/log/"] {
            let piece = log.open("/master/log", asked).unwrap().piece(Some(2), Some(3)).unwrap();
            assert_eq!((piece.text().as_str(), piece.size), ("llo", 6));
        }
        for other in ["/slave/log", "/master/log/x", "", "/etc/passwd"] {
            assert!(matches!(log.open("/master/log", other), Err(FileError::NotFound)), "{other}");
        }
        assert_eq!(log.flag(), ("log_dir", directory.display().to_string()));
        std::fs::remove_dir_all(directory).unwrap();
    }
}
