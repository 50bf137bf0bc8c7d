//! The few parts of the protobuf wire format that working by descriptor needs: an iterator over the raw fields of an
//! encoded message, and writers for keys and length-prefixed values. In: bytes. Out: field numbers and raw values.

use prost::{
    DecodeError,
    encoding::{DecodeContext, WireType, decode_key, decode_varint, encode_key, encode_varint, skip_field},
};

/// A field's value as it stands on the wire.
#[derive(Clone, Copy)]
pub(crate) enum Raw<'a> {
    Varint(u64),
    Fixed64(u64),
    Delimited(&'a [u8]),
    /// A wire type that none of our fields has.
    Other,
}

/// The fields of one encoded message, in wire order.
pub(crate) struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    pub(crate) fn new(message: &'a [u8]) -> Self {
        Self { rest: message }
    }

    fn read(&mut self) -> Result<(u32, Raw<'a>), DecodeError> {
        let (number, wire_type) = decode_key(&mut self.rest)?;
        let raw = match wire_type {
            WireType::Varint => Raw::Varint(decode_varint(&mut self.rest)?),
            WireType::SixtyFourBit if self.rest.len() >= 8 => Raw::Fixed64(self.fixed64()),
            WireType::LengthDelimited => Raw::Delimited(self.delimited()?),
            other => {
                skip_field(other, number, &mut self.rest, DecodeContext::default())?;
                Raw::Other
            }
        };
        Ok((number, raw))
    }

    fn fixed64(&mut self) -> u64 {
        let (value, rest) = self.rest.split_first_chunk().unwrap_or((&[0; 8], &[]));
        self.rest = rest;
        u64::from_le_bytes(*value)
    }

    fn delimited(&mut self) -> Result<&'a [u8], DecodeError> {
        let mut after = self.rest;
        let length = decode_varint(&mut after)?;
        let Some((value, rest)) = usize::try_from(length).ok().and_then(|length| after.split_at_checked(length)) else {
            // Let the library word the error: the value is longer than what is left.
            skip_field(WireType::LengthDelimited, 1, &mut self.rest, DecodeContext::default())?;
            return Ok(&[]);
        };
        self.rest = rest;
        Ok(value)
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u32, Raw<'a>), DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let field = self.read();
        if field.is_err() {
            self.rest = &[];
        }
        Some(field)
    }
}

pub(crate) fn put_varint(number: u32, value: u64, out: &mut Vec<u8>) {
    encode_key(number, WireType::Varint, out);
    encode_varint(value, out);
}

pub(crate) fn put_double(number: u32, value: f64, out: &mut Vec<u8>) {
    encode_key(number, WireType::SixtyFourBit, out);
    out.extend_from_slice(&value.to_le_bytes());
}

pub(crate) fn put_delimited(number: u32, value: &[u8], out: &mut Vec<u8>) {
    encode_key(number, WireType::LengthDelimited, out);
    encode_varint(value.len() as u64, out);
    out.extend_from_slice(value);
}
