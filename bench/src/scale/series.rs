//! One of each: what `--all` runs, in this order. Pure.

use super::options::{Command, Options};

/// Up to the bars, in some twenty-five minutes on two cores.
const BARS: [&str; 9] = [
    "--hold 10 --check mesos-http --up-to 8000 --step 1000",
    "--hold 10 --check mesos-tcp --up-to 8000 --step 2000",
    "--hold 10 --check http --up-to 6000 --step 1000",
    "--hold 10 --check tcp --up-to 8000 --step 2000",
    "--hold 10 --check command --up-to 600 --step 200",
    "--hold 10 --check mesos-http --up-to 1000 --step 500 --netns",
    "--hold 10 --check mesos-http --up-to 240 --step 60 --prober curl",
    "--hold 10 --check http --up-to 15000 --step 5000 --agents 100",
    "--hold 10 --check mesos-http --up-to 100000 --step 25000 --agents 100",
];

/// Up to little, in two minutes.
const LITTLE: [&str; 5] = [
    "--quick --check mesos-http --up-to 60 --step 60",
    "--quick --check tcp --up-to 60 --step 60",
    "--quick --check mesos-http --up-to 20 --step 20 --prober curl",
    "--quick --check http --up-to 200 --step 200 --agents 10 --flips-per-second 20",
    "--quick --check mesos-http --up-to 1000 --step 1000 --agents 10 --flips-per-second 20 --flips 200",
];

pub(crate) fn all(quick: bool) -> Result<Vec<Options>, clap::Error> {
    let lines: &[&str] = if quick { &LITTLE } else { &BARS };
    lines.iter().map(|line| Command::given(line).map(|command| command.options)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_run_overwrites_what_another_has_kept() {
        for quick in [false, true] {
            let all = all(quick).unwrap();
            assert_eq!(all.iter().map(Options::name).collect::<BTreeSet<_>>().len(), all.len());
        }
    }
}
