//! Stories of masters, told in simulated time.

mod agents;
mod constraints;
mod drain;
mod failover;
#[path = "../../tests/api/fixtures.rs"]
mod fixtures;
mod history;
mod launch;
mod offers;
mod reconcile;
mod sizes;
mod subscribe;
mod updates;
mod weights;
mod world;
