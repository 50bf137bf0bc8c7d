//! Archives with whatever is to be in them, also what no program would write.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{EntryType, Header};

/// A tar archive in the making.
#[derive(Clone, Debug, Default)]
pub struct Archive(Vec<u8>);

impl Archive {
    /// An empty one.
    pub fn new() -> Archive {
        Archive::default()
    }

    /// A file that everybody may read.
    pub fn file(self, name: &str, content: &str) -> Archive {
        self.entry(EntryType::Regular, name, content.as_bytes(), |_| {})
    }

    /// A directory that everybody may enter.
    pub fn directory(self, name: &str) -> Archive {
        self.entry(EntryType::Directory, name, b"", |header| header.set_mode(0o755))
    }

    /// A symbolic link.
    pub fn symlink(self, name: &str, to: &str) -> Archive {
        self.entry(EntryType::Symlink, name, b"", |header| set(&mut header.as_old_mut().linkname, to.as_bytes()))
    }

    /// A hard link.
    pub fn link(self, name: &str, to: &str) -> Archive {
        self.entry(EntryType::Link, name, b"", |header| set(&mut header.as_old_mut().linkname, to.as_bytes()))
    }

    /// An entry of root's with the mode 0644, unless the function says otherwise.
    pub fn entry(mut self, kind: EntryType, name: &str, data: &[u8], more: impl Fn(&mut Header)) -> Archive {
        let mut header = Header::new_gnu();
        set(&mut header.as_old_mut().name, name.as_bytes());
        header.set_entry_type(kind);
        header.set_size(data.len() as u64);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(1_000_000_000);
        more(&mut header);
        header.set_cksum();
        self.0.extend(header.as_bytes());
        self.data(data)
    }

    /// An extended header for the next entry.
    pub fn records(self, records: &[(&str, &[u8])]) -> Archive {
        let record = |(key, value): &(&str, &[u8])| {
            let body = [b" ", key.as_bytes(), b"=", value, b"\n"].concat();
            let length = (body.len()..).find(|all| all.to_string().len() + body.len() == *all).unwrap();
            [length.to_string().into_bytes(), body].concat()
        };
        let data: Vec<u8> = records.iter().flat_map(record).collect();
        self.entry(EntryType::XHeader, "pax", &data, |_| {})
    }

    fn data(mut self, data: &[u8]) -> Archive {
        self.0.extend(data);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    /// The bytes, as they are.
    pub fn tar(mut self) -> Vec<u8> {
        self.0.extend([0; 1024]);
        self.0
    }

    /// The bytes, compressed.
    pub fn gzip(self) -> Vec<u8> {
        gzip(&self.tar())
    }
}

fn set(field: &mut [u8], value: &[u8]) {
    field.fill(0);
    field[..value.len()].copy_from_slice(value);
}

/// Compresses, in haste.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Zstandard without any compression: two frames with a skippable one between.
pub fn zstd(bytes: &[u8]) -> Vec<u8> {
    let (first, second) = bytes.split_at(bytes.len() / 2);
    let skipped = [&[0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"abc"].concat();
    [frame(first), skipped, frame(second)].concat()
}

fn frame(bytes: &[u8]) -> Vec<u8> {
    // No checksum, one segment, the size of the content in eight bytes.
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0b1110_0000];
    frame.extend((bytes.len() as u64).to_le_bytes());
    let blocks: Vec<&[u8]> = bytes.chunks(100_000).collect();
    for (number, block) in blocks.iter().enumerate() {
        let last = u32::from(number + 1 == blocks.len());
        frame.extend(&((block.len() as u32) << 3 | last).to_le_bytes()[..3]);
        frame.extend(*block);
    }
    frame
}
