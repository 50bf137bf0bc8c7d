//! Names: of apps (paths), of instances and of their tasks, in Marathon's forms.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An app's id: an absolute path such as `/shop/web`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AppId(String);

impl AppId {
    /// Makes a path absolute and drops a slash at its end. Whether it is a legal id is validation's to say.
    #[must_use]
    pub fn new(path: &str) -> Self {
        AppId(format!("/{}", path.trim_matches('/')))
    }

    /// The path, beginning with `/`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id as part of a task id: `shop_web`.
    #[must_use]
    pub fn safe(&self) -> String {
        self.0.trim_start_matches('/').replace('/', "_")
    }

    /// The id as a host name, innermost part first: `web.shop`.
    #[must_use]
    pub fn host_name(&self) -> String {
        let mut parts: Vec<_> = self.0.split('/').filter(|part| !part.is_empty()).collect();
        parts.reverse();
        parts.join(".")
    }
}

impl fmt::Display for AppId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An instance's id: `shop_web.instance-<uuid>`. It stays when a task is replaced by its next incarnation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct InstanceId(String);

impl InstanceId {
    /// The id of an instance of `app`, told apart by `unique` (a uuid).
    #[must_use]
    pub fn new(app: &AppId, unique: &str) -> Self {
        InstanceId(format!("{}.instance-{unique}", app.safe()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id of the instance's task in its `incarnation`, counted from 1.
    #[must_use]
    pub fn task(&self, incarnation: u32) -> String {
        format!("{}._app.{incarnation}", self.0)
    }

    /// The instance a task id belongs to, if it has our form.
    #[must_use]
    pub fn of_task(task_id: &str) -> Option<Self> {
        let (instance, _) = task_id.rsplit_once("._app.")?;
        Some(InstanceId(instance.to_owned()))
    }
}

impl fmt::Display for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        let app = AppId::new("shop/web/");
        assert_eq!(app.as_str(), "/shop/web");
        assert_eq!(app.host_name(), "web.shop");
        let instance = InstanceId::new(&app, "u");
        assert_eq!(instance.task(2), "shop_web.instance-u._app.2");
        assert_eq!(InstanceId::of_task(&instance.task(2)), Some(instance));
        assert_eq!(InstanceId::of_task("other"), None);
    }
}
