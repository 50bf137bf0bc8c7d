//! The overview as people read it: one line that says whether all is well, the numbers, and what is not well. Pure.

use serde_json::Value;

use super::entry;
use crate::command::age::since;
use crate::command::page::Page;
use crate::command::table::{Table, items, table, text};

/// The most groups to show.
const GROUPS: usize = 20;

/// The numbers of instances, in the order in which they are shown. The first two are always shown.
const NUMBERS: [&str; 9] =
    ["wanted", "running", "healthy", "unhealthy", "held", "unknown", "starting", "waiting", "unreachable"];

/// An overview on a page.
pub(super) fn shown(overview: &Value, mut page: Page) -> Page {
    page.text(&headline(overview));
    page.text(&numbers(&overview["total"]["instances"]));
    if overview.get("checkersAsOf").is_some_and(Value::is_null) {
        page.text("whether checks are made is not known yet: not all agents have told");
    }
    let groups = items(&overview["groups"]);
    if groups.len() > 1 {
        page.gap();
        page.table(&groups_table(groups));
        more(&mut page, groups.len().saturating_sub(GROUPS), "groups");
    }
    let entries = items(&overview["notWell"]);
    for one in entries {
        page.gap();
        entry::show(one, &mut page);
    }
    let count = number(&overview["notWellCount"]);
    let left_out = count.saturating_sub(entries.len());
    if left_out > 0 {
        page.gap();
        page.text(&format!("and {left_out} more: `cygnet status -n {}` shows them", count.min(1000)));
    }
    page
}

fn more(page: &mut Page, left_out: usize, of: &str) {
    if left_out > 0 {
        page.text(&format!("and {left_out} more {of}"));
    }
}

fn headline(overview: &Value) -> String {
    let apps = &overview["total"]["apps"];
    let (all, not_well) = (number(&apps["all"]), number(&apps["notWell"]));
    let entries = number(&overview["notWellCount"]);
    match overview["allWellSince"].as_str() {
        _ if entries > 0 && not_well == 0 => {
            let listed = items(&overview["notWell"]);
            let is_silent = listed.iter().any(|entry| entry["kind"] == "untelling");
            let (one, more) =
                if is_silent { ("other thing is", "other things are") } else { ("deployment is", "deployments are") };
            format!("all apps are well; {} not", many(entries, one, more))
        }
        _ if entries > 0 => format!("{not_well} of {} not well", many(all, "app is", "apps are")),
        _ if all == 0 => "there are no apps: `cygnet app run FILE` makes some".to_owned(),
        Some(moment) if all == 1 => format!("the one app is well since {moment} ({})", since(moment)),
        Some(moment) => format!("all {all} apps are well since {moment} ({})", since(moment)),
        None => "nothing is in trouble; not all instances are ready yet".to_owned(),
    }
}

/// The numbers in words, those that are nothing left out.
fn numbers(instances: &Value) -> String {
    let all = NUMBERS.iter().map(|name| (*name, number(&instances[*name])));
    let some = all.enumerate().filter(|(place, (_, count))| *place < 2 || *count > 0);
    let words: Vec<String> = some.map(|(_, (name, count))| format!("{count} {name}")).collect();
    format!("instances: {}", words.join(", "))
}

/// The numbers of each group, those that are not well first.
fn groups_table(groups: &[Value]) -> Table {
    let is_shown =
        |name: &&str| NUMBERS[..2].contains(name) || groups.iter().any(|group| number(&group["instances"][*name]) > 0);
    let numbers: Vec<&str> = NUMBERS.into_iter().filter(is_shown).collect();
    let header: Vec<&str> = ["group", "apps", "not well"].into_iter().chain(numbers.iter().copied()).collect();
    let mut sorted: Vec<&Value> = groups.iter().collect();
    sorted.sort_by_key(|group| group["apps"]["notWell"] == 0);
    let mut table = table(&header);
    for group in sorted.into_iter().take(GROUPS) {
        let apps = [text(&group["id"]), text(&group["apps"]["all"]), text(&group["apps"]["notWell"])];
        table.add_row(apps.into_iter().chain(numbers.iter().map(|name| text(&group["instances"][*name]))));
    }
    table
}

fn number(value: &Value) -> usize {
    value.as_u64().and_then(|number| usize::try_from(number).ok()).unwrap_or(0)
}

fn many(count: usize, one: &str, several: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { several })
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use unicode_width::UnicodeWidthStr;

    use super::*;

    fn group(id: &str, all: u32, not_well: u32, healthy: u32) -> Value {
        json!({"id": id, "apps": {"all": all, "well": all - not_well, "notWell": not_well}, "instances": {
            "wanted": 6, "running": 3, "healthy": healthy, "unhealthy": 0, "unknown": 0, "starting": 0, "waiting": 3,
            "held": 0, "unreachable": 0}})
    }

    fn overview(entries: usize, count: usize) -> Value {
        let entry = json!({"kind": "failing", "text": "fails again and again", "app": "/shop/front/crash", "restarts": 8,
            "instance": "shop_front_crash.instance-32221a7e-f923-4ca7-8867-e0af248a93eb", "incarnation": 9,
            "host": null, "task": null, "check": null, "since": "2026-11-30T01:32:31.347Z",
            "why": "Command exited with status 3: cannot open /etc/front/front.conf: No such file or directory",
            "nextAction": {"kind": "launch", "text": "is launched again after 8 failures", "at": "2026-11-30T01:32:34Z"},
            "before": {"kind": "end", "at": "2026-11-30T01:32:31.347Z", "text": "Command exited with status 3"}});
        json!({"at": "2026-11-30T01:32:32Z", "group": "/", "groups": [group("/", 4, 2, 1), group("/a", 1, 0, 1), group("/shop", 1, 1, 0)],
            "total": group("/", 4, 2, 1), "notWell": vec![entry; entries], "notWellCount": count,
            "allWellSince": null})
    }

    fn lines(overview: &Value, room: Option<usize>) -> Vec<String> {
        shown(overview, Page::of_width(room)).into_lines()
    }

    #[test]
    fn what_is_not_well_is_told_with_its_numbers_and_what_is_left_out() {
        let lines = lines(&overview(2, 40), None);
        assert_eq!(lines[..2], ["2 of 4 apps are not well", "instances: 6 wanted, 3 running, 1 healthy, 3 waiting"]);
        assert!(
            lines[5].starts_with("/ ") && lines[6].starts_with("/shop ") && lines[7].starts_with("/a "),
            "{lines:#?}"
        );
        assert!(!lines[3].contains("held"), "what is nothing everywhere is left out: {lines:#?}");
        assert_eq!(lines.last().map(String::as_str), Some("and 38 more: `cygnet status -n 40` shows them"));
    }

    #[test]
    fn whether_checks_are_made_is_said_where_nobody_knows() {
        let mut all = overview(0, 0);
        let says = |all: &Value| lines(all, None).iter().any(|line| line.contains("whether checks are made"));
        assert!(!says(&all), "a server of before does not tell");
        all["checkersAsOf"] = json!(null);
        assert!(says(&all));
        all["checkersAsOf"] = json!("2026-11-30T01:32:31.347Z");
        assert!(!says(&all));
    }

    #[test]
    fn all_that_is_well_is_one_line() {
        let mut all = overview(0, 0);
        all["allWellSince"] = json!("2026-11-30T01:32:31.347Z");
        assert!(
            headline(&all).starts_with("all 4 apps are well since 2026-11-30T01:32:31.347Z ("),
            "{}",
            headline(&all)
        );
        all["allWellSince"] = json!(null);
        assert!(headline(&all).starts_with("nothing is in trouble"));
        all["total"] = group("/", 0, 0, 0);
        assert!(headline(&all).contains("cygnet app run"));
    }

    #[test]
    fn every_line_fits_and_the_cause_is_whole_at_any_width() {
        for room in [60, 80, 120] {
            let lines = lines(&overview(3, 3), Some(room));
            assert!(lines.iter().all(|line| line.width() <= room), "{lines:#?}");
            let whole = lines.join(" ").split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(whole.contains("cannot open /etc/front/front.conf: No such file or directory"), "{whole}");
            assert!(whole.contains("is launched again after 8 failures"), "{whole}");
        }
    }
}
