//! Programs confined as containers are: what they see of it, what they may do, and that runc makes the same of it.

mod calls;
mod runc;
mod support;
