//! The parts that tests share, the whole-system ones above all: they start the real `cygnet` binary and talk to it from
//! outside.
//!
//! Nothing here uses Cygnet's own crates, so that a mistake in its wire cannot hide in both ends: [`http`] speaks
//! HTTP/1.1 on a plain socket, [`framework`] the Mesos scheduler API in both forms of [`wire`], over a [`stream`],
//! [`process`] reads `/proc`, [`cluster`] and [`heads`] start and stop the processes, each on a `ground` and on [`ports`] of
//! its own, and [`agent`] is one more of these; [`apps`] knows the app that most tests run. [`cgroups`] has those of tests, [`python`] finds what clients written by
//! others need, [`metrics`] reads those for Prometheus, [`session`] has commands run beside tasks. [`wait`] is the only way to wait, or [`patience`] in tokio: for a condition, with a deadline.
//!
//! For containers, [`archive`] and [`images`] make images, mostly of [`busybox`], a [`registry`] has them, or one with
//! [`tokens`], [`machine`] is a
//! network of a test's own, [`docker`] a daemon there, and [`leftovers`] counts what is there before and after.

pub mod agent;
pub mod apps;
pub mod archive;
pub mod busybox;
pub mod cgroups;
pub mod cluster;
pub mod docker;
pub mod framework;
mod ground;
pub mod heads;
pub mod hostile;
pub mod http;
pub mod images;
pub mod leftovers;
pub mod machine;
pub mod metrics;
pub mod patience;
pub mod ports;
pub mod process;
pub mod python;
pub mod registry;
pub mod session;
pub mod stream;
pub mod tokens;
pub mod wait;
pub mod wire;
