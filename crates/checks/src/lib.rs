//! A health-check engine: it asks tasks how they are, where they are, without a process per check.
//!
//! Inside out:
//!
//! * [`spec`]: what to ask (probe), when (schedule), how to judge (judgement); [`outcome`]: what an attempt found;
//! * [`verdict`]: what outcomes add up to, [`aggregate`]: what several checks say together, [`change`]: whether a raw
//!   result is news. All pure;
//! * `timetable`: who is due when, and how late we are. Pure;
//! * [`place`]: the namespaces a probe runs in;
//! * `probe`: HTTP, gRPC, TCP, UDP, sock_diag and commands, each a state machine over sockets and processes that
//!   never block;
//! * [`engine`]: one thread and one epoll loop that tie it together.
//!
//! An [`Engine`] is given [`Check`]s and sends an [`Event`] for every attempt. A check goes on until its
//! [`CheckHandle`] is dropped.
#![doc = include_str!("../README.md")]

pub mod aggregate;
pub mod change;
mod clock;
pub mod engine;
#[cfg(any(feature = "fuzzing", test))]
#[doc(hidden)]
pub mod fuzzing;
mod histogram;
#[cfg(any(feature = "hostile", test))]
#[doc(hidden)]
pub mod hostile;
pub mod outcome;
pub mod place;
mod probe;
pub mod spec;
mod timetable;
pub mod verdict;

pub use aggregate::{Group, Rule};
pub use change::{CheckResult, Previous};
pub use engine::{
    Activity, ByHand, Check, CheckHandle, CheckReport, Engine, EngineError, EngineOptions, Event, Late, Listener,
    Metrics, PastAttempt, Phase, Series, SeriesName, Start,
};
pub use histogram::Histogram;
pub use outcome::{Answer, Failure, Kind, Outcome, Phases, Reason, Said};
pub use place::{Namespace, Place, PlaceError, ProcessPlace};
pub use spec::{CheckId, CheckSpec, SpecError};
pub use timetable::Lag;
pub use urls;
pub use verdict::{Verdict, VerdictEvent, VerdictState};
