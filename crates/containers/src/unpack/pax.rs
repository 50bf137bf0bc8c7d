//! Extended headers: records of a key and a value, which may have any bytes, newlines too.

use std::collections::BTreeMap;

use rustix::fs::Timespec;

use super::UnpackError;

const XATTR: &[u8] = b"SCHILY.xattr.";

/// Records that hold for one entry.
#[derive(Debug, Default)]
pub(super) struct Records(BTreeMap<Vec<u8>, Vec<u8>>);

impl Records {
    /// Reads records of the form `LENGTH KEY=VALUE\n`; of those with the same key the last one holds.
    pub(super) fn parse(mut bytes: &[u8]) -> Result<Records, UnpackError> {
        let mut records = Records::default();
        while !bytes.is_empty() {
            let (key, value, rest) = split(bytes).ok_or_else(|| wrong("record", bytes))?;
            records.add(key, value);
            bytes = rest;
        }
        Ok(records)
    }

    /// The oldest form of a sparse map has a record for each of its numbers.
    fn add(&mut self, key: &[u8], value: &[u8]) {
        if matches!(key, b"GNU.sparse.offset" | b"GNU.sparse.numbytes") {
            let map = self.0.entry(b"GNU.sparse.map".to_vec()).or_default();
            map.extend(if map.is_empty() { &b""[..] } else { &b","[..] });
            map.extend(value);
        } else {
            self.0.insert(key.to_vec(), value.to_vec());
        }
    }

    /// The value of this key; an empty one is none.
    pub(super) fn get(&self, key: &str) -> Option<&[u8]> {
        self.0.get(key.as_bytes()).map(Vec::as_slice).filter(|value| !value.is_empty())
    }

    /// The number of this key.
    pub(super) fn number(&self, key: &str) -> Result<Option<u64>, UnpackError> {
        self.get(key).map(|value| number(value).ok_or_else(|| wrong(key, value))).transpose()
    }

    /// The time of this key: seconds since 1970, with a fraction, perhaps before.
    pub(super) fn time(&self, key: &str) -> Result<Option<Timespec>, UnpackError> {
        self.get(key).map(|value| time(value).ok_or_else(|| wrong(key, value))).transpose()
    }

    /// Names and values of extended attributes.
    pub(super) fn attributes(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.0.iter().filter_map(|(key, value)| Some((key.strip_prefix(XATTR)?, value.as_slice())))
    }
}

/// The decimal number.
pub(super) fn number(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn wrong(what: &str, value: &[u8]) -> UnpackError {
    let value = value[..value.len().min(40)].escape_ascii();
    UnpackError::Archive(format!("an extended header has the {what} '{value}'"))
}

fn split(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = bytes.iter().position(|byte| *byte == b' ')?;
    let length = usize::try_from(number(&bytes[..space])?).ok()?;
    let (record, rest) = bytes.split_at_checked(length)?;
    let record = record.get(space + 1..)?.strip_suffix(b"\n")?;
    let equals = record.iter().position(|byte| *byte == b'=')?;
    Some((&record[..equals], &record[equals + 1..], rest))
}

fn time(text: &[u8]) -> Option<Timespec> {
    let text = std::str::from_utf8(text).ok()?;
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |byte: u8| byte.is_ascii_digit();
    let fraction = Some(fraction).filter(|fraction| fraction.bytes().all(digits))?;
    let nanoseconds: i64 = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
    let whole: i64 = seconds.parse().ok()?;
    Some(match text.starts_with('-') && nanoseconds > 0 {
        true => Timespec { tv_sec: whole.checked_sub(1)?, tv_nsec: 1_000_000_000 - nanoseconds },
        false => Timespec { tv_sec: whole, tv_nsec: nanoseconds },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(key: &str, value: &[u8]) -> Vec<u8> {
        let body = [b" ", key.as_bytes(), b"=", value, b"\n"].concat();
        let length = (body.len()..).find(|all| all.to_string().len() + body.len() == *all).unwrap();
        [length.to_string().into_bytes(), body].concat()
    }

    #[test]
    fn values_may_have_any_bytes() {
        let value = b"a\n12 size=999\n=\0";
        let bytes =
            [record("path", value), record("SCHILY.xattr.security.capability", b"\x01\n\n"), record("uid", b"7")];
        let records = Records::parse(&bytes.concat()).unwrap();
        assert_eq!(records.get("path"), Some(&value[..]));
        assert_eq!((records.number("uid").unwrap(), records.number("size").unwrap()), (Some(7), None));
        assert_eq!(records.attributes().collect::<Vec<_>>(), [(&b"security.capability"[..], &b"\x01\n\n"[..])]);
    }

    #[test]
    fn times_have_fractions_and_may_be_before_1970() {
        for (text, seconds, nanoseconds) in
            [("12", 12, 0), ("12.5", 12, 500_000_000), ("1.1234567899", 1, 123_456_789), ("-1.25", -2, 750_000_000)]
        {
            let records = Records::parse(&record("mtime", text.as_bytes())).unwrap();
            let time = records.time("mtime").unwrap().unwrap();
            assert_eq!((time.tv_sec, time.tv_nsec), (seconds, nanoseconds), "{text}");
        }
    }

    #[test]
    fn records_that_lie_about_their_length_are_refused() {
        for bytes in ["x", "5 a=b", "99 a=b\n", "4 ab\n", "0 a=b\n", "18446744073709551615 a=b\n", " a=b\n"] {
            let error = Records::parse(bytes.as_bytes()).unwrap_err().to_string();
            assert!(error.contains("an extended header has the record"), "{error}");
        }
        let records = Records::parse(&[record("uid", b"x"), record("mtime", b"1.x")].concat()).unwrap();
        assert!(records.number("uid").is_err() && records.time("mtime").is_err());
    }
}
