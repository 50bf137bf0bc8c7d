//! Label selectors: `k`, `k==v`, `k!=v`, `k in (a,b)`, `k notin (a,b)`, several joined by commas. Pure.

use std::collections::BTreeMap;

/// What labels must be like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Selector(Vec<Requirement>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Requirement {
    Present(String),
    OneOf(String, Vec<String>),
    NoneOf(String, Vec<String>),
}

impl Selector {
    /// Reads a selector; nothing if it is none.
    pub(crate) fn parse(text: &str) -> Option<Selector> {
        split(text).iter().map(|part| requirement(part.trim())).collect::<Option<_>>().map(Selector)
    }

    pub(crate) fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        self.0.iter().all(|requirement| match requirement {
            Requirement::Present(key) => labels.contains_key(key),
            Requirement::OneOf(key, values) => labels.get(key).is_some_and(|value| values.contains(value)),
            Requirement::NoneOf(key, values) => labels.get(key).is_some_and(|value| !values.contains(value)),
        })
    }
}

/// Splits at commas outside of parentheses.
fn split(text: &str) -> Vec<String> {
    let (mut parts, mut depth) = (vec![String::new()], 0_u32);
    for letter in text.chars() {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(part) = parts.last_mut() {
            part.push(letter);
        }
    }
    parts
}

fn requirement(part: &str) -> Option<Requirement> {
    if let Some((key, value)) = part.split_once("==") {
        return Some(Requirement::OneOf(word(key)?, vec![value.trim().to_owned()]));
    }
    if let Some((key, value)) = part.split_once("!=") {
        return Some(Requirement::NoneOf(word(key)?, vec![value.trim().to_owned()]));
    }
    if let Some((key, values)) = part.split_once(" notin ") {
        return Some(Requirement::NoneOf(word(key)?, list(values)?));
    }
    if let Some((key, values)) = part.split_once(" in ") {
        return Some(Requirement::OneOf(word(key)?, list(values)?));
    }
    word(part).map(Requirement::Present)
}

fn word(text: &str) -> Option<String> {
    let text = text.trim();
    let legal = |letter: char| letter.is_alphanumeric() || "-_./".contains(letter);
    (!text.is_empty() && text.chars().all(legal)).then(|| text.to_owned())
}

fn list(text: &str) -> Option<Vec<String>> {
    let inner = text.trim().strip_prefix('(')?.strip_suffix(')')?;
    Some(inner.split(',').map(|value| value.trim().to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_forms() {
        let labels = BTreeMap::from([("a".to_owned(), "1".to_owned()), ("b".to_owned(), "2".to_owned())]);
        for (text, expected) in [
            ("a", true),
            ("c", false),
            ("a==1", true),
            ("a==2", false),
            ("a!=2", true),
            ("a in (1, 3),b", true),
            ("a notin (1,3)", false),
            ("a==1,b==1", false),
        ] {
            assert_eq!(Selector::parse(text).map(|selector| selector.matches(&labels)), Some(expected), "{text}");
        }
        assert_eq!(Selector::parse("a b"), None);
        assert_eq!(Selector::parse("a in 1"), None);
    }
}
