//! What an axis shows, and where a value stands on it.

use crate::ticks;

/// What the numbers of an axis are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    /// How many: `10`, `1,000`, `1 M`.
    Count,
    /// Nanoseconds, shown as ns, µs, ms or s.
    Time,
    /// Bytes, shown as B, KiB, MiB or GiB.
    Bytes,
    /// Percent, `0.5 %`.
    Percent,
    /// Times as much as something: `2 ×`.
    Ratio,
}

/// How far apart values stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Scale {
    Linear,
    Log,
    /// Percentiles, each nine as far from the next: 90, 99, 99.9.
    Nines,
}

/// An axis: its title, its unit, its scale. It shows what its chart has, unless a range is set.
#[derive(Clone, Debug)]
pub struct Axis {
    pub(crate) title: String,
    pub(crate) unit: Unit,
    pub(crate) scale: Scale,
    range: Option<(f64, f64)>,
    ticks: Option<Vec<f64>>,
}

impl Axis {
    /// Equal steps for equal differences; from zero unless values are below it.
    pub fn linear(title: impl Into<String>, unit: Unit) -> Self {
        Self { title: title.into(), unit, scale: Scale::Linear, range: None, ticks: None }
    }

    /// Equal steps for equal factors. Shows positive values only.
    pub fn log(title: impl Into<String>, unit: Unit) -> Self {
        Self { scale: Scale::Log, ..Self::linear(title, unit) }
    }

    /// Percentiles from 0 to below 100, each nine as far from the next.
    pub fn nines(title: impl Into<String>) -> Self {
        Self { scale: Scale::Nines, ..Self::linear(title, Unit::Percent) }
    }

    /// Shows at least from `least` to `most`.
    #[must_use]
    pub fn range(mut self, least: f64, most: f64) -> Self {
        self.range = Some((least, most));
        self
    }

    /// Ticks at these values, instead of round ones.
    #[must_use]
    pub fn ticks(mut self, ticks: impl IntoIterator<Item = f64>) -> Self {
        self.ticks = Some(ticks.into_iter().collect());
        self
    }

    /// Whether the axis has a place for the value.
    pub(crate) fn shows(&self, value: f64) -> bool {
        match self.scale {
            Scale::Linear => value.is_finite(),
            Scale::Log => value.is_finite() && value > 0.0,
            Scale::Nines => (0.0..100.0).contains(&value),
        }
    }

    /// The axis over these values, `from` px to `to` px.
    pub(crate) fn over(&self, values: impl IntoIterator<Item = f64>, from: f64, to: f64) -> Placed {
        let set = self.range.into_iter().flat_map(|(least, most)| [least, most]);
        let chosen = self.ticks.iter().flatten().copied();
        let values = values.into_iter().chain(set).chain(chosen).filter(|value| self.shows(*value));
        let (least, most) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), value| {
            (least.min(value), most.max(value))
        });
        let (least, most) = if least > most { (1.0, 10.0) } else { (least, most) };
        // Ticks that a caller chose name the values there are: nothing is rounded away from them.
        let rounded = self.ticks.is_none();
        let (least, most) = ticks::bounds(self.scale, self.unit, least, most, rounded);
        let ticks = self.ticks.clone().unwrap_or_else(|| ticks::ticks(self.scale, self.unit, least, most));
        Placed { unit: self.unit, scale: self.scale, least, most, from, to, ticks }
    }
}

/// An axis with its place on a chart.
pub(crate) struct Placed {
    pub(crate) unit: Unit,
    pub(crate) scale: Scale,
    least: f64,
    most: f64,
    from: f64,
    to: f64,
    /// Values with a line and a label.
    pub(crate) ticks: Vec<f64>,
}

impl Placed {
    /// Where the value stands, px.
    pub(crate) fn at(&self, value: f64) -> f64 {
        let stretch = |value: f64| match self.scale {
            Scale::Linear => value,
            Scale::Log => value.log10(),
            Scale::Nines => -(1.0 - value / 100.0).log10(),
        };
        let (least, most) = (stretch(self.least), stretch(self.most));
        let part = if most > least { (stretch(value) - least) / (most - least) } else { 0.5 };
        self.from + part * (self.to - self.from)
    }

    /// The ticks with their labels.
    pub(crate) fn labels(&self) -> Vec<(f64, String)> {
        let label = |value: f64| match self.scale {
            Scale::Nines => format!("p{}", ticks::plain(value)),
            _ => ticks::label(self.unit, value),
        };
        self.ticks.iter().map(|&value| (self.at(value), label(value))).collect()
    }
}
