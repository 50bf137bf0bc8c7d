//! A command as pods, and the `check` of apps, write it.

use serde::{Deserialize, Serialize};

use super::validate::Faults;

/// A command for a shell, or by its arguments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ExecCommand {
    /// For `sh -c`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) shell: Option<String>,
    /// The program first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) argv: Option<Vec<String>>,
}

impl ExecCommand {
    /// Adds the fault of a command that runs nothing.
    pub(super) fn validate(&self, at: &str, faults: &mut Faults) {
        faults.require(self.is_runnable(), format!("{at}/command"), "must have either shell or argv");
    }

    /// True if there is one way to run something. A shell that is given nothing to run would always succeed.
    fn is_runnable(&self) -> bool {
        let is_text = |text: &String| !text.trim().is_empty();
        match (&self.shell, self.argv.as_deref().unwrap_or_default()) {
            (Some(shell), []) => is_text(shell),
            (None, [program, ..]) => is_text(program),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_a_shell_or_arguments_and_not_nothing() {
        for (json, runs) in [
            (serde_json::json!({"shell": "true"}), true),
            (serde_json::json!({"argv": ["true", ""]}), true),
            (serde_json::json!({"shell": "true", "argv": []}), true),
            (serde_json::json!({}), false),
            (serde_json::json!({"shell": " "}), false),
            (serde_json::json!({"argv": []}), false),
            (serde_json::json!({"argv": [""]}), false),
            (serde_json::json!({"shell": "true", "argv": ["true"]}), false),
        ] {
            let command: ExecCommand = serde_json::from_value(json.clone()).unwrap();
            assert_eq!(command.is_runnable(), runs, "{json}");
        }
    }
}
