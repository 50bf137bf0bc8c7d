//! The agent's executor API, from the executor's side.
//!
//! In: what an executor has to say. Out: the agent's events. `subscription` is the one shell here; what is not
//! acknowledged is kept in `unacknowledged`, which is pure, and `connections` are shared by all executors of a process.

mod connections;
mod status;
mod subscription;
mod unacknowledged;

pub use self::connections::Connections;
pub(crate) use self::status::status;
pub(crate) use self::subscription::{Incoming, Outgoing, Subscription};
pub(crate) use self::unacknowledged::Unacknowledged;
