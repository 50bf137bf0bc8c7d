//! The layers of an image that is pulled, by what the daemon says of each. Pure. What it says is not trusted: of layers and
//! of the length of their names only so much is kept.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::registry::Progress;

/// The most layers; Docker itself has no more than 127.
const MOST: usize = 1000;
/// The longest name of one; Docker's have twelve letters.
const LONGEST: usize = 128;

/// The layers that have to be fetched, by their names.
#[derive(Debug, Default)]
pub(super) struct Layers(BTreeMap<String, Layer>);

#[derive(Debug, Default)]
struct Layer {
    bytes: u64,
    total: u64,
    is_complete: bool,
}

impl Layers {
    /// Takes in a line of the daemon's.
    pub(super) fn take(&mut self, said: &Value) {
        let (Some(status), Some(name)) = (said["status"].as_str(), said["id"].as_str()) else { return };
        let number = |member: &str| said["progressDetail"][member].as_u64();
        match status {
            "Already exists" => drop(self.0.remove(name)),
            "Pulling fs layer" | "Waiting" => drop(self.layer(name)),
            "Downloading" => self.change(name, |layer| {
                layer.bytes = number("current").unwrap_or(layer.bytes);
                layer.total = number("total").unwrap_or(layer.total).max(layer.bytes);
            }),
            "Verifying Checksum" | "Download complete" => self.change(name, |layer| layer.bytes = layer.total),
            "Pull complete" => self.change(name, |layer| (layer.bytes, layer.is_complete) = (layer.total, true)),
            _ => {}
        }
    }

    fn change(&mut self, name: &str, change: impl FnOnce(&mut Layer)) {
        if let Some(layer) = self.layer(name) {
            change(layer);
        }
    }

    fn layer(&mut self, name: &str) -> Option<&mut Layer> {
        let fits = name.len() <= LONGEST && (self.0.len() < MOST || self.0.contains_key(name));
        fits.then(|| self.0.entry(name.to_owned()).or_default())
    }

    /// All of them together. The daemon tells the length of a layer once it comes.
    pub(super) fn progress(&self) -> Progress {
        let sum = |of: fn(&Layer) -> u64| self.0.values().map(of).fold(0, u64::saturating_add);
        Progress {
            layers: self.0.len(),
            complete: self.0.values().filter(|layer| layer.is_complete).count(),
            bytes: sum(|layer| layer.bytes),
            total: sum(|layer| layer.total),
            trouble: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(layers: &mut Layers, id: &str, status: &str, detail: &Value) -> String {
        layers.take(&json!({"status": status, "id": id, "progressDetail": detail}));
        layers.progress().to_string()
    }

    #[test]
    fn layers_are_those_that_have_to_come() {
        let (mut layers, nothing) = (Layers::default(), json!({}));
        layers.take(&json!({"status": "Pulling from team/app", "id": "1"}));
        assert_eq!(layers.progress(), Progress::default());
        for id in ["a", "b", "c"] {
            told(&mut layers, id, "Pulling fs layer", &nothing);
        }
        assert_eq!(told(&mut layers, "c", "Already exists", &nothing), "layer 1 of 2, 0.0 of 0.0 MB");
        let half = json!({"current": 2_000_000, "total": 4_000_000});
        assert_eq!(told(&mut layers, "a", "Downloading", &half), "layer 1 of 2, 2.0 of 4.0 MB");
        assert_eq!(told(&mut layers, "b", "Downloading", &half), "layer 1 of 2, 4.0 of 8.0 MB");
        assert_eq!(told(&mut layers, "a", "Download complete", &nothing), "layer 1 of 2, 6.0 of 8.0 MB");
        assert_eq!(told(&mut layers, "a", "Extracting", &half), "layer 1 of 2, 6.0 of 8.0 MB");
        assert_eq!(told(&mut layers, "a", "Pull complete", &nothing), "layer 2 of 2, 6.0 of 8.0 MB");
    }

    #[test]
    fn what_makes_no_sense_is_bounded() {
        let mut layers = Layers::default();
        let huge = json!({"current": u64::MAX, "total": 1});
        for id in (0..2 * MOST).map(|id| id.to_string()).chain(["x".repeat(LONGEST + 1)]) {
            told(&mut layers, &id, "Downloading", &huge);
        }
        layers.take(&json!({"status": "Downloading", "id": 7}));
        let progress = layers.progress();
        assert_eq!((progress.layers, progress.bytes, progress.total), (MOST, u64::MAX, u64::MAX));
    }
}
