//! Durable state: what must survive `kill -9`.
//!
//! A [`Store`] is a cheap handle to one ordered map from text keys to bytes, kept in one file. Changes go in as a
//! [`Batch`], all of it or none of it, and are on disk when [`Store::commit`] returns. Owners put a level of
//! hierarchy into their keys (`app/web`, `update/F/T/000001`) and read a level back with [`Store::list`].
//!
//! A commit that fails, because the disk is full, costs only itself: what was there stays readable, and later commits
//! succeed as soon as there is room.
//!
//! Data that is too small for a store, or read by others, has a file of its own, written by [`replace_file`].
//!
//! Comes in: batches and look-ups. Goes out: values, or a [`StoreError`] that names the file.
//! Owns: one thread per open store (`writer`), fed by one channel. The thread gathers the commits that wait into one
//! transaction, so that a hundred commits at once cost one `fsync`, not a hundred.

mod backing;
mod batch;
mod embedded;
mod error;
mod file;
mod mark;
mod whole;

pub use batch::Batch;
pub use embedded::Store;
pub use error::StoreError;
pub use file::IfLost;
pub use whole::replace_file;
