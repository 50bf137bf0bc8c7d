//! The apps and pods of earlier runs, which `cygnet dev` runs again beside those of its files.

use serde_json::Value;

use crate::api::Api;
use crate::command::table::items;

/// The ids of those that no file defines.
pub(super) async fn ids(api: &Api, definitions: &[Value]) -> anyhow::Result<Vec<String>> {
    let (apps, pods) = (api.get("/v2/apps").await?, api.get("/v2/pods").await?);
    let known = items(&apps["apps"]).iter().chain(items(&pods));
    Ok(others(known.filter_map(|one| one["id"].as_str()), definitions))
}

/// The ids that are none of these definitions', nor in a group that is one.
fn others<'a>(known: impl Iterator<Item = &'a str>, definitions: &[Value]) -> Vec<String> {
    let defined = || definitions.iter().filter_map(|one| one["id"].as_str()).map(|id| id.trim_matches('/'));
    let is_of = |id: &str, whole: &str| {
        whole.is_empty() || id.strip_prefix(whole).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let is_defined = |id: &&str| defined().any(|whole| is_of(id.trim_matches('/'), whole));
    known.filter(|id| !is_defined(id)).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_file_or_a_group_in_it_defines_is_of_this_run() {
        let known = || ["/web", "/webs", "/shop/front"].into_iter();
        assert_eq!(others(known(), &[json!({"id": "web"})]), ["/webs", "/shop/front"]);
        assert_eq!(others(known(), &[json!({"id": "/shop/"}), json!({"id": "/webs"})]), ["/web"]);
        assert_eq!(others(known(), &[json!({"id": "/"})]), Vec::<String>::new());
        assert_eq!(others(known(), &[]).len(), 3);
    }
}
