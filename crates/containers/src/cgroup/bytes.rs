//! Numbers of bytes as Mesos writes them in its messages.

use std::fmt;

const UNITS: [(u64, &str); 4] = [(1 << 40, "TB"), (1 << 30, "GB"), (1 << 20, "MB"), (1 << 10, "KB")];

/// A number of bytes. It is shown in the largest unit in which it is whole: `32MB`, `1500KB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(pub u64);

impl fmt::Display for Bytes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = UNITS.iter().find(|(size, _)| self.0 > 0 && self.0.is_multiple_of(*size));
        let (size, name) = unit.unwrap_or(&(1, "B"));
        write!(formatter, "{}{name}", self.0 / size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_loses_nothing() {
        for (bytes, text) in [(0, "0B"), (1, "1B"), (32 << 20, "32MB"), (3 << 30, "3GB"), (1500 << 10, "1500KB")] {
            assert_eq!(Bytes(bytes).to_string(), text);
        }
    }
}
