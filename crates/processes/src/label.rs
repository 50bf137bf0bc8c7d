//! The label of a process by which a security module of the kernel, AppArmor or SELinux, says what it may do.
//!
//! In: a process. Out: its label, if it is another one than that of this process, in the words by which a child asks to have it
//! from its program on.

use std::ffi::CStr;
use std::fs;
use std::io;
use std::path::Path;

use rustix::io::Errno;
use serde::{Deserialize, Serialize};

/// A place that is there where SELinux is.
const SELINUX: &str = "/sys/fs/selinux/status";

/// The label of a program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Label {
    /// The name of a profile.
    AppArmor(String),
    /// A context.
    SeLinux(String),
}

impl Label {
    /// The label of a process with this id. None where no module says anything of it, or the same as of this process.
    ///
    /// # Errors
    ///
    /// One that cannot be read may be there.
    pub fn of(pid: i32) -> io::Result<Option<Label>> {
        let [theirs, ours] = [read(&pid.to_string())?, read("self")?];
        Ok(theirs.filter(|label| Some(label) != ours.as_ref()))
    }

    /// The file of a child in which it asks for it.
    pub(crate) fn file(&self) -> &'static CStr {
        match self {
            Label::AppArmor(_) => c"/proc/self/attr/apparmor/exec",
            Label::SeLinux(_) => GENERAL,
        }
    }

    /// The words in which it asks.
    pub(crate) fn words(&self) -> String {
        match self {
            Label::AppArmor(profile) => format!("exec {profile}"),
            Label::SeLinux(context) => context.clone(),
        }
    }

    fn parse(text: &str, is_selinux: bool) -> Option<Label> {
        let text = text.trim_end_matches(['\0', '\n']);
        if is_selinux {
            return (!text.is_empty()).then(|| Label::SeLinux(text.to_owned()));
        }
        let profile = text.rsplit_once(" (").map_or(text, |(profile, _mode)| profile);
        (!profile.is_empty() && profile != "unconfined").then(|| Label::AppArmor(profile.to_owned()))
    }
}

/// The same file of any module; of kernels before Linux 5.8, the only one.
pub(crate) const GENERAL: &CStr = c"/proc/self/attr/exec";

fn read(process: &str) -> io::Result<Option<Label>> {
    for file in ["apparmor/current", "current"] {
        if let Some(text) = known(fs::read_to_string(format!("/proc/{process}/attr/{file}")))? {
            let is_selinux = file == "current" && Path::new(SELINUX).exists();
            return Ok(Label::parse(&text, is_selinux));
        }
    }
    Ok(None)
}

/// A module that is not there has no such file, or says that the question makes no sense. A process that is gone has none.
fn known(read: io::Result<String>) -> io::Result<Option<String>> {
    match read {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) if [Errno::INVAL, Errno::SRCH].contains(&Errno::from_io_error(&error).unwrap_or(Errno::IO)) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_read_as_its_module_writes_it() {
        let profile = |name: &str| Some(Label::AppArmor(name.to_owned()));
        assert_eq!(Label::parse("docker-default (enforce)\n", false), profile("docker-default"));
        assert_eq!(Label::parse("a b (complain)\n", false), profile("a b"));
        assert_eq!((Label::parse("unconfined\n", false), Label::parse("", true)), (None, None));
        let context = "system_u:system_r:container_t:s0:c1,c2";
        assert_eq!(Label::parse(&format!("{context}\0"), true), Some(Label::SeLinux(context.to_owned())));
    }

    #[test]
    fn a_child_asks_in_the_words_of_the_module() {
        let profile = Label::AppArmor("docker-default".to_owned());
        assert_eq!(profile.words(), "exec docker-default");
        assert_eq!(Label::SeLinux("a:b".to_owned()).words(), "a:b");
    }

    #[test]
    fn a_process_has_no_other_label_than_itself() {
        assert_eq!(Label::of(i32::try_from(std::process::id()).unwrap()).unwrap(), None);
        assert!(known(Err(io::ErrorKind::PermissionDenied.into())).is_err());
    }
}
