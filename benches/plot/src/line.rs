//! Lines: scaling curves and percentiles.

use crate::{
    HEIGHT, WIDTH,
    axis::{Axis, Placed},
    style,
    svg::{Anchor, Svg, TEXT, width_of},
};

const GRID: &str = "#e3e3e3";
const FRAME: &str = "#888888";
const INK: &str = "#222222";
/// Edges of the plot, px.
const TOP: f64 = 46.0;
const BOTTOM: f64 = HEIGHT - 58.0;
/// Between the baselines of two names, px.
const NAME_STEP: f64 = 18.0;
/// Between the plot and the names beside it, px.
const NAME_GAP: f64 = 34.0;

/// One or more named lines over two axes.
#[derive(Clone, Debug)]
pub struct LineChart {
    title: String,
    x: Axis,
    y: Axis,
    series: Vec<Series>,
}

#[derive(Clone, Debug)]
struct Series {
    name: String,
    points: Vec<(f64, f64)>,
}

impl LineChart {
    /// A chart without lines.
    pub fn new(title: impl Into<String>, x: Axis, y: Axis) -> Self {
        Self { title: title.into(), x, y, series: Vec::new() }
    }

    /// Adds a line. Points are drawn in the order of their x.
    #[must_use]
    pub fn series(mut self, name: impl Into<String>, points: impl IntoIterator<Item = (f64, f64)>) -> Self {
        let shown = |point: &(f64, f64)| self.x.shows(point.0) && self.y.shows(point.1);
        let mut points: Vec<(f64, f64)> = points.into_iter().filter(shown).collect();
        points.sort_by(|one, other| one.0.total_cmp(&other.0));
        self.series.push(Series { name: name.into(), points });
        self
    }

    /// The chart as an SVG document.
    pub fn svg(&self) -> String {
        let mut svg = Svg::new(WIDTH, HEIGHT, &self.title);
        let right = WIDTH - self.names_width();
        let y = self.y.over(self.all(|point| point.1), BOTTOM, TOP);
        let labels = y.labels();
        let widest = labels.iter().map(|(_, label)| width_of(label)).fold(0.0, f64::max);
        let left = 46.0 + widest;
        // A little room at both ends, so that no marker lies on the frame.
        let x = self.x.over(self.all(|point| point.0), left + 12.0, right - 12.0);
        self.draw_axes(&mut svg, &x, &labels, (left, right));
        let mut ends = Vec::new();
        for (number, series) in self.series.iter().enumerate() {
            let points: Vec<(f64, f64)> =
                series.points.iter().map(|point| (x.at(point.0), y.at(point.1))).collect();
            svg.polyline(&points, style::colour(number), style::dashes(number));
            for &(x, y) in &points {
                svg.shape(&style::marker(number, x, y), style::colour(number));
            }
            ends.extend(points.last().map(|last| (number, *last)));
        }
        self.draw_names(&mut svg, ends, right);
        svg.end()
    }

    fn all(&self, part: impl Fn(&(f64, f64)) -> f64) -> Vec<f64> {
        self.series.iter().flat_map(|series| series.points.iter().map(&part)).collect()
    }

    fn names_width(&self) -> f64 {
        let widest = self.series.iter().map(|series| width_of(&series.name)).fold(0.0, f64::max);
        (NAME_GAP + 14.0 + widest).min(WIDTH / 2.0)
    }

    fn draw_axes(&self, svg: &mut Svg, x: &Placed, y_labels: &[(f64, String)], (left, right): (f64, f64)) {
        for (at, label) in y_labels {
            svg.line((left, *at), (right, *at), GRID);
            svg.text(left - 8.0, at + TEXT / 3.0, Anchor::End, INK, label);
        }
        let mut free_from = f64::NEG_INFINITY;
        for (at, label) in x.labels() {
            svg.line((at, TOP), (at, BOTTOM), GRID);
            // A label that would touch the one before it is left out; its line stays.
            let half = width_of(&label) / 2.0;
            if at - half >= free_from {
                svg.text(at, BOTTOM + 20.0, Anchor::Middle, INK, &label);
                free_from = at + half + 8.0;
            }
        }
        svg.line((left, TOP), (left, BOTTOM), FRAME);
        svg.line((left, BOTTOM), (right, BOTTOM), FRAME);
        svg.text((left + right) / 2.0, HEIGHT - 14.0, Anchor::Middle, INK, &self.x.title);
        svg.text_upwards(24.0, (TOP + BOTTOM) / 2.0, &self.y.title);
    }

    /// Names at the right, each at the height of its line's end or as near as the others leave it, with a thin line to it.
    fn draw_names(&self, svg: &mut Svg, mut ends: Vec<(usize, (f64, f64))>, right: f64) {
        ends.sort_by(|one, other| one.1.1.total_cmp(&other.1.1));
        let wanted: Vec<f64> = ends.iter().map(|end| end.1.1).collect();
        for (&(number, (x, y)), height) in ends.iter().zip(spread(&wanted, TOP, BOTTOM)) {
            let colour = style::colour(number);
            svg.line((x + 6.0, y), (right + 6.0, y), "#cccccc");
            svg.line((right + 6.0, y), (right + NAME_GAP - 14.0, height), "#cccccc");
            svg.shape(&style::marker(number, right + NAME_GAP - 6.0, height), colour);
            let name = &self.series[number].name;
            svg.text(right + NAME_GAP + 4.0, height + TEXT / 3.0, Anchor::Start, colour, name);
        }
    }
}

/// Heights near those wanted, which rise, `NAME_STEP` apart at least and between the edges where there is room.
pub(crate) fn spread(wanted: &[f64], top: f64, bottom: f64) -> Vec<f64> {
    let mut heights = wanted.to_vec();
    // Groups that touch stand around the middle of what their members want.
    let mut groups: Vec<(f64, usize)> = Vec::new();
    for &height in wanted {
        groups.push((height, 1));
        while let [.., (above, before), (below, after)] = groups[..] {
            if below - above >= (before + after) as f64 / 2.0 * NAME_STEP {
                break;
            }
            groups.pop();
            let all = before + after;
            let middle = (above * before as f64 + below * after as f64) / all as f64;
            groups.pop();
            groups.push((inside(middle, all, top, bottom), all));
        }
        if let Some(last) = groups.last_mut() {
            last.0 = inside(last.0, last.1, top, bottom);
        }
    }
    let mut next = 0;
    for (middle, size) in groups {
        for at in 0..size {
            heights[next] = middle + (at as f64 - (size - 1) as f64 / 2.0) * NAME_STEP;
            next += 1;
        }
    }
    heights
}

/// The middle of a group of names, so that all of them are between the edges.
fn inside(middle: f64, size: usize, top: f64, bottom: f64) -> f64 {
    let half = (size - 1) as f64 / 2.0 * NAME_STEP;
    middle.min(bottom - half).max(top + half)
}
