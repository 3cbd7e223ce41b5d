//! What tells series apart.

/// Okabe and Ito's colours, which stay apart for colour-blind eyes, darkened where white shines through; two more.
const COLOURS: [&str; 8] =
    ["#0072b2", "#d55e00", "#00866a", "#b0508f", "#b07800", "#3d9bd6", "#222222", "#7a5195"];
const DASHES: [&str; 3] = ["", "7 3", "2 3"];

/// The colour of the `number`th series.
pub(crate) fn colour(number: usize) -> &'static str {
    COLOURS[number % COLOURS.len()]
}

/// The dashes of its line: colours and markers come again after the eighth, dashes do not.
pub(crate) fn dashes(number: usize) -> &'static str {
    DASHES[number / COLOURS.len() % DASHES.len()]
}

/// Its marker, around a point, as the data of a path.
pub(crate) fn marker(number: usize, x: f64, y: f64) -> String {
    // Corners around the point, px; a circle is two arcs.
    let corners: &[(f64, f64)] = match number % COLOURS.len() {
        0 => return format!("M{:.1} {y:.1}a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z", x - 4.0),
        1 => &[(-3.6, -3.6), (3.6, -3.6), (3.6, 3.6), (-3.6, 3.6)],
        2 => &[(0.0, -5.0), (4.6, 3.4), (-4.6, 3.4)],
        3 => &[(0.0, -5.2), (5.2, 0.0), (0.0, 5.2), (-5.2, 0.0)],
        4 => &[(0.0, 5.0), (4.6, -3.4), (-4.6, -3.4)],
        5 => &[
            (-1.4, -5.0),
            (1.4, -5.0),
            (1.4, -1.4),
            (5.0, -1.4),
            (5.0, 1.4),
            (1.4, 1.4),
            (1.4, 5.0),
            (-1.4, 5.0),
            (-1.4, 1.4),
            (-5.0, 1.4),
            (-5.0, -1.4),
            (-1.4, -1.4),
        ],
        6 => &[
            (-4.5, -2.5),
            (-2.5, -4.5),
            (0.0, -2.0),
            (2.5, -4.5),
            (4.5, -2.5),
            (2.0, 0.0),
            (4.5, 2.5),
            (2.5, 4.5),
            (0.0, 2.0),
            (-2.5, 4.5),
            (-4.5, 2.5),
            (-2.0, 0.0),
        ],
        _ => &[(-2.6, -4.5), (2.6, -4.5), (5.0, 0.0), (2.6, 4.5), (-2.6, 4.5), (-5.0, 0.0)],
    };
    let mut path = String::new();
    for (at, (right, down)) in corners.iter().enumerate() {
        path += &format!("{}{:.1} {:.1}", if at == 0 { 'M' } else { 'L' }, x + right, y + down);
    }
    path + "z"
}
