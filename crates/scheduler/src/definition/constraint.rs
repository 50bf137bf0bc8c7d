//! Rules for placement: a field of the agent, an operator, and perhaps a value. Rules and words are Marathon's.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A rule for placement. As JSON a list: `["rack", "GROUP_BY", "3"]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Constraint {
    /// `@hostname` or `hostname`, `@region`, `@zone`, or the name of an attribute.
    pub(crate) field: String,
    pub(crate) operator: Operator,
    /// The value that it is compared with.
    pub(crate) value: Option<String>,
}

/// The condition on a field's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    /// No two instances have the same.
    Unique,
    /// All instances have the same, or the given one.
    Cluster,
    /// Instances are spread evenly over all values.
    GroupBy,
    /// It matches a regular expression.
    Like,
    /// It does not, or there is none.
    Unlike,
    /// At most so many instances have the same.
    MaxPer,
    /// It is this; numbers are compared to thousandths.
    Is,
}

const OPERATORS: [(&str, Operator); 7] = [
    ("UNIQUE", Operator::Unique),
    ("CLUSTER", Operator::Cluster),
    ("GROUP_BY", Operator::GroupBy),
    ("LIKE", Operator::Like),
    ("UNLIKE", Operator::Unlike),
    ("MAX_PER", Operator::MaxPer),
    ("IS", Operator::Is),
];

impl Operator {
    /// As Marathon spells it.
    pub(crate) fn name(self) -> &'static str {
        OPERATORS.iter().find(|(_, operator)| *operator == self).map_or("", |(name, _)| name)
    }

    fn of(name: &str) -> Option<Operator> {
        OPERATORS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, operator)| *operator)
    }
}

impl Constraint {
    /// From a list of two or three words; refused in Marathon's words.
    pub(crate) fn parse(words: &[String]) -> Result<Constraint, &'static str> {
        let (field, name, value) = match words {
            [field, name] => (field, name, None),
            [field, name, value] => (field, name, Some(value.clone())),
            _ => return Err("Each constraint must have either 2 or 3 fields"),
        };
        if field.is_empty() {
            return Err("illegal constraint specification");
        }
        let operator = Operator::of(name)
            .ok_or("operator must be one of the following UNIQUE, CLUSTER, GROUP_BY, LIKE, MAX_PER, UNLIKE or IS")?;
        let constraint = Constraint { field: field.clone(), operator, value };
        constraint.check().map(|()| constraint)
    }

    fn check(&self) -> Result<(), &'static str> {
        let value = self.value.as_deref();
        let number = value.map(|value| value.parse::<u32>().is_ok());
        match self.operator {
            Operator::Unique if value.is_some() => Err("UNIQUE does not accept a value"),
            Operator::GroupBy if number == Some(false) => {
                Err("GROUP BY must define an integer value or else no value at all")
            }
            Operator::MaxPer if number != Some(true) => Err("MAX_PER requires an integer value"),
            Operator::Like | Operator::Unlike => match value {
                None => Err("LIKE and UNLIKE require a non-empty, regular expression value"),
                Some(pattern) if !is_pattern(pattern) => Err("is not a valid regular expression"),
                Some(_) => Ok(()),
            },
            Operator::Is if !value.unwrap_or_default().chars().all(is_plain) => Err(
                "IS only supports Mesos text and float values (see http://mesos.apache.org/documentation/latest/attributes-resources/)",
            ),
            _ => Ok(()),
        }
    }
}

fn is_plain(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "_/.-".contains(letter)
}

impl fmt::Display for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.field, self.operator.name())?;
        self.value.iter().try_for_each(|value| write!(f, ":{value}"))
    }
}

impl Serialize for Constraint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let words = [self.field.as_str(), self.operator.name()].into_iter().chain(self.value.as_deref());
        serializer.collect_seq(words)
    }
}

impl<'de> Deserialize<'de> for Constraint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Constraint::parse(&Vec::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// True if it can be compiled, within limits on its length, nesting and compiled size: patterns are users', and held
/// against every agent.
fn is_pattern(text: &str) -> bool {
    const LENGTH: usize = 1024;
    const DEPTH: u32 = 32;
    const SIZE: usize = 1024 * 1024;
    text.len() <= LENGTH && regex::RegexBuilder::new(text).nest_limit(DEPTH).size_limit(SIZE).build().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<Constraint, &'static str> {
        Constraint::parse(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn all_operators_and_their_values() {
        for good in [
            vec!["hostname", "UNIQUE"],
            vec!["rack", "CLUSTER"],
            vec!["rack", "CLUSTER", "a"],
            vec!["rack", "GROUP_BY"],
            vec!["rack", "GROUP_BY", "3"],
            vec!["rack", "LIKE", "rack-[1-3]"],
            vec!["rack", "UNLIKE", "rack-[7-9]"],
            vec!["@zone", "MAX_PER", "2"],
            vec!["cores", "IS", "8.5"],
        ] {
            let constraint = parse(&good).unwrap();
            assert_eq!(serde_json::to_value(&constraint).unwrap(), serde_json::json!(good));
        }
        assert_eq!(parse(&["rack", "unique"]).unwrap().operator, Operator::Unique);
    }

    #[test]
    fn what_is_wrong_is_said_in_marathons_words() {
        for (bad, error) in [
            (vec!["a"], "Each constraint must have either 2 or 3 fields"),
            (vec!["a", "UNIQUE", "b", "c"], "Each constraint must have either 2 or 3 fields"),
            (vec!["", "UNIQUE"], "illegal constraint specification"),
            (
                vec!["a", "NEAR"],
                "operator must be one of the following UNIQUE, CLUSTER, GROUP_BY, LIKE, MAX_PER, UNLIKE or IS",
            ),
            (vec!["a", "UNIQUE", "b"], "UNIQUE does not accept a value"),
            (vec!["a", "GROUP_BY", "b"], "GROUP BY must define an integer value or else no value at all"),
            (vec!["a", "MAX_PER"], "MAX_PER requires an integer value"),
            (vec!["a", "LIKE"], "LIKE and UNLIKE require a non-empty, regular expression value"),
            (vec!["a", "LIKE", "(x{1,1000}){1,1000}"], "is not a valid regular expression"),
            (vec!["a", "UNLIKE", "("], "is not a valid regular expression"),
        ] {
            assert_eq!(parse(&bad), Err(error), "{bad:?}");
        }
    }
}
