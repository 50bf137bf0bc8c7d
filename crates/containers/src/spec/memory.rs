//! Directories in memory: what Docker calls `tmpfs`.

use super::volumes::VolumeError;
use crate::rootfs::VolumeSource;

/// The name that goes for a driver of volumes.
pub(super) const DRIVER: &str = "tmpfs";

/// Docker's default: everybody may make files, and remove his own.
const MODE: u32 = 0o1777;

const MOST_MODE: u32 = 0o7777;

/// A directory with these options: `size`, in bytes or with a unit `k`, `m` or `g`, and `mode`, octal.
pub(super) fn directory<'a>(options: impl Iterator<Item = (&'a str, &'a str)>) -> Result<VolumeSource, VolumeError> {
    let (mut size, mut mode) = (None, MODE);
    for (key, value) in options {
        let wrong = || VolumeError::Option { key: key.to_owned(), value: value.to_owned() };
        match key {
            "size" => size = Some(bytes(value).ok_or_else(wrong)?),
            "mode" => mode = octal(value).ok_or_else(wrong)?,
            _ => return Err(wrong()),
        }
    }
    Ok(VolumeSource::Memory { size, mode })
}

fn bytes(text: &str) -> Option<u64> {
    let text = text.to_ascii_lowercase();
    let (number, shift) = match text.as_bytes().last()? {
        b'k' => (text.strip_suffix('k')?, 10),
        b'm' => (text.strip_suffix('m')?, 20),
        b'g' => (text.strip_suffix('g')?, 30),
        _ => (text.as_str(), 0),
    };
    number.parse::<u64>().ok()?.checked_mul(1 << shift).filter(|bytes| *bytes > 0)
}

fn octal(text: &str) -> Option<u32> {
    u32::from_str_radix(text, 8).ok().filter(|mode| *mode <= MOST_MODE)
}
