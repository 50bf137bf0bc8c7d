//! Containers of type DOCKER: made by Docker's daemon, or podman's, over its Engine API.
//!
//! In: what a task asks for. Out: the calls that make its container, find it again, and remove it, and what a check or a
//! session needs to know of it. The executor of the task owns the container; its agent removes what an executor could not. About ten
//! calls over a unix socket are all there is, each on a connection of its own, so nothing here outlives a call but the
//! stream of a container's output.
//!
//! ```text
//!   definition    what a task asks for, as the body of a call     (pure)
//!   parameters    the options of `docker run` that it may have    (pure)
//!   volumes       its volumes, as binds                           (pure)
//!   secrets       what of a container nobody is told              (pure)
//!   container     what the daemon says of one                     (pure)
//!   record        what is on file about one
//!   confinement   what confines a command beside its processes
//!   inside        all that such a command needs       limits     of resources, its share of these
//!   users         who its user is, by its own files
//!   engine        the calls       pull, logs   those that stream
//!   wire          requests and answers
//! ```

mod confinement;
mod container;
mod definition;
mod engine;
mod error;
mod inside;
mod limits;
mod logs;
mod names;
mod parameters;
mod pull;
mod record;
mod secrets;
mod users;
mod volumes;
mod wire;

pub use self::confinement::Seen;
pub use self::container::{Container, Image, RunConfig};
pub use self::definition::{Definition, DefinitionError};
pub use self::engine::{Daemon, Engine};
pub use self::error::DockerError;
pub use self::inside::{Inside, InsideError};
pub use self::logs::{Logs, Output, Position, Stream};
pub use self::names::{Labels, container_name, run_of, state_label};
pub use self::record::{Ended, Record, Running};
