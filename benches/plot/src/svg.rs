//! The text of an SVG document.

use std::fmt::Write;

/// Size of ordinary text, px.
pub(crate) const TEXT: f64 = 13.0;
/// Size of a chart's title, px.
pub(crate) const TITLE: f64 = 16.0;
/// A character is about so wide, as a part of the text's size.
const CHARACTER: f64 = 0.58;

/// Where a text stands, seen from its place.
#[derive(Clone, Copy)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// A document that grows.
pub(crate) struct Svg(String);

impl Svg {
    /// A white sheet with a title, which readers for the blind tell too.
    pub(crate) fn new(width: f64, height: f64, title: &str) -> Self {
        let mut svg = Self(String::new());
        let font = "font-family=\"DejaVu Sans, Verdana, Arial, sans-serif\"";
        svg.add(format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" \
             width=\"{width:.0}\" height=\"{height:.0}\" role=\"img\" {font} font-size=\"{TEXT}\" fill=\"#222222\">"
        ));
        svg.add(format!("<title>{}</title>", escaped(title)));
        svg.add(format!("<rect width=\"{width:.0}\" height=\"{height:.0}\" fill=\"#ffffff\"/>"));
        svg.add(format!(
            "<text x=\"16\" y=\"26\" font-size=\"{TITLE}\" font-weight=\"bold\">{}</text>",
            escaped(title)
        ));
        svg
    }

    pub(crate) fn text(&mut self, x: f64, y: f64, anchor: Anchor, colour: &str, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        self.add(format!(
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"{colour}\">{}</text>",
            escaped(text)
        ));
    }

    /// Text that is read from below, around its middle.
    pub(crate) fn text_upwards(&mut self, x: f64, y: f64, text: &str) {
        self.add(format!(
            "<text transform=\"translate({x:.1} {y:.1}) rotate(-90)\" text-anchor=\"middle\">{}</text>",
            escaped(text)
        ));
    }

    pub(crate) fn line(&mut self, from: (f64, f64), to: (f64, f64), colour: &str) {
        let ((x1, y1), (x2, y2)) = (from, to);
        self.add(format!(
            "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke=\"{colour}\"/>"
        ));
    }

    pub(crate) fn polyline(&mut self, points: &[(f64, f64)], colour: &str, dashes: &str) {
        let points: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let dashes =
            if dashes.is_empty() { String::new() } else { format!(" stroke-dasharray=\"{dashes}\"") };
        self.add(format!(
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" stroke-linejoin=\"round\"{dashes}/>",
            points.join(" ")
        ));
    }

    pub(crate) fn rect(&mut self, from: (f64, f64), size: (f64, f64), colour: &str) {
        let ((x, y), (width, height)) = (from, size);
        self.add(format!(
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" fill=\"{colour}\"/>"
        ));
    }

    /// A filled shape with a white rim, so that it stands out of a line.
    pub(crate) fn shape(&mut self, path: &str, colour: &str) {
        self.add(format!("<path d=\"{path}\" fill=\"{colour}\" stroke=\"#ffffff\" stroke-width=\"0.8\"/>"));
    }

    pub(crate) fn end(mut self) -> String {
        self.add("</svg>".into());
        self.0
    }

    fn add(&mut self, line: String) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.0, "{line}");
    }
}

/// About how wide a text of ordinary size is, px.
pub(crate) fn width_of(text: &str) -> f64 {
    text.chars().count() as f64 * TEXT * CHARACTER
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
