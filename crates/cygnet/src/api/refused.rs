//! Answers that are no success, in words for a person: which field is wrong, what would be right, and what to do. The
//! codes stay Marathon's; what a field may be is asked of the API's own document.
//!
//! [`field`] finds fields in documents and in what was sent, [`words`] says what is wrong there.

mod field;
mod words;

use serde_json::Value;

/// An answer that is no success.
#[derive(Debug, Clone)]
pub(crate) struct Refused {
    pub status: u16,
    pub body: Value,
}

/// The request that was refused, and what the API's document knows of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub path: &'a str,
    /// Null where nothing was sent.
    pub sent: &'a Value,
    /// Null where it is not known.
    pub document: &'a Value,
    /// The name that was probably meant by one that is not there.
    pub meant: Option<&'a str>,
}

impl Refused {
    /// True if it may be otherwise a moment later: not the client is at fault.
    pub(super) fn may_pass(&self) -> bool {
        self.status >= 500
    }

    /// True if fields are at fault.
    pub(super) fn is_about_fields(&self) -> bool {
        self.body["details"].is_array()
    }

    /// True if something that was named is not there.
    pub(super) fn is_missing(&self) -> bool {
        self.status == 404 && self.said().is_some()
    }

    /// True if the Marathon API would not have said it so: another server listens there.
    pub(super) fn is_of_another_server(&self) -> bool {
        self.status == 404 && self.body["message"].is_null()
    }

    fn said(&self) -> Option<&str> {
        let text = self.body["message"].as_str().or_else(|| self.body.as_str().map(str::trim));
        text.filter(|text| !text.is_empty())
    }

    /// The error: the message, the fields at fault, and what to do.
    pub(super) fn explain(&self, asked: &Asked<'_>) -> String {
        let message = match self.said() {
            // It is, or it could not be read at all.
            Some("Invalid JSON") if self.is_about_fields() => "what was sent has other fields than it may have",
            said => said.unwrap_or("refused"),
        };
        let mut lines = vec![format!("{message} (HTTP {})", self.status)];
        for detail in self.body["details"].as_array().into_iter().flatten() {
            let errors = detail["errors"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let path = detail["path"].as_str().unwrap_or("/");
            lines.extend(errors.map(|error| format!("  {path}: {}", words::said(asked, path, error))));
        }
        if let Some(details) = self.body["details"].as_str() {
            lines.push(format!("  {details}"));
        }
        lines.extend(self.what_to_do(asked));
        lines.join("\n")
    }

    fn what_to_do(&self, asked: &Asked<'_>) -> Option<String> {
        let locks = self.body["deployments"].as_array().into_iter().flatten();
        let locks: Vec<_> = locks.filter_map(|lock| lock["id"].as_str()).collect();
        match self.status {
            409 if !locks.is_empty() => Some(format!(
                "  `cygnet deployment watch {}` follows what is under way; --force breaks into it",
                locks.join(" ")
            )),
            404 => {
                let meant = asked.meant.map_or_else(String::new, |meant| format!("did you mean {meant}? "));
                Some(format!("  {meant}`{}` shows what there is", list_of(asked.path)))
            }
            401 | 403 => Some("  the scheduler asks for credentials that were not given".into()),
            _ => None,
        }
    }
}

/// The command that lists what a path names one of.
fn list_of(path: &str) -> &'static str {
    let kinds = [
        ("/v2/pods", "cygnet pod list"),
        ("/v2/groups", "cygnet group list"),
        ("/v2/tasks", "cygnet task list"),
        ("/v2/deployments", "cygnet deployment list"),
        ("/v2/queue", "cygnet queue list"),
        ("/v2/agents", "cygnet node list"),
    ];
    kinds.into_iter().find(|(beginning, _)| path.starts_with(beginning)).map_or("cygnet app list", |(_, list)| list)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn explained(path: &str, status: u16, body: Value) -> String {
        let asked = Asked { path, sent: &Value::Null, document: &Value::Null, meant: Some("/b") };
        Refused { status, body }.explain(&asked)
    }

    #[test]
    fn a_refusal_names_the_fields_at_fault() {
        let details = json!([{"path": "/cpus", "errors": ["error.expected.jsnumber", "must be positive"]}]);
        let text = explained("/v2/apps", 422, json!({"message": "Invalid JSON", "details": details}));
        let expected = "what was sent has other fields than it may have (HTTP 422)\n  /cpus: expected a number\n  \
                        /cpus: must be positive";
        assert_eq!(text, expected);
        let text = explained("/v2/apps", 400, json!({"message": "Invalid JSON", "details": "EOF at line 1 column 2"}));
        assert_eq!(text, "Invalid JSON (HTTP 400)\n  EOF at line 1 column 2");
    }

    #[test]
    fn a_locked_app_is_told_how_to_unlock() {
        let text = explained("/v2/apps/a", 409, json!({"message": "App is locked", "deployments": [{"id": "d1"}]}));
        assert!(text.contains("--force") && text.contains("cygnet deployment watch d1"), "{text}");
        assert_eq!(explained("/v2/apps/a", 409, json!({"message": "exists"})), "exists (HTTP 409)");
    }

    #[test]
    fn the_hint_is_about_what_was_asked_for() {
        let missing = |path: &str| explained(path, 404, json!({"message": "none"}));
        assert!(missing("/v2/pods/a").ends_with("did you mean /b? `cygnet pod list` shows what there is"));
        assert!(missing("/v2/apps/a/tasks").contains("`cygnet app list`"));
        assert!(missing("/v2/deployments/d").contains("`cygnet deployment list`"));
        assert!(missing("/v2/agents/a/drain").contains("`cygnet node list`"));
    }

    #[test]
    fn a_refusal_in_plain_text_is_shown() {
        assert_eq!(explained("/", 418, json!("I'm a teapot")), "I'm a teapot (HTTP 418)");
        assert_eq!(explained("/", 500, json!("")), "refused (HTTP 500)");
    }
}
