//! The variables of a task with an image: the image's, above them what every task has, above all the task's own.

use std::collections::BTreeMap;
use std::path::Path;

use processes::DEFAULT_PATH;

use crate::image::ImageConfig;

/// Variables by name.
type Variables = BTreeMap<String, String>;

/// The variables of the host that say where its files are, or how its people like them: they mean nothing in an image.
const OF_HOST: [&str; 12] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "PWD",
    "LANG",
    "LC_ALL",
    "TZ",
    "TMPDIR",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];

/// The things that the variables of a container depend on.
#[derive(Clone, Copy, Debug)]
pub struct Inside<'a> {
    /// The image.
    pub image: &'a ImageConfig,
    /// The home of its user.
    pub home: &'a Path,
    /// The place of the sandbox.
    pub sandbox: &'a Path,
    /// True if the network is not the host's.
    pub own_network: bool,
}

/// The whole environment, of that of the executor and the task's own.
pub fn environment(inside: Inside<'_>, inherited: &Variables, own: Variables) -> Variables {
    let text = |path: &Path| path.display().to_string();
    let mut environment =
        Variables::from([("PATH".to_owned(), DEFAULT_PATH.to_owned()), ("HOME".to_owned(), text(inside.home))]);
    environment.extend(inside.image.environment.iter().filter(is_usable).cloned());
    let of_executor = inherited.iter().filter(|(name, _)| !OF_HOST.contains(&name.as_str()));
    environment.extend(of_executor.map(|(name, value)| (name.clone(), value.clone())));
    environment.insert("MESOS_SANDBOX".to_owned(), text(inside.sandbox));
    if inside.own_network {
        environment.insert("LIBPROCESS_IP".to_owned(), "0.0.0.0".to_owned());
    }
    environment.extend(own);
    environment
}

/// An image may say anything.
fn is_usable((name, value): &&(String, String)) -> bool {
    !name.is_empty() && !name.contains(['=', '\0']) && !value.contains('\0')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn of(image: &[(&str, &str)], inherited: &[(&str, &str)], own: &[(&str, &str)]) -> Vec<(String, String)> {
        let image = ImageConfig { environment: variables(image), ..ImageConfig::parse(b"{}").unwrap() };
        let (home, sandbox) = (Path::new("/home/web"), Path::new("/mnt/sandbox"));
        let inside = Inside { image: &image, home, sandbox, own_network: !own.is_empty() };
        let [inherited, own] = [inherited, own].map(|list| variables(list).into_iter().collect());
        environment(inside, &inherited, own).into_iter().collect()
    }

    #[test]
    fn the_task_goes_before_its_executor_and_that_before_the_image() {
        let found = of(
            &[("A", "image"), ("B", "image"), ("C", "image"), ("PATH", "/image"), ("x=", "y"), ("N", "\0")],
            &[("B", "executor"), ("C", "executor"), ("PATH", "/host"), ("LANG", "de"), ("MESOS_SANDBOX", "/host")],
            &[("C", "task"), ("LANG", "C")],
        );
        let expected = [
            ("A", "image"),
            ("B", "executor"),
            ("C", "task"),
            ("HOME", "/home/web"),
            ("LANG", "C"),
            ("LIBPROCESS_IP", "0.0.0.0"),
            ("MESOS_SANDBOX", "/mnt/sandbox"),
            ("PATH", "/image"),
        ];
        assert_eq!(found, variables(&expected));
    }

    #[test]
    fn an_image_without_variables_has_dockers() {
        let expected = [("HOME", "/home/web"), ("MESOS_SANDBOX", "/mnt/sandbox"), ("PATH", DEFAULT_PATH)];
        assert_eq!(of(&[], &[("PATH", "/host"), ("HOME", "/root")], &[]), variables(&expected));
        assert_eq!(of(&[("HOME", "/srv")], &[], &[])[0], variables(&[("HOME", "/srv")])[0]);
    }
}
