//! The two codecs of the API behind one choice. In: messages or bytes. Out: bytes or messages.
//! Both directions go by the protobuf types; what is required is enforced whichever codec the bytes came in.

use bytes::Bytes;

use crate::{
    json,
    wire::{DecodeError, Wire, from_protobuf},
};

/// The form of messages on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Codec {
    /// Mesos' JSON, one line.
    Json,
    /// Binary protobuf.
    Protobuf,
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
