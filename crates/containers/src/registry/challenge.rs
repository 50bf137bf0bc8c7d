//! `WWW-Authenticate`: the ways in which a registry lets itself be asked. The grammar is that of RFC 9110, 11.6.1. Pure.

/// A way to say who asks, with what the registry adds to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Challenge {
    /// In lower case.
    scheme: String,
    /// Their names are in lower case.
    parameters: Vec<(String, String)>,
}

impl Challenge {
    /// The challenges of a header, as far as they can be understood.
    pub(super) fn read(header: &str) -> Vec<Challenge> {
        let mut scanner = Scanner { rest: header };
        let mut challenges: Vec<Challenge> = Vec::new();
        let mut separated = true;
        loop {
            separated |= scanner.separator();
            let Some(word) = scanner.token() else { return challenges };
            let name = word.to_ascii_lowercase();
            match (scanner.value(), challenges.last_mut()) {
                (Some(value), Some(challenge)) => challenge.parameters.push((name, value)),
                (None, _) if separated => challenges.push(Challenge { scheme: name, parameters: Vec::new() }),
                _ => scanner.skip_to_comma(),
            }
            separated = false;
        }
    }

    pub(super) fn is(&self, scheme: &str) -> bool {
        self.scheme == scheme
    }

    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

struct Scanner<'a> {
    rest: &'a str,
}

impl<'a> Scanner<'a> {
    fn take(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|letter| !belongs(letter)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    /// True if there is a comma among the blanks that are left out.
    fn separator(&mut self) -> bool {
        self.take(|letter| matches!(letter, ' ' | '\t' | ',')).contains(',')
    }

    fn token(&mut self) -> Option<&'a str> {
        let token = self.take(|letter| letter.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(letter));
        (!token.is_empty()).then_some(token)
    }

    /// The value of a parameter whose name has just been read; none if that was no parameter.
    fn value(&mut self) -> Option<String> {
        let value = self.rest.trim_start_matches([' ', '\t']).strip_prefix('=')?;
        let value = Scanner { rest: value.trim_start_matches([' ', '\t']) };
        self.rest = value.rest;
        if let Some(rest) = self.rest.strip_prefix('"') {
            self.rest = rest;
            return self.quoted();
        }
        self.token().map(str::to_owned)
    }

    /// The text up to the closing quotation mark.
    fn quoted(&mut self) -> Option<String> {
        let mut text = String::new();
        let mut letters = self.rest.chars();
        loop {
            match letters.next()? {
                '"' => break,
                '\\' => text.push(letters.next()?),
                letter => text.push(letter),
            }
        }
        self.rest = letters.as_str();
        Some(text)
    }

    fn skip_to_comma(&mut self) {
        self.take(|letter| letter != ',');
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn told(header: &str) -> String {
        let one = |challenge: &Challenge| {
            let parameters = challenge.parameters.iter().map(|(name, value)| format!(" {name}={value}"));
            format!("{}{}", challenge.scheme, parameters.collect::<String>())
        };
        Challenge::read(header).iter().map(one).collect::<Vec<_>>().join(" | ")
    }

    #[test]
    fn headers_of_registries_are_read() {
        for (header, expected) in [
            (
                r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push""#,
                "bearer realm=https://auth.docker.io/token service=registry.docker.io scope=repository:a/b:pull,push",
            ),
            (r#"Basic realm="basic-realm""#, "basic realm=basic-realm"),
            (r#"BASIC Realm = "a \"b\", c" , charset=UTF-8"#, r#"basic realm=a "b", c charset=UTF-8"#),
            (r#"Negotiate, Basic realm=x, Bearer realm="y""#, "negotiate | basic realm=x | bearer realm=y"),
            (r#"Negotiate ab/c+d==, Basic realm="x""#, "negotiate | basic realm=x"),
            (r#"Negotiate abc==, Basic realm="x""#, "negotiate | basic realm=x"),
            (r#"Negotiate basic, Digest realm="x""#, "negotiate | digest realm=x"),
            ("Basic", "basic"),
            (",, ,Basic ,", "basic"),
        ] {
            assert_eq!(told(header), expected, "{header}");
        }
        assert_eq!(Challenge::read("Basic realm=x")[0].parameter("realm"), Some("x"));
    }

    #[test]
    fn nonsense_ends_somewhere() {
        for header in ["", ",", "=", "\"", "Basic realm=\"x", "Basic realm=\"x\\", "Basic =", "ü", "a=b", "Basic /,/,/"]
        {
            let challenges = Challenge::read(header);
            assert!(challenges.iter().all(|challenge| challenge.parameters.is_empty()), "{header}: {challenges:?}");
        }
    }
    proptest! {
        #[test]
        fn any_header_is_read_to_its_end(header in r#"([A-Za-z]{1,6}|[ ,="\\\\/ü]|"[a-z, =]*"|.){0,30}"#) {
            let written: usize = Challenge::read(&header).iter().map(|challenge| challenge.scheme.len()).sum();
            prop_assert!(written <= header.len());
        }

        #[test]
        fn what_is_written_by_the_grammar_is_read(
            challenges in prop::collection::vec(("[a-z]{1,9}", prop::collection::vec(("[a-z]{1,5}", "[ -~]{0,9}"), 0..4)), 0..4),
        ) {
            let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
            let parameter = |(name, value): &(String, String)| format!("{name}=\"{}\"", quoted(value));
            let one = |(scheme, parameters): &(String, Vec<_>)| {
                format!("{scheme} {}", parameters.iter().map(parameter).collect::<Vec<_>>().join(", "))
            };
            let header = challenges.iter().map(one).collect::<Vec<_>>().join(", ");
            let expected: Vec<_> =
                challenges.into_iter().map(|(scheme, parameters)| Challenge { scheme, parameters }).collect();
            prop_assert_eq!(Challenge::read(&header), expected);
        }
    }
}
