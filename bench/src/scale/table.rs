//! Findings as text: a table for people, CSV for programs. Pure.

use super::poll::Poll;
use super::step::{ROLES, Step};

pub(crate) fn header() -> String {
    let roles = |unit: &str| ROLES.map(|role| format!("{role:>10}")).join("") + unit;
    format!(
        "{:>7}{:>9}{:>10} |{} |{} |{:>8}{:>9}{:>9}{:>7}",
        "tasks",
        "ramp s",
        "updates/s",
        roles(" % CPU"),
        roles(" MiB"),
        "busy %",
        "lag p50",
        "p99 ms",
        "false"
    )
}

pub(crate) fn row(step: &Step) -> String {
    let cpu: String = step.cpu.iter().map(|cpu| format!("{:>10.1}", cpu * 100.0)).collect();
    let memory: String = step.rss_mib.iter().map(|mib| format!("{mib:>10.0}")).collect();
    let (p50, p99) = step.lag.map_or_else(|| ("-".into(), "-".into()), |lag| (ms(lag.p50), ms(lag.p99)));
    format!(
        "{:>7}{:>9.1}{:>10.0} |{cpu}       |{memory}     |{:>8.0}{p50:>9}{p99:>9}{:>7}",
        step.tasks,
        step.ramp.unwrap_or_default().as_secs_f64(),
        step.ramp_updates_per_s,
        step.machine_cpu * 100.0,
        step.false_verdicts
    )
}

/// For documents.
pub(crate) fn markdown(steps: &[Step]) -> String {
    let columns = |unit: &str| ROLES.map(|role| format!("{role}{unit}")).join(" | ");
    let mut text =
        format!("| tasks | healthy after, s | {} | {} | lag p50, p99, ms |\n", columns(", % CPU"), columns(", MiB"));
    text += &format!("|{}\n", "---|".repeat(3 + 2 * ROLES.len()));
    for step in steps {
        let cpu = step.cpu.map(|cpu| format!("{:.1}", cpu * 100.0)).join(" | ");
        let memory = step.rss_mib.map(|mib| format!("{mib:.0}")).join(" | ");
        let lag = step.lag.map_or_else(|| "-".to_owned(), |lag| format!("{}, {}", ms(lag.p50), ms(lag.p99)));
        let ramp = step.ramp.unwrap_or_default().as_secs_f64();
        text += &format!("| {} | {ramp:.1} | {cpu} | {memory} | {lag} |\n", step.tasks);
    }
    text
}

fn ms(value: f64) -> String {
    format!("{value:.1}")
}

/// CPU in parts of one core, memory in MiB, lag in milliseconds.
pub(crate) fn steps_csv(steps: &[Step]) -> String {
    let columns = |what: &str| ROLES.map(|role| format!("{role}_{what}")).join(",");
    let mut csv = format!(
        "tasks,ramp_s,ramp_updates_per_s,{},{},machine_cpu,machine_mib,updates_per_s,lag_p50_ms,lag_p99_ms,false_verdicts\n",
        columns("cpu"),
        columns("rss_mib")
    );
    for step in steps {
        let numbers = |values: [f64; 4]| values.map(|value| format!("{value:.4}")).join(",");
        let (p50, p99) = step.lag.map_or((String::new(), String::new()), |lag| (ms(lag.p50), ms(lag.p99)));
        csv += &format!(
            "{},{:.2},{:.1},{},{},{:.3},{:.0},{:.2},{p50},{p99},{}\n",
            step.tasks,
            step.ramp.unwrap_or_default().as_secs_f64(),
            step.ramp_updates_per_s,
            numbers(step.cpu),
            numbers(step.rss_mib),
            step.machine_cpu,
            step.machine_mib,
            step.updates_per_s,
            step.false_verdicts
        );
    }
    csv
}

/// A poll without an answer has no numbers.
pub(crate) fn polls_csv(polls: &[Poll]) -> String {
    let line = |poll: &Poll| {
        let numbers = poll.states.map_or_else(
            || ",,,,".to_owned(),
            |states| {
                format!(
                    "{},{},{},{},{}",
                    states.staged, states.running, states.healthy, states.unhealthy, states.unknown
                )
            },
        );
        format!("{:.1},{numbers}\n", poll.at.as_secs_f64())
    };
    "at_s,staged,running,healthy,unhealthy,unknown\n".to_owned() + &polls.iter().map(line).collect::<String>()
}
