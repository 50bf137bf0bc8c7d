//! The two codecs of the API behind one choice. In: messages or bytes. Out: bytes or messages.
//! Both directions go by the protobuf types; what is required is enforced whichever codec the bytes came in.

use std::fmt::Debug;

use bytes::Bytes;

use crate::{json, required, schema::Schema};

/// Any message of [`crate::v1`].
pub trait Wire: prost::Message + prost::Name + Debug + Default + Clone + Send + Sync + 'static {}

impl<M: prost::Message + prost::Name + Debug + Default + Clone + Send + Sync + 'static> Wire for M {}

/// How messages look on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Codec {
    /// Mesos' JSON, one line.
    Json,
    /// Binary protobuf.
    Protobuf,
}

/// Bytes from a peer that are not the message they should be.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Not JSON at all.
    #[error("Failed to parse body into JSON: {0}")]
    Syntax(String),
    /// JSON, but not of this message.
    #[error("Failed to convert JSON into {message} protobuf: {reason}")]
    Convert {
        /// Which message was expected.
        message: &'static str,
        /// What is wrong, naming the field.
        reason: String,
    },
    /// Not the protobuf encoding of this message.
    #[error("Failed to parse body into {message} protobuf: {reason}")]
    Protobuf {
        /// Which message was expected.
        message: &'static str,
        /// What is wrong.
        reason: String,
    },
}

impl Codec {
    /// The media type that names this codec in HTTP headers.
    pub fn media_type(self) -> &'static str {
        match self {
            Codec::Json => "application/json",
            Codec::Protobuf => "application/x-protobuf",
        }
    }

    /// The codec a media type names; compared exactly, as Mesos does.
    pub fn of_media_type(media_type: &str) -> Option<Codec> {
        [Codec::Json, Codec::Protobuf].into_iter().find(|codec| codec.media_type() == media_type)
    }

    /// The message as bytes.
    pub fn encode<M: Wire>(self, message: &M) -> Bytes {
        match self {
            Codec::Json => json::to_vec(message).into(),
            Codec::Protobuf => message.encode_to_vec().into(),
        }
    }

    /// The message these bytes stand for.
    pub fn decode<M: Wire>(self, bytes: &[u8]) -> Result<M, DecodeError> {
        match self {
            Codec::Json => json::from_slice(bytes),
            Codec::Protobuf => {
                from_protobuf(bytes).map_err(|reason| DecodeError::Protobuf { message: M::NAME, reason })
            }
        }
    }
}

/// Decodes protobuf and insists on the required fields; the error is the reason.
pub(crate) fn from_protobuf<M: Wire>(bytes: &[u8]) -> Result<M, String> {
    // First prost, which also bounds how deep messages may be nested.
    let message = M::decode(bytes).map_err(|error| error.to_string())?;
    let schema = Schema::get();
    let index = schema.index(&M::full_name()).ok_or_else(|| format!("{} is not known", M::full_name()))?;
    let missing = required::missing(schema, index, bytes).map_err(|error| error.to_string())?;
    if missing.is_empty() { Ok(message) } else { Err(format!("Missing required fields: {}", missing.join(", "))) }
}
