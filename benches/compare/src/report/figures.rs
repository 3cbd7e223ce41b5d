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
        Self(groups.into_iter().map(|(key, rows)| (key, figure(&least_disturbed(rows)))).collect())
    }

    /// Whether most peers' runs of this work were with near cores.
    pub fn usually_near(&self, work: &str) -> bool {
        let count = |near| self.0.keys().filter(|key| key.0 == work && key.3 == Some(near)).count();
        count(true) >= count(false)
    }

    /// The figure in one placement; works of one process have none.
    pub fn in_placement(&self, work: &str, what: &str, peer: &str, near: bool) -> Option<&Figure> {
        let key = |near| (work.to_owned(), what.to_owned(), peer.to_owned(), near);
        self.0.get(&key(None)).or_else(|| self.0.get(&key(Some(near))))
    }

    /// The figure in the placement of most peers, else in the other; and whether the cores were near.
    pub fn get(&self, work: &str, what: &str, peer: &str) -> Option<(&Figure, bool)> {
        let usual = self.usually_near(work);
        let figure = |near| self.in_placement(work, what, peer, near).map(|figure| (figure, near));
        figure(usual).or_else(|| figure(!usual))
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

/// The half of the runs in which the processes lost their cores least often. All, of works of one process.
fn least_disturbed(mut rows: Vec<&Row>) -> Vec<&Row> {
    if rows.iter().all(|row| row.switches.is_some()) {
        rows.sort_by_key(|row| row.switches);
        rows.truncate(rows.len().div_ceil(2));
    }
    rows
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

#[cfg(test)]
mod tests {
    use super::Figures;
    use crate::row::{Row, Unit};

    fn row(peer: &str, value: f64, ping: f64) -> Row {
        Row { ping: Some([ping, ping]), ..Row::new(peer, "sync", "64 B", Unit::Nanoseconds, value) }
    }

    #[test]
    fn disturbed_runs_do_not_count_where_there_are_others() {
        let row = |value, switches| Row { switches: Some(switches), ..row("a", value, 60.0) };
        let figures = Figures::of(&[row(1.0, 50), row(2.0, 0), row(4.0, 3)]);
        assert_eq!(figures.get("sync", "64 B", "a").map(|(figure, _)| figure.value), Some(3.0));
    }

    #[test]
    fn only_the_same_placement_is_compared() {
        let rows =
            [row("a", 100.0, 60.0), row("a", 400.0, 240.0), row("b", 800.0, 240.0), row("b", 600.0, 240.0)];
        let figures = Figures::of(&rows);
        assert_eq!(figures.pair(("sync", "64 B", "a"), ("sync", "64 B", "b")), Some((400.0, 700.0, false)));
        assert_eq!(
            figures.get("sync", "64 B", "a").map(|(figure, near)| (figure.value, near)),
            Some((400.0, false))
        );
        assert_eq!(figures.pair(("sync", "64 B", "a"), ("sync", "64 B", "c")).map(|pair| pair.0), None);
    }
}
