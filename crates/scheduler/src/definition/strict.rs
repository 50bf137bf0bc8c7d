//! JSON read as the types say, and nothing else: a list is never taken for an object, although its items might be the
//! fields; and what is wrong has Marathon's code, by what was asked for.

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{self, Deserializer, Expected, IntoDeserializer, Unexpected, Visitor};
use serde_json::Value;

/// A fault, in Marathon's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Wrong {
    #[error("error.path.missing")]
    Missing(&'static str),
    #[error("unknown field {0}")]
    Unknown(String),
    #[error("error.unknown.enum.literal")]
    Literal,
    #[error("error.expected.{0}")]
    Expected(&'static str),
    #[error("{0}")]
    Other(String),
}

impl Wrong {
    /// The field that is missing, or one too many.
    pub(super) fn field(&self) -> Option<&str> {
        match self {
            Wrong::Missing(field) => Some(field),
            Wrong::Unknown(field) => Some(field),
            Wrong::Literal | Wrong::Expected(_) | Wrong::Other(_) => None,
        }
    }

    /// The same, found further down.
    pub(super) fn within<E: de::Error>(self) -> E {
        match self {
            Wrong::Missing(field) => E::missing_field(field),
            Wrong::Unknown(field) => E::unknown_field(&field, &[]),
            other => E::custom(other),
        }
    }
}

impl de::Error for Wrong {
    fn custom<T: std::fmt::Display>(text: T) -> Self {
        Wrong::Other(text.to_string())
    }

    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_value(unexpected, expected)
    }

    /// Numbers are refused only where a number was asked for, of another range.
    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        match unexpected {
            Unexpected::Unsigned(_) | Unexpected::Signed(_) | Unexpected::Float(_) => Wrong::Expected("jsnumber"),
            other => Wrong::Other(format!("got {other}, expected {expected}")),
        }
    }

    fn unknown_variant(_: &str, _: &'static [&'static str]) -> Self {
        Wrong::Literal
    }

    fn unknown_field(field: &str, _: &'static [&'static str]) -> Self {
        Wrong::Unknown(field.to_owned())
    }

    fn missing_field(field: &'static str) -> Self {
        Wrong::Missing(field)
    }
}

/// A value, of which only what is asked for is read.
pub(super) struct Strict(pub Value);

impl Strict {
    fn only(self, fits: fn(&Value) -> bool, name: &'static str) -> Result<Self, Wrong> {
        if fits(&self.0) { Ok(self) } else { Err(Wrong::Expected(name)) }
    }
}

impl IntoDeserializer<'_, Wrong> for Strict {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// Methods that ask for one of the kinds of JSON.
macro_rules! kinds {
    ($($method:ident: $fits:expr, $name:literal;)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
            self.only($fits, $name)?.deserialize_any(visitor)
        })*
    };
}

impl<'de> Deserializer<'de> for Strict {
    type Error = Wrong;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.0 {
            Value::Array(items) => visitor.visit_seq(SeqDeserializer::new(items.into_iter().map(Strict))),
            Value::Object(fields) => {
                visitor.visit_map(MapDeserializer::new(fields.into_iter().map(|(name, field)| (name, Strict(field)))))
            }
            Value::Null => visitor.visit_unit(),
            Value::Bool(flag) => visitor.visit_bool(flag),
            Value::String(text) => visitor.visit_string(text),
            Value::Number(number) => match (number.as_u64(), number.as_i64()) {
                (Some(number), _) => visitor.visit_u64(number),
                (None, Some(number)) => visitor.visit_i64(number),
                (None, None) => visitor.visit_f64(number.as_f64().unwrap_or(f64::NAN)),
            },
        }
    }

    kinds! {
        deserialize_bool: Value::is_boolean, "jsboolean";
        deserialize_u16: Value::is_number, "jsnumber";
        deserialize_u32: Value::is_number, "jsnumber";
        deserialize_u64: Value::is_number, "jsnumber";
        deserialize_i64: Value::is_number, "jsnumber";
        deserialize_f64: Value::is_number, "jsnumber";
        deserialize_str: Value::is_string, "jsstring";
        deserialize_string: Value::is_string, "jsstring";
        deserialize_seq: Value::is_array, "jsarray";
        deserialize_map: Value::is_object, "jsobject";
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        match self.0 {
            Value::String(word) => visitor.visit_enum(word.into_deserializer()),
            _ => Err(Wrong::Expected("jsobject")),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_newtype_struct(self)
    }

    serde::forward_to_deserialize_any! {
        i8 i16 i32 i128 u8 u128 f32 char bytes byte_buf unit unit_struct tuple tuple_struct identifier ignored_any
    }
}
