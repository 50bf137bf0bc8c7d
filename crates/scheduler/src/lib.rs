//! The Marathon-compatible scheduler: apps kept running and healthy on a Mesos cluster, Cygnet's own or another.
//!
//! Decisions, without a socket or a clock, from the inside out:
//!
//! - `definition`: apps and pods, what is wrong with them, what a change of them means;
//! - `instance`, `health`, `backoff`: one instance, its health by each check, and when to launch the next one;
//! - `brake`: how many may be killed for their health at a time;
//! - `plan`, `tally`: what to do next for an app;
//! - `stock`, `spread`, `matching`, `refusals`: which offer an instance goes to, and why none; `task`: what is launched;
//! - `bounds`: how much of what executors say is taken in;
//! - `probe`: what a health check asks, as the executor is told or as the scheduler's own engine does;
//! - `departed`: tasks that no instance stands for any more, and that may come back;
//! - `drain`: an agent that is emptied; `known_agent`: an agent as the master tells of it;
//! - `situation`, `states`: what instances are in, counted as it changes;
//! - `deployment`, `progress`, `events`: changes under way, how far they are, and what is told of them;
//! - `check_name`: how people call a check; `journal`: the last events, with their ids;
//! - `standing`: whether it acts, or only serves what it knows;
//! - `core`: all of it together. Inputs with `now` in, effects out;
//! - `view`: how all of it looks, in Marathon's shapes.
//!
//! Around them the shell: `actor` owns the core and the store; `checkers` the check engine, with `lookup` for the names of
//! hosts; `framework` talks to the master (public v1 API only), `operator` on behalf of people, and has it empty agents;
//! `api` serves `/v2`; `callbacks` posts events to those who asked for it, where that is allowed. They speak to the actor
//! through one channel, by a `handle`. `agents` asks agents what only they know, for who asks `api`: `logs` are read through
//! it.

mod actor;
mod agents;
mod api;
mod backoff;
mod bounds;
mod brake;
mod callback;
mod callbacks;
mod check_name;
mod checkers;
mod core;
mod definition;
mod departed;
mod deployment;
mod drain;
mod error;
mod events;
mod executor;
mod framework;
mod handle;
mod health;
mod ids;
mod instance;
mod journal;
mod known_agent;
mod logs;
mod lookup;
mod matching;
mod operator;
mod options;
mod plan;
mod portion;
mod probe;
mod progress;
mod refusal;
mod refusals;
mod scheduler;
mod selector;
mod situation;
mod spread;
mod standing;
mod states;
mod stock;
mod tally;
mod task;
mod time;
mod view;

pub use brake::BrakeLimits;
pub use error::SchedulerError;
pub use events::EVENT_TYPES;
pub use executor::ExecutorCommand;
pub use options::Options;
pub use scheduler::{Control, Scheduler};

/// The Marathon version whose API this speaks; clients compare it.
pub const MARATHON_VERSION: &str = "1.11.0";
