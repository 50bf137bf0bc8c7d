//! Entries of an archive: ustar headers with what GNU's long names, extended headers and sparse maps say beside them.
//!
//! The crate `tar` reads the fields of a header. It does not read the archive, because it ends records of extended headers
//! at any newline in them, takes long names of any length into memory, and knows one of the four kinds of sparse files.

use std::io::{self, Read};

use rustix::fs::Timespec;
use tar::{EntryType, Header};

use super::UnpackError;
use super::pax::Records;
use super::sparse::{self, Sparse};

const BLOCK: u64 = 512;
/// The longest of what describes an entry: Go's, by which Docker reads it.
const LONGEST_DESCRIPTION: u64 = 1024 * 1024;

/// An entry, without its data.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) name: Vec<u8>,
    pub(super) kind: Kind,
    pub(super) owner: (u32, u32),
    pub(super) mode: u32,
    pub(super) modified: Timespec,
    pub(super) accessed: Option<Timespec>,
    pub(super) records: Records,
}

/// The thing that an entry makes.
#[derive(Debug)]
pub(super) enum Kind {
    /// A file of so many bytes, which follow.
    File(u64),
    /// A file with holes.
    Sparse(Sparse),
    Directory,
    Symlink(Vec<u8>),
    /// Another name of the file that has this one.
    Link(Vec<u8>),
    Fifo,
    CharacterDevice(u32, u32),
    BlockDevice(u32, u32),
    /// Words for all entries, to which no maker of layers gives a meaning.
    Nothing,
}

/// An archive. Reading gives the data of the entry that was given last.
pub(super) struct Members<R> {
    input: R,
    left: u64,
    padding: u64,
}

/// The headers that stand before an entry's own.
#[derive(Default)]
struct Before {
    name: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    records: Records,
}

impl<R: Read> Members<R> {
    pub(super) fn new(input: R) -> Members<R> {
        Members { input, left: 0, padding: 0 }
    }

    pub(super) fn into_inner(self) -> R {
        self.input
    }

    /// The next entry.
    pub(super) fn next(&mut self) -> Result<Option<Member>, UnpackError> {
        let mut before = Before::default();
        loop {
            self.pass()?;
            let Some(header) = self.header()? else { return Ok(None) };
            match header.entry_type() {
                EntryType::GNULongName => before.name = Some(self.description(&header)?),
                EntryType::GNULongLink => before.link = Some(self.description(&header)?),
                EntryType::XHeader => before.records = Records::parse(&self.description(&header)?)?,
                _ => return self.member(&header, before).map(Some),
            }
        }
    }

    /// Leaves what was not read of an entry behind.
    fn pass(&mut self) -> Result<(), UnpackError> {
        let unread = self.left.saturating_add(self.padding);
        (self.left, self.padding) = (0, 0);
        match io::copy(&mut (&mut self.input).take(unread), &mut io::sink())? == unread {
            true => Ok(()),
            false => Err(cut_off()),
        }
    }

    /// The next header; none at the end, which is an empty one or nothing at all.
    fn header(&mut self) -> Result<Option<Header>, UnpackError> {
        let mut header = Header::new_old();
        match fill(&mut self.input, header.as_mut_bytes())? {
            0 => return Ok(None),
            512 if header.as_bytes().iter().all(|byte| *byte == 0) => return Ok(None),
            512 => {}
            _ => return Err(cut_off()),
        }
        let (before, behind) = (&header.as_bytes()[..148], &header.as_bytes()[156..]);
        let sum = before.iter().chain(behind).map(|byte| u32::from(*byte)).sum::<u32>() + 8 * u32::from(b' ');
        match header.cksum()? == sum {
            true => Ok(Some(header)),
            false => Err(UnpackError::Archive("a header's checksum is wrong; is it a tar archive?".to_owned())),
        }
    }

    fn data(&mut self, bytes: u64) {
        (self.left, self.padding) = (bytes, (BLOCK - bytes % BLOCK) % BLOCK);
    }

    /// The whole data of an entry that describes another, without the zero byte of names.
    fn description(&mut self, header: &Header) -> Result<Vec<u8>, UnpackError> {
        let bytes = header.entry_size()?;
        if bytes > LONGEST_DESCRIPTION {
            return Err(UnpackError::Archive(format!("the description of an entry has {bytes} bytes")));
        }
        self.data(bytes);
        let mut description = Vec::new();
        if self.read_to_end(&mut description)? as u64 != bytes {
            return Err(cut_off());
        }
        let is_name = header.entry_type() != EntryType::XHeader;
        let end = description.iter().position(|byte| is_name && *byte == 0);
        description.truncate(end.unwrap_or(description.len()));
        Ok(description)
    }

    fn member(&mut self, header: &Header, before: Before) -> Result<Member, UnpackError> {
        let Before { name, link, records } = before;
        let listed = |key| records.get(key).map(<[u8]>::to_vec);
        let name = name.or_else(|| listed("GNU.sparse.name")).or_else(|| listed("path"));
        let name = name.unwrap_or_else(|| header.path_bytes().into_owned());
        let link = link.or_else(|| listed("linkpath"));
        let link = link.unwrap_or_else(|| header.link_name_bytes().map(|link| link.into_owned()).unwrap_or_default());
        let id = |listed: Option<u64>, own: io::Result<u64>| {
            let id = listed.map_or(own, Ok)?;
            u32::try_from(id).map_err(|_| UnpackError::entry(&name, format!("its owner {id} cannot be")))
        };
        let owner = (id(records.number("uid")?, header.uid())?, id(records.number("gid")?, header.gid())?);
        // Numbers below zero have two's complement.
        let seconds = Timespec { tv_sec: header.mtime()?.cast_signed(), tv_nsec: 0 };
        let modified = records.time("mtime")?.unwrap_or(seconds);
        let (mode, accessed) = (header.mode()? & 0o7777, records.time("atime")?);
        let kind = self.kind(header, &records, (&name, link))?;
        Ok(Member { name, kind, owner, mode, modified, accessed, records })
    }

    fn kind(
        &mut self,
        header: &Header,
        records: &Records,
        (name, link): (&[u8], Vec<u8>),
    ) -> Result<Kind, UnpackError> {
        let device = || Ok((header.device_major()?.unwrap_or(0), header.device_minor()?.unwrap_or(0)));
        match header.entry_type() {
            EntryType::Regular if name.ends_with(b"/") => Ok(Kind::Directory),
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => self.file(header, records),
            EntryType::Directory => Ok(Kind::Directory),
            EntryType::Symlink => Ok(Kind::Symlink(link)),
            EntryType::Link => Ok(Kind::Link(link)),
            EntryType::Fifo => Ok(Kind::Fifo),
            EntryType::Char => device().map(|(major, minor)| Kind::CharacterDevice(major, minor)),
            EntryType::Block => device().map(|(major, minor)| Kind::BlockDevice(major, minor)),
            EntryType::XGlobalHeader => {
                self.data(header.entry_size()?);
                Ok(Kind::Nothing)
            }
            other => {
                let kind = other.as_byte().escape_ascii();
                Err(UnpackError::entry(name, format!("entries of the kind '{kind}' are not supported")))
            }
        }
    }

    fn file(&mut self, header: &Header, records: &Records) -> Result<Kind, UnpackError> {
        let mut map = None;
        if header.entry_type() == EntryType::GNUSparse {
            map = Some(sparse::of_header(header, &mut self.input)?);
        }
        self.data(records.number("size")?.map_or_else(|| header.entry_size(), Ok)?);
        if records.get("GNU.sparse.major") == Some(b"1") {
            map = Some(sparse::of_data(records, self)?);
        } else if records.get("GNU.sparse.map").is_some() {
            map = Some(sparse::of_records(records)?);
        }
        match map {
            Some(map) => map.holding(self.left).map(Kind::Sparse),
            None => Ok(Kind::File(self.left)),
        }
    }
}

impl<R: Read> Read for Members<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let length = self.input.read(&mut buffer[..most])?;
        if length == 0 && most > 0 {
            return Err(io::Error::other(cut_off()));
        }
        self.left -= length as u64;
        Ok(length)
    }
}

/// Fills the buffer as far as the input goes.
pub(super) fn fill(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match input.read(&mut buffer[filled..])? {
            0 => break,
            length => filled += length,
        }
    }
    Ok(filled)
}

pub(super) fn cut_off() -> UnpackError {
    UnpackError::Archive("it ends in the middle of an entry".to_owned())
}
