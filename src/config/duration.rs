//! Durations as Istio and Go write them: `60s`, `5m`, `1h30m`, `500ms`, `1.5s`.

use std::time::Duration;

/// Reads a duration; `None` if it is none.
pub(super) fn parse(text: &str) -> Option<Duration> {
    if text.is_empty() {
        return None;
    }
    let mut total = Duration::ZERO;
    let mut rest = text;
    while !rest.is_empty() {
        let number_end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at_checked(number_end)?;
        let unit_end = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at_checked(unit_end)?;
        let unit = match unit {
            "h" => Duration::from_secs(3600),
            "m" => Duration::from_secs(60),
            "s" => Duration::from_secs(1),
            "ms" => Duration::from_millis(1),
            _ => return None,
        };
        total = total.checked_add(times(number, unit)?)?;
        rest = tail;
    }
    Some(total)
}

/// A decimal number of units, digit by digit: what the standard library reads a float with is large.
fn times(number: &str, unit: Duration) -> Option<Duration> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut total = Duration::ZERO;
    for digit in whole.chars() {
        total = total.checked_mul(10)?.checked_add(unit.checked_mul(digit.to_digit(10)?)?)?;
    }
    let mut place = unit;
    for digit in fraction.chars() {
        place = place.checked_div(10)?;
        total = total.checked_add(place.checked_mul(digit.to_digit(10)?)?)?;
    }
    Some(total)
}

/// Writes a duration so that it can be read again, to the millisecond.
pub(super) fn text(span: Duration) -> String {
    match span.subsec_millis() {
        0 => format!("{}s", span.as_secs()),
        _ => format!("{}ms", span.as_millis()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_add_up() {
        for (text, milliseconds) in [
            ("60s", 60_000),
            ("5m", 300_000),
            ("1h30m", 5_400_000),
            ("500ms", 500),
            ("1.5s", 1_500),
            (".25s", 250),
            ("5.s", 5_000),
            ("0s", 0),
        ] {
            assert_eq!(parse(text), Some(Duration::from_millis(milliseconds)), "{text}");
        }
        for text in ["", "60", "s", "5 m", "-5s", "1d", "5s ", "1..5s", ".s", "1e9s", "99999999999999999999h"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
