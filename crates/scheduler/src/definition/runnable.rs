//! The limits of Mesos and of the kernel that a definition can exceed: what is accepted can also run.

use super::app::App;
use super::run_spec::RunSpec;
use super::validate::Faults;
use crate::ids::AppId;

/// A task's id, in Mesos, and the name of a directory, in the kernel.
const LONGEST_TASK_ID: usize = 255;

/// The parts of a task's id besides the names of its app and container: `.instance-`, a uuid, two dots, an incarnation
/// of up to ten digits.
const LONGEST_REST: usize = 10 + 36 + 2 + 10;

/// The name of the one container of an app in its tasks' ids.
const APP: &str = "_app";

/// One argument or one variable of a program, with its end (`MAX_ARG_STRLEN`).
const LONGEST_TEXT: usize = 128 * 1024 - 1;

/// All arguments and variables of a program together. The kernel allows more, but Mesos adds its own.
const LONGEST_PROGRAM: usize = 1024 * 1024;

/// Adds the ids and texts of an app that no task could have.
pub(crate) fn validate(spec: &RunSpec, app: &App, faults: &mut Faults) {
    id(&spec.id, APP, "/id", faults);
    let variables = app.env.iter().map(|(name, value)| (format!("/env/{name}"), name.len() + 1 + value.length()));
    let command = app.cmd.iter().map(|cmd| ("/cmd".to_owned(), cmd.len()));
    let arguments = app.args.iter().enumerate().map(|(index, text)| (format!("/args({index})"), text.len()));
    program(command.chain(arguments).chain(variables), "/", faults);
    for (index, check) in spec.health_checks.iter().enumerate() {
        let value =
            check.command.as_ref().map(|command| (format!("/healthChecks({index})/command"), command.value.len()));
        program(value, "/", faults);
    }
}

/// Adds the fault of an id whose tasks' ids would be too long.
pub(crate) fn id(id: &AppId, container: &str, at: &str, faults: &mut Faults) {
    let most = LONGEST_TASK_ID - LONGEST_REST - container.len().min(LONGEST_TASK_ID - LONGEST_REST);
    let length = id.safe().len();
    let error = format!(
        "must not have more than {most} characters, so that task ids fit into {LONGEST_TASK_ID}: it has {length}"
    );
    faults.require(length <= most, at, error);
}

/// Adds the faults of texts of a program that the kernel would not pass on: each by its path and its length in bytes.
pub(crate) fn program(texts: impl IntoIterator<Item = (String, usize)>, at: &str, faults: &mut Faults) {
    let mut whole = 0_usize;
    for (path, length) in texts {
        whole = whole.saturating_add(length);
        if length > LONGEST_TEXT {
            let error = format!(
                "must not have more than {LONGEST_TEXT} bytes, as no program can be given more: it has {length}"
            );
            faults.add(path, error);
        }
    }
    let error =
        format!("command and environment together must not have more than {LONGEST_PROGRAM} bytes: they have {whole}");
    faults.require(whole <= LONGEST_PROGRAM, at, error);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    fn faults(id: &str, change: impl FnOnce(&mut App)) -> Vec<String> {
        let spec = RunSpec::new(AppId::new(id), Timestamp::from_millis(1));
        let (mut app, mut faults) = (App::new(), Faults::default());
        change(&mut app);
        validate(&spec, &app, &mut faults);
        faults.iter().map(|fault| fault.path.clone()).collect()
    }

    #[test]
    fn an_id_whose_tasks_could_not_be_named_is_refused() {
        let named = |length: usize| faults(&"a".repeat(length), |_| ());
        assert_eq!(named(193), [""; 0]);
        assert_eq!(named(194), ["/id"]);
        let uuid = uuid::Uuid::nil().to_string();
        let longest = crate::ids::InstanceId::new(&AppId::new(&"a".repeat(193)), &uuid).task(u32::MAX);
        assert_eq!(longest.len(), LONGEST_TASK_ID);
    }

    #[test]
    fn a_text_that_no_program_can_be_given_is_refused() {
        assert_eq!(faults("/a", |app| app.cmd = Some("x".repeat(LONGEST_TEXT))), [""; 0]);
        assert_eq!(faults("/a", |app| app.cmd = Some("x".repeat(LONGEST_TEXT + 1))), ["/cmd"]);
        let variable = |length: usize| faults("/a", |app| _ = app.env.insert("A".into(), "x".repeat(length).into()));
        assert_eq!(variable(LONGEST_TEXT - 2), [""; 0]);
        assert_eq!(variable(LONGEST_TEXT - 1), ["/env/A"]);
        let many = |count: usize| faults("/a", |app| app.args = vec!["x".repeat(LONGEST_TEXT); count]);
        assert_eq!(many(8), [""; 0]);
        assert_eq!(many(9), ["/"]);
    }
}
