//! A row: one line of the protocol's description, and the test that the implementation keeps to it.

use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::Arc;

use libtest_mimic::{Failed, Trial};

use crate::target::Target;
use harness::framework::Framework;
use harness::wire::Form;

/// A named test of a target.
pub(crate) struct Row {
    name: String,
    run: Box<dyn FnOnce(&Target) + Send>,
}

impl Row {
    /// For the test runner.
    pub(crate) fn trial(self, target: &Arc<Target>) -> Trial {
        let target = Arc::clone(target);
        Trial::test(self.name, move || verdict(|| (self.run)(&target)))
    }
}

/// A row that holds once.
pub(crate) fn row(name: impl Into<String>, run: impl FnOnce(&Target) + Send + 'static) -> Row {
    Row { name: name.into(), run: Box::new(run) }
}

/// A row that holds in both forms.
pub(crate) fn both(
    name: impl Into<String>,
    run: impl Fn(&Target, Form) + Clone + Send + 'static,
) -> impl Iterator<Item = Row> {
    let name = name.into();
    Form::ALL.into_iter().map(move |form| {
        let run = run.clone();
        row(format!("{name} [{}]", form.name()), move |target| run(target, form))
    })
}

type Framed = fn(&Target, Framework);

/// Rows that hold in both forms, each for a framework of its own.
pub(crate) fn framed(table: &[(&str, Framed)]) -> Vec<Row> {
    let rows = table
        .iter()
        .map(|&(name, run)| both(name, move |target, form| run(target, Framework::subscribe(target, form))));
    rows.flatten().collect()
}

/// Says that a row says nothing about this target, and why.
pub(crate) fn skipped(name: &str, why: &str) {
    println!("\nSKIPPED {name}: {why}");
}

/// A row that starts, stops or kills processes, which only works with our own.
pub(crate) fn own(name: &'static str, run: impl FnOnce() + Send + 'static) -> Row {
    row(name, move |target| match target.is_foreign() {
        true => skipped(name, "somebody else's processes are not ours to kill"),
        false => run(),
    })
}

thread_local! {
    /// The failure of the row of this thread; nothing while no row runs on it.
    static FAILURE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Failures of rows are told by the runner, at the end and one by one: many rows run at a time.
pub(crate) fn keep_failures_quiet() {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |failure| {
        let of_a_row = FAILURE.with_borrow_mut(|kept| {
            // The first says why; what is dropped on the way out may fail in turn.
            if let Some(kept) = kept.as_mut().filter(|kept| kept.is_empty()) {
                *kept = told(failure);
            }
            kept.is_some()
        });
        if !of_a_row {
            usual(failure);
        }
    }));
}

fn told(failure: &PanicHookInfo<'_>) -> String {
    let place = failure.location().map(|place| format!("{}:{}: ", place.file(), place.line()));
    format!("{}{}", place.unwrap_or_default(), failure.payload_as_str().unwrap_or("failed"))
}

fn verdict(run: impl FnOnce()) -> Result<(), Failed> {
    FAILURE.set(Some(String::new()));
    let result = panic::catch_unwind(AssertUnwindSafe(run));
    let failure = FAILURE.take().unwrap_or_default();
    result.map_err(|_| failure.into())
}
