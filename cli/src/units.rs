//! Durations, sizes and times as people write and read them.

use std::time::Duration;

/// `250ms`, `60s`, `5m`, `2h`, `1d`; a plain number is seconds.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = split(text)?;
    let milliseconds = match unit {
        "ms" => 1,
        "" | "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(format!("unknown unit {unit:?}; use ms, s, m, h or d, as in 60s")),
    };
    let total = number.checked_mul(milliseconds).ok_or("longer than can be counted")?;
    Ok(Duration::from_millis(total))
}

/// `65536`, `64K`, `64M`, `2G`, with powers of 1,024; `MiB` and `MB` mean `M`.
pub(crate) fn parse_size(text: &str) -> Result<u64, String> {
    let (number, unit) = split(text)?;
    let factor: u64 = match unit.to_ascii_uppercase().as_str() {
        "" | "B" => 1,
        "K" | "KB" | "KIB" => 1 << 10,
        "M" | "MB" | "MIB" => 1 << 20,
        "G" | "GB" | "GIB" => 1 << 30,
        _ => return Err(format!("unknown unit {unit:?}; use K, M or G, as in 64M")),
    };
    number.checked_mul(factor).ok_or_else(|| "larger than can be counted".into())
}

fn split(text: &str) -> Result<(u64, &str), String> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    if number.is_empty() {
        return Err("must begin with a number, as in 60s or 64M".into());
    }
    let number = number.parse().map_err(|_| "larger than can be counted")?;
    Ok((number, unit.trim()))
}

/// `64 MiB`, exactly when it divides, otherwise with one decimal.
pub(crate) fn size(bytes: u64) -> String {
    let units = [(1u64 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match units.into_iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) if bytes.is_multiple_of(unit) => format!("{} {name}", bytes / unit),
        Some((unit, name)) => format!("{:.1} {name}", bytes as f64 / unit as f64),
        None => format!("{bytes} B"),
    }
}

/// `64 MiB`, `4,884 KiB`: nothing is rounded.
pub(crate) fn exact_size(bytes: u64) -> String {
    let units = [(1u64 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"), (1, "B")];
    let (unit, name) = units.into_iter().find(|(unit, _)| bytes.is_multiple_of(*unit)).unwrap_or((1, "B"));
    format!("{} {name}", grouped(bytes / unit))
}

/// Nanoseconds as `830 ns`, `12.5 us`, `3.2 ms`, `1.5 s`.
pub(crate) fn nanoseconds(value: u64) -> String {
    match value {
        0..1_000 => format!("{value} ns"),
        1_000..1_000_000 => format!("{:.1} us", value as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} ms", value as f64 / 1e6),
        _ => format!("{:.1} s", value as f64 / 1e9),
    }
}

/// `1234567` as `1,234,567`.
pub(crate) fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Nanoseconds since 1970 as RFC 3339 in UTC, with `digits` (0 to 9) of the second's fraction.
pub(crate) fn timestamp(since_epoch_ns: u64, digits: usize) -> String {
    let seconds = since_epoch_ns / 1_000_000_000;
    let (year, month, day) = civil_date(seconds / 86_400);
    let of_day = seconds % 86_400;
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    let mut text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
    if digits > 0 {
        text.push('.');
        text.extend(format!("{:09}", since_epoch_ns % 1_000_000_000).chars().take(digits));
    }
    text.push('Z');
    text
}

/// Days since 1970 to the proleptic Gregorian calendar. Counted from 1 March of year 0, so that the leap
/// day is the last of its year.
fn civil_date(days_since_epoch: u64) -> (u64, u64, u64) {
    const DAYS_IN_400_YEARS: u64 = 146_097;
    let days = days_since_epoch + 719_468;
    let day_of_cycle = days % DAYS_IN_400_YEARS;
    let year_of_cycle =
        (day_of_cycle - day_of_cycle / 1_460 + day_of_cycle / 36_524 - day_of_cycle / 146_096) / 365;
    let day_of_year = day_of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = days / DAYS_IN_400_YEARS * 400 + year_of_cycle + u64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        assert_eq!(parse_duration("60s"), Ok(Duration::from_secs(60)));
        assert_eq!(parse_duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(parse_duration("7"), Ok(Duration::from_secs(7)));
        assert_eq!(parse_duration("2h"), Ok(Duration::from_secs(7_200)));
        for wrong in ["", "s", "-1s", "5 parsecs", "99999999999999999999d", "18446744073709551615d"] {
            assert!(parse_duration(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn sizes() {
        assert_eq!(parse_size("64M"), Ok(64 << 20));
        assert_eq!(parse_size("1 GiB"), Ok(1 << 30));
        assert_eq!(parse_size("512"), Ok(512));
        assert!(
            parse_size("64T").is_err() && parse_size("M").is_err() && parse_size("99999999999G").is_err()
        );
        assert_eq!(
            (size(64 << 20), size(1_536), size(12)),
            ("64 MiB".into(), "1.5 KiB".into(), "12 B".into())
        );
        assert_eq!((exact_size(64 << 20), exact_size(5_001_216)), ("64 MiB".into(), "4,884 KiB".into()));
    }

    #[test]
    fn dates() {
        assert_eq!(timestamp(0, 0), "1970-01-01T00:00:00Z");
        assert_eq!(timestamp(951_782_400_000_000_000, 0), "2000-02-29T00:00:00Z");
        assert_eq!(timestamp(1_764_158_399_123_456_789, 9), "2025-11-26T11:59:59.123456789Z");
        assert_eq!(timestamp(4_107_542_399_999_999_999, 3), "2100-02-28T23:59:59.999Z");
        assert_eq!(timestamp(4_107_542_400_000_000_000, 0), "2100-03-01T00:00:00Z");
    }

    #[test]
    fn numbers() {
        assert_eq!(
            (grouped(0), grouped(999), grouped(1_234_567)),
            ("0".into(), "999".into(), "1,234,567".into())
        );
        assert_eq!(nanoseconds(12_500), "12.5 us");
    }
}
