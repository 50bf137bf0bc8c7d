//! A yes or no of a pod that may be left out: what was left out is left out where it is shown, too.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A field that is `true`, `false`, or not there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Switch {
    #[default]
    Unsaid,
    Off,
    On,
}

impl Switch {
    pub(crate) fn is_unsaid(&self) -> bool {
        *self == Switch::Unsaid
    }

    pub(crate) fn is_on(self) -> bool {
        self == Switch::On
    }

    fn said(self) -> Option<bool> {
        match self {
            Switch::Unsaid => None,
            Switch::Off => Some(false),
            Switch::On => Some(true),
        }
    }
}

impl Serialize for Switch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.said().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Switch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Switch, D::Error> {
        Ok(match Option::deserialize(deserializer)? {
            None => Switch::Unsaid,
            Some(false) => Switch::Off,
            Some(true) => Switch::On,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_switch_is_written_as_it_was_read() {
        for (text, switch) in [(json!(null), Switch::Unsaid), (json!(false), Switch::Off), (json!(true), Switch::On)] {
            assert_eq!(Switch::deserialize(&text).unwrap(), switch);
            assert_eq!(json!(switch), text);
        }
        assert!(Switch::deserialize(json!("yes")).is_err());
    }
}
