//! The places that names in an archive mean, and the names by which a layer hides what lies below it.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use super::UnpackError;

/// The longest path that the kernel takes.
const LONGEST: usize = 4095;
const WHITEOUT: &[u8] = b".wh.";
const OPAQUE: &[u8] = b".wh..wh..opq";
/// Beginning of names that only aufs knew what to do with.
const AUFS: &[u8] = b".wh..wh.";

/// The thing that an entry is about.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// The layer's own directory.
    Layer,
    /// A file in it, from its root on.
    File(PathBuf),
    /// A file below it that is not to be seen any more.
    Hidden(PathBuf),
    /// A directory of which nothing below is to be seen any more.
    Opaque(PathBuf),
    /// Nothing.
    Nothing,
}

impl Target {
    /// The target of an entry of this name.
    pub(super) fn of(name: &[u8]) -> Result<Target, UnpackError> {
        let parts = parts(name)?;
        if parts.iter().any(|part| part.starts_with(AUFS) && *part != OPAQUE) {
            return Ok(Target::Nothing);
        }
        let Some((last, parents)) = parts.split_last() else { return Ok(Target::Layer) };
        Ok(match last.strip_prefix(WHITEOUT) {
            _ if *last == OPAQUE => Target::Opaque(path(parents)),
            Some(b"" | b"." | b"..") => return Err(UnpackError::entry(name, "it hides nothing that has a name")),
            Some(hidden) => Target::Hidden(path(parents).join(OsStr::from_bytes(hidden))),
            None => Target::File(path(&parts)),
        })
    }
}

/// The place that a name means, from the layer's root on.
pub(super) fn place(name: &[u8]) -> Result<PathBuf, UnpackError> {
    Ok(path(&parts(name)?))
}

/// The parts of a name without what means nothing; one that would lead out of the layer is refused.
fn parts(name: &[u8]) -> Result<Vec<&[u8]>, UnpackError> {
    let mut parts = Vec::new();
    for part in name.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => drop(parts.pop().ok_or_else(|| UnpackError::entry(name, "it leads out of the layer"))?),
            part => parts.push(part),
        }
    }
    match name {
        _ if name.len() > LONGEST => Err(UnpackError::entry(name, format!("it has more than {LONGEST} bytes"))),
        _ if name.contains(&0) => Err(UnpackError::entry(name, "it has a zero byte")),
        _ => Ok(parts),
    }
}

fn path(parts: &[&[u8]]) -> PathBuf {
    std::iter::once("/".as_ref()).chain(parts.iter().map(|part| OsStr::from_bytes(part))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_mean_places_inside_the_layer() {
        let file = |path: &str| Target::File(path.into());
        for (name, target) in [
            ("a", file("/a")),
            ("/a/b", file("/a/b")),
            ("./a//b/", file("/a/b")),
            ("a/../b", file("/b")),
            ("a\nb", file("/a\nb")),
            (".whale", file("/.whale")),
            ("", Target::Layer),
            ("./", Target::Layer),
            ("a/..", Target::Layer),
            ("a/.wh.b", Target::Hidden("/a/b".into())),
            (".wh.b", Target::Hidden("/b".into())),
            ("a/.wh..wh..opq", Target::Opaque("/a".into())),
            (".wh..wh..opq", Target::Opaque("/".into())),
            (".wh..wh.plnk/1.2", Target::Nothing),
            (".wh..wh.aufs", Target::Nothing),
        ] {
            assert_eq!(Target::of(name.as_bytes()).unwrap(), target, "{name}");
        }
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        let long = "a/".repeat(2048);
        for (name, why) in [
            ("..", "it leads out of the layer"),
            ("/../etc/passwd", "it leads out of the layer"),
            ("a/../../etc", "it leads out of the layer"),
            ("a/.wh.", "it hides nothing"),
            ("a/.wh..", "it hides nothing"),
            ("a/.wh...", "it hides nothing"),
            ("a\0b", "zero byte"),
            (&long, "more than 4095 bytes"),
        ] {
            let error = Target::of(name.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(why), "{name}: {error}");
        }
    }
}
