//! A picture in the making, as SVG. There is so little to draw that no library would make it shorter. Pure.

/// The width of every picture.
pub(crate) const WIDTH: f64 = 1000.0;

/// The style that all pictures have in common; classes of their own follow.
const STYLE: &str = "text{font-family:'DejaVu Sans','Liberation Sans',Arial,sans-serif;font-size:12px;fill:#24292f}\
                     .title{font-size:18px;font-weight:bold}.small{font-size:11px;fill:#57606a}line{stroke:#d0d7de}";

/// Elements, in the order they are drawn in.
#[derive(Default)]
pub(crate) struct Canvas(String);

impl Canvas {
    pub(crate) fn text(&mut self, x: f64, y: f64, class: &str, text: &str) {
        let text = text.replace('&', "&amp;").replace('<', "&lt;");
        self.0 += &format!("<text x=\"{x:.1}\" y=\"{y:.1}\" class=\"{class}\">{text}</text>\n");
    }

    pub(crate) fn rectangle(&mut self, (left, right): (f64, f64), (top, bottom): (f64, f64), color: &str) {
        let (width, height) = (right - left, bottom - top);
        self.0 += &format!(
            "<rect x=\"{left:.2}\" y=\"{top:.2}\" width=\"{width:.2}\" height=\"{height:.2}\" fill=\"{color}\"/>\n"
        );
    }

    pub(crate) fn line(&mut self, (x1, x2): (f64, f64), (y1, y2): (f64, f64)) {
        self.0 += &format!("<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>\n");
    }

    /// Everything that `draw` draws, this much further down.
    pub(crate) fn shifted(&mut self, down: f64, draw: impl FnOnce(&mut Canvas)) {
        self.0 += &format!("<g transform=\"translate(0 {down})\">\n");
        draw(self);
        self.0 += "</g>\n";
    }

    /// The whole picture; `style` has the classes that only it has.
    pub(crate) fn finish(self, height: f64, style: &str) -> String {
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height:.0}\" \
             viewBox=\"0 0 {WIDTH} {height:.0}\">\n<style>{STYLE}{style}</style>\n\
             <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n{}</svg>\n",
            self.0
        )
    }
}
