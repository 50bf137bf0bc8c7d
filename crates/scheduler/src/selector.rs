//! Label selectors: `k`, `k==v`, `k!=v`, `k in (a,b)`, `k notin (a,b)`, several joined by commas. Pure.

use std::collections::BTreeMap;

/// A condition on labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Selector(Vec<Requirement>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Requirement {
    Present(String),
    OneOf(String, Vec<String>),
    NoneOf(String, Vec<String>),
}

impl Selector {
    /// Reads a selector; nothing if it is none. An empty one asks for nothing.
    pub(crate) fn parse(text: &str) -> Option<Selector> {
        let mut rest = Rest(text.trim());
        let mut all = Vec::new();
        while !rest.0.is_empty() {
            if !all.is_empty() {
                rest.symbol(",")?;
            }
            all.push(rest.requirement()?);
        }
        Some(Selector(all))
    }

    pub(crate) fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        self.0.iter().all(|requirement| match requirement {
            Requirement::Present(key) => labels.contains_key(key),
            Requirement::OneOf(key, values) => labels.get(key).is_some_and(|value| values.contains(value)),
            Requirement::NoneOf(key, values) => labels.get(key).is_some_and(|value| !values.contains(value)),
        })
    }
}

/// The text that is still to be read, with no blanks before it.
struct Rest<'a>(&'a str);

impl Rest<'_> {
    fn requirement(&mut self) -> Option<Requirement> {
        let key = self.term()?;
        if self.symbol("==").is_some() {
            return Some(Requirement::OneOf(key, vec![self.term()?]));
        }
        if self.symbol("!=").is_some() {
            return Some(Requirement::NoneOf(key, vec![self.term()?]));
        }
        if self.symbol("notin").is_some() {
            return Some(Requirement::NoneOf(key, self.list()?));
        }
        if self.symbol("in").is_some() {
            return Some(Requirement::OneOf(key, self.list()?));
        }
        Some(Requirement::Present(key))
    }

    fn symbol(&mut self, symbol: &str) -> Option<()> {
        self.0 = self.0.strip_prefix(symbol)?.trim_start();
        Some(())
    }

    /// Letters, digits, `-`, `_`, `.` and `/` stand for themselves, everything else behind a backslash.
    fn term(&mut self) -> Option<String> {
        let (mut term, mut letters) = (String::new(), self.0.chars());
        loop {
            let before = letters.as_str();
            match letters.next() {
                Some('\\') => term.push(letters.next()?),
                Some(letter) if letter.is_alphanumeric() || "-_./".contains(letter) => term.push(letter),
                _ => {
                    self.0 = before.trim_start();
                    return (!term.is_empty()).then_some(term);
                }
            }
        }
    }

    fn list(&mut self) -> Option<Vec<String>> {
        self.symbol("(")?;
        let mut terms = Vec::new();
        while self.symbol(")").is_none() {
            if !terms.is_empty() {
                self.symbol(",")?;
            }
            terms.push(self.term()?);
        }
        Some(terms)
    }
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
            ("", true),
            (r"a in(1), \c != 1", false),
            (r"\a == \1", true),
            ("a in ()", false),
        ] {
            assert_eq!(Selector::parse(text).map(|selector| selector.matches(&labels)), Some(expected), "{text}");
        }
        for bad in ["a b", "a in 1", "a=b", "a==", "a==1,", "==1", "a in (1", r"a\"] {
            assert_eq!(Selector::parse(bad), None, "{bad}");
        }
    }
}
