//! How the figures of the board grow: over the number of sessions, keys and waiters, the size of values, the length of the
//! history. Each point stands beside a raw limit of the same run where there is a natural one.

pub mod history;
pub mod keys;
pub mod roles;
pub mod sessions;
pub mod values;
pub mod waiters;

use super::{RAW, Run};
use crate::{
    Outcome,
    local::Form,
    peers::OURS,
    row::{Row, Unit},
};

/// The rows that a work finds, each a point of a curve.
struct Points<'r> {
    run: &'r Run<'r>,
    rows: Vec<Row>,
}

impl<'r> Points<'r> {
    fn new(run: &'r Run<'r>) -> Self {
        Self { run, rows: Vec::new() }
    }

    /// A point of the board's.
    fn add(&mut self, curve: &str, x: usize, value: f64, unit: Unit) {
        self.add_row(x, Row::new(OURS, self.run.work.name, curve, unit, value));
    }

    /// A point of a limit.
    fn add_raw(&mut self, curve: &str, x: usize, value: f64, unit: Unit) {
        self.add_row(x, Row::new(RAW, self.run.work.name, curve, unit, value));
    }

    /// Points of forms that take turns, a curve for each.
    fn measure(&mut self, x: usize, forms: Vec<Form<'_>>) -> Outcome<()> {
        for row in self.run.measure(OURS, forms)? {
            self.add_row(x, row);
        }
        Ok(())
    }

    fn add_row(&mut self, x: usize, row: Row) {
        self.rows.push(Row { x: Some(x as f64), ..row });
    }
}

/// A work over all points of a curve: a folder for each.
fn over(
    run: &Run<'_>,
    xs: &[usize],
    mut measure: impl FnMut(&Run<'_>, usize, &mut Points<'_>) -> Outcome<()>,
) -> Outcome<Vec<Row>> {
    let mut points = Points::new(run);
    for &x in run.plan.points(xs) {
        measure(run, x, &mut points)?;
    }
    Ok(points.rows)
}
