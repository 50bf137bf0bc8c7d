//! Other people's clients of Mesos and of Marathon, for the tests that drive them: an environment of Python below the
//! target directory, with packages from their registry, unmodified. In: nothing. Out: `target/clients/bin/python`.

use std::process::Command;

use anyhow::Context;

use crate::command::{installed, program, root};

const PLACE: &str = "target/clients";

/// The packages that install as they are, and what [`ALONE`] depend on.
const PACKAGES: [&str; 12] = [
    "addict==2.4.0",
    "avmesos==0.4.2",
    "jsonschema==2.6.0",
    "kazoo==2.11.0",
    "marathon==0.13.0",
    "pager==3.3",
    "prettytable==0.7.2",
    "pygments==2.21.0",
    "retrying==1.3.3",
    "six==1.17.0",
    "sseclient==0.0.19",
    "toml==0.10.2",
];

/// Without what they ask for: DC/OS's wants a PyJWT too old for today's Python, and pymesos [`HTTP_PARSER`] as it was.
const ALONE: [&str; 2] = ["dcos==0.6.1", "pymesos==0.3.15"];

/// The parser of pymesos. Its part in C does not compile with today's Python; the one in Python, which it falls back
/// to by itself, needs no more than to be unpacked.
const HTTP_PARSER: (&str, &str) = ("http-parser", "0.9.0");

pub(crate) fn install() -> anyhow::Result<()> {
    if !installed("python3") {
        println!("python3 is not installed: the tests that drive clients in it will be skipped");
        return Ok(());
    }
    program("python3", ["-m", "venv", PLACE])?;
    pip(["install", "--quiet"].into_iter().chain(PACKAGES))?;
    pip(["install", "--quiet", "--no-deps"].into_iter().chain(ALONE))?;
    let (name, version) = HTTP_PARSER;
    let (sources, wanted) = (format!("{PLACE}/sources"), format!("{name}=={version}"));
    pip(["download", "--quiet", "--no-deps", "--no-binary", ":all:", "--dest", &sources, &wanted])?;
    let (archive, member) = (format!("{sources}/{name}-{version}.tar.gz"), format!("{name}-{version}/http_parser"));
    program("tar", ["-xzf", &archive, "-C", &packages()?, "--strip-components=1", &member])
}

fn pip<'a>(arguments: impl IntoIterator<Item = &'a str>) -> anyhow::Result<()> {
    program(&format!("{PLACE}/bin/pip"), ["--disable-pip-version-check"].into_iter().chain(arguments))
}

/// The directory the environment's packages are in.
fn packages() -> anyhow::Result<String> {
    let ask = "import sysconfig; print(sysconfig.get_path('purelib'))";
    let answer = Command::new(root().join(PLACE).join("bin/python")).args(["-c", ask]).output();
    let answer = answer.context("cannot run the environment's python")?;
    Ok(String::from_utf8(answer.stdout)?.trim().to_owned())
}
