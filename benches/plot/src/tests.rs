use crate::{Axis, BarChart, HEIGHT, LineChart, Unit, WIDTH, axis::Scale, line::spread, ticks};

/// Panics unless the text is one element with nested, closed elements and quoted attributes.
fn assert_well_formed(svg: &str) {
    let mut open = Vec::new();
    for piece in svg.split('<').skip(1) {
        let (tag, text) = piece.split_once('>').expect("a tag is closed");
        assert!(tag.matches('"').count() % 2 == 0, "quotes: {tag}");
        for (at, _) in text.match_indices('&') {
            assert!(["&amp;", "&lt;", "&gt;", "&quot;"].iter().any(|name| text[at..].starts_with(name)));
        }
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name));
        } else if !tag.ends_with('/') {
            open.push(tag.split(' ').next().expect("a name"));
        }
    }
    assert!(open.is_empty() && svg.starts_with("<svg ") && svg.trim_end().ends_with("</svg>"));
    assert!(!svg.contains("NaN") && !svg.contains("inf"));
}

/// The values of an attribute, in order.
fn attributes<'a>(svg: &'a str, element: &str, name: &str) -> Vec<&'a str> {
    let (element, name) = (format!("<{element} "), format!(" {name}=\""));
    let tags = svg.lines().filter(|line| line.starts_with(&element));
    tags.filter_map(|tag| tag.split(&name).nth(1)?.split('"').next()).collect()
}

fn number(text: &str) -> f64 {
    text.parse().expect("a number")
}

fn sample() -> LineChart {
    let sizes = (3..=24).step_by(3).map(|power| 2f64.powi(power));
    let x = Axis::log("bytes of the value", Unit::Bytes);
    LineChart::new("get <&> put", x, Axis::log("time of one \"get\"", Unit::Time))
        .series("get", sizes.clone().map(|size| (size, 60.0 + size / 10.0)))
        .series("put", sizes.clone().map(|size| (size, 150.0 + size / 8.0)))
        .series("plain copy", sizes.map(|size| (size, 3.0 + size / 12.0)))
}

#[test]
fn charts_are_well_formed() {
    assert_well_formed(&sample().svg());
    let bars = BarChart::new("a & b", Axis::log("time", Unit::Time), ["one", "two <"]);
    assert_well_formed(&bars.clone().svg());
    assert_well_formed(&bars.group("get", [Some(50.0), None]).group("put", [Some(0.0), Some(3e6)]).svg());
    let empty = LineChart::new("", Axis::linear("", Unit::Count), Axis::linear("", Unit::Count));
    assert_well_formed(&empty.clone().svg());
    assert_well_formed(&empty.series("none", []).series("one", [(1.0, 1.0)]).svg());
}

#[test]
fn points_are_inside_the_plot() {
    let svg = sample().svg();
    let lines = attributes(&svg, "polyline", "points");
    assert_eq!(lines.len(), 3);
    for point in lines.iter().flat_map(|line| line.split(' ')) {
        let (x, y) = point.split_once(',').expect("two numbers");
        assert!((60.0..WIDTH - 100.0).contains(&number(x)), "{point}");
        assert!((40.0..HEIGHT - 50.0).contains(&number(y)), "{point}");
    }
}

#[test]
fn what_an_axis_cannot_show_is_left_out() {
    let axis = || Axis::log("", Unit::Count);
    let chart = LineChart::new("", axis(), axis())
        .series("", [(0.0, 1.0), (1.0, f64::NAN), (1.0, -1.0), (10.0, 5.0), (1.0, 5.0)]);
    let svg = chart.svg();
    let lines = attributes(&svg, "polyline", "points");
    assert_eq!(lines[0].split(' ').count(), 2);
}

#[test]
fn names_never_touch_and_stay_inside() {
    let crowded = spread(&[100.0, 101.0, 102.0, 300.0, 381.0, 382.0], 46.0, 382.0);
    assert!(crowded.windows(2).all(|pair| pair[1] - pair[0] >= 17.99), "{crowded:?}");
    assert!(crowded[0] >= 46.0 && crowded[5] <= 382.0);
    assert_eq!(spread(&[100.0, 200.0], 46.0, 382.0), [100.0, 200.0]);
    assert_eq!(spread(&[50.0, 50.0, 50.0], 46.0, 382.0)[0], 46.0);
}

#[test]
fn series_differ_in_colour_and_marker() {
    let svg = sample().svg();
    let mut colours = attributes(&svg, "polyline", "stroke");
    colours.dedup();
    assert_eq!(colours.len(), 3);
    let shape = |number| crate::style::marker(number, 0.0, 0.0);
    let mut shapes: Vec<String> = (0..8).map(shape).collect();
    shapes.sort();
    shapes.dedup();
    assert_eq!(shapes.len(), 8);
    assert_ne!(crate::style::dashes(0), crate::style::dashes(8));
}

#[test]
fn ticks_are_round() {
    assert_eq!(ticks::ticks(Scale::Log, Unit::Time, 1.0, 1e3), [1.0, 10.0, 100.0, 1000.0]);
    assert_eq!(ticks::ticks(Scale::Log, Unit::Time, 20.0, 200.0), [20.0, 50.0, 100.0, 200.0]);
    assert_eq!(
        ticks::ticks(Scale::Linear, Unit::Count, 0.0, 40.0),
        (0..=8).map(|n| n as f64 * 5.0).collect::<Vec<_>>()
    );
    let bytes = ticks::ticks(Scale::Log, Unit::Bytes, 8.0, 16.0 * 1024.0 * 1024.0);
    assert_eq!(
        bytes.iter().map(|value| value.log2()).collect::<Vec<_>>(),
        [3.0, 6.0, 9.0, 12.0, 15.0, 18.0, 21.0, 24.0]
    );
    assert_eq!(ticks::ticks(Scale::Nines, Unit::Percent, 50.0, 99.99), [50.0, 90.0, 99.0, 99.9, 99.99]);
    assert!(ticks::ticks(Scale::Log, Unit::Count, 1.0, 1e12).len() <= 8);
    assert_eq!(ticks::bounds(Scale::Log, Unit::Time, 23.0, 4100.0, true), (20.0, 5000.0));
    assert_eq!(ticks::bounds(Scale::Linear, Unit::Count, 3.0, 38.0, true), (0.0, 40.0));
}

#[test]
fn labels_have_units() {
    let labels: Vec<String> =
        [(Unit::Time, 100.0), (Unit::Time, 1000.0), (Unit::Time, 2.5e6), (Unit::Bytes, 64.0)]
            .into_iter()
            .chain([(Unit::Bytes, 65536.0), (Unit::Count, 10_000.0), (Unit::Count, 2e6), (Unit::Ratio, 1.25)])
            .chain([(Unit::Percent, 0.05), (Unit::Time, 0.0)])
            .map(|(unit, value)| ticks::label(unit, value))
            .collect();
    let expected =
        ["100 ns", "1 µs", "2.5 ms", "64 B", "64 KiB", "10,000", "2 M", "1.25 ×", "0.05 %", "0 ns"];
    assert_eq!(labels, expected);
    assert_eq!(["50", "99.9", "99.99"], [50.0, 99.9, 99.99].map(ticks::plain).each_ref().map(String::as_str));
}

#[test]
fn percentiles_stand_a_nine_apart() {
    let chart = LineChart::new("", Axis::nines("percentile"), Axis::log("latency", Unit::Time))
        .series("raw", [(50.0, 70.0), (90.0, 71.0), (99.0, 80.0), (99.9, 110.0), (99.99, 900.0)]);
    let svg = chart.svg();
    let line = attributes(&svg, "polyline", "points")[0];
    let xs: Vec<f64> = line.split(' ').map(|point| number(point.split(',').next().expect("x"))).collect();
    assert!((xs[2] - xs[1] - (xs[4] - xs[3])).abs() < 0.5, "{xs:?}");
    assert!(svg.contains(">p99.99<"));
}

#[test]
fn longer_bars_for_larger_values() {
    let svg = BarChart::new("", Axis::log("time", Unit::Time), ["one", "two"])
        .group("get", [Some(50.0), Some(500.0)])
        .group("put", [Some(5000.0), None])
        .svg();
    let widths: Vec<f64> = attributes(&svg, "rect", "width").into_iter().map(number).collect();
    // The sheet, then the bars.
    assert_eq!(widths.len(), 4);
    assert!(widths[1] < widths[2] && widths[2] < widths[3] && widths[3] < WIDTH);
}
