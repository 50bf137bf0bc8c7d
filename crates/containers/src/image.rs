//! Images: the names they go by, and what registries and archives say about them.
//!
//! Everything here is pure. Names and documents come from users and registries, so each is bounded and checked when it is
//! read; afterwards a [`Reference`] or a [`Digest`] is right by its type.

mod config;
mod digest;
mod manifest;
mod reference;
mod signal;

pub use self::config::{HealthCheck, ImageConfig};
pub use self::digest::{Digest, DigestError, Verifier};
pub use self::manifest::{
    Blob, Compression, Document, Entry, Layer, MOST_BYTES, MOST_LAYERS, Manifest, ManifestError, Platform, choose,
};
pub use self::reference::{Reference, ReferenceError, Version};
pub(crate) use self::signal::signal;
