//! Medians over rounds: of works of two processes, within the same placement of the cores only.

use crate::row::{Placement, Row, SHARES, Unit, at, median};
use std::collections::BTreeMap;

/// The median of a row's rounds.
#[derive(Clone, Debug)]
pub struct Figure {
    /// In what it counts.
    pub unit: Unit,
    /// The median; of latencies, of medians.
    pub value: f64,
    /// Medians of each share of the latency curves, nanoseconds.
    pub curve: Vec<(f64, f64)>,
    /// The median of `value` in raw ping-pongs around the same run.
    pub pings: Option<f64>,
    /// The same, of the time that 99.9 % of round trips took at most.
    pub pings_999: Option<f64>,
    /// The raw ping-pong itself, nanoseconds one way.
    pub ping: Option<f64>,
    /// How many rounds.
    pub rounds: usize,
}

/// By work, form, peer, placement.
type Key = (String, String, String, Option<bool>);

/// All medians of a run.
pub struct Figures(BTreeMap<Key, Figure>);

impl Figures {
    /// The medians of these rows.
    pub fn of(rows: &[Row]) -> Self {
        let mut groups = BTreeMap::<Key, Vec<&Row>>::new();
        for row in rows {
            let near = match row.placement() {
                None => None,
                Some(Placement::Near) => Some(true),
                Some(Placement::Far) => Some(false),
                Some(Placement::Moved) => continue,
            };
            groups.entry((row.work.clone(), row.what.clone(), row.peer.clone(), near)).or_default().push(row);
        }
        Self(groups.into_iter().map(|(key, rows)| (key, figure(&rows))).collect())
    }

    /// The figure in one placement; works of one process have none.
    pub fn in_placement(&self, work: &str, what: &str, peer: &str, near: bool) -> Option<&Figure> {
        let key = |near| (work.to_owned(), what.to_owned(), peer.to_owned(), near);
        self.0.get(&key(None)).or_else(|| self.0.get(&key(Some(near))))
    }

    /// The figure where the cores were near, else where they were far; and whether they were near.
    pub fn get(&self, work: &str, what: &str, peer: &str) -> Option<(&Figure, bool)> {
        let near = self.in_placement(work, what, peer, true).map(|figure| (figure, true));
        near.or_else(|| Some((self.in_placement(work, what, peer, false)?, false)))
    }

    /// Two figures of the same placement, near if there are such.
    pub fn pair(&self, one: (&str, &str, &str), other: (&str, &str, &str)) -> Option<(f64, f64, bool)> {
        let both = |near| {
            let one = self.in_placement(one.0, one.1, one.2, near)?;
            let other = self.in_placement(other.0, other.1, other.2, near)?;
            Some((one.value, other.value, near))
        };
        both(true).or_else(|| both(false))
    }

    /// Forms of a work that anybody has.
    pub fn forms(&self, work: &str) -> Vec<String> {
        let mut forms: Vec<String> =
            self.0.keys().filter(|key| key.0 == work).map(|key| key.1.clone()).collect();
        forms.dedup();
        forms
    }
}

fn figure(rows: &[&Row]) -> Figure {
    let over = |value: &dyn Fn(&Row) -> Option<f64>| {
        let mut values: Vec<f64> = rows.iter().filter_map(|row| value(row)).collect();
        (!values.is_empty()).then(|| median(&mut values))
    };
    let ping = |row: &Row| row.ping.map(|[before, after]| f64::midpoint(before, after));
    let curve = |share: f64| {
        let some = |row: &Row| (!row.curve.is_empty()).then(|| at(&row.curve, share));
        Some((share, over(&some)?))
    };
    Figure {
        unit: rows[0].unit,
        value: over(&|row| Some(row.value)).unwrap_or_default(),
        curve: SHARES.iter().filter_map(|&share| curve(share)).collect(),
        pings: over(&|row| Some(row.value / ping(row)?)),
        pings_999: over(&|row| Some(at(&row.curve, 0.999) / ping(row)?)),
        ping: over(&ping),
        rounds: rows.len(),
    }
}
