//! The two forms in which a page of metrics is told. In: what its reader accepts. Out: the words in which they differ. Pure.

use std::fmt::Write as _;

use axum::http::{HeaderMap, HeaderValue, header::ACCEPT};

use super::FamilyType;
use crate::server::negotiate::{by_liking, last};

/// The form of a page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// Prometheus' text format.
    #[default]
    Prometheus,
    /// OpenMetrics, which Prometheus likes better.
    OpenMetrics,
}

impl Form {
    /// The form that a reader likes best; Prometheus' own for who names none.
    pub fn of(headers: &HeaderMap) -> Form {
        let liked = by_liking(last(headers, ACCEPT.as_str()).unwrap_or_default());
        let form = |kind: &str| match kind {
            "application/openmetrics-text" => Some(Form::OpenMetrics),
            "text/plain" => Some(Form::Prometheus),
            _ => None,
        };
        liked.into_iter().find_map(form).unwrap_or_default()
    }

    pub(super) fn media_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Form::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Form::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        })
    }

    /// The name of a family, which in OpenMetrics lacks the end that the samples of counters have.
    pub(super) fn family(self, name: &str) -> &str {
        match self {
            Form::Prometheus => name,
            Form::OpenMetrics => name.strip_suffix("_total").unwrap_or(name),
        }
    }

    pub(super) fn kind(self, kind: FamilyType) -> &'static str {
        match (kind, self) {
            (FamilyType::Gauge, _) => "gauge",
            (FamilyType::Counter, _) => "counter",
            (FamilyType::Histogram, _) => "histogram",
            (FamilyType::Untyped, Form::Prometheus) => "untyped",
            (FamilyType::Untyped, Form::OpenMetrics) => "unknown",
        }
    }

    /// Writes the bound of a bucket, which in OpenMetrics is never an integer.
    pub(super) fn bound(self, text: &mut String, bound: f64) {
        super::number(text, bound);
        if self == Form::OpenMetrics && bound.fract() == 0.0 {
            let _never_fails = write!(text, ".0");
        }
    }

    /// The last line.
    pub(super) fn end(self) -> &'static str {
        match self {
            Form::Prometheus => "",
            Form::OpenMetrics => "# EOF\n",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_gets_the_form_that_it_likes_best() {
        let prometheus = "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,\
            text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
        for (accept, form) in [
            (prometheus, Form::OpenMetrics),
            ("application/openmetrics-text", Form::OpenMetrics),
            ("text/plain, application/openmetrics-text;q=0.9", Form::Prometheus),
            ("application/openmetrics-text;q=0, */*", Form::Prometheus),
            ("*/*", Form::Prometheus),
            ("", Form::Prometheus),
        ] {
            let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept))]);
            assert_eq!(Form::of(&headers), form, "{accept}");
        }
        assert_eq!(Form::of(&HeaderMap::new()), Form::Prometheus);
    }
}
