//! The name and the labels by which a container is known as a task's, to us and to people.

use std::collections::BTreeMap;
use std::path::Path;

/// Labels by name.
pub type Labels = BTreeMap<String, String>;

/// The label with the state directory of the executor whose container it is: no two agents have the same.
const STATE: &str = "cygnet.state";

/// The name of a container: Mesos' own.
pub fn container_name(container: &str) -> String {
    format!("mesos-{container}")
}

/// The label of all containers here, and its value for one of an executor.
pub fn state_label(executor_state: &Path) -> (&'static str, String) {
    (STATE, executor_state.display().to_string())
}

/// The run of an executor whose container this is, if the executors with their state below this directory have it.
pub fn run_of(labels: &Labels, executor_states: &Path) -> Option<String> {
    let below = Path::new(labels.get(STATE)?).strip_prefix(executor_states).ok()?;
    Some(below.components().next()?.as_os_str().to_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_is_its_agents_and_no_others() {
        let (name, value) = state_label(Path::new("/w/executors/c-1"));
        let labels = Labels::from([(name.to_owned(), value)]);
        assert_eq!(run_of(&labels, Path::new("/w/executors")).as_deref(), Some("c-1"));
        assert_eq!(run_of(&labels, Path::new("/w2/executors")), None);
        assert_eq!(run_of(&labels, Path::new("/w/executors/c-1")), None);
        assert_eq!(run_of(&Labels::new(), Path::new("/")), None);
    }
}
