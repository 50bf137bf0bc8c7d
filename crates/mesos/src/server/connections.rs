//! The connections of a listener: admitted, bounded in number, and closed if they do not get to the point.
//!
//! In: a listener and a router. Out: answers, and [`ConnectionCounts`] of what was turned away. [`admission`] decides,
//! `serve` owns the listener and one task for each connection, [`connection`] is such a task.

mod admission;
mod capacity;
mod connection;
mod counts;
mod serve;

pub use self::{counts::ConnectionCounts, serve::serve};
