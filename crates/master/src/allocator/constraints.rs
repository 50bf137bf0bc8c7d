//! `OfferConstraints`: on which agents a framework wants offers at all. In: what the framework says, for each of its
//! roles. Out: whether an agent is one of them. Pure. Words and rules are those of Mesos 1.11 and later.
//!
//! An agent fits a role if it fits one of its groups, and a group if it fits all constraints in it. A role without
//! constraints fits everywhere. Patterns match whole values; those of attributes that are no text match always, so that
//! the scheduler itself can look at them.

use std::collections::BTreeMap;

use mesos::v1::scheduler::attribute_constraint::{Predicate, Selector, predicate, selector};
use mesos::v1::scheduler::{AttributeConstraint, OfferConstraints};
use mesos::v1::{AgentInfo, domain_info, value};
use regex::{Regex, RegexBuilder};

use selector::PseudoattributeType;

/// The size of a compiled pattern at most: it is looked at for every agent, in every round.
const MAX_PATTERN_BYTES: usize = 256 * 1024;

/// Faults of constraints, in Mesos' words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ConstraintError {
    #[error("'OfferConstraints::role_constraints' has an empty 'RoleConstraints::groups' for role {0}")]
    NoGroups(String),
    #[error("'OfferConstraints::RoleConstraints::groups' for role {0} contains an empty RoleConstraints::Group")]
    EmptyGroup(String),
    #[error("A role {role} has an invalid 'AttributeConstraint': {fault}")]
    Attribute { role: String, fault: AttributeFault },
}

/// Faults of one of them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AttributeFault {
    #[error("Unknown pseudoattribute type")]
    UnknownPseudoattribute,
    #[error(
        "Exactly one of 'AttributeConstraint::Selector::name' or 'AttributeConstraint::Selector::pseudoattribute_type' \
         must be set"
    )]
    NoSelector,
    #[error("Unknown predicate type")]
    UnknownPredicate,
    #[error("Regex '{0}' is too complex: it takes more than {MAX_PATTERN_BYTES} bytes")]
    TooComplex(String),
    #[error("Failed to construct regex from pattern '{pattern}': {reason}")]
    Pattern { pattern: String, reason: String },
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Constraints {
    wire: OfferConstraints,
    roles: BTreeMap<String, Vec<Group>>,
}

type Group = Vec<Constraint>;

#[derive(Debug, Clone)]
struct Constraint {
    subject: Subject,
    test: Test,
}

/// The property that is looked at.
#[derive(Debug, Clone)]
enum Subject {
    /// The first attribute of this name.
    Attribute(String),
    Hostname,
    Region,
    Zone,
}

/// The demand on it.
#[derive(Debug, Clone)]
enum Test {
    Exists,
    NotExists,
    Equals(String),
    NotEquals(String),
    Matches(Regex),
    NotMatches(Regex),
}

/// The value that an agent has there.
#[derive(Debug, Clone, Copy)]
enum Found<'a> {
    Nothing,
    Text(&'a str),
    /// A number or ranges.
    Other,
}

impl Constraints {
    /// Takes constraints in, or says what is wrong with them.
    pub(crate) fn of(wire: OfferConstraints) -> Result<Constraints, ConstraintError> {
        let role = |(role, constraints): (&String, &mesos::v1::scheduler::offer_constraints::RoleConstraints)| {
            if constraints.groups.is_empty() {
                return Err(ConstraintError::NoGroups(role.clone()));
            }
            let groups = constraints.groups.iter().map(|of| group(role, &of.attribute_constraints));
            Ok((role.clone(), groups.collect::<Result<_, _>>()?))
        };
        let roles = wire.role_constraints.iter().map(role).collect::<Result<_, _>>()?;
        Ok(Constraints { wire, roles })
    }

    /// As the framework sent them.
    pub(crate) fn wire(&self) -> &OfferConstraints {
        &self.wire
    }

    /// The roles that something is said of.
    pub(crate) fn roles(&self) -> impl Iterator<Item = &str> {
        self.roles.keys().map(String::as_str)
    }

    /// True if the framework wants offers of this agent in this role.
    pub(super) fn fit(&self, role: &str, agent: &AgentInfo) -> bool {
        let fits = |group: &Group| group.iter().all(|constraint| constraint.holds(agent));
        self.roles.get(role).is_none_or(|groups| groups.iter().any(fits))
    }
}

fn group(role: &str, constraints: &[AttributeConstraint]) -> Result<Group, ConstraintError> {
    if constraints.is_empty() {
        return Err(ConstraintError::EmptyGroup(role.to_owned()));
    }
    let invalid = |fault| ConstraintError::Attribute { role: role.to_owned(), fault };
    constraints.iter().map(|constraint| Constraint::of(constraint).map_err(invalid)).collect()
}

impl Constraint {
    fn of(wire: &AttributeConstraint) -> Result<Constraint, AttributeFault> {
        Ok(Constraint { subject: Subject::of(&wire.selector)?, test: Test::of(&wire.predicate)? })
    }

    fn holds(&self, agent: &AgentInfo) -> bool {
        self.test.holds(self.subject.look(agent))
    }
}

impl Subject {
    fn of(wire: &Selector) -> Result<Subject, AttributeFault> {
        match &wire.selector {
            Some(selector::Selector::AttributeName(name)) => Ok(Subject::Attribute(name.clone())),
            Some(selector::Selector::PseudoattributeType(kind)) => match PseudoattributeType::try_from(*kind) {
                Ok(PseudoattributeType::Hostname) => Ok(Subject::Hostname),
                Ok(PseudoattributeType::Region) => Ok(Subject::Region),
                Ok(PseudoattributeType::Zone) => Ok(Subject::Zone),
                Ok(PseudoattributeType::Unknown) | Err(_) => Err(AttributeFault::UnknownPseudoattribute),
            },
            None => Err(AttributeFault::NoSelector),
        }
    }

    fn look<'a>(&self, agent: &'a AgentInfo) -> Found<'a> {
        let domain = agent.domain.as_ref().and_then(|domain| domain.fault_domain.as_ref());
        let of_domain = |name: fn(&'a domain_info::FaultDomain) -> &'a str| {
            domain.map_or(Found::Nothing, |domain| Found::Text(name(domain)))
        };
        match self {
            Subject::Attribute(name) => match agent.attributes.iter().find(|attribute| attribute.name == *name) {
                None => Found::Nothing,
                Some(attribute) if attribute.r#type() == value::Type::Text => {
                    Found::Text(attribute.text.as_ref().map_or("", |text| &text.value))
                }
                Some(_) => Found::Other,
            },
            Subject::Hostname => Found::Text(&agent.hostname),
            Subject::Region => of_domain(|domain| &domain.region.name),
            Subject::Zone => of_domain(|domain| &domain.zone.name),
        }
    }
}

impl Test {
    fn of(wire: &Predicate) -> Result<Test, AttributeFault> {
        use predicate::Predicate as Wire;
        Ok(match wire.predicate.as_ref().ok_or(AttributeFault::UnknownPredicate)? {
            Wire::Exists(_) => Test::Exists,
            Wire::NotExists(_) => Test::NotExists,
            Wire::TextEquals(text) => Test::Equals(text.value.clone()),
            Wire::TextNotEquals(text) => Test::NotEquals(text.value.clone()),
            Wire::TextMatches(text) => Test::Matches(whole(&text.regex)?),
            Wire::TextNotMatches(text) => Test::NotMatches(whole(&text.regex)?),
        })
    }

    fn holds(&self, found: Found<'_>) -> bool {
        match (self, found) {
            (Test::Exists | Test::Equals(_) | Test::Matches(_), Found::Nothing) => false,
            (Test::NotExists | Test::NotEquals(_) | Test::NotMatches(_), Found::Nothing) => true,
            (Test::NotExists, _) => false,
            (Test::Exists, _) | (_, Found::Other) => true,
            (Test::Equals(value), Found::Text(text)) => text == value,
            (Test::NotEquals(value), Found::Text(text)) => text != value,
            (Test::Matches(pattern), Found::Text(text)) => pattern.is_match(text),
            (Test::NotMatches(pattern), Found::Text(text)) => !pattern.is_match(text),
        }
    }
}

/// A pattern for values as a whole.
fn whole(pattern: &str) -> Result<Regex, AttributeFault> {
    let broken = |error: regex::Error| match error {
        regex::Error::CompiledTooBig(_) => AttributeFault::TooComplex(pattern.to_owned()),
        // Several lines that point into the pattern; the last one says what is wrong.
        error => {
            AttributeFault::Pattern { pattern: pattern.to_owned(), reason: last_line(&error.to_string()).to_owned() }
        }
    };
    // By itself first: with a parenthesis too many it would be another pattern than what it is put into.
    let build = |pattern: &str| RegexBuilder::new(pattern).size_limit(MAX_PATTERN_BYTES).build().map_err(broken);
    build(pattern)?;
    build(&format!(r"\A(?:{pattern})\z"))
}

fn last_line(text: &str) -> &str {
    text.lines().last().unwrap_or_default().trim_start_matches("error: ")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn constraints(groups: Value) -> Result<Constraints, ConstraintError> {
        let groups: Vec<_> =
            groups.as_array().unwrap().iter().map(|group| json!({ "attribute_constraints": group })).collect();
        let wire = json!({ "role_constraints": { "r": { "groups": groups } } });
        Constraints::of(mesos::json::from_value(wire).unwrap())
    }

    fn agent() -> AgentInfo {
        let attribute = |name: &str, text: &str| json!({"name": name, "type": "TEXT", "text": {"value": text}});
        let domain = json!({"fault_domain": {"region": {"name": "eu"}, "zone": {"name": "eu-1"}}});
        let attributes = json!([attribute("rack", "r1"), attribute("rack", "r2"),
            {"name": "size", "type": "SCALAR", "scalar": {"value": 4.0}}]);
        let info = json!({"hostname": "node-7", "attributes": attributes, "domain": domain});
        mesos::json::from_value(info).unwrap()
    }

    fn named(name: &str, test: Value) -> Value {
        json!({"selector": {"attribute_name": name}, "predicate": test})
    }

    fn fits(constraint: Value) -> bool {
        constraints(json!([[constraint]])).unwrap().fit("r", &agent())
    }

    #[test]
    fn each_test_on_what_is_there_and_what_is_not() {
        let value = |value: &str| json!({ "value": value });
        let pattern = |pattern: &str| json!({ "regex": pattern });
        // On the first of two racks, on nothing, on what is no text.
        for (test, expected) in [
            (json!({"exists": {}}), [true, false, true]),
            (json!({"not_exists": {}}), [false, true, false]),
            (json!({"text_equals": value("r1")}), [true, false, true]),
            (json!({"text_equals": value("r2")}), [false, false, true]),
            (json!({"text_not_equals": value("r1")}), [false, true, true]),
            (json!({"text_not_equals": value("r2")}), [true, true, true]),
            (json!({"text_matches": pattern("r[0-9]")}), [true, false, true]),
            (json!({"text_matches": pattern("r|x")}), [false, false, true]),
            (json!({"text_not_matches": pattern("r.*")}), [false, true, true]),
            (json!({"text_not_matches": pattern("r")}), [true, true, true]),
        ] {
            let found = ["rack", "none", "size"].map(|name| fits(named(name, test.clone())));
            assert_eq!(found, expected, "{test}");
        }
    }

    #[test]
    fn names_of_machines_and_their_places_are_texts() {
        for (kind, text) in [("HOSTNAME", "node-7"), ("REGION", "eu"), ("ZONE", "eu-1")] {
            let selector = json!({ "pseudoattribute_type": kind });
            let equals = |text: &str| json!({"selector": selector, "predicate": {"text_equals": {"value": text}}});
            assert!(fits(equals(text)) && !fits(equals("other")), "{kind}");
        }
        let nowhere = AgentInfo { domain: None, ..agent() };
        let exists = json!({"selector": {"pseudoattribute_type": "ZONE"}, "predicate": {"exists": {}}});
        assert!(!constraints(json!([[exists]])).unwrap().fit("r", &nowhere));
    }

    #[test]
    fn one_group_has_to_hold_as_a_whole() {
        let (yes, no) = (named("rack", json!({"exists": {}})), named("rack", json!({"not_exists": {}})));
        for (groups, expected) in
            [(json!([[yes, no]]), false), (json!([[yes, yes]]), true), (json!([[no], [yes]]), true)]
        {
            let constraints = constraints(groups).unwrap();
            assert_eq!(constraints.fit("r", &agent()), expected);
            assert!(constraints.fit("another role", &agent()));
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_name() {
        let matches = |pattern: &str| json!([[named("rack", json!({"text_matches": {"regex": pattern}}))]]);
        for (groups, words) in [
            (json!([]), "has an empty 'RoleConstraints::groups' for role r"),
            (json!([[]]), "contains an empty RoleConstraints::Group"),
            (json!([[{"selector": {}, "predicate": {"exists": {}}}]]), "Exactly one of"),
            (json!([[named("rack", json!({}))]]), "Unknown predicate type"),
            (
                json!([[{"selector": {"pseudoattribute_type": "UNKNOWN"}, "predicate": {"exists": {}}}]]),
                "Unknown pseudoattribute type",
            ),
            (matches("("), "Failed to construct regex from pattern '(': unclosed group"),
            (matches("a)|(b"), "Failed to construct regex from pattern 'a)|(b'"),
            (matches(r"\w{1000}"), r"Regex '\w{1000}' is too complex"),
        ] {
            let refused = constraints(groups).unwrap_err().to_string();
            assert!(refused.contains(words), "{refused}");
        }
    }
}
