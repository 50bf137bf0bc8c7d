//! Runs tasks and owns their health: the v1 executor API and the check engine, tied together.
//!
//! A *logical executor* is Mesos' command executor (one task) or its default executor (groups of tasks), with its own
//! subscription at the agent and its own updates. [`run()`] hosts one of them, started with the environment any Mesos agent gives; [`pool::run`] hosts many, as
//! Cygnet's agent says. Each task's parent is a tiny process of its own, [`processes::shim::main`], which outlives the executor
//! as the executor outlives the agent: whoever comes back finds the task, its checks and its unsent updates.
//!
//! ```text
//!   config    the environment of an executor            life      the decisions for one task and its health (pure)
//!   wire      the agent's API                           state     the directory of what must survive kill -9
//!   host      an executor: of one task, or of groups    runner    one task: the shell
//!   pool      many executors in a process               run       one in a process
//!   task      from a definition to a process            monitor   the checks of a task
//! ```
//!
//! To call, in the order of a process' life: [`processes::shim::main`] first thing in `main`, before any runtime; then, on a tokio
//! runtime, `run(ExecutorConfig::from_variables(&of_this_process())?, shim_command)` or
//! `pool::run(PoolConfig::from_variables(..)?, shim_command)`.

mod clock;
mod command;
mod config;
mod docker;
mod error;
mod host;
mod life;
mod lock;
mod monitor;
pub mod pool;
mod run;
mod runner;
mod state;
mod task;
mod wire;

pub use config::{Endpoint, ExecutorConfig, Reconnection, Variables, of_this_process};
pub use error::ExecutorError;
pub use host::host;
pub use life::ExitStatus;
pub use run::run;
pub use runner::Shared;
pub use state::Exclusion;
pub use wire::Connections;
