//! Charts of measurements, as SVG: lines over a linear or logarithmic axis, percentiles over an axis of nines,
//! horizontal bars in groups.
//!
//! ```
//! use slateboard_plot::{Axis, LineChart, Unit};
//!
//! let svg = LineChart::new("get of one value", Axis::log("bytes of the value", Unit::Bytes), Axis::log("time", Unit::Time))
//!     .series("by handle", [(8.0, 55.0), (64.0, 60.0), (1024.0, 120.0)])
//!     .series("plain copy", [(8.0, 2.0), (64.0, 3.0), (1024.0, 20.0)])
//!     .svg();
//! assert!(svg.starts_with("<svg"));
//! ```
//!
//! Colour never tells series apart alone: each has a marker too. Names stand beside the lines, outside the
//! plot, so that none covers a point. Values that an axis cannot show (a zero on a logarithmic one, NaN) are
//! left out.

mod axis;
mod bars;
mod line;
mod style;
mod svg;
mod ticks;

pub use axis::{Axis, Unit};
pub use bars::BarChart;
pub use line::LineChart;
pub use ticks::label;

/// Width of every chart, px.
pub const WIDTH: f64 = 760.0;
/// Height of a line chart, and the least of a bar chart, px.
pub const HEIGHT: f64 = 440.0;

#[cfg(test)]
mod tests;
