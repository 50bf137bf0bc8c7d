//! The memory of an executor that is killed: an append-only file, written before anything is sent or done.
//!
//! In: updates made and acknowledged, kills begun and carried out. Out, for the next process: [`History`]. Records are not
//! forced to disk: whatever ends the machine ends the task too.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use mesos::v1::TaskStatus;
use prost::Message;

use crate::life::Kill;

/// The size at which the file is written anew, with what still matters only.
const WORTH_COMPACTING: u64 = 64 * 1024;

/// The file, and what is in it. It is opened for each record: they are rare, and descriptors are not plenty where there
/// are thousands of tasks. To open, append and close takes 5 microseconds, 50 in one case of a hundred, for nothing is
/// forced to disk; to hand a record to another thread and wait for it costs as much, so it is written where it is made.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    size: u64,
    history: History,
}

/// The sum of the records.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct History {
    /// Updates the agent has not acknowledged, oldest first.
    pub unacknowledged: Vec<TaskStatus>,
    /// The newest update of all.
    pub last: Option<TaskStatus>,
    /// The agent acknowledged some update of the task, so it knows of it.
    pub known: bool,
    pub kill: Option<Kill>,
    /// SIGTERM was sent for it.
    pub term_sent: bool,
}

/// One thing that happened; exactly one field is set.
#[derive(Clone, PartialEq, Message)]
struct Record {
    #[prost(message, optional, tag = "1")]
    made: Option<TaskStatus>,
    #[prost(bytes = "vec", optional, tag = "2")]
    acknowledged: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "3")]
    kill: Option<Vec<u8>>,
    #[prost(bool, optional, tag = "4")]
    term_sent: Option<bool>,
}

impl History {
    fn take(&mut self, record: Record) {
        if let Some(status) = record.made {
            self.unacknowledged.push(status.clone());
            self.last = Some(status);
        }
        if let Some(uuid) = record.acknowledged {
            let before = self.unacknowledged.len();
            self.unacknowledged.retain(|status| status.uuid() != uuid);
            self.known |= self.unacknowledged.len() < before;
        }
        if let Some(kill) = record.kill {
            match serde_json::from_slice(&kill) {
                Ok(kill) => self.kill = Some(kill),
                Err(error) => tracing::error!(%error, "a kill in the journal makes no sense; the one before it counts"),
            }
        }
        self.term_sent |= record.term_sent == Some(true);
    }

    /// The records a file needs for the same history.
    fn records(&self) -> Vec<Record> {
        let made = |made: &TaskStatus| Record { made: Some(made.clone()), ..Record::default() };
        let mut records: Vec<Record> = self.unacknowledged.iter().map(made).collect();
        let acknowledged = self.last.iter().filter(|last| !self.unacknowledged.contains(last));
        for status in acknowledged.cloned() {
            let uuid = status.uuid().to_vec();
            records.push(Record { made: Some(status), ..Record::default() });
            records.push(Record { acknowledged: Some(uuid), ..Record::default() });
        }
        records.extend(self.kill.iter().map(kill_record));
        records.extend(self.term_sent.then(term_record));
        records
    }
}

impl Journal {
    /// Opens or creates the file. A record cut off by the death of its writer was not acted upon, and is dropped.
    pub(crate) fn open(path: impl Into<PathBuf>) -> io::Result<Journal> {
        let path = path.into();
        let mut content = fs::read(&path).or_else(|error| match error.kind() {
            io::ErrorKind::NotFound => Ok(Vec::new()),
            _ => Err(error),
        })?;
        let (history, whole) = replay(&content);
        if whole < content.len() {
            tracing::warn!(path = %path.display(), "the journal ends in a torn record, which is dropped");
            content.truncate(whole);
            store::replace_file(&path, &content, 0o600)?;
        }
        append_to(&path)?;
        Ok(Journal { path, size: whole as u64, history })
    }

    /// The history so far.
    pub(crate) fn history(&self) -> &History {
        &self.history
    }

    /// An update was made and is about to be sent.
    pub(crate) fn made(&mut self, status: &TaskStatus) -> io::Result<()> {
        self.append(Record { made: Some(status.clone()), ..Record::default() })
    }

    pub(crate) fn acknowledged(&mut self, uuid: Vec<u8>) -> io::Result<()> {
        self.append(Record { acknowledged: Some(uuid), ..Record::default() })?;
        if self.size > WORTH_COMPACTING && self.history.unacknowledged.is_empty() {
            self.compact()?;
        }
        Ok(())
    }

    /// A kill is about to begin, or got a nearer deadline.
    pub(crate) fn killing(&mut self, kill: &Kill) -> io::Result<()> {
        self.append(kill_record(kill))
    }

    pub(crate) fn term_sent(&mut self) -> io::Result<()> {
        self.append(term_record())
    }

    fn append(&mut self, record: Record) -> io::Result<()> {
        let bytes = record.encode_length_delimited_to_vec();
        self.history.take(record);
        append_to(&self.path)?.write_all(&bytes)?;
        self.size += bytes.len() as u64;
        Ok(())
    }

    fn compact(&mut self) -> io::Result<()> {
        let records = self.history.records();
        let bytes: Vec<u8> = records.iter().flat_map(Message::encode_length_delimited_to_vec).collect();
        store::replace_file(&self.path, &bytes, 0o600)?;
        self.size = bytes.len() as u64;
        Ok(())
    }
}

/// The history, and how many bytes of the file were whole records.
fn replay(mut content: &[u8]) -> (History, usize) {
    let length = content.len();
    let mut history = History::default();
    let mut whole = 0;
    while !content.is_empty() {
        let Ok(record) = Record::decode_length_delimited(&mut content) else { break };
        history.take(record);
        whole = length - content.len();
    }
    (history, whole)
}

fn kill_record(kill: &Kill) -> Record {
    let kill = serde_json::to_vec(kill).expect("plain data: times and a flag, which JSON always has");
    Record { kill: Some(kill), ..Record::default() }
}

fn term_record() -> Record {
    Record { term_sent: Some(true), ..Record::default() }
}

fn append_to(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mesos::v1::TaskId;
    use proptest::prelude::*;

    use super::*;
    use crate::clock::Moment;
    use crate::life::Cause;

    fn status(number: u8) -> TaskStatus {
        let uuid = Some(vec![number; 16]);
        TaskStatus { task_id: TaskId { value: "a".to_owned() }, uuid, ..TaskStatus::default() }
    }

    #[test]
    fn a_torn_record_is_dropped_and_what_follows_is_kept() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal");
        let mut journal = Journal::open(&path).unwrap();
        journal.made(&status(1)).unwrap();
        journal.made(&status(2)).unwrap();
        let content = fs::read(&path).unwrap();
        fs::write(&path, &content[..content.len() - 3]).unwrap();
        let mut journal = Journal::open(&path).unwrap();
        assert_eq!(journal.history().unacknowledged, [status(1)]);
        journal.made(&status(3)).unwrap();
        assert_eq!(Journal::open(&path).unwrap().history().unacknowledged, [status(1), status(3)]);
    }

    #[test]
    fn a_kill_that_makes_no_sense_does_not_take_away_the_one_before_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal");
        let mut journal = Journal::open(&path).unwrap();
        let kill = Kill::begin(Moment::after_boot(Duration::ZERO), Cause::Asked, Duration::from_secs(3));
        journal.killing(&kill).unwrap();
        journal.append(Record { kill: Some(b"soon".to_vec()), ..Record::default() }).unwrap();
        assert_eq!(Journal::open(&path).unwrap().history().kill, Some(kill));
    }

    proptest! {
        #[test]
        fn the_next_process_knows_what_this_one_knew(steps in prop::collection::vec((0u8..8, any::<bool>()), 0..60)) {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("journal");
            let mut journal = Journal::open(&path).unwrap();
            for (number, made) in steps {
                if made {
                    journal.made(&status(number)).unwrap();
                } else {
                    journal.acknowledged(vec![number; 16]).unwrap();
                }
            }
            let known = journal.history().clone();
            let heir = Journal::open(&path).unwrap();
            prop_assert_eq!(heir.history(), &known);
            journal.compact().unwrap();
            let compacted = Journal::open(&path).unwrap().history().clone();
            prop_assert_eq!((compacted.unacknowledged, compacted.last), (known.unacknowledged, known.last));
        }
    }
}
