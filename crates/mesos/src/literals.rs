//! The text of single values in Mesos' JSON. In: values. Out: their text, appended.

use std::io::Write;

use base64::{Engine, engine::general_purpose::STANDARD};

/// A string in quotes, escaped.
pub(crate) fn string(value: &str, out: &mut Vec<u8>) {
    // Writing to memory cannot fail.
    let _ = serde_json::to_writer(out, value);
}

/// Bytes as base64 with padding.
pub(crate) fn bytes(value: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    out.extend_from_slice(STANDARD.encode(value).as_bytes());
    out.push(b'"');
}

/// A number that always shows a fraction or an exponent; what JSON has no number for becomes a string.
pub(crate) fn double(value: f64, out: &mut Vec<u8>) {
    let written = if value.is_nan() {
        write!(out, "\"NaN\"")
    } else if value.is_infinite() {
        write!(out, "\"{}Infinity\"", if value < 0.0 { "-" } else { "" })
    } else if value == 0.0 || (1e-6..1e21).contains(&value.abs()) {
        let whole = value.fract() == 0.0;
        write!(out, "{value}{}", if whole { ".0" } else { "" })
    } else {
        write!(out, "{value:e}")
    };
    // Writing to memory cannot fail.
    let _ = written;
}

/// The inverse of [`bytes`].
pub(crate) fn parse_bytes(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// A number from a string, with the names JSON has no number for.
pub(crate) fn parse_double(text: &str) -> Option<f64> {
    match text {
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        "NaN" => Some(f64::NAN),
        number => number.parse().ok(),
    }
}
