//! Pods: containers that run side by side on one agent, come and go together, and are checked one by one.
//!
//! To the planner a pod is an app whose instances have several tasks ([`definition::Pod::app`]). From the inside out:
//!
//! - [`definition`]: what a person writes, with Marathon's defaults; [`validate`]: what makes no sense in it;
//! - [`member`]: how each container of an instance is, and what they add up to;
//! - [`group`]: the task group that is launched.

pub(crate) mod definition;
pub(crate) mod group;
pub(crate) mod member;
mod validate;

pub use definition::Pod;
