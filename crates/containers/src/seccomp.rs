//! Filters of system calls: profiles as Docker has them, compiled for the kernel.
//!
//! In: the built-in [`Profile`], or one in Docker's JSON from the operator's directory; the container's capabilities. Out:
//! a [`processes::Filter`]. All but [`Profiles`], which reads the directory, is pure.
//!
//! ```text
//!   Profiles     by name, compiled once for each set of capabilities
//!   profile      rules: names, an action, conditions on arguments, and for which containers
//!   json         a profile in Docker's format           builtin   Docker's default
//!   numbers      names of system calls to numbers
//!   compile      a profile for one machine: BPF         bpf       conditions in instructions
//!   shared       the same in fewer instructions
//! ```
//!
//! The compiler is ours: a profile has several actions, several architectures, and an answer for calls that are newer
//! than it, of which the crates for this have one each, or none. It searches by halves, and has nothing twice, so that
//! the kernel, which translates a new filter and asks it about each call, is done soon: that is paid for each command of a
//! check.

mod bpf;
mod builtin;
mod compile;
mod error;
mod json;
mod numbers;
mod profile;
mod profiles;
mod shared;

pub use self::error::{ProfileError, SeccompError};
pub use self::profile::Profile;
pub use self::profiles::Profiles;

#[cfg(test)]
mod simulator;
#[cfg(test)]
mod tests;
