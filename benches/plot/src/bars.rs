//! Horizontal bars in groups.

use crate::{
    HEIGHT, WIDTH,
    axis::{Axis, Placed},
    style,
    svg::{Anchor, Svg, TEXT, width_of},
    ticks,
};

const GRID: &str = "#e3e3e3";
const INK: &str = "#222222";
/// Height of a bar with its gap, px.
const BAR: f64 = 18.0;
/// Between two groups, px.
const GROUP_GAP: f64 = 14.0;
/// Height of a line of the legend, px.
const LEGEND_LINE: f64 = 20.0;

/// Groups of horizontal bars: one group for each work, one bar for each who does it.
#[derive(Clone, Debug)]
pub struct BarChart {
    title: String,
    axis: Axis,
    /// Names of the bars, the same in each group.
    series: Vec<String>,
    groups: Vec<(String, Vec<Option<f64>>)>,
}

impl BarChart {
    /// A chart without groups. Each group will have a bar for each of these names.
    pub fn new(
        title: impl Into<String>,
        axis: Axis,
        series: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        let series = series.into_iter().map(Into::into).collect();
        Self { title: title.into(), axis, series, groups: Vec::new() }
    }

    /// Adds a group. A value for each name, in their order; `None` where one cannot do this.
    #[must_use]
    pub fn group(mut self, name: impl Into<String>, values: impl IntoIterator<Item = Option<f64>>) -> Self {
        let mut values: Vec<Option<f64>> =
            values.into_iter().map(|value| value.filter(|value| self.axis.shows(*value))).collect();
        values.resize(self.series.len(), None);
        self.groups.push((name.into(), values));
        self
    }

    /// The chart as an SVG document; as high as its bars need.
    pub fn svg(&self) -> String {
        let legend = self.legend();
        let top = 44.0 + legend.iter().map(|place| place.1).fold(0.0, f64::max) + LEGEND_LINE;
        let group = self.series.len() as f64 * BAR + GROUP_GAP;
        let bottom = (top + self.groups.len() as f64 * group + 4.0).max(HEIGHT - 58.0);
        // Few bars spread over the least height.
        let step = (bottom - top - 4.0) / self.groups.len().max(1) as f64;
        let mut svg = Svg::new(WIDTH, bottom + 58.0, &self.title);
        for (number, &(x, y)) in legend.iter().enumerate() {
            svg.shape(&style::marker(number, x, 44.0 + y), style::colour(number));
            svg.text(
                x + 10.0,
                44.0 + y + TEXT / 3.0,
                Anchor::Start,
                style::colour(number),
                &self.series[number],
            );
        }
        let left = 24.0 + self.groups.iter().map(|group| width_of(&group.0)).fold(0.0, f64::max);
        let values: Vec<f64> =
            self.groups.iter().flat_map(|group| group.1.iter().flatten().copied()).collect();
        // The least bar is to be seen too: a logarithmic axis begins well below it.
        let below = values.iter().copied().reduce(f64::min).map(|least| least / 3.0);
        // Room behind the longest bar for its figure.
        let axis = self.axis.over(values.into_iter().chain(below), left, WIDTH - 84.0);
        self.draw_axis(&mut svg, &axis, (top, bottom));
        for (number, (name, values)) in self.groups.iter().enumerate() {
            let from = top + number as f64 * step + (step - group + GROUP_GAP) / 2.0 + 2.0;
            let middle = from + (group - GROUP_GAP) / 2.0;
            svg.text(left - 10.0, middle + TEXT / 3.0, Anchor::End, INK, name);
            self.draw_group(&mut svg, &axis, left, from, values);
        }
        svg.line((left, top), (left, bottom), "#888888");
        svg.end()
    }

    fn draw_axis(&self, svg: &mut Svg, axis: &Placed, (top, bottom): (f64, f64)) {
        let mut free_from = f64::NEG_INFINITY;
        for (at, label) in axis.labels() {
            svg.line((at, top), (at, bottom), GRID);
            let half = width_of(&label) / 2.0;
            if at - half >= free_from {
                svg.text(at, bottom + 20.0, Anchor::Middle, INK, &label);
                free_from = at + half + 8.0;
            }
        }
        svg.text(WIDTH / 2.0, bottom + 44.0, Anchor::Middle, INK, &self.axis.title);
    }

    fn draw_group(&self, svg: &mut Svg, axis: &Placed, left: f64, from: f64, values: &[Option<f64>]) {
        for (number, value) in values.iter().enumerate() {
            let y = from + number as f64 * BAR;
            let baseline = y + BAR / 2.0 + TEXT / 3.0 - 1.0;
            let Some(value) = value else {
                svg.text(left + 6.0, baseline, Anchor::Start, "#767676", "–");
                continue;
            };
            // A bar of the least value is still to be seen.
            let width = (axis.at(*value) - left).max(2.0);
            svg.rect((left, y + 1.0), (width, BAR - 3.0), style::colour(number));
            let figure = ticks::label(axis.unit, *value);
            // The marker at the end says whose bar it is, without its colour.
            svg.shape(&style::marker(number, left + width, y + BAR / 2.0 - 0.5), style::colour(number));
            svg.text(left + width + 9.0, baseline, Anchor::Start, INK, &figure);
        }
    }

    /// Where the names above the plot stand, px from the left and from the first line of them.
    fn legend(&self) -> Vec<(f64, f64)> {
        let (mut x, mut y) = (24.0, 6.0);
        let mut places = Vec::new();
        for name in &self.series {
            let width = width_of(name) + 34.0;
            if x + width > WIDTH && x > 24.0 {
                (x, y) = (24.0, y + LEGEND_LINE);
            }
            places.push((x, y));
            x += width;
        }
        places
    }
}
