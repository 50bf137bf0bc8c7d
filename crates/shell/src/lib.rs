//! What surrounds the pure core of every part: the things that touch the clock, the disk and the network.
//!
//! - [`Clock`] reads the clocks; cores are told [`Now`].

mod clock;

pub use clock::{Clock, ClockError, Now};
