//! Parses and formats durations, sizes and times for people.

use std::time::{Duration, SystemTime};

/// Parses `250ms`, `1.5s`, `5m`, `2h`, `1d`, `1w` or `500us`; a plain number means seconds. Zero is allowed.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let quantity = Quantity::parse(text, "60s")?;
    let nanoseconds = match quantity.unit {
        "ns" => 1,
        "us" | "µs" => 1_000,
        "ms" => 1_000_000,
        "" | "s" | "sec" => 1_000_000_000,
        "m" | "min" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        "d" => 86_400_000_000_000,
        "w" => 604_800_000_000_000,
        unit => return Err(format!("unknown unit {unit:?}; use us, ms, s, m, h, d or w, for example 60s")),
    };
    let total = quantity.times(nanoseconds).ok_or("too long: the maximum is 584 years")?;
    Ok(Duration::from_nanos(total))
}

/// As [`parse_duration`], but zero is rejected.
pub(crate) fn parse_ttl(text: &str) -> Result<Duration, String> {
    match parse_duration(text)? {
        Duration::ZERO => Err("must be greater than zero, for example 60s".into()),
        ttl => Ok(ttl),
    }
}

/// Parses `65536`, `64K`, `1.5G`, `64MiB` or `1T`, in powers of 1,024; `MiB` and `MB` mean `M`. Zero is allowed.
pub(crate) fn parse_size(text: &str) -> Result<u64, String> {
    let quantity = Quantity::parse(text, "64M")?;
    let factor: u64 = match quantity.unit.to_ascii_uppercase().as_str() {
        "" | "B" => 1,
        "K" | "KB" | "KIB" => 1 << 10,
        "M" | "MB" | "MIB" => 1 << 20,
        "G" | "GB" | "GIB" => 1 << 30,
        "T" | "TB" | "TIB" => 1 << 40,
        _ => return Err(format!("unknown unit {:?}; use K, M, G or T, for example 64M", quantity.unit)),
    };
    // The caller checks the minimum and maximum, and its message names both.
    quantity.times(factor).ok_or_else(|| "too large: the maximum is 2^64 - 1 bytes".into())
}

/// Parses a whole number that is not negative.
pub(crate) fn parse_count(text: &str) -> Result<u64, String> {
    let digits = text.trim_start_matches('-');
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(count) => Ok(count),
        Err(_) if is_number && text.starts_with('-') => Err("must not be negative".into()),
        Err(_) if is_number => Err("too large: the maximum is 2^64 - 1".into()),
        Err(_) => Err("must be a whole number, for example 42".into()),
    }
}

/// Parses a signed whole number of 64 bits.
pub(crate) fn parse_integer(text: &str) -> Result<i64, String> {
    text.parse().map_err(|_| "must be a whole number that fits into 64 bits".into())
}

/// A decimal number with a unit, without rounding: the value is `digits` divided by ten to the power of `decimals`.
struct Quantity<'a> {
    digits: u128,
    decimals: u32,
    unit: &'a str,
}

impl<'a> Quantity<'a> {
    fn parse(text: &'a str, example: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.strip_prefix('-').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit())) {
            return Err(format!("must not be negative; use a value like {example}"));
        }
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, unit) = text.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() || (number.contains('.') && (fraction.is_empty() || fraction.contains('.'))) {
            return Err(format!("must begin with a number, for example {example}"));
        }
        let digits = format!("{whole}{fraction}");
        // A larger number could overflow when it is multiplied by its unit.
        let digits = digits.parse().ok().filter(|digits| *digits < 1 << 70).ok_or("has too many digits")?;
        Ok(Self { digits, decimals: fraction.len() as u32, unit: unit.trim() })
    }

    /// The product, rounded down.
    fn times(&self, factor: u64) -> Option<u64> {
        let product = self.digits.checked_mul(factor.into())?;
        u64::try_from(product / 10u128.checked_pow(self.decimals)?).ok()
    }
}

/// Formats as `64 MiB` if a unit divides the size, otherwise with one decimal.
pub(crate) fn size(bytes: u64) -> String {
    let units = [(1u64 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match units.into_iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) if bytes.is_multiple_of(unit) => format!("{} {name}", bytes / unit),
        Some((unit, name)) => format!("{:.1} {name}", bytes as f64 / unit as f64),
        None => format!("{bytes} B"),
    }
}

/// Formats as `64 MiB` or `4,884 KiB`, without rounding.
pub(crate) fn exact_size(bytes: u64) -> String {
    let units = [(1u64 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"), (1, "B")];
    let (unit, name) = units.into_iter().find(|(unit, _)| bytes.is_multiple_of(*unit)).unwrap_or((1, "B"));
    format!("{} {name}", grouped(bytes / unit))
}

/// Formats nanoseconds as `830 ns`, `12.5 us`, `3.2 ms`, `1.5 s`.
pub(crate) fn nanoseconds(value: u64) -> String {
    match value {
        0..1_000 => format!("{value} ns"),
        1_000..1_000_000 => format!("{:.1} us", value as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} ms", value as f64 / 1e6),
        _ => format!("{:.1} s", value as f64 / 1e9),
    }
}

/// Formats `1234567` as `1,234,567`.
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

/// Formats a time as RFC 3339 in UTC, with `digits` (0 to 9) of the fraction of the second.
pub(crate) fn timestamp(time: SystemTime, digits: usize) -> String {
    let since_epoch_ns = since_epoch_ns(time);
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

/// Nanoseconds since 1970, as in JSON documents.
pub(crate) fn since_epoch_ns(time: SystemTime) -> u64 {
    let duration = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Whole milliseconds, as in JSON documents.
pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Converts days since 1970 to a date of the proleptic Gregorian calendar. Years are counted from 1 March of year 0, so
/// that the leap day is the last day of its year.
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
        assert_eq!(parse_duration("1.5s"), Ok(Duration::from_millis(1_500)));
        assert_eq!(parse_duration("0.1ms"), Ok(Duration::from_micros(100)));
        assert_eq!(parse_duration("500us"), Ok(Duration::from_micros(500)));
        assert_eq!(parse_duration("1w"), Ok(Duration::from_secs(604_800)));
        assert_eq!((parse_duration("0"), parse_ttl("1m")), (Ok(Duration::ZERO), Ok(Duration::from_secs(60))));
        for wrong in [
            "",
            "s",
            ".5s",
            "1.s",
            "1.2.3s",
            "5 parsecs",
            "1e3s",
            "99999999999999999999d",
            "18446744073709551615d",
        ] {
            assert!(parse_duration(wrong).is_err(), "{wrong:?}");
        }
        for (wrong, word) in [("-1s", "negative"), ("0", "greater than zero"), ("0.1ns", "greater than zero")]
        {
            assert!(parse_ttl(wrong).is_err_and(|text| text.contains(word)), "{wrong:?}");
        }
    }

    #[test]
    fn sizes() {
        assert_eq!(parse_size("64M"), Ok(64 << 20));
        assert_eq!(parse_size("1 GiB"), Ok(1 << 30));
        assert_eq!((parse_size("512"), parse_size("0")), (Ok(512), Ok(0)));
        assert_eq!((parse_size("1.5G"), parse_size("64MiB")), (Ok(3 << 29), Ok(64 << 20)));
        assert_eq!((parse_size("1T"), parse_size("1.1k")), (Ok(1 << 40), Ok(1_126)));
        for (wrong, word) in [
            ("M", "number"),
            ("64Q", "unit"),
            ("99999999999G", "too large"),
            ("-1M", "negative"),
            ("--json", "number"),
            ("1.00000000000000000000000000000000001M", "digits"),
        ] {
            assert!(parse_size(wrong).is_err_and(|text| text.contains(word)), "{wrong:?}");
        }
        assert_eq!(
            (size(64 << 20), size(1_536), size(12)),
            ("64 MiB".into(), "1.5 KiB".into(), "12 B".into())
        );
        assert_eq!((exact_size(64 << 20), exact_size(5_001_216)), ("64 MiB".into(), "4,884 KiB".into()));
    }

    #[test]
    fn counts() {
        assert_eq!(parse_count("42"), Ok(42));
        for (wrong, word) in [
            ("-1", "negative"),
            ("99999999999999999999", "too large"),
            ("1.5", "whole"),
            ("", "whole"),
            ("-", "whole"),
        ] {
            assert!(parse_count(wrong).is_err_and(|text| text.contains(word)), "{wrong:?}");
        }
    }

    fn at(ns: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_nanos(ns)
    }

    #[test]
    fn dates() {
        assert_eq!(timestamp(at(0), 0), "1970-01-01T00:00:00Z");
        assert_eq!(timestamp(at(951_782_400_000_000_000), 0), "2000-02-29T00:00:00Z");
        assert_eq!(timestamp(at(1_764_158_399_123_456_789), 9), "2025-11-26T11:59:59.123456789Z");
        assert_eq!(timestamp(at(4_107_542_399_999_999_999), 3), "2100-02-28T23:59:59.999Z");
        assert_eq!(timestamp(at(4_107_542_400_000_000_000), 0), "2100-03-01T00:00:00Z");
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
