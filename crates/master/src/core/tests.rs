//! Stories of masters, told in simulated time.

mod agents;
mod failover;
mod history;
mod launch;
mod offers;
mod reconcile;
mod subscribe;
mod updates;
mod world;
