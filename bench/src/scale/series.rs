//! One of each: what `--all` runs, in this order. Pure.

use std::time::Duration;

use super::options::{Kind, Options};

/// Up to the bars, in some twenty-five minutes on two cores; or up to little, in two.
pub(crate) fn all(quick: bool) -> Vec<Options> {
    if quick { little() } else { bars() }
}

fn bars() -> Vec<Options> {
    let hold = Duration::from_secs(10);
    let run = |check, up_to, step| Options { check, up_to, step, hold, ..Options::default() };
    vec![
        run(Kind::MesosHttp, 8000, 1000),
        run(Kind::MesosTcp, 8000, 2000),
        run(Kind::Http, 6000, 1000),
        run(Kind::Tcp, 8000, 2000),
        run(Kind::Command, 600, 200),
        Options { netns: true, ..run(Kind::MesosHttp, 1000, 500) },
        Options { curl: true, ..run(Kind::MesosHttp, 240, 60) },
        Options { agents: 100, ..run(Kind::Http, 15_000, 5000) },
        Options { agents: 100, ..run(Kind::MesosHttp, 100_000, 25_000) },
    ]
}

fn little() -> Vec<Options> {
    let run = |check| Options { check, up_to: 60, step: 60, ..Options::default().quick() };
    let curl = Options { curl: true, up_to: 20, step: 20, ..run(Kind::MesosHttp) };
    let simulated = Options { agents: 10, flips_per_second: 20, ..run(Kind::MesosHttp) };
    vec![
        run(Kind::MesosHttp),
        run(Kind::Tcp),
        curl,
        Options { up_to: 200, step: 200, ..Options { check: Kind::Http, ..simulated.clone() } },
        Options { up_to: 1000, step: 1000, flips: 200, ..simulated },
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_run_overwrites_what_another_has_kept() {
        for quick in [false, true] {
            let all = all(quick);
            assert_eq!(all.iter().map(Options::name).collect::<BTreeSet<_>>().len(), all.len());
        }
    }
}
