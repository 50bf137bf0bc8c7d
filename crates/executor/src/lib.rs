//! Runs tasks and owns their health: the v1 executor API and the check engine, tied together.
//!
//! A *logical executor* is Mesos' command executor (one task) or its default executor (groups of tasks), with its own
//! subscription at the agent and its own updates. [`run()`] hosts one of them, started with the environment any Mesos agent gives; [`pool::run`] hosts many, as
//! Cygnet's agent says. Each task's parent is a tiny process of its own, [`shim::main`], which outlives the executor
//! as the executor outlives the agent: whoever comes back finds the task, its checks and its unsent updates.
//!
//! ```text
//!   environment, endpoint    what this executor is told         lifecycle     what to do (pure)
//!   subscription, reconnect  the agent's API                    updates       what is not acknowledged (pure)
//!   host                     one executor: which of these       journal       what must survive kill -9
//!   command, group           with one task, with groups         state         the directory it all lies in
//!   runner                   one task: the shell                prepare, task, sandbox, fetch
//!   probe, monitor, health   checks of a task                                 from a definition to a process
//!   whereabouts              where they are checked
//!   supported                what cannot be done
//!   supervisor, tree         shims and processes, from outside  shim, start   the task's parent
//!                                                             terminal      if a task has one
//! ```
//!
//! To call, in the order of a process' life: [`shim::main`] first thing in `main`, before any runtime; then, on a tokio
//! runtime, `run(ExecutorConfig::from_variables(&of_this_process())?, shim_command)` or
//! `pool::run(PoolConfig::from_variables(..)?, shim_command)`.

mod clock;
mod command;
pub mod contained;
mod endpoint;
mod environment;
mod error;
mod fetch;
mod group;
mod health;
mod host;
mod journal;
mod lifecycle;
mod lines;
mod lock;
mod monitor;
mod orphans;
pub mod pool;
mod prepare;
mod probe;
mod reach;
mod reconnect;
mod run;
mod runner;
pub mod sandbox;
pub mod shim;
mod start;
mod state;
mod status;
mod subscription;
mod supervisor;
pub mod supported;
mod task;
pub mod terminal;
mod tree;
mod updates;
mod user;
mod whereabouts;

pub use endpoint::Endpoint;
pub use environment::{ExecutorConfig, Variables, of_this_process};
pub use error::ExecutorError;
pub use host::host;
pub use lifecycle::Verdict;
pub use lines::Lines;
pub use reconnect::Reconnection;
pub use run::run;
pub use runner::Shared;
pub use state::Exclusion;
