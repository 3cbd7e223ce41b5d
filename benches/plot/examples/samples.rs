//! A sample of each chart, for a look: `cargo run -p slateboard-plot --example samples -- FOLDER`.

use slateboard_plot::{Axis, BarChart, LineChart, Unit};
use std::path::PathBuf;

fn main() -> std::io::Result<()> {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| ".".into()));
    let sizes: Vec<f64> = (3..=24).step_by(3).map(|power| 2f64.powi(power)).collect();
    let line = |fixed: f64, each: f64| sizes.iter().map(move |size| (*size, fixed + size * each));
    let size = Axis::log("size of the value", Unit::Bytes);
    let lines = LineChart::new(
        "get and put over the size of the value",
        size,
        Axis::log("time of one operation", Unit::Time),
    )
    .series("get, checksum verified", line(58.0, 0.12))
    .series("get, Verify::Scrub", line(55.0, 0.09))
    .series("put", line(150.0, 0.14))
    .series("plain copy", line(3.0, 0.06));
    std::fs::write(folder.join("lines.svg"), lines.svg())?;
    let tail = |p50: f64, p999: f64| {
        [(50.0, p50), (90.0, p50 * 1.1), (99.0, p50 * 1.5), (99.9, p999), (99.99, p999 * 9.0)]
    };
    let percentiles = LineChart::new(
        "one way between two processes",
        Axis::nines("percentile"),
        Axis::log("latency", Unit::Time),
    )
    .series("raw ping-pong", tail(70.0, 110.0))
    .series("polling a key", tail(480.0, 1800.0))
    .series("polling the generation", tail(500.0, 1700.0));
    std::fs::write(folder.join("percentiles.svg"), percentiles.svg())?;
    let linear = LineChart::new(
        "cost of idle waiting",
        Axis::log("waiters", Unit::Count).ticks([1.0, 4.0, 16.0, 64.0]),
        Axis::linear("part of a core", Unit::Percent),
    )
    .series("Adaptive", [(1.0, 0.01), (4.0, 0.02), (16.0, 0.05), (64.0, 0.21)])
    .series("Sleep", [(1.0, 0.01), (4.0, 0.02), (16.0, 0.05), (64.0, 0.2)]);
    std::fs::write(folder.join("linear.svg"), linear.svg())?;
    let names = ["slateboard", "iceoryx2", "LMDB", "SQLite", "Redis"];
    let bars = BarChart::new("64 B, 1,000 keys", Axis::log("time of one operation", Unit::Time), names)
        .group("get", [Some(61.0), Some(52.0), Some(310.0), Some(4100.0), Some(21_000.0)])
        .group("put", [Some(160.0), Some(93.0), Some(900.0), Some(8200.0), Some(23_500.0)])
        .group("increment", [Some(450.0), None, Some(1900.0), Some(31_000.0), Some(24_000.0)]);
    std::fs::write(folder.join("bars.svg"), bars.svg())
}
