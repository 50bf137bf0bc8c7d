//! Pods: containers that run side by side on one agent, come and go together, and are checked one by one.
//!
//! To the planner a pod is an app whose instances have several tasks ([`definition::Pod::app`]). From the inside out:
//!
//! - [`definition`], [`check`]: what a person writes, with Marathon's defaults; [`validate`]: what makes no sense in it;
//! - [`member`]: how each container of an instance is, and what they add up to; [`termination`]: how instances ended;
//! - [`group`]: the task group that is launched.

pub(crate) mod check;
pub(crate) mod definition;
pub(crate) mod group;
pub(crate) mod member;
pub(crate) mod termination;
mod validate;

pub use definition::Pod;
