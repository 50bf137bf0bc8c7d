//! Findings as a picture: what a check costs on each side, on a logarithmic scale, and which bars hold. Pure: out comes
//! SVG, as text.

use crate::bar::Bar;
use crate::canvas::Canvas;
use crate::findings::{Finding, Rounds};
use crate::judged::Standing;
use crate::machine::Machine;
use crate::sides::Side;

const LEFT: f64 = 190.0;
const RIGHT: f64 = 700.0;
const TOP: f64 = 96.0;
const BAR: f64 = 18.0;
const GAP: f64 = 34.0;

/// A scale of whole powers of ten, in microseconds, that begins with 1.
struct Scale {
    most: i32,
}

impl Scale {
    fn of(findings: &[&Finding]) -> Scale {
        let all = findings.iter().flat_map(|finding| &finding.sides).map(us).filter(|us| us.is_finite());
        Scale { most: all.fold(10.0, f64::max).log10().ceil() as i32 }
    }

    fn x(&self, us: f64) -> f64 {
        let part = us.log10() / f64::from(self.most);
        LEFT + (RIGHT - LEFT) * part.clamp(0.0, 1.0)
    }
}

fn us(rounds: &Rounds) -> f64 {
    rounds.median(|round| round.us_per_check())
}

/// The whole picture. Rows with no side beside the engine are lines of text.
pub(crate) fn draw(machine: &Machine, findings: &[Finding]) -> String {
    let (compared, alone): (Vec<_>, Vec<_>) = findings.iter().partition(|finding| !finding.row.against.is_empty());
    let scale = Scale::of(&compared);
    let mut canvas = Canvas::default();
    canvas.text(24.0, 34.0, "title", "CPU per check, microseconds, logarithmic");
    canvas.text(24.0, 54.0, "small", &machine.line());
    let bottom = compared.iter().fold(TOP, |y, finding| y + height(finding)) - GAP / 2.0;
    if !compared.is_empty() {
        grid(&mut canvas, &scale, bottom);
    }
    let mut y = TOP;
    for finding in &compared {
        y = group(&mut canvas, &scale, finding, y);
    }
    for finding in &alone {
        y = line(&mut canvas, finding, y);
    }
    canvas.finish(y + 10.0, STYLE)
}

fn height(finding: &Finding) -> f64 {
    finding.sides.len() as f64 * (BAR + 4.0) + GAP
}

fn grid(canvas: &mut Canvas, scale: &Scale, bottom: f64) {
    for power in 0..=scale.most {
        let x = scale.x(10_f64.powi(power));
        canvas.line((x, x), (TOP - 14.0, bottom));
        canvas.text(x, TOP - 20.0, "axis", &format!("{}", 10_f64.powi(power)));
    }
}

/// Returns where the next one begins.
fn group(canvas: &mut Canvas, scale: &Scale, finding: &Finding, mut y: f64) -> f64 {
    canvas.text(24.0, y, "row", finding.row.title);
    for rounds in &finding.sides {
        y += BAR + 4.0;
        let end = scale.x(us(rounds));
        canvas.text(LEFT - 8.0, y, "side", rounds.side.as_str());
        canvas.rectangle((LEFT, end), (y - BAR + 5.0, y + 2.0), color(rounds.side));
        canvas.text(end + 6.0, y, "value", &value(us(rounds)));
        let bar = finding.judged().find(|judged| matches!(judged.bar, Bar::AtMost(side, _) if side == rounds.side));
        if let Some(judged) = bar {
            let class = if judged.standing() == Standing::Holds { "holds" } else { "broken" };
            canvas.text(
                RIGHT + 56.0,
                y,
                class,
                &format!("engine {} ({})", judged.found(), short(&judged.bar.wanted(), rounds.side)),
            );
        }
    }
    y + GAP
}

/// The bar without the name that stands beside it already.
fn short(wanted: &str, side: Side) -> String {
    wanted.replace(" than ", "").replace(side.as_str(), "").trim().to_owned()
}

fn line(canvas: &mut Canvas, finding: &Finding, y: f64) -> f64 {
    canvas.text(24.0, y, "row", finding.row.title);
    let mut below = y;
    for judged in finding.judged() {
        below += BAR;
        let class = if judged.standing() == Standing::Holds { "holds" } else { "broken" };
        canvas.text(40.0, below, class, &format!("{}: {} ({})", judged.bar.wanted(), judged.found(), judged.word()));
    }
    below + GAP - 6.0
}

fn value(us: f64) -> String {
    if us < 100.0 { format!("{us:.1}") } else { format!("{us:.0}") }
}

fn color(side: Side) -> &'static str {
    match side {
        Side::Engine => "#1f6feb",
        Side::Loop | Side::Vfork => "#8c959f",
        Side::HaProxy => "#bf8700",
        Side::Curl | Side::DockerExec => "#cf222e",
    }
}

const STYLE: &str = ".row{font-weight:bold}.side{text-anchor:end}.axis{text-anchor:middle;fill:#57606a;font-size:11px}\
                     .holds{fill:#1a7f37}.broken{fill:#cf222e}";
