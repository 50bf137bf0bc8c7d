//! The text of a source file without what is not code of the product: comments, strings, tests.

/// Blanks all of it out, so that lines keep their numbers.
pub(super) fn production(text: &str) -> String {
    without_tests(&without_comments(text))
}

fn without_comments(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let mut quoted = false;
        let mut before = '\0';
        let code: String = line
            .chars()
            .map_while(|letter| {
                let comment = !quoted && before == '/' && letter == '/';
                quoted ^= letter == '"' && before != '\\' && before != '\'';
                before = letter;
                (!comment).then_some(if quoted { ' ' } else { letter })
            })
            .collect();
        code
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A module of tests stands last in its file.
fn without_tests(text: &str) -> String {
    let attribute = text.match_indices("#[cfg(test)]").map(|(at, _)| at);
    let inline = |at: &usize| text[*at..].split_once('\n').is_some_and(|(_, next)| is_inline(next));
    text[..attribute.into_iter().find(inline).unwrap_or(text.len())].to_owned()
}

fn is_inline(text: &str) -> bool {
    let line = text.lines().find(|line| !line.trim_start().starts_with("#[")).unwrap_or_default();
    line.trim_start().trim_start_matches("pub(crate) ").starts_with("mod ") && line.trim_end().ends_with('{')
}

#[cfg(test)]
mod tests {
    use super::production;

    #[test]
    fn comments_strings_and_tests_are_no_code() {
        let text = "use crate::a; // crate::b\nlet url = \"http://crate::c\";\n/// crate::d\nfn f() {}\n#[cfg(test)]\nmod tests {\n    use crate::e;\n}\n";
        let code = production(text);
        assert!(code.contains("crate::a") && code.contains("fn f()"), "{code}");
        assert!(["b", "c", "d", "e"].iter().all(|name| !code.contains(&format!("crate::{name}"))), "{code}");
    }

    #[test]
    fn what_only_tests_use_does_not_end_a_file() {
        assert!(production("#[cfg(test)]\nmod tests;\n\nuse crate::a;\n").contains("crate::a"));
    }
}
