//! Python, for clients that others wrote in it. `cargo xtask clients` installs them below `target/clients`; wherever
//! else they are installed will do.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A Python that has this package; none where there is none.
pub fn with(package: &str) -> Option<PathBuf> {
    let own = tests().join("../target/clients/bin/python");
    [own, PathBuf::from("python3")].into_iter().find(|python| imports(python, package))
}

/// The path of a script of `tests/clients`.
pub fn script(name: &str) -> PathBuf {
    tests().join("clients").join(name)
}

fn tests() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the harness lies in the directory of the tests")
}

/// Asked from where there are no directories that Python would take for packages, as it would `tests/marathon`.
fn imports(python: &Path, package: &str) -> bool {
    let quiet = Command::new(python)
        .current_dir("/")
        .args(["-c", &format!("import {package}")])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    quiet.is_ok_and(|status| status.success())
}
