//! A strict reader of Prometheus' text format, and of OpenMetrics: what breaks a rule of it fails the test, and so does a name
//! that is none of the good ones ([`names`]).

mod names;

use std::collections::{BTreeMap, BTreeSet};

/// Labels by name.
pub type Labels = BTreeMap<String, String>;

/// All families of a page.
#[derive(Debug, Default)]
pub struct Metrics {
    /// The type of each family.
    pub types: BTreeMap<String, String>,
    /// The samples, by the name they have: of a histogram with its suffix.
    pub samples: BTreeMap<String, Vec<(Labels, f64)>>,
}

impl Metrics {
    /// Reads a page in OpenMetrics, which has to end with its last line. Counters are known by the names of their samples.
    #[track_caller]
    pub fn parse_open(text: &str) -> Metrics {
        let text = text.strip_suffix("# EOF\n").expect("the last line of all");
        let kinds = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
        let counters: BTreeSet<&str> = kinds.filter(|(_, kind)| *kind == "counter").map(|(name, _)| name).collect();
        let line = |line: &str| match line.split(' ').collect::<Vec<_>>()[..] {
            ["#", "TYPE", name, "unknown"] => format!("# TYPE {name} untyped\n"),
            ["#", "TYPE", name, kind] if counters.contains(name) => format!("# TYPE {name}_total {kind}\n"),
            ["#", "HELP", name, ..] if counters.contains(name) => {
                line.replacen(name, &format!("{name}_total"), 1) + "\n"
            }
            _ => format!("{line}\n"),
        };
        Metrics::parse(&text.lines().map(line).collect::<String>())
    }

    /// Reads a page. Each family has one help text, one type, and then its samples; no series is there twice, counters end
    /// with `_total`, and the buckets of a histogram grow up to its count.
    #[track_caller]
    pub fn parse(text: &str) -> Metrics {
        assert!(text.is_empty() || text.ends_with('\n'), "the last line has an end");
        let (mut metrics, mut helped, mut seen) = (Metrics::default(), BTreeSet::new(), BTreeSet::new());
        let mut family = String::new();
        for line in text.lines() {
            if let Some((name, help)) = line.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' ')) {
                assert!(helped.insert(name.to_owned()) && !help.trim().is_empty(), "{line}");
            } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
                assert!(helped.contains(name), "a type without a help text before it: {line}");
                assert!(["gauge", "counter", "histogram", "untyped"].contains(&kind), "{line}");
                assert_eq!(names::complaint(name, kind), None, "{line}");
                assert!(metrics.types.insert(name.to_owned(), kind.to_owned()).is_none(), "twice: {line}");
                name.clone_into(&mut family);
            } else {
                let (name, labels, value) = sample(line);
                let kind = metrics.types.get(&family).unwrap_or_else(|| panic!("no type before {line}"));
                let suffix = name.strip_prefix(&family).unwrap_or_else(|| panic!("{line} is none of {family}"));
                let suffixes: &[&str] = if kind == "histogram" { &["_bucket", "_sum", "_count"] } else { &[""] };
                assert!(suffixes.contains(&suffix), "{line} is none of {family}");
                assert_eq!(labels.contains_key("le"), suffix == "_bucket", "{line}");
                assert!(kind == "gauge" || value >= 0.0, "{line}");
                assert!(seen.insert((name.clone(), labels.clone())), "twice: {line}");
                metrics.samples.entry(name).or_default().push((labels, value));
            }
        }
        metrics.histograms_grow();
        metrics
    }

    #[track_caller]
    fn histograms_grow(&self) {
        for (name, _) in self.types.iter().filter(|(_, kind)| *kind == "histogram") {
            let mut last: BTreeMap<Labels, (f64, f64)> = BTreeMap::new();
            for (labels, count) in self.samples.get(&format!("{name}_bucket")).into_iter().flatten() {
                let mut series = labels.clone();
                let bound: f64 = series.remove("le").expect("a bound").parse().expect("a number");
                let before = last.insert(series, (bound, *count));
                assert!(before.is_none_or(|(lower, less)| lower < bound && less <= *count), "{name} {labels:?}");
            }
            for (series, (bound, count)) in last {
                assert_eq!(bound, f64::INFINITY, "{name} {series:?}");
                assert_eq!(self.value(&format!("{name}_count"), &pairs(&series)), Some(count), "{name} {series:?}");
            }
        }
    }

    /// The value of the one series with these labels, whatever others it has.
    #[track_caller]
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let is_meant =
            |found: &Labels| labels.iter().all(|(label, value)| found.get(*label).is_some_and(|is| is == value));
        let mut found = self.samples.get(name)?.iter().filter(|(labels, _)| is_meant(labels));
        let first = found.next().map(|(_, value)| *value);
        assert!(found.next().is_none(), "{name} {labels:?} means more than one");
        first
    }
}

fn pairs(labels: &Labels) -> Vec<(&str, &str)> {
    labels.iter().map(|(label, value)| (label.as_str(), value.as_str())).collect()
}

#[track_caller]
fn sample(line: &str) -> (String, Labels, f64) {
    let name_end = line.find(['{', ' ']).unwrap_or_else(|| panic!("no value: {line}"));
    let (name, mut rest) = line.split_at(name_end);
    let is_name = |text: &str| {
        text.chars()
            .enumerate()
            .all(|(at, letter)| letter == '_' || letter.is_ascii_alphabetic() || (at > 0 && letter.is_ascii_digit()))
    };
    assert!(is_name(name) && !name.is_empty(), "{line}");
    let mut labels = Labels::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        while !rest.starts_with('}') {
            let (label, quoted) = rest.split_once("=\"").unwrap_or_else(|| panic!("no label: {line}"));
            let (value, after) = unquote(quoted);
            assert!(is_name(label) && labels.insert(label.to_owned(), value).is_none(), "{line}");
            rest = after.strip_prefix(',').unwrap_or(after);
        }
        rest = &rest[1..];
    }
    let value = rest.strip_prefix(' ').and_then(|value| value.parse().ok());
    (name.to_owned(), labels, value.unwrap_or_else(|| panic!("no value: {line}")))
}

/// A value up to its quote, and what follows.
fn unquote(text: &str) -> (String, &str) {
    let (mut value, mut letters) = (String::new(), text.char_indices());
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return (value, &text[at + 1..]),
            '\\' => match letters.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, letter @ ('\\' | '"'))) => value.push(letter),
                other => panic!("\\{other:?} in {text}"),
            },
            letter => value.push(letter),
        }
    }
    panic!("no quote ends {text}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_in_openmetrics_says_the_same() {
        let open = "# HELP a All of a.\n# TYPE a counter\na_total{x=\"y\"} 3\n# HELP b_gauge B.\n# TYPE b_gauge unknown\nb_gauge 1\n";
        let metrics = Metrics::parse_open(&format!("{open}# EOF\n"));
        assert_eq!((metrics.value("a_total", &[]), metrics.types["a_total"].as_str()), (Some(3.0), "counter"));
        assert_eq!((metrics.value("b_gauge", &[]), metrics.types["b_gauge"].as_str()), (Some(1.0), "untyped"));
        for bad in [open.to_owned(), format!("{open}# EOF\n\n")] {
            assert!(std::panic::catch_unwind(|| Metrics::parse_open(&bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_page_is_read_and_what_breaks_a_rule_is_not() {
        let good = "# HELP a_total All.\n# TYPE a_total counter\na_total{x=\"q\\\"\\\\\\n\",y=\"\"} 3\na_total 4\n";
        let metrics = Metrics::parse(good);
        assert_eq!(metrics.value("a_total", &[("x", "q\"\\\n")]), Some(3.0));
        assert_eq!(metrics.value("a_total", &[("x", "other")]), None);
        for bad in [
            "a_total 3\n",
            "# TYPE a_total counter\na_total 3\n",
            "# HELP a All.\n# TYPE a counter\na 3\n",
            "# HELP a All.\n# TYPE a gauge\na{le=\"1\"} 3\n",
            "# HELP a_total All.\n# TYPE a_total counter\na_total 3\na_total 3\n",
            "# HELP a_total All.\n# TYPE a_total counter\na_total{x=\"} 3\n",
            "# HELP a All.\n# TYPE a histogram\na_bucket{le=\"1\"} 3\na_bucket{le=\"+Inf\"} 2\na_sum 1\na_count 2\n",
            "# HELP a All.\n# TYPE a gauge\na 1",
        ] {
            assert!(std::panic::catch_unwind(|| Metrics::parse(bad)).is_err(), "{bad}");
        }
    }
}
