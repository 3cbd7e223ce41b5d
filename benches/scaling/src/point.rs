//! What is measured: points of curves.

use serde::{Deserialize, Serialize};

/// One point of one curve.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Point {
    /// The section that measured it.
    pub section: String,
    /// The curve.
    pub series: String,
    /// How many, or how many bytes: what the section varies.
    pub x: f64,
    /// The figure.
    pub y: f64,
    /// Of `y`: `ns`, `bytes` or `%`, per what the curve's name says.
    pub unit: String,
    /// Whether this is a limit without slateboard.
    pub raw: bool,
}

/// The points of a run. Each is printed as it comes.
#[derive(Default)]
pub struct Points {
    section: String,
    all: Vec<Point>,
}

impl Points {
    /// Points from here on are of this section.
    pub fn begin(&mut self, section: &str) {
        self.section = section.to_owned();
    }

    /// A point of slateboard's.
    pub fn add(&mut self, series: &str, x: usize, y: f64, unit: &str) {
        self.push(series, x, y, unit, false);
    }

    /// A point of a limit.
    pub fn add_raw(&mut self, series: &str, x: usize, y: f64, unit: &str) {
        self.push(series, x, y, unit, true);
    }

    fn push(&mut self, series: &str, x: usize, y: f64, unit: &str, raw: bool) {
        let (section, series, unit) = (self.section.clone(), series.to_owned(), unit.to_owned());
        let point = Point { section, series, x: x as f64, y: (y * 1e3).round() / 1e3, unit, raw };
        println!("{}", point.line());
        self.all.push(point);
    }

    pub fn all(&self) -> &[Point] {
        &self.all
    }
}

impl Point {
    /// As JSON, on one line.
    pub fn line(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The points of a text of such lines.
    pub fn of_lines(text: &str) -> crate::Outcome<Vec<Self>> {
        text.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_read_as_they_are_written() {
        let mut points = Points::default();
        points.begin("keys");
        points.add("get", 100, 83.1234, "ns");
        points.add_raw("copy", 1_000_000, 4.0, "ns");
        let text: String = points.all().iter().map(|point| point.line() + "\n").collect();
        assert_eq!(Point::of_lines(&text).unwrap(), points.all());
        assert!(Point::of_lines("{}").is_err());
    }
}
