//! Files with holes, in the four forms that GNU tar writes.

use std::io::{self, Read};

use tar::{GnuExtSparseHeader, GnuSparseHeader, Header};

use super::UnpackError;
use super::members::{cut_off, fill};
use super::pax::{self, Records};

/// The most pieces of a file.
const MOST_SEGMENTS: usize = 1_000_000;
/// The most digits of a number in a map, with its newline.
const LONGEST_NUMBER: usize = 21;
const BLOCK: usize = 512;

/// A file with holes.
#[derive(Debug, Default)]
pub(super) struct Sparse {
    /// Its bytes, holes too.
    pub(super) bytes: u64,
    /// Each piece that has data: the place and the length, in order.
    pub(super) segments: Vec<(u64, u64)>,
}

impl Sparse {
    fn add(&mut self, offset: u64, length: u64) -> Result<(), UnpackError> {
        let end = self.segments.last().map_or(0, |(offset, length)| offset + length);
        match offset.checked_add(length) {
            Some(behind) if offset >= end && behind <= self.bytes && self.segments.len() < MOST_SEGMENTS => {
                self.segments.push((offset, length));
                Ok(())
            }
            _ => Err(wrong()),
        }
    }

    /// Itself, if its pieces have this many bytes.
    pub(super) fn holding(self, bytes: u64) -> Result<Sparse, UnpackError> {
        match self.segments.iter().map(|(_, length)| length).sum::<u64>() == bytes {
            true => Ok(self),
            false => Err(wrong()),
        }
    }
}

/// GNU's own form: in the header and in blocks behind it.
pub(super) fn of_header(header: &Header, input: &mut impl Read) -> Result<Sparse, UnpackError> {
    let header = header.as_gnu().ok_or_else(wrong)?;
    let mut sparse = Sparse { bytes: header.real_size()?, segments: Vec::new() };
    add_all(&mut sparse, &header.sparse)?;
    let mut more = header.is_extended();
    while more {
        let mut block = GnuExtSparseHeader::new();
        if fill(input, block.as_mut_bytes())? != BLOCK {
            return Err(cut_off());
        }
        add_all(&mut sparse, block.sparse())?;
        more = block.is_extended();
    }
    Ok(sparse)
}

fn add_all(sparse: &mut Sparse, segments: &[GnuSparseHeader]) -> Result<(), UnpackError> {
    let mut given = segments.iter().filter(|segment| !segment.is_empty());
    given.try_for_each(|segment| sparse.add(segment.offset()?, segment.length()?))
}

/// Versions 0.0 and 0.1: in the extended header.
pub(super) fn of_records(records: &Records) -> Result<Sparse, UnpackError> {
    let bytes = records.number("GNU.sparse.size")?.or(records.number("GNU.sparse.realsize")?).ok_or_else(wrong)?;
    let map = records.get("GNU.sparse.map").unwrap_or_default();
    let numbers: Option<Vec<u64>> = map.split(|byte| *byte == b',').map(pax::number).collect();
    let mut sparse = Sparse { bytes, segments: Vec::new() };
    for pair in numbers.ok_or_else(wrong)?.chunks(2) {
        let [offset, length] = pair else { return Err(wrong()) };
        sparse.add(*offset, *length)?;
    }
    Ok(sparse)
}

/// Version 1.0: at the beginning of the data, filled up to a whole block.
pub(super) fn of_data(records: &Records, data: &mut impl Read) -> Result<Sparse, UnpackError> {
    let bytes = records.number("GNU.sparse.realsize")?.ok_or_else(wrong)?;
    let mut sparse = Sparse { bytes, segments: Vec::new() };
    let mut lines = Lines { data, block: [0; BLOCK], at: BLOCK };
    for _ in 0..lines.number()? {
        sparse.add(lines.number()?, lines.number()?)?;
    }
    Ok(sparse)
}

/// Numbers, each in a line, in whole blocks.
struct Lines<'a, R> {
    data: &'a mut R,
    block: [u8; BLOCK],
    at: usize,
}

impl<R: Read> Lines<'_, R> {
    fn byte(&mut self) -> io::Result<u8> {
        if self.at == BLOCK {
            self.data.read_exact(&mut self.block)?;
            self.at = 0;
        }
        self.at += 1;
        Ok(self.block[self.at - 1])
    }

    fn number(&mut self) -> Result<u64, UnpackError> {
        let mut line = Vec::new();
        while line.len() < LONGEST_NUMBER {
            match self.byte()? {
                b'\n' => return pax::number(&line).ok_or_else(wrong),
                digit => line.push(digit),
            }
        }
        Err(wrong())
    }
}

fn wrong() -> UnpackError {
    UnpackError::Archive("the map of a sparse file is wrong".to_owned())
}
