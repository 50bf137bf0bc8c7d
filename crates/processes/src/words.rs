//! Errors of the operating system in words, for people. Pure.

/// The text without the operating system's numbers of its errors: words stand before each.
pub fn in_words(text: &str) -> String {
    let mut parts = text.split(" (os error ");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |told, part| {
        told + part.trim_start_matches(|digit: char| digit.is_ascii_digit()).trim_start_matches(')')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_the_operating_system_are_told_in_words() {
        let text = "cannot read a.json: No such file or directory (os error 2): 1 of 2 failed (see above)";
        assert_eq!(in_words(text), "cannot read a.json: No such file or directory: 1 of 2 failed (see above)");
        assert_eq!(in_words("no address"), "no address");
    }
}
