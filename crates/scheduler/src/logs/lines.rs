//! Bytes as they come, cut into lines. Pure.

/// The longest line that is kept together.
const LONGEST: usize = 64 * 1024;

/// A line without its end, or a part of one that is too long.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub bytes: Vec<u8>,
    /// False if what follows belongs to the same line, or may.
    pub is_whole: bool,
}

impl Line {
    /// The bytes that it takes in its log.
    pub(crate) fn size(&self) -> usize {
        self.bytes.len() + usize::from(self.is_whole)
    }
}

/// The bytes that are no line yet.
#[derive(Debug, Default)]
pub(crate) struct Lines(Vec<u8>);

impl Lines {
    /// The lines that are complete now.
    pub(crate) fn push(&mut self, data: &[u8]) -> Vec<Line> {
        let mut found = Vec::new();
        for piece in data.split_inclusive(|&byte| byte == b'\n') {
            self.0.extend(piece);
            let is_whole = self.0.last() == Some(&b'\n');
            if is_whole || self.0.len() >= LONGEST {
                let mut bytes = std::mem::take(&mut self.0);
                bytes.truncate(bytes.len() - usize::from(is_whole));
                found.push(Line { bytes, is_whole });
            }
        }
        found
    }

    /// The number of bytes that are no line yet.
    pub(crate) fn open(&self) -> usize {
        self.0.len()
    }

    /// The last piece, which has no line end.
    pub(crate) fn rest(&mut self) -> Option<Line> {
        (!self.0.is_empty()).then(|| Line { bytes: std::mem::take(&mut self.0), is_whole: false })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_is_cut_into_lines_however_it_comes() {
        let text = b"one\n\ntwo\nrest";
        for size in 1..=text.len() {
            let mut lines = Lines::default();
            let mut found: Vec<Line> = text.chunks(size).flat_map(|piece| lines.push(piece)).collect();
            found.extend(lines.rest());
            let found: Vec<_> = found.iter().map(|line| (line.bytes.as_slice(), line.is_whole)).collect();
            let expected = [(&b"one"[..], true), (b"", true), (b"two", true), (b"rest", false)];
            assert_eq!(found, expected, "in pieces of {size}");
        }
    }

    #[test]
    fn a_line_without_end_is_not_kept_for_ever() {
        let mut lines = Lines::default();
        let found: Vec<Line> = (0..LONGEST / 1024 + 1).flat_map(|_| lines.push(&[b'x'; 1024])).collect();
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].bytes.len(), found[0].is_whole), (LONGEST, false));
        assert_eq!(lines.push(b"\n"), [Line { bytes: vec![b'x'; 1024], is_whole: true }]);
    }
}
