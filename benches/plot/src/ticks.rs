//! Round numbers for axes, and how numbers are written.

use crate::axis::{Scale, Unit};

/// About as many labels fit on an axis.
const TICKS_MAX: usize = 8;
const NINES: [f64; 7] = [0.0, 50.0, 90.0, 99.0, 99.9, 99.99, 99.999];

/// The range of an axis over values from `least` to `most`; to the next round numbers where `rounded`.
pub(crate) fn bounds(scale: Scale, unit: Unit, least: f64, most: f64, rounded: bool) -> (f64, f64) {
    match scale {
        Scale::Linear => {
            let least = least.min(0.0);
            let step = linear_step(least, most);
            ((least / step).floor() * step, (most / step).ceil().max(1.0) * step)
        }
        Scale::Log if !rounded => apart(least, most),
        Scale::Log if unit == Unit::Bytes => {
            apart(2f64.powf(least.log2().floor()), 2f64.powf(most.log2().ceil()))
        }
        Scale::Log => apart(round_down(least), round_up(most)),
        Scale::Nines => apart(least, most),
    }
}

/// A range that is not empty.
fn apart(least: f64, most: f64) -> (f64, f64) {
    if most > least { (least, most) } else { (least / 2.0, most * 2.0) }
}

/// Round numbers from `least` to `most`.
pub(crate) fn ticks(scale: Scale, unit: Unit, least: f64, most: f64) -> Vec<f64> {
    let inside = |value: &f64| *value >= least * (1.0 - 1e-9) && *value <= most * (1.0 + 1e-9);
    match scale {
        Scale::Linear => {
            let step = linear_step(least, most);
            let (first, last) = ((least / step).round() as i64, (most / step).round() as i64);
            (first..=last).map(|number| number as f64 * step).collect()
        }
        Scale::Log if unit == Unit::Bytes => powers_of_two(least, most),
        Scale::Log => decades(least, most).into_iter().filter(inside).collect(),
        Scale::Nines => NINES.into_iter().filter(|value| *value >= least && *value <= most).collect(),
    }
}

/// 1, 2 or 5 times a power of ten, so that no more than `TICKS_MAX` steps are needed.
fn linear_step(least: f64, most: f64) -> f64 {
    let span = if most > least { most - least } else { 1.0 };
    round_up(span / TICKS_MAX as f64)
}

/// Powers of ten; with 2 and 5 times them where there are few, every second or third where there are many.
fn decades(least: f64, most: f64) -> Vec<f64> {
    let (first, last) = (least.log10().floor() as i32, most.log10().ceil() as i32);
    let factors: &[f64] = match most.log10() - least.log10() {
        span if span <= 2.0 => &[1.0, 2.0, 5.0],
        _ => &[1.0],
    };
    let every = (last - first) as usize / TICKS_MAX + 1;
    let powers = (first..=last).filter(|power| power.rem_euclid(every as i32) == 0);
    powers.flat_map(|power| factors.iter().map(move |factor| factor * 10f64.powi(power))).collect()
}

fn powers_of_two(least: f64, most: f64) -> Vec<f64> {
    let (first, last) = (least.log2().round() as i32, most.log2().round() as i32);
    let every = ((last - first) as usize / TICKS_MAX + 1) as i32;
    (first..=last).step_by(every as usize).map(|power| 2f64.powi(power)).collect()
}

fn round_down(value: f64) -> f64 {
    round(value, |part| [5.0, 2.0].into_iter().find(|round| part >= *round * (1.0 - 1e-9)).unwrap_or(1.0))
}

fn round_up(value: f64) -> f64 {
    round(value, |part| {
        [1.0, 2.0, 5.0].into_iter().find(|round| part <= *round * (1.0 + 1e-9)).unwrap_or(10.0)
    })
}

/// The leading part of a value, from 1 to 10, made round.
fn round(value: f64, part: impl Fn(f64) -> f64) -> f64 {
    let power = 10f64.powf(value.log10().floor());
    part(value / power) * power
}

/// A value as it stands beside a tick or a bar: three digits, with its unit. For tables beside charts.
pub fn label(unit: Unit, value: f64) -> String {
    match unit {
        Unit::Count if value.abs() >= 1e6 => format!("{} M", plain(value / 1e6)),
        Unit::Count => plain(value),
        Unit::Time => scaled(value, 1000.0, &["ns", "µs", "ms", "s"]),
        Unit::Bytes => scaled(value, 1024.0, &["B", "KiB", "MiB", "GiB"]),
        Unit::Percent => format!("{} %", plain(value)),
        Unit::Ratio => format!("{} ×", plain(value)),
    }
}

fn scaled(mut value: f64, factor: f64, units: &[&str]) -> String {
    let mut unit = 0;
    while value.abs() >= factor * (1.0 - 1e-9) && unit + 1 < units.len() {
        value /= factor;
        unit += 1;
    }
    format!("{} {}", plain(value), units[unit])
}

/// Three digits and no zeros behind the point; commas in large numbers.
pub(crate) fn plain(value: f64) -> String {
    let size = value.abs();
    let digits = match size {
        size if size >= 99.5 && size.fract() > 1e-3 && size < 100.0 => 3,
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 || size == 0.0 => 2,
        size => (2 - size.log10().floor() as i32).clamp(2, 9) as usize,
    };
    let text = format!("{value:.digits$}");
    if text.contains('.') {
        return text.trim_end_matches('0').trim_end_matches('.').to_string();
    }
    let (sign, number) = text.strip_prefix('-').map_or(("", text.as_str()), |number| ("-", number));
    let mut grouped = String::from(sign);
    for (at, digit) in number.char_indices() {
        if at > 0 && (number.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}
