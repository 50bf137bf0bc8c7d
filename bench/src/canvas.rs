//! A picture in the making, as SVG. There is so little to draw that no library would make it shorter. Pure.

/// The width of every picture.
pub(crate) const WIDTH: f64 = 1000.0;

/// The style that all pictures have in common; classes of their own follow.
const STYLE: &str = "text{font-family:'DejaVu Sans','Liberation Sans',Arial,sans-serif;font-size:12px;fill:#24292f}\
                     .title{font-size:18px;font-weight:bold}.small{font-size:11px;fill:#57606a}.grid{stroke:#d0d7de}";

/// Lines, upon them rectangles, upon them texts. All lines are one element, and so are all rectangles of a colour.
#[derive(Default)]
pub(crate) struct Canvas {
    /// The distance by which things are drawn further down.
    down: f64,
    lines: String,
    rectangles: Vec<(&'static str, String)>,
    texts: String,
}

impl Canvas {
    pub(crate) fn text(&mut self, x: f64, y: f64, class: &str, text: &str) {
        let (y, text) = (self.down + y, text.replace('&', "&amp;").replace('<', "&lt;"));
        self.texts += &format!("<text x=\"{x:.1}\" y=\"{y:.1}\" class=\"{class}\">{text}</text>\n");
    }

    pub(crate) fn rectangle(&mut self, (left, right): (f64, f64), (top, bottom): (f64, f64), color: &'static str) {
        let (top, width, height) = (self.down + top, right - left, bottom - top);
        let outline = format!("M{left:.2} {top:.2}h{width:.2}v{height:.2}h-{width:.2}z");
        match self.rectangles.iter_mut().find(|(known, _)| *known == color) {
            Some((_, outlines)) => *outlines += &outline,
            None => self.rectangles.push((color, outline)),
        }
    }

    pub(crate) fn line(&mut self, (x1, x2): (f64, f64), (y1, y2): (f64, f64)) {
        self.lines += &format!("M{x1:.1} {:.1}L{x2:.1} {:.1}", self.down + y1, self.down + y2);
    }

    /// Everything that `draw` draws, this much further down.
    pub(crate) fn shifted(&mut self, down: f64, draw: impl FnOnce(&mut Canvas)) {
        self.down += down;
        draw(self);
        self.down -= down;
    }

    /// The whole picture; `style` has the classes that only it has.
    pub(crate) fn finish(self, height: f64, style: &str) -> String {
        let Canvas { lines, rectangles, texts, .. } = self;
        let filled = |(color, outline)| format!("<path fill=\"{color}\" d=\"{outline}\"/>\n");
        let rectangles: String = rectangles.into_iter().map(filled).collect();
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height:.0}\" \
             viewBox=\"0 0 {WIDTH} {height:.0}\">\n<style>{STYLE}{style}</style>\n\
             <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n\
             <path class=\"grid\" d=\"{lines}\"/>\n{rectangles}{texts}</svg>\n"
        )
    }
}
