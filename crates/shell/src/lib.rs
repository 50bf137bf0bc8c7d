//! What surrounds the pure core of every part: the things that touch the clock, the disk and the network.
//!
//! - [`Clock`] reads the clocks; cores are told [`Now`];
//! - [`inbox`] makes the channel to a part: a [`Handle`] that sends, asks and looks, and the [`Inbox`] of its task;
//! - [`run`] is that task: it takes what waits, lets the [`Part`] decide, makes that durable, carries it out and answers.

mod clock;
mod inbox;
mod part;

pub use clock::{Clock, ClockError, Now};
pub use inbox::{Answer, Answers, Handle, Inbox, Look, Message, Stopped, inbox};
pub use part::{Course, Part, run};
