//! The few variables of the agent's environment that pools and executors, and through them tasks, are started with.
//!
//! In: the environment of this process. Out: the variables that are handed on. Everything else, secrets of whoever
//! started the agent among it, ends here; `--executor-environment` is the way to give tasks more.

use std::collections::BTreeMap;
use std::ffi::OsString;

/// The programs and the language and time of the machine; the certificates HTTPS checks and fetches trust; how much
/// executors log, and where their checks may go.
const HANDED_ON: [&str; 8] =
    ["PATH", "LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR", "CYGNET_LOG", "CYGNET_CHECK_NETWORKS"];

/// The variables that are handed on, as far as they are text.
pub(crate) fn of(environment: impl IntoIterator<Item = (OsString, OsString)>) -> BTreeMap<String, String> {
    let text = |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
    let texts = environment.into_iter().filter_map(text);
    texts.filter(|(name, _)| HANDED_ON.contains(&name.as_str())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stray_variable_of_the_agent_ends_here_and_the_path_does_not() {
        let environment = ["PATH", "AWS_SECRET_ACCESS_KEY", "HOME", "MESOS_MASTER", "CYGNET_SECRET", "CYGNET_LOG"];
        let handed_on = of(environment.map(|name| (name.into(), "x".into())));
        assert_eq!(handed_on.into_keys().collect::<Vec<_>>(), ["CYGNET_LOG", "PATH"]);
    }
}
