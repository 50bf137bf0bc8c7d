//! The picture of the article: a stacked bar for each poll, of all tasks by state. What is to be compared is drawn one
//! below the other, to the same scale. Pure: out comes SVG, as text.

use super::options::thousands;
use super::poll::{Poll, States};
use crate::canvas::Canvas;

const LEFT: f64 = 70.0;
const RIGHT: f64 = 980.0;
const TOP: f64 = 80.0;
const BOTTOM: f64 = 360.0;

/// A title with more letters is written smaller.
const LONG: usize = 80;

/// From the top of a panel to that of the next one.
const PANEL: f64 = 330.0;

/// One run.
pub(crate) struct Panel<'a> {
    /// Nothing if it is the only one.
    pub(crate) name: &'a str,
    pub(crate) polls: &'a [Poll],
}

/// Names and colors, from the bottom of a bar to its top.
const STACK: [(&str, &str, Count); 5] = [
    ("healthy", "#1a7f37", |states| states.healthy),
    ("unhealthy", "#cf222e", |states| states.unhealthy),
    ("running", "#1f6feb", |states| states.running),
    ("staged", "#bf8700", |states| states.staged),
    ("unknown", "#8c959f", |states| states.unknown),
];

type Count = fn(&States) -> u64;

/// A poll the scheduler did not answer.
const SILENCE: &str = "#24292f";

const STYLE: &str = ".long{font-size:15px}.name{font-weight:bold}\
                     .x{text-anchor:middle;fill:#57606a}.y{text-anchor:end;fill:#57606a}";

/// From numbers to places.
struct Scale {
    seconds: f64,
    tasks: u64,
}

/// The whole picture.
pub(crate) fn draw(title: &str, below: &[&str], panels: &[Panel<'_>]) -> String {
    let scale = Scale::of(panels);
    let mut canvas = Canvas::default();
    canvas.text(24.0, 34.0, if title.len() > LONG { "title long" } else { "title" }, title);
    for (number, line) in below.iter().enumerate() {
        canvas.text(24.0, 54.0 + 16.0 * number as f64, "small", line);
    }
    let top = 16.0 * below.len().saturating_sub(1) as f64;
    for (number, panel) in panels.iter().enumerate() {
        canvas.shifted(top + PANEL * number as f64, |canvas| self::panel(canvas, &scale, panel));
    }
    let height = BOTTOM + top + PANEL * panels.len().saturating_sub(1) as f64 + 60.0;
    legend(&mut canvas, height);
    canvas.finish(height, STYLE)
}

impl Scale {
    fn of(panels: &[Panel<'_>]) -> Scale {
        let all = |poll: &Poll| poll.states.map_or(0, |states| STACK.iter().map(|(_, _, count)| count(&states)).sum());
        let polls = || panels.iter().flat_map(|panel| panel.polls);
        let last = polls().map(|poll| poll.at).max().unwrap_or_default();
        let seconds = (last + super::poll::EVERY).as_secs_f64();
        Scale { seconds, tasks: polls().map(all).max().unwrap_or(0).max(1) }
    }

    fn x(&self, seconds: f64) -> f64 {
        LEFT + (RIGHT - LEFT) * (seconds / self.seconds).min(1.0)
    }

    fn y(&self, tasks: u64) -> f64 {
        BOTTOM - (BOTTOM - TOP) * tasks as f64 / self.tasks as f64
    }
}

/// A round number, so that there are at most so many of it in `all`.
fn pace(all: f64, most: f64) -> f64 {
    let rough = (all / most).max(1.0);
    let power = 10_f64.powf(rough.log10().floor());
    [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power).into_iter().find(|pace| *pace >= rough).unwrap_or(rough)
}

fn panel(canvas: &mut Canvas, scale: &Scale, panel: &Panel<'_>) {
    axes(canvas, scale);
    for (index, poll) in panel.polls.iter().enumerate() {
        let next = panel.polls.get(index + 1).map_or(poll.at + super::poll::EVERY, |next| next.at);
        bar(canvas, scale, poll, next.as_secs_f64());
    }
    canvas.text(LEFT, TOP - 6.0, "name", panel.name);
}

fn bar(canvas: &mut Canvas, scale: &Scale, poll: &Poll, until: f64) {
    let gap = if scale.seconds < 400.0 { 1.0 } else { 0.0 };
    let sides = (scale.x(poll.at.as_secs_f64()), (scale.x(until) - gap).max(0.0));
    let Some(states) = poll.states else {
        return canvas.rectangle(sides, (BOTTOM, BOTTOM + 6.0), SILENCE);
    };
    let mut below = 0;
    for (_, color, count) in STACK {
        let count = count(&states);
        if count > 0 {
            canvas.rectangle(sides, (scale.y(below + count), scale.y(below)), color);
        }
        below += count;
    }
}

fn axes(canvas: &mut Canvas, scale: &Scale) {
    let tasks = pace(scale.tasks as f64, 6.0) as u64;
    for count in (0..=scale.tasks).step_by(usize::try_from(tasks).unwrap_or(1)) {
        let y = scale.y(count);
        canvas.line((LEFT, RIGHT), (y, y));
        canvas.text(LEFT - 8.0, y + 4.0, "y", &thousands(u32::try_from(count).unwrap_or(u32::MAX)));
    }
    let seconds = pace(scale.seconds, 10.0);
    for number in 0..=(scale.seconds / seconds) as u32 {
        let at = f64::from(number) * seconds;
        canvas.text(scale.x(at), BOTTOM + 22.0, "x", &format!("{at:.0} s"));
    }
}

fn legend(canvas: &mut Canvas, height: f64) {
    let mut x = LEFT;
    for (name, color, _) in STACK.into_iter().chain([("no answer", SILENCE, (|_| 0) as Count)]) {
        canvas.rectangle((x, x + 12.0), (height - 26.0, height - 14.0), color);
        canvas.text(x + 18.0, height - 16.0, "", name);
        x += 110.0;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn states_are_stacked() {
        let states = States { healthy: 60, staged: 40, ..States::default() };
        let polls =
            [Poll { at: Duration::ZERO, states: Some(states) }, Poll { at: Duration::from_secs(2), states: None }];
        let panel = || Panel { name: "", polls: &polls };
        let svg = draw("100 tasks", &["here"], &[panel()]);
        let rectangles = |svg: &str| svg.matches("<rect").count() + svg.matches("h-").count();
        // Background, two states, a silence, six names.
        assert_eq!(rectangles(&svg), 10);
        assert!(svg.contains("<path fill=\"#1a7f37\" d=\"M70.00 192.00h454.00v168.00h-454.00z"), "{svg}");
        assert!(svg.contains("<path fill=\"#bf8700\" d=\"M70.00 80.00h454.00v112.00h-454.00z"), "{svg}");
        let compared = draw("100 tasks", &["here"], &[panel(), panel()]);
        assert_eq!(rectangles(&compared), 13);
        assert!(compared.contains("height=\"750\""));
    }

    #[test]
    fn axes_have_round_numbers() {
        assert_eq!([6.0, 7.0, 1900.0, 8000.0].map(|all| pace(all, 6.0)), [1.0, 2.0, 500.0, 2000.0]);
    }
}
