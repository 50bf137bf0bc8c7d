//! Errors of the operating system in words, for people. Pure.

/// The words before a number.
const NUMBER: &str = " (os error ";

/// The text without the operating system's numbers of its errors: words stand before each.
pub fn in_words(text: &str) -> String {
    let mut parts = text.split(NUMBER);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |told, part| match without_number(part) {
        Some(rest) => told + rest,
        None => told + NUMBER + part,
    })
}

/// The text behind a number and its bracket, if it begins with them.
fn without_number(part: &str) -> Option<&str> {
    let rest = part.trim_start_matches(|digit: char| digit.is_ascii_digit());
    rest.strip_prefix(')').filter(|_| rest.len() < part.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_the_operating_system_are_told_in_words() {
        let text = "cannot read a.json: No such file or directory (os error 2): 1 of 2 failed (see above)";
        assert_eq!(in_words(text), "cannot read a.json: No such file or directory: 1 of 2 failed (see above)");
        assert_eq!(in_words("no address"), "no address");
        assert_eq!(in_words("(cannot read a: No such file (os error 2))"), "(cannot read a: No such file)");
        for other in ["(os error of the disk", "a (os error )", "a (os error 2"] {
            assert_eq!(in_words(other), other);
        }
    }
}
