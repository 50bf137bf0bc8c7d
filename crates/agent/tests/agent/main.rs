//! A real agent between a master, executors and pools that do what the test says, over HTTP on loopback.

mod bad_requests;
mod containers;
mod endings;
mod executor;
mod groups;
mod images;
mod life;
mod master;
mod processes;
mod reads;
mod recovery;

use harness::patience as wait;
mod world;
