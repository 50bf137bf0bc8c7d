//! Messages and their binary form, with what is required insisted on. In: protobuf bytes. Out: messages, or why not.

use std::fmt::Debug;

use crate::{required, schema::Schema};

/// Any message of [`crate::v1`].
pub trait Wire: prost::Message + prost::Name + Debug + Default + Clone + Send + Sync + 'static {}

impl<M: prost::Message + prost::Name + Debug + Default + Clone + Send + Sync + 'static> Wire for M {}

/// Bytes from a peer that are not the message they should be.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Not JSON at all.
    #[error("Failed to parse body into JSON: {0}")]
    Syntax(String),
    /// JSON, but not of this message.
    #[error("Failed to convert JSON into {message} protobuf: {reason}")]
    Convert {
        /// The message that was expected.
        message: &'static str,
        /// The fault, naming the field.
        reason: String,
    },
    /// Not the protobuf encoding of this message.
    #[error("Failed to parse body into {message} protobuf: {reason}")]
    Protobuf {
        /// The message that was expected.
        message: &'static str,
        /// The fault.
        reason: Unreadable,
    },
    /// A message without the part that its type needs.
    #[error("Failed to read {message}: {missing}")]
    Part {
        /// The message it should be.
        message: &'static str,
        /// The field that is not there.
        missing: MissingPart,
    },
}

/// The type of a message asks for a field that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Expecting '{0}' to be present")]
pub struct MissingPart(pub &'static str);

/// Why protobuf bytes are not a message.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// They are not the encoding of one.
    #[error(transparent)]
    Encoding(#[from] prost::DecodeError),
    /// Fields that a message must have are not in it.
    #[error("Missing required fields: {0}")]
    Incomplete(String),
}

/// Decodes protobuf and insists on the required fields.
pub(crate) fn from_protobuf<M: Wire>(bytes: &[u8]) -> Result<M, Unreadable> {
    // First prost, which also bounds how deep messages may be nested.
    let message = M::decode(bytes)?;
    let missing = required::missing(Schema::get(), Schema::get().of::<M>(), bytes)?;
    if missing.is_empty() { Ok(message) } else { Err(Unreadable::Incomplete(missing.join(", "))) }
}
