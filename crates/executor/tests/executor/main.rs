//! Whole executors against an agent that is a fake, with shims, tasks and signals that are not.

mod agent;
mod checked;
mod containers;
mod copied;
mod crashes;
mod damage;
mod definitions;
mod groups;
mod images;
mod lives;
mod pool;
mod process;
mod sealed;
mod terminals;
mod volumes;
mod world;

use harness::patience as wait;
