//! Mesos' fetcher: what a command names by URI is in its sandbox before it starts.
//!
//! From the inside out: [`Item`]s say what a URI means (pure), `space` is the sandbox, `link` a part of it that is seen
//! elsewhere, `local` copies what lies on this machine, `http` downloads from servers that `trust` knows, `verify`
//! compares checksums, `archive` unpacks, `identity` is the user all this is done as, `cache` keeps what is wanted again,
//! and a [`Fetcher`] ties them together. Each program that runs commands has one, and asks it for each sandbox.
//!
//! Archives are unpacked by the machine's own `tar`, `unzip` and `gzip`, as the user the sandbox belongs to: they know
//! every format Mesos does, and whatever is wrong with an archive happens in a process that may do no more than its
//! task may. HTTP is hyper, as everywhere here, and needs no program.

mod archive;
mod cache;
mod error;
mod fetcher;
mod gift;
mod http;
mod identity;
mod item;
mod link;
mod local;
mod space;
mod trust;
mod verify;

pub use error::{BadUri, FetchError, Reason};
pub use fetcher::{Fetcher, MOST, Statistics, Want};
pub use item::Item;
pub use link::Link;
pub use space::Space;
pub use trust::trusted;
