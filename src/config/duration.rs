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
        let seconds = match unit {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 0.001,
            _ => return None,
        };
        let span = Duration::try_from_secs_f64(number.parse::<f64>().ok()? * seconds).ok()?;
        total = total.checked_add(span)?;
        rest = tail;
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_add_up() {
        for (text, milliseconds) in
            [("60s", 60_000), ("5m", 300_000), ("1h30m", 5_400_000), ("500ms", 500), ("1.5s", 1_500), ("0s", 0)]
        {
            assert_eq!(parse(text), Some(Duration::from_millis(milliseconds)), "{text}");
        }
        for text in ["", "60", "s", "5 m", "-5s", "1d", "5s ", "1..5s", "1e9s", "99999999999999999999h"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
