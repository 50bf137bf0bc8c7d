//! The known name that was probably meant by one that is not known. Pure.

/// The nearest of the known names, if one is near enough to be meant.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let near = 1 + word.chars().count() / 4;
    let far = known.into_iter().map(|name| (distance(&word, &name.to_lowercase()), name));
    far.filter(|(far, _)| *far <= near).min_by_key(|(far, _)| *far).map(|(_, name)| name)
}

/// The number of letters to put in, take out, replace, or swap with the next one.
fn distance(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    // Rows of the table of distances between beginnings: the one before the last, and the last.
    let (mut before, mut last) = (Vec::new(), (0..=other.len()).collect::<Vec<_>>());
    for (row, letter) in one.iter().enumerate() {
        let mut next = vec![row + 1];
        for (column, beside) in other.iter().enumerate() {
            let mut least = (last[column] + usize::from(letter != beside)).min(last[column + 1] + 1);
            least = least.min(next[column] + 1);
            let swapped = row > 0 && column > 0 && one[row - 1] == *beside && *letter == other[column - 1];
            next.push(if swapped { least.min(before[column - 1] + 1) } else { least });
        }
        (before, last) = (last, next);
    }
    last.last().copied().unwrap_or(one.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_fingers_are_forgiven_and_other_words_are_not() {
        let known = ["healthChecks", "cmd", "cpus", "instances", "HTTP", "HTTPS", "TCP"];
        for (word, meant) in [
            ("helthChecks", Some("healthChecks")),
            ("healthcheck", Some("healthChecks")),
            ("instnaces", Some("instances")),
            ("cdm", Some("cmd")),
            ("cpu", Some("cpus")),
            ("htpp", Some("HTTP")),
            ("https", Some("HTTPS")),
            ("image", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, known), meant, "{word}");
        }
    }

    #[test]
    fn distances_are_counted_in_letters() {
        for (one, other, far) in
            [("", "", 0), ("", "ab", 2), ("ab", "ba", 1), ("äb", "ab", 1), ("kitten", "sitting", 3)]
        {
            assert_eq!(distance(one, other), far, "{one} {other}");
        }
    }
}
