//! Messages whose `type` says which of their other fields counts: calls, events, answers. The build lists their types
//! and parts; the macro makes an enum `Content` beside `Type`, with the part in the variant, and constructors.
//! In: messages. Out: their content, or the name of the part that is missing.

use crate::wire::{MissingPart, Wire};

/// A message of several types, most of which have a part of their own.
pub trait Union: Wire {
    /// The contents it can have; a type this program does not know is `Unknown`.
    type Content;

    /// The type with its part.
    fn content(self) -> Result<Self::Content, MissingPart>;
}

/// For a message of this name: each type, the field and constructor of its name, and the part: `(needed: Type)`,
/// `[wanted: Type]`, or none.
macro_rules! union {
    ($message:ident: $($kind:ident $field:ident $(($needed:ident: $part:ty))? $([$wanted:ident: $optional:ty])?,)+) => {
        #[derive(Clone, Debug, PartialEq)]
        pub enum Content {
            $($kind $(($part))? $((Option<$optional>))?,)+
        }

        impl $crate::union::Union for super::$message {
            type Content = Content;

            fn content(self) -> Result<Content, $crate::MissingPart> {
                let missing = $crate::MissingPart;
                Ok(match self.r#type() {
                    $(Type::$kind => Content::$kind
                        $((self.$needed.ok_or(missing(stringify!($needed)))?))?
                        $((self.$wanted))?,)+
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
            $(pub fn $field($($needed: $part)? $($wanted: Option<$optional>)?) -> Self {
                Self {
                    r#type: Some(Type::$kind.into()),
                    $($needed: Some($needed),)?
                    $($wanted,)?
                    ..Self::default()
                }
            })+
        }

        impl From<Content> for super::$message {
            fn from(content: Content) -> Self {
                match content {
                    $(Content::$kind $(($needed))? $(($wanted))? => Self::$field($($needed)? $($wanted)?),)+
                }
            }
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
        assert_eq!((content.kind(), content.clone()), (event::Type::Kill, event::Content::Kill(kill)));
        assert_eq!(Event::from(content).r#type(), event::Type::Kill);
        assert_eq!(Event::shutdown().content(), Ok(event::Content::Shutdown));
        assert_eq!(Event { r#type: Some(99), ..Event::default() }.content(), Ok(event::Content::Unknown));
    }

    #[test]
    fn a_part_that_is_missing_is_named_where_its_type_needs_it() {
        let launch = Event { r#type: Some(event::Type::LaunchGroup.into()), ..Event::default() };
        assert_eq!(launch.content().unwrap_err().to_string(), "Expecting 'launch_group' to be present");
        assert_eq!(Call::revive(None).content(), Ok(call::Content::Revive(None)));
    }
}
