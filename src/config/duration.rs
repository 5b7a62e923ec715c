//! Durations as Istio and Go write them: `60s`, `5m`, `1h30m`, `500ms`, `1.5s`.

use std::time::Duration;

use serde_json::Value;

#[cfg(not(target_arch = "wasm32"))]
use super::schema::Described;
use super::{
    at::At,
    shape::{Shape, TEXT},
};

/// A year. What is longer is a slip, and would leave the range of the host's clock.
const MOST: Duration = Duration::from_secs(8760 * 3600);

/// A duration of at least so many milliseconds, and at most a year.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span<const LEAST: u64>(pub(super) Duration);

impl<const LEAST: u64> Span<LEAST> {
    pub(super) const fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }
}

impl<const LEAST: u64> Shape for Span<LEAST> {
    fn read(value: Value, at: &mut At<'_>) -> Option<Self> {
        read(value, at, Duration::from_millis(LEAST)).map(Self)
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn described() -> Described {
        Described::pattern(r"^(([0-9]+\.?[0-9]*|\.[0-9]+)(h|ms|m|s))+$")
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn written(&self) -> Value {
        text(self.0).into()
    }
}

#[inline(never)]
fn read(value: Value, at: &mut At<'_>, least: Duration) -> Option<Duration> {
    let written = match value {
        Value::String(written) => written,
        Value::Number(number) => {
            let help = format!("write it with its unit, as in `{number}s`");
            at.mismatch(&Value::Number(number), TEXT).help(help);
            return None;
        }
        other => {
            at.mismatch(&other, TEXT);
            return None;
        }
    };
    let Some(span) = parse(&written) else {
        at.wrong(&written, "is not a duration").help("write it as `60s`, `5m` or `1h30m`");
        return None;
    };
    if span < least {
        at.wrong(&written, "is too short").help(format!("write `{}` or more", text(least)));
    } else if span > MOST {
        at.wrong(&written, "is too long").help(format!("write `{}` or less", text(MOST)));
    }
    Some(span)
}

/// Reads a duration; `None` if it is none.
fn parse(text: &str) -> Option<Duration> {
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

/// Writes a duration so that it can be read again, to the millisecond, in the largest unit that fits.
pub(super) fn text(span: Duration) -> String {
    let seconds = span.as_secs();
    match span.subsec_millis() {
        0 if seconds > 0 && seconds.is_multiple_of(3600) => format!("{}h", seconds / 3600),
        0 if seconds > 0 && seconds.is_multiple_of(60) => format!("{}m", seconds / 60),
        0 => format!("{seconds}s"),
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

    #[test]
    fn what_is_written_is_read_again() {
        for text in ["0s", "1ms", "1500ms", "59s", "90s", "5m", "90m", "24h", "8760h"] {
            assert_eq!(super::text(parse(text).unwrap()), text);
        }
    }
}
