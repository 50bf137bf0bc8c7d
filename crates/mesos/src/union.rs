//! Messages whose `type` says which of their other fields counts: calls, events, answers. The build lists their types
//! and parts; the macro makes an enum `Content` beside `Type`, with the part in the variant, and constructors.
//! In: messages. Out: their content, or the name of the part that is missing.

use crate::codec::Wire;

/// A message of several types, most of which have a part of their own.
pub trait Union: Wire {
    /// What it can hold; a type this program does not know is `Unknown`.
    type Content: Send;

    /// The name of the field that this type needs and that is not there.
    fn missing_part(&self) -> Option<&'static str>;

    /// The type with its part.
    fn content(self) -> Result<Self::Content, MissingPart>;
}

/// The type of a message asks for a field that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Expecting '{0}' to be present")]
pub struct MissingPart(pub &'static str);

/// For a message of this name: each type, the field and constructor of its name, and the part: `(Needed)`, `[Optional]`,
/// or none.
macro_rules! union {
    ($message:ident: $($kind:ident $field:ident $(($part:ty))? $([$optional:ty])?,)+) => {
        #[derive(Clone, Debug, PartialEq)]
        pub enum Content {
            $($kind $(($part))? $((Option<$optional>))?,)+
        }

        impl $crate::union::Union for super::$message {
            type Content = Content;

            fn missing_part(&self) -> Option<&'static str> {
                match self.r#type() {
                    $($(Type::$kind if Option::<$part>::is_none(&self.$field) => Some(stringify!($field)),)?)+
                    _ => None,
                }
            }

            fn content(self) -> Result<Content, $crate::union::MissingPart> {
                let missing = $crate::union::MissingPart;
                Ok(match self.r#type() {
                    $(Type::$kind => Content::$kind
                        $((Option::<$part>::ok_or(self.$field, missing(stringify!($field)))?))?
                        $((Option::<$optional>::from(self.$field)))?,)+
                })
            }
        }

        impl Content {
            pub fn kind(&self) -> Type {
                match self {
                    $(Self::$kind { .. } => Type::$kind,)+
                }
            }
        }

        impl super::$message {
            $(pub fn $field($($field: $part)? $($field: Option<$optional>)?) -> Self {
                Self {
                    r#type: Some(Type::$kind.into()),
                    $($field: Option::<$part>::Some($field),)?
                    $($field: Option::<$optional>::from($field),)?
                    ..Self::default()
                }
            })+
        }
    };
}
pub(crate) use union;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v1::executor::{Event, event};
    use crate::v1::scheduler::{Call, call};

    #[test]
    fn the_part_of_a_type_is_in_its_variant() {
        let kill = event::Kill { task_id: "t".into(), kill_policy: None };
        let event = Event::kill(kill.clone());
        assert_eq!((event.r#type(), &event.kill), (event::Type::Kill, &Some(kill.clone())));
        let content = event.content().unwrap();
        assert_eq!((content.kind(), content), (event::Type::Kill, event::Content::Kill(kill)));
        assert_eq!(Event::shutdown().content(), Ok(event::Content::Shutdown));
        assert_eq!(Event { r#type: Some(99), ..Event::default() }.content(), Ok(event::Content::Unknown));
    }

    #[test]
    fn a_part_that_is_missing_is_named_where_its_type_needs_it() {
        let launch = Event { r#type: Some(event::Type::LaunchGroup.into()), ..Event::default() };
        assert_eq!(launch.missing_part(), Some("launch_group"));
        assert_eq!(launch.content().unwrap_err().to_string(), "Expecting 'launch_group' to be present");
        assert_eq!(Call::revive(None).missing_part(), None);
        assert_eq!(Call::revive(None).content(), Ok(call::Content::Revive(None)));
    }
}
