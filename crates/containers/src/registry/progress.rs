//! The progress of a pull, for whoever wants to look: cheap to keep, and told in steps that a person can see.

use std::fmt;
use std::time::Duration;

use tokio::sync::watch;

/// The steps in which a watcher is woken.
const STEPS: u64 = 100;
const MEGABYTE: f64 = 1e6;

/// A look at a pull. Layers that were there already do not count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The number of layers; 0 while that is not known.
    pub layers: usize,
    /// The layers that are whole.
    pub complete: usize,
    /// The bytes that have come.
    pub bytes: u64,
    /// All bytes.
    pub total: u64,
    /// The last failure, while it is waited for another try.
    pub trouble: Option<Trouble>,
}

/// A failure after which it is tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// Its words.
    pub words: String,
    /// The time from the failure to the next try.
    pub wait: Duration,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (tried again {} s after this)", self.words, self.wait.as_secs_f64().ceil())
    }
}

impl Progress {
    /// The layer that is being fetched, counted from 1.
    pub fn layer(&self) -> usize {
        (self.complete + 1).min(self.layers)
    }

    fn step(&self) -> u64 {
        self.bytes.saturating_mul(STEPS).checked_div(self.total).unwrap_or_default()
    }
}

impl fmt::Display for Progress {
    /// The words of a status message.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.layers == 0 {
            f.write_str("the registry is asked for the manifest")?;
        } else {
            #[expect(clippy::cast_precision_loss, reason = "of megabytes with one digit")]
            let [bytes, total] = [self.bytes, self.total].map(|bytes| bytes as f64 / MEGABYTE);
            write!(f, "layer {} of {}, {bytes:.1} of {total:.1} MB", self.layer(), self.layers)?;
        }
        self.trouble.iter().try_for_each(|trouble| write!(f, ": {trouble}"))
    }
}

/// The hand that writes the progress down. Its copies write the same.
#[derive(Clone, Debug)]
pub struct Meter(watch::Sender<Progress>);

impl Meter {
    /// Nothing has come yet.
    pub fn new() -> (Meter, watch::Receiver<Progress>) {
        let (meter, watcher) = watch::channel(Progress::default());
        (Meter(meter), watcher)
    }

    /// It is known how much is to be fetched: layers that are not whole here, and all their bytes.
    pub fn expect(&self, layers: usize, total: u64) {
        self.0.send_modify(|progress| *progress = Progress { layers, total, ..Progress::default() });
    }

    /// A layer of so many bytes is here already.
    pub fn skip(&self, bytes: u64) {
        self.0.send_modify(|progress| {
            progress.layers = progress.layers.saturating_sub(1);
            progress.total = progress.total.saturating_sub(bytes);
        });
    }

    pub(super) fn add(&self, bytes: u64) {
        self.0.send_if_modified(|progress| {
            let before = progress.step();
            progress.bytes += bytes;
            progress.step() != before || progress.trouble.take().is_some()
        });
    }

    pub(super) fn layer_is_complete(&self) {
        self.0.send_modify(|progress| progress.complete += 1);
    }

    pub(super) fn trouble(&self, trouble: Option<Trouble>) {
        self.0.send_if_modified(|progress| std::mem::replace(&mut progress.trouble, trouble) != progress.trouble);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn watchers_are_woken_by_what_they_can_see() {
        let (meter, mut watcher) = Meter::new();
        assert_eq!(watcher.borrow().to_string(), "the registry is asked for the manifest");
        let trouble = Trouble { words: "it is away".to_owned(), wait: Duration::from_secs(20) };
        meter.trouble(Some(trouble.clone()));
        let told = "the registry is asked for the manifest: it is away (tried again 20 s after this)";
        assert_eq!(watcher.borrow_and_update().to_string(), told);
        meter.expect(2, 60_000_000);
        assert_eq!(watcher.borrow_and_update().to_string(), "layer 1 of 2, 0.0 of 60.0 MB");
        meter.add(1000);
        assert!(!watcher.has_changed().unwrap(), "this is less than a hundredth");
        meter.add(12_340_000);
        assert!(watcher.has_changed().unwrap());
        meter.layer_is_complete();
        assert_eq!(watcher.borrow_and_update().to_string(), "layer 2 of 2, 12.3 of 60.0 MB");
        meter.trouble(Some(trouble));
        meter.add(1);
        assert_eq!(watcher.borrow_and_update().trouble, None, "it goes on");
        meter.layer_is_complete();
        assert_eq!(watcher.borrow_and_update().layer(), 2);
    }
}
