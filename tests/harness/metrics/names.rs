//! The rules for names of metrics that `promtool check metrics` knows, for those who have no promtool. Pure.

/// Units of which there is a base.
const DERIVED: [&str; 19] = [
    "milliseconds",
    "microseconds",
    "nanoseconds",
    "minutes",
    "hours",
    "days",
    "weeks",
    "kilobytes",
    "megabytes",
    "gigabytes",
    "terabytes",
    "kibibytes",
    "mebibytes",
    "gibibytes",
    "tebibytes",
    "bits",
    "kilobits",
    "megabits",
    "percent",
];

/// Units that are not written out.
const SHORT: [&str; 14] = ["s", "ms", "us", "ns", "sec", "b", "kb", "mb", "gb", "tb", "pb", "m", "h", "d"];

/// The ends that samples of histograms and summaries have.
const RESERVED: [&str; 3] = ["_bucket", "_sum", "_count"];

/// The first rule that a family of this type breaks by its name. Without a type a name may say one, but is none of ours.
pub(super) fn complaint(name: &str, kind: &str) -> Option<&'static str> {
    let has = |word: &&str| name.split('_').skip(1).any(|part| part == *word);
    let (is_counter, is_typed) = (kind == "counter", kind != "untyped");
    let rules = [
        (name.chars().any(|letter| letter.is_ascii_uppercase() || letter == ':'), "its letters are small ones"),
        (DERIVED.iter().any(has), "its unit is a base unit"),
        (SHORT.iter().any(has), "its unit is written out"),
        (is_typed && is_counter != name.ends_with("_total"), "counters end in _total, and nothing else does"),
        (is_typed && has(&kind), "it does not say its type"),
        (!is_typed && name.starts_with("cygnet_"), "what is ours has a type"),
        (is_typed && RESERVED.iter().any(|end| name.ends_with(end)), "its end is that of a sample of histograms"),
    ];
    rules.into_iter().find(|(broken, _)| *broken).map(|(_, rule)| rule)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_names_break_no_rule_and_bad_ones_do() {
        for (name, kind) in [
            ("took_seconds", "histogram"),
            ("kills_total", "counter"),
            ("failures_in_a_row", "gauge"),
            ("theirs_gauge", "untyped"),
            ("theirs_count", "untyped"),
        ] {
            assert_eq!(complaint(name, kind), None, "{name}");
        }
        for (name, kind) in [
            ("took_milliseconds", "histogram"),
            ("took_ms", "untyped"),
            ("kills", "counter"),
            ("kills_total", "gauge"),
            ("kills_gauge", "gauge"),
            ("kills_count", "gauge"),
            ("killsNow", "gauge"),
            ("cygnet_kills", "untyped"),
        ] {
            assert!(complaint(name, kind).is_some(), "{name}");
        }
    }
}
