//! The surroundings of the pure core of every part: the things that touch the clock, the disk and the network.
//!
//! - [`Clock`] reads the clocks; cores are told [`Now`];
//! - [`inbox`] makes the channel to a part: a [`Handle`] that sends, asks and looks, and the [`Inbox`] of its task;
//! - a [`Subscriber`] says when to subscribe again;
//! - [`Streams`] are the sending ends of event streams;
//! - [`bind`] takes the port of a part;
//! - [`run`] is that task: it takes what waits, lets the [`Part`] decide, makes that durable, carries it out and answers.

mod bind;
mod clock;
mod inbox;
mod part;
mod streams;
mod subscriber;

pub use bind::{BindError, bind, reachable};
pub use clock::{Clock, ClockError, Now};
pub use inbox::{Answer, Answers, Handle, Inbox, Look, Message, Stopped, inbox};
pub use part::{Course, Part, run};
pub use streams::Streams;
pub use subscriber::Subscriber;
