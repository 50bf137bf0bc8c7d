//! Metrics in Prometheus' text format, or in OpenMetrics. In: families, each with its samples. Out: a text, or an answer.
//! Pure.
//!
//! A family is told whole: what it is for, of which type, and then all of its samples; one without samples is not there.

mod form;

use std::fmt::Write as _;

use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

pub use self::form::Form;

/// The family of attempts, with its help text: whoever makes checks has it.
pub const CHECK_ATTEMPTS: (&str, &str) =
    ("cygnet_check_attempts_total", "Attempts of health checks that ended, by what came out.");
/// The same of durations.
pub const CHECK_DURATIONS: (&str, &str) = (
    "cygnet_check_duration_seconds",
    "Durations of attempts of health checks that said something about their task, by phase; total is the whole attempt.",
);

/// The type of a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FamilyType {
    /// Goes up and down.
    Gauge,
    /// Only grows; its name ends with `_total`.
    Counter,
    /// Durations by bucket.
    Histogram,
    /// Any of these, under a name that is somebody else's and breaks the rules of its type.
    Untyped,
}

/// A label's name and value.
pub type Label<'a> = (&'static str, &'a str);

/// The page that a monitor reads.
#[derive(Debug, Default)]
pub struct Exposition {
    text: String,
    form: Form,
}

impl Exposition {
    /// An empty page in this form.
    pub fn new(form: Form) -> Exposition {
        Exposition { text: String::new(), form }
    }

    /// Begins a family. It has a help text of one line, in which there is nothing to escape.
    pub fn family<'a>(&'a mut self, name: &'a str, kind: FamilyType, help: &'a str) -> Family<'a> {
        debug_assert_eq!(name.ends_with("_total"), kind == FamilyType::Counter, "{name}");
        debug_assert!(!help.is_empty() && !help.contains(['"', '\\', '\n']), "{name}: {help}");
        Family { text: &mut self.text, form: self.form, name, kind, help, has_begun: false }
    }

    /// The text of the whole page.
    pub fn into_text(mut self) -> String {
        self.text.push_str(self.form.end());
        self.text
    }
}

impl IntoResponse for Exposition {
    fn into_response(self) -> Response {
        ([(CONTENT_TYPE, self.form.media_type())], self.into_text()).into_response()
    }
}

/// A family that is being told.
#[derive(Debug)]
pub struct Family<'a> {
    text: &'a mut String,
    form: Form,
    name: &'a str,
    kind: FamilyType,
    help: &'a str,
    has_begun: bool,
}

impl Family<'_> {
    /// Tells a sample.
    pub fn sample(&mut self, labels: &[Label<'_>], value: f64) {
        self.begin();
        self.line("", labels, None, value);
    }

    /// Tells a count.
    pub fn count(&mut self, labels: &[Label<'_>], count: u64) {
        self.sample(labels, count as f64);
    }

    /// Tells a histogram by its buckets: bounds in seconds, each with the number of all up to it, infinity the last.
    pub fn histogram(&mut self, labels: &[Label<'_>], buckets: impl Iterator<Item = (f64, u64)>, sum_seconds: f64) {
        self.begin();
        let mut all = 0;
        for (bound, count) in buckets {
            self.line("_bucket", labels, Some(bound), count as f64);
            all = count;
        }
        self.line("_sum", labels, None, sum_seconds);
        self.line("_count", labels, None, all as f64);
    }

    fn begin(&mut self) {
        if std::mem::replace(&mut self.has_begun, true) {
            return;
        }
        let (name, kind) = (self.form.family(self.name), self.form.kind(self.kind));
        let Family { text, help, .. } = self;
        let _never_fails = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn line(&mut self, suffix: &str, labels: &[Label<'_>], bound: Option<f64>, value: f64) {
        self.text.push_str(self.name);
        self.text.push_str(suffix);
        let mut separator = '{';
        for (label, value) in labels {
            self.text.push(separator);
            let _never_fails = write!(self.text, "{label}=\"");
            escape(self.text, value);
            self.text.push('"');
            separator = ',';
        }
        if let Some(bound) = bound {
            self.text.push(separator);
            self.text.push_str("le=\"");
            self.form.bound(self.text, bound);
            self.text.push('"');
        }
        if bound.is_some() || !labels.is_empty() {
            self.text.push('}');
        }
        self.text.push(' ');
        number(self.text, value);
        self.text.push('\n');
    }
}

fn number(text: &mut String, value: f64) {
    let _never_fails = match value {
        f64::INFINITY => write!(text, "+Inf"),
        value => write!(text, "{value}"),
    };
}

fn escape(text: &mut String, value: &str) {
    for letter in value.chars() {
        match letter {
            '\\' => text.push_str("\\\\"),
            '"' => text.push_str("\\\""),
            '\n' => text.push_str("\\n"),
            letter => text.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(form: Form) -> String {
        let mut page = Exposition::new(form);
        let mut family = page.family("a_total", FamilyType::Counter, "Of all.");
        family.count(&[("name", "quote \" slash \\ line\nend"), ("other", "é")], 3);
        family.count(&[], 4);
        let _nothing_of_it = page.family("empty", FamilyType::Gauge, "Nothing.");
        page.family("took_seconds", FamilyType::Histogram, "How long.").histogram(
            &[("app", "/a")],
            [(0.005, 1), (2.0, 1), (f64::INFINITY, 3)].into_iter(),
            1.5,
        );
        page.family("theirs_count", FamilyType::Untyped, "Somebody's.").count(&[], 1);
        page.into_text()
    }

    #[test]
    fn a_family_is_told_whole_and_labels_are_escaped() {
        let expected = "# HELP a_total Of all.\n# TYPE a_total counter\n\
            a_total{name=\"quote \\\" slash \\\\ line\\nend\",other=\"é\"} 3\na_total 4\n\
            # HELP took_seconds How long.\n# TYPE took_seconds histogram\n\
            took_seconds_bucket{app=\"/a\",le=\"0.005\"} 1\ntook_seconds_bucket{app=\"/a\",le=\"2\"} 1\n\
            took_seconds_bucket{app=\"/a\",le=\"+Inf\"} 3\n\
            took_seconds_sum{app=\"/a\"} 1.5\ntook_seconds_count{app=\"/a\"} 3\n\
            # HELP theirs_count Somebody's.\n# TYPE theirs_count untyped\ntheirs_count 1\n";
        assert_eq!(told(Form::Prometheus), expected);
    }

    #[test]
    fn openmetrics_differs_in_names_of_families_in_bounds_and_in_its_end() {
        let open = told(Form::OpenMetrics);
        let differences = [
            ("# HELP a_total Of all.\n# TYPE a_total counter\n", "# HELP a Of all.\n# TYPE a counter\n"),
            ("le=\"2\"", "le=\"2.0\""),
            (" untyped\n", " unknown\n"),
        ];
        let plain = told(Form::Prometheus);
        let expected = differences.iter().fold(plain, |text, (here, there)| {
            assert!(text.contains(here), "{here}");
            text.replace(here, there)
        });
        assert_eq!(open, expected + "# EOF\n");
    }
}
