//! The spelling of a checksum: `sha256:` or `sha512:` and the digest in hexadecimal digits, as container registries have
//! it. Pure; who fetches computes.

use std::fmt;
use std::str::FromStr;

/// The algorithm of a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Algorithm {
    /// SHA-256: 64 hexadecimal digits.
    Sha256,
    /// SHA-512: 128 hexadecimal digits.
    Sha512,
}

impl Algorithm {
    fn name(self) -> &'static str {
        match self {
            Algorithm::Sha256 => "sha256",
            Algorithm::Sha512 => "sha512",
        }
    }

    fn bytes(self) -> usize {
        match self {
            Algorithm::Sha256 => 32,
            Algorithm::Sha512 => 64,
        }
    }
}

/// The sum that the bytes of a file have to add up to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Checksum {
    algorithm: Algorithm,
    digest: Vec<u8>,
}

/// Names what was expected, and shows what was found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a checksum must be 'sha256:' and 64 hexadecimal digits or 'sha512:' and 128, not '{0}'")]
pub struct BadChecksum(String);

impl Checksum {
    /// The checksum whose digest this is; `None` if the digest's length is not the algorithm's.
    pub fn new(algorithm: Algorithm, digest: &[u8]) -> Option<Checksum> {
        (digest.len() == algorithm.bytes()).then(|| Checksum { algorithm, digest: digest.to_vec() })
    }

    /// The algorithm.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.algorithm.name())?;
        self.digest.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for Checksum {
    type Err = BadChecksum;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = || {
            let (name, digits) = text.split_once(':')?;
            let algorithm = [Algorithm::Sha256, Algorithm::Sha512].into_iter().find(|known| known.name() == name)?;
            Checksum::new(algorithm, &bytes(digits)?)
        };
        parse().ok_or_else(|| BadChecksum(text.to_owned()))
    }
}

fn bytes(digits: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = digits.as_bytes().chunks(2);
    pairs.map(|pair| if let [high, low] = pair { Some(digit(high)? << 4 | digit(low)?) } else { None }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_algorithms_are_read_and_written() {
        for (name, digits) in [("sha256", 64), ("sha512", 128)] {
            let text = format!("{name}:{}", "0b".repeat(digits / 2));
            assert_eq!(text.parse::<Checksum>().unwrap().to_string(), text);
            assert_eq!(text.replace('b', "B").parse::<Checksum>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn everything_else_is_refused_with_what_was_meant() {
        let half = "0a".repeat(16);
        for bad in [
            "",
            "sha256",
            "sha256:",
            &half,
            &format!("md5:{half}"),
            &format!("sha256:{half}"),
            &format!("sha256:{half}{}g", &half[1..]),
            &format!("SHA256:{half}{half}"),
            &format!("sha512:{half}{half}"),
            &format!("sha256:{}é", "0".repeat(62)),
        ] {
            let refused = bad.parse::<Checksum>().unwrap_err().to_string();
            assert!(
                refused.contains("64 hexadecimal digits") && refused.ends_with(&format!("not '{bad}'")),
                "{refused}"
            );
        }
    }
}
