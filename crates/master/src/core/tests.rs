//! Stories of masters, told in simulated time.

mod agents;
mod constraints;
mod drain;
mod failover;
mod history;
mod launch;
mod offers;
mod reconcile;
mod sizes;
mod subscribe;
mod updates;
mod weights;
mod world;
