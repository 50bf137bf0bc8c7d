//! Constraints of an app: may another instance go to an agent, given where the others are? Pure.
//!
//! The meaning of each operator is Marathon's: an agent without the field only satisfies UNLIKE, patterns have to match the
//! whole value, and GROUP_BY takes a new value always, a known one only while no other has fewer instances (and, if a
//! number of groups is given, once that many are known).

use std::collections::BTreeMap;

use mesos::v1::{Attribute, Offer};
use regex::Regex;
use serde::{Deserialize, Serialize};

use crate::definition::constraint::{Constraint, Operator};

/// The properties of an agent that constraints can ask for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Site {
    pub host: String,
    /// The region of its fault domain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The zone of its fault domain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// Its attributes, as text; sets with a comma between their items.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
}

impl Site {
    /// The site of an offer.
    pub(crate) fn of(offer: &Offer) -> Site {
        let domain = offer.domain.as_ref().and_then(|domain| domain.fault_domain.as_ref());
        Site {
            host: offer.hostname.clone(),
            region: domain.map(|domain| domain.region.name.clone()),
            zone: domain.map(|domain| domain.zone.name.clone()),
            attributes: offer.attributes.iter().map(|attribute| (attribute.name.clone(), text(attribute))).collect(),
        }
    }

    fn value(&self, field: &str) -> Option<&str> {
        match field {
            "hostname" | "@hostname" => Some(&self.host),
            "@region" => self.region.as_deref(),
            "@zone" => self.zone.as_deref(),
            name => self.attributes.get(name).map(String::as_str),
        }
    }
}

fn text(attribute: &Attribute) -> String {
    if let Some(scalar) = &attribute.scalar {
        return scalar.value.to_string();
    }
    if let Some(set) = &attribute.set {
        return set.item.join(",");
    }
    if let Some(ranges) = &attribute.ranges {
        let range = |range: &mesos::v1::value::Range| format!("{}-{}", range.begin, range.end);
        return ranges.range.iter().map(range).collect::<Vec<_>>().join(",");
    }
    attribute.text.as_ref().map(|text| text.value.clone()).unwrap_or_default()
}

/// An app's constraints, and how many of its instances have which value.
#[derive(Debug)]
pub(crate) struct Spread<'a> {
    rules: Vec<Rule<'a>>,
    placed: usize,
}

#[derive(Debug)]
struct Rule<'a> {
    constraint: &'a Constraint,
    pattern: Option<Regex>,
    /// The number of instances with each value of the field.
    groups: BTreeMap<String, usize>,
}

impl<'a> Spread<'a> {
    /// With no instance anywhere.
    pub(crate) fn new(constraints: &'a [Constraint]) -> Spread<'a> {
        let rule = |constraint| Rule { constraint, pattern: pattern(constraint), groups: BTreeMap::new() };
        Spread { rules: constraints.iter().map(rule).collect(), placed: 0 }
    }

    /// An instance is there.
    pub(crate) fn add(&mut self, site: &Site) {
        self.placed += 1;
        for rule in &mut self.rules {
            if let Some(value) = site.value(&rule.constraint.field) {
                *rule.groups.entry(value.to_owned()).or_default() += 1;
            }
        }
    }

    /// True if another one may go there.
    pub(crate) fn admits(&self, site: &Site) -> bool {
        self.rules.iter().all(|rule| match site.value(&rule.constraint.field) {
            Some(value) => rule.admits(value, self.placed),
            None => rule.constraint.operator == Operator::Unlike,
        })
    }
}

/// Patterns match whole values. One that is none was refused when the app was sent, and matches nothing.
fn pattern(constraint: &Constraint) -> Option<Regex> {
    let value = constraint.value.as_deref()?;
    matches!(constraint.operator, Operator::Like | Operator::Unlike)
        .then(|| Regex::new(&format!("^(?:{value})$")).ok())
        .flatten()
}

impl Rule<'_> {
    fn admits(&self, value: &str, placed: usize) -> bool {
        let wanted = self.constraint.value.as_deref();
        let here = self.groups.get(value).copied();
        let number = wanted.and_then(|value| value.parse::<usize>().ok());
        match self.constraint.operator {
            Operator::Unique => here.is_none(),
            Operator::Cluster => {
                wanted.is_none_or(|wanted| wanted.is_empty() || wanted == value) && here.unwrap_or(0) == placed
            }
            Operator::GroupBy => here.is_none_or(|here| self.is_smallest(here, number.unwrap_or(0))),
            Operator::Like => self.matches(value),
            Operator::Unlike => !self.matches(value),
            Operator::MaxPer => here.unwrap_or(0) < number.unwrap_or(0),
            Operator::Is => is(wanted.unwrap_or_default(), value),
        }
    }

    fn is_smallest(&self, here: usize, groups: usize) -> bool {
        self.groups.len() >= groups && self.groups.values().min().is_none_or(|least| here == *least)
    }

    /// True if the pattern fits the value, or one of the items of a value that is a set.
    fn matches(&self, value: &str) -> bool {
        let Some(pattern) = &self.pattern else { return false };
        pattern.is_match(value) || (value.contains(',') && value.split(',').any(|item| pattern.is_match(item)))
    }
}

/// True for the same text, or the same number to a thousandth.
fn is(wanted: &str, value: &str) -> bool {
    let thousandths = |text: &str| text.parse::<f64>().ok().map(|number| (number * 1000.0).round());
    wanted == value || (thousandths(wanted).is_some() && thousandths(wanted) == thousandths(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(host: &str, attributes: &[(&str, &str)]) -> Site {
        let attributes = attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Site { host: host.into(), zone: Some(format!("zone-of-{host}")), attributes, ..Site::default() }
    }

    fn constraint(words: &[&str]) -> Constraint {
        Constraint::parse(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>()).unwrap()
    }

    /// True if an instance may go to `next` when there are some on `placed`.
    fn admits(words: &[&str], placed: &[Site], next: &Site) -> bool {
        let constraints = [constraint(words)];
        let mut spread = Spread::new(&constraints);
        placed.iter().for_each(|site| spread.add(site));
        spread.admits(next)
    }

    #[test]
    fn unique_is_at_most_one_for_each_value() {
        let (a, b) = (site("a", &[("rack", "1")]), site("b", &[("rack", "1")]));
        for (field, placed, admitted) in [
            ("hostname", vec![], true),
            ("@hostname", vec![&a], true),
            ("hostname", vec![&a, &b], false),
            ("rack", vec![&a], false),
        ] {
            let placed: Vec<_> = placed.into_iter().cloned().collect();
            assert_eq!(admits(&[field, "UNIQUE"], &placed, &b), admitted, "{field} {placed:?}");
        }
    }

    #[test]
    fn cluster_is_one_value_for_all() {
        let (a, b) = (site("a", &[("rack", "1")]), site("b", &[("rack", "2")]));
        assert!(admits(&["rack", "CLUSTER"], &[], &b));
        assert!(admits(&["rack", "CLUSTER"], std::slice::from_ref(&a), &a));
        assert!(!admits(&["rack", "CLUSTER"], std::slice::from_ref(&a), &b));
        assert!(!admits(&["rack", "CLUSTER", "1"], &[], &b) && admits(&["rack", "CLUSTER", "1"], &[], &a));
    }

    #[test]
    fn group_by_spreads_evenly_over_what_it_knows_and_over_as_many_as_it_is_told() {
        let (a, b) = (site("a", &[]), site("b", &[]));
        assert!(admits(&["hostname", "GROUP_BY"], &[], &a));
        assert!(admits(&["hostname", "GROUP_BY"], std::slice::from_ref(&a), &a), "it knows of one group only");
        assert!(admits(&["hostname", "GROUP_BY"], std::slice::from_ref(&a), &b));
        assert!(!admits(&["hostname", "GROUP_BY", "2"], std::slice::from_ref(&a), &a), "there must be another group");
        assert!(!admits(&["hostname", "GROUP_BY"], &[a.clone(), a.clone(), b.clone()], &a));
        assert!(admits(&["hostname", "GROUP_BY"], &[a.clone(), a, b.clone()], &b));
        assert!(admits(&["@zone", "GROUP_BY"], &[], &b));
    }

    #[test]
    fn like_and_unlike_match_whole_values_and_unlike_takes_agents_without_the_attribute() {
        let rack = |value| site("h", &[("rack", value)]);
        for (words, next, admitted) in [
            (["rack", "LIKE", "rack-[1-3]"], rack("rack-2"), true),
            (["rack", "LIKE", "rack-[1-3]"], rack("rack-22"), false),
            (["rack", "LIKE", "a|b"], rack("b"), true),
            (["rack", "LIKE", "b"], rack("a,b"), true),
            (["rack", "LIKE", ".*"], site("h", &[]), false),
            (["rack", "UNLIKE", "rack-[7-9]"], rack("rack-8"), false),
            (["rack", "UNLIKE", "rack-[7-9]"], rack("rack-1"), true),
            (["rack", "UNLIKE", ".*"], site("h", &[]), true),
        ] {
            assert_eq!(admits(&words, &[], &next), admitted, "{words:?} {next:?}");
        }
    }

    #[test]
    fn max_per_and_is() {
        let a = site("a", &[("cores", "8")]);
        assert!(admits(&["hostname", "MAX_PER", "2"], std::slice::from_ref(&a), &a));
        assert!(!admits(&["hostname", "MAX_PER", "2"], &[a.clone(), a.clone()], &a));
        assert!(admits(&["cores", "IS", "8.0"], &[], &a) && !admits(&["cores", "IS", "8.01"], &[], &a));
        assert!(admits(&["hostname", "IS", "a"], &[], &a) && !admits(&["none", "IS", "a"], &[], &a));
    }
}
