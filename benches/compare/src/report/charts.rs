//! Charts as SVG, drawn by plotters: lines over two axes, and horizontal bars in groups.
//!
//! Colour never tells series apart alone: each has a marker too. Names stand beside the plot, so that none covers a point.
//! Values that an axis cannot show, such as zero, are left out.

use crate::{
    Outcome,
    row::{Unit, digits},
};
use plotters::{
    coord::{
        Shift,
        ranged1d::{DefaultFormatting, KeyPointHint},
        types::RangedCoordf64,
    },
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};
use std::ops::Range;

/// Pixels of a chart, of a line of text, of a bar with its gap, and between two groups of bars.
const WIDTH: i32 = 860;
const HEIGHT: i32 = 440;
const LINE: i32 = 20;
const BAR: i32 = 18;
const GAP: i32 = 14;

/// The colours of Okabe and Ito, which stay apart for colour-blind eyes, darkened to be seen on white; and two more.
const COLOURS: [RGBColor; 8] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 134, 106),
    RGBColor(176, 80, 143),
    RGBColor(176, 120, 0),
    RGBColor(61, 155, 214),
    RGBColor(34, 34, 34),
    RGBColor(122, 81, 149),
];

/// The corners of the markers, pixels around the point.
const MARKERS: [&[(i32, i32)]; 8] = [
    &[(-2, -5), (2, -5), (5, -2), (5, 2), (2, 5), (-2, 5), (-5, 2), (-5, -2)],
    &[(-4, -4), (4, -4), (4, 4), (-4, 4)],
    &[(0, -5), (5, 4), (-5, 4)],
    &[(0, -6), (6, 0), (0, 6), (-6, 0)],
    &[(0, 5), (5, -4), (-5, -4)],
    &[
        (-2, -6),
        (2, -6),
        (2, -2),
        (6, -2),
        (6, 2),
        (2, 2),
        (2, 6),
        (-2, 6),
        (-2, 2),
        (-6, 2),
        (-6, -2),
        (-2, -2),
    ],
    &[
        (-5, -3),
        (-3, -5),
        (0, -2),
        (3, -5),
        (5, -3),
        (2, 0),
        (5, 3),
        (3, 5),
        (0, 2),
        (-3, 5),
        (-5, 3),
        (-2, 0),
    ],
    &[(-3, -5), (3, -5), (0, 0), (3, 5), (-3, 5), (0, 0)],
];

/// How an axis spreads its values.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Equal steps for equal factors. Shows positive values.
    Log,
    /// Percentiles from 0 to below 100, each nine as far from the next.
    Nines,
}

/// An axis of a chart.
pub struct Axis {
    /// What it shows.
    pub title: &'static str,
    /// The unit of its values.
    pub unit: Unit,
    /// How it spreads them.
    pub scale: Scale,
    /// Values with a label, instead of round ones.
    pub ticks: &'static [f64],
}

impl Axis {
    /// An axis with equal steps for equal factors.
    pub const fn log(title: &'static str, unit: Unit) -> Self {
        Self { title, unit, scale: Scale::Log, ticks: &[] }
    }

    /// Where a value stands; `None` where the axis cannot show it.
    fn place(&self, value: f64) -> Option<f64> {
        let place = match self.scale {
            Scale::Log => value.log10(),
            Scale::Nines => -(1.0 - value / 100.0).log10(),
        };
        Some(place).filter(|place| place.is_finite())
    }

    /// The label of the value that stands there.
    fn label(&self, place: f64) -> String {
        match self.scale {
            Scale::Log => self.unit.brief(10_f64.powf(place)),
            Scale::Nines => format!("p{}", digits(100.0 - 10_f64.powf(2.0 - place), 5)),
        }
    }

    /// Places with a label, from below the least of these places to above the greatest.
    fn ticks(&self, places: impl IntoIterator<Item = f64>) -> Vec<f64> {
        let chosen: Vec<f64> = self.ticks.iter().filter_map(|&tick| self.place(tick)).collect();
        let (least, most) =
            places.into_iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), place| {
                (least.min(place), most.max(place))
            });
        match (self.scale, self.unit) {
            _ if !chosen.is_empty() => chosen,
            _ if least > most => vec![0.0, 1.0],
            (Scale::Nines, _) => {
                [0.0, 50.0, 90.0, 99.0, 99.9, 99.99].iter().filter_map(|&p| self.place(p)).collect()
            }
            (_, Unit::Bytes) => powers(least, most, 2_f64.log10(), &[0.0]),
            _ if most - least > 2.0 => powers(least, most, 1.0, &[0.0]),
            _ => powers(least, most, 1.0, &[0.0, 2_f64.log10(), 5_f64.log10()]),
        }
    }
}

/// The fewest steps around these places, each power of the base with these parts of it; every other one where they are many.
fn powers(least: f64, most: f64, base: f64, parts: &[f64]) -> Vec<f64> {
    let (first, last) = ((least / base).floor() as i32, (most / base).ceil() as i32);
    let every = ((last - first) / 8 + 1) as usize;
    let steps = (first..=last + every as i32).step_by(every);
    let all: Vec<f64> =
        steps.flat_map(|step| parts.iter().map(move |part| f64::from(step) * base + part)).collect();
    let from = all.iter().rposition(|place| *place <= least + 1e-9).unwrap_or(0);
    let to = all.iter().position(|place| *place >= most - 1e-9).unwrap_or(all.len() - 1);
    all[from..=to.max(from + 1).min(all.len() - 1)].to_vec()
}

/// A coordinate of the chart: places from `range`, with lines and labels at the ticks.
struct Places {
    inner: RangedCoordf64,
    ticks: Vec<f64>,
}

impl Places {
    fn new(range: Range<f64>, ticks: Vec<f64>) -> Self {
        Self { inner: range.into(), ticks }
    }
}

impl Ranged for Places {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, place: &f64, limit: (i32, i32)) -> i32 {
        self.inner.map(place, limit)
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        if hint.weight().allow_light_points() { Vec::new() } else { self.ticks.clone() }
    }

    fn range(&self) -> Range<f64> {
        self.inner.range()
    }
}

/// A named line.
pub type Line = (String, Vec<(f64, f64)>);

/// Lines over two axes, as an SVG document.
pub fn lines(title: &str, x: &Axis, y: &Axis, lines: &[Line]) -> Outcome<String> {
    let place = |&(one, other): &(f64, f64)| Some((x.place(one)?, y.place(other)?));
    let placed: Vec<Vec<(f64, f64)>> =
        lines.iter().map(|line| line.1.iter().filter_map(place).collect()).collect();
    let x_ticks = x.ticks(placed.iter().flatten().map(|point| point.0));
    let y_ticks = y.ticks(placed.iter().flatten().map(|point| point.1));
    // A little room at both ends, so that no marker lies on the frame.
    let room = (x_ticks[x_ticks.len() - 1] - x_ticks[0]) * 0.03;
    let x_range = x_ticks[0] - room..x_ticks[x_ticks.len() - 1] + room;
    let y_range = y_ticks[0]..y_ticks[y_ticks.len() - 1];
    let names: Vec<&str> = lines.iter().map(|line| line.0.as_str()).collect();
    drawn(HEIGHT, |root| {
        // Names are in the order in which the lines end, the uppermost first.
        let mut order: Vec<usize> = (0..placed.len()).collect();
        let end = |line: usize| placed[line].last().map_or(f64::NEG_INFINITY, |point| point.1);
        order.sort_by(|one, other| end(*other).total_cmp(&end(*one)));
        let plot = with_names(root, &names, &order)?;
        let mut chart = ChartBuilder::on(&plot)
            .caption(title, ("sans-serif", 18))
            .margin(10)
            .x_label_area_size(44)
            .y_label_area_size(70)
            .build_cartesian_2d(Places::new(x_range, x_ticks), Places::new(y_range, y_ticks))?;
        chart
            .configure_mesh()
            .label_style(("sans-serif", 13))
            .x_desc(x.title)
            .y_desc(y.title)
            .x_label_formatter(&|place| x.label(*place))
            .y_label_formatter(&|place| y.label(*place))
            .draw()?;
        for (number, points) in placed.iter().enumerate() {
            let style = colour(number).stroke_width(2);
            chart.draw_series([PathElement::new(points.clone(), style)])?;
            chart.draw_series(points.iter().map(|point| {
                EmptyElement::at(*point) + Polygon::new(marker(number, (0, 0)), colour(number))
            }))?;
        }
        Ok(())
    })
}

/// A group of bars, one for each series; `None` where one cannot do this.
pub type Group = (String, Vec<Option<f64>>);

/// Horizontal bars in groups, as an SVG document as high as the bars need.
pub fn bars(title: &str, axis: &Axis, series: &[&str], groups: &[Group]) -> Outcome<String> {
    let places: Vec<f64> = groups
        .iter()
        .flat_map(|group| group.1.iter().flatten())
        .filter_map(|&value| axis.place(value))
        .collect();
    // The least bar must be seen too: the axis begins well below it.
    let below = places.iter().copied().reduce(f64::min).map(|least| least - 0.5);
    let ticks = axis.ticks(places.iter().copied().chain(below));
    let (start, end) = (ticks[0], ticks[ticks.len() - 1]);
    let group = series.len() as i32 * BAR + GAP;
    let height = groups.len() as i32 * group;
    let widest = groups.iter().map(|group| group.0.chars().count()).max().unwrap_or(0) as i32;
    let middles: Vec<f64> =
        (0..groups.len()).map(|number| f64::from(number as i32 * group) + f64::from(group) / 2.0).collect();
    drawn(height + 110, |root| {
        let order: Vec<usize> = (0..series.len()).collect();
        let plot = with_names(root, series, &order)?;
        // Room behind the longest bar for its figure.
        let room = (end - start) * 0.12;
        let mut chart = ChartBuilder::on(&plot)
            .caption(title, ("sans-serif", 18))
            .margin(10)
            .x_label_area_size(44)
            .y_label_area_size(14 + widest * 7)
            .build_cartesian_2d(
                Places::new(start..end + room, ticks),
                Places::new(f64::from(height)..0.0, middles),
            )?;
        let name = |middle: &f64| groups[(*middle / f64::from(group)) as usize % groups.len()].0.clone();
        chart
            .configure_mesh()
            .disable_y_mesh()
            .label_style(("sans-serif", 13))
            .x_desc(axis.title)
            .x_label_formatter(&|place| axis.label(*place))
            .y_label_formatter(&name)
            .draw()?;
        let area = chart.plotting_area();
        for (at, (_, values)) in groups.iter().enumerate() {
            for (number, value) in values.iter().enumerate() {
                let top = f64::from(at as i32 * group + GAP / 2 + number as i32 * BAR);
                let middle = top + f64::from(BAR) / 2.0;
                let place = value.and_then(|value| axis.place(value));
                let figure = value.map_or("–".to_owned(), |value| axis.unit.brief(value));
                if let Some(place) = place {
                    let bar = [(start, top + 1.0), (place, top + f64::from(BAR) - 2.0)];
                    area.draw(&Rectangle::new(bar, colour(number).filled()))?;
                }
                let text = Text::new(figure, (if place.is_some() { 9 } else { 2 }, 0), text(&BLACK));
                area.draw(&(EmptyElement::at((place.unwrap_or(start), middle)) + text))?;
                if let Some(place) = place {
                    let shape = Polygon::new(marker(number, (0, 0)), colour(number));
                    area.draw(&(EmptyElement::at((place, middle)) + shape))?;
                }
            }
        }
        Ok(())
    })
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// An SVG document of this height.
fn drawn(height: i32, draw: impl FnOnce(&Area<'_>) -> Outcome<()>) -> Outcome<String> {
    let mut svg = String::new();
    let root = SVGBackend::with_string(&mut svg, (WIDTH as u32, height as u32)).into_drawing_area();
    root.fill(&WHITE)?;
    draw(&root)?;
    root.present()?;
    drop(root);
    Ok(svg)
}

/// Draws the names of the series at the right, in this order; returns the area beside them.
fn with_names<'a>(root: &Area<'a>, names: &[&str], order: &[usize]) -> Outcome<Area<'a>> {
    let widest = names.iter().map(|name| name.chars().count()).max().unwrap_or(0) as i32;
    let (plot, beside) = root.split_horizontally(WIDTH - 24 - widest * 7);
    for (line, &number) in order.iter().enumerate() {
        let y = 50 + LINE * line as i32;
        beside.draw(&Polygon::new(marker(number, (8, y)), colour(number)))?;
        beside.draw(&Text::new(names[number].to_owned(), (20, y), text(&colour(number))))?;
    }
    Ok(plot)
}

fn text(colour: &RGBColor) -> TextStyle<'_> {
    TextStyle::from(("sans-serif", 13)).color(colour).pos(Pos::new(HPos::Left, VPos::Center))
}

fn colour(number: usize) -> RGBColor {
    COLOURS[number % COLOURS.len()]
}

/// The corners of a series' marker around a point. Where colours come again, markers differ.
fn marker(number: usize, (x, y): (i32, i32)) -> Vec<(i32, i32)> {
    let corners = MARKERS[(number + number / COLOURS.len()) % MARKERS.len()];
    corners.iter().map(|corner| (x + corner.0, y + corner.1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: Axis = Axis::log("time", Unit::Nanoseconds);

    fn labels(axis: &Axis, values: [f64; 2]) -> Vec<String> {
        axis.ticks(values.map(|value| axis.place(value).unwrap()))
            .into_iter()
            .map(|tick| axis.label(tick))
            .collect()
    }

    #[test]
    fn ticks_are_round_and_around_the_values() {
        assert_eq!(labels(&TIME, [3.0, 700.0]), ["1 ns", "10 ns", "100 ns", "1 µs"]);
        assert_eq!(labels(&TIME, [23.0, 180.0]), ["20 ns", "50 ns", "100 ns", "200 ns"]);
        let bytes = labels(&Axis::log("", Unit::Bytes), [8.0, 16.0 * 1024.0 * 1024.0]);
        assert_eq!((&*bytes[0], &*bytes[1], bytes.len()), ("8 B", "64 B", 8));
        let nines = Axis { scale: Scale::Nines, ..Axis::log("", Unit::Percent) };
        assert_eq!(labels(&nines, [1.0, 99.99])[2..], ["p90", "p99", "p99.9", "p99.99"]);
    }

    #[test]
    fn what_an_axis_cannot_show_is_left_out() {
        let line = ("a".to_owned(), vec![(0.0, 1.0), (1.0, f64::NAN), (1.0, 5.0), (10.0, 50.0)]);
        let svg = lines("", &Axis::log("", Unit::Count), &TIME, &[line]).unwrap();
        assert!(!svg.contains("NaN") && !svg.contains("inf"));
        // Two points and the name's.
        assert_eq!(svg.matches("<polygon").count(), 3);
        lines("", &Axis::log("", Unit::Count), &TIME, &[]).unwrap();
    }

    #[test]
    fn bars_that_are_missing_are_dashes() {
        let groups =
            [("a & b".to_owned(), vec![Some(50.0), None]), ("c".to_owned(), vec![Some(0.0), Some(3e6)])];
        let svg = bars("", &TIME, &["one", "two"], &groups).unwrap();
        assert!(svg.contains("a &amp; b") && svg.contains("–") && svg.contains("3 ms"));
        // The two bars and the two names.
        assert_eq!(svg.matches("<polygon").count(), 4);
    }
}
