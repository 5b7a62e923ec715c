//! How long an answer is fresh (RFC 9111 section 4.2), between the bounds of the configuration.

use std::time::{Duration, SystemTime};

use super::{call::Response, refresh::RefreshPolicy};
use crate::time::UnixTime;

/// What the issuer says, or as long as the configuration allows; never longer than that, and not so short that every
/// cooldown ends in a fetch of its own.
pub fn lifetime(response: &Response, policy: &RefreshPolicy, now: UnixTime) -> Duration {
    let shortest = policy.cooldown.min(policy.cache_duration);
    said(response, now).map_or(policy.cache_duration, |said| said.clamp(shortest, policy.cache_duration))
}

fn said(response: &Response, now: UnixTime) -> Option<Duration> {
    let directives = || response.values("cache-control").flat_map(|value| value.split(',')).map(str::trim);
    let is = |directive: &str, name: &str| directive.eq_ignore_ascii_case(name);
    if directives().any(|directive| is(directive, "no-store") || is(directive, "no-cache")) {
        return Some(Duration::ZERO);
    }
    let max_age = directives().find_map(|directive| {
        let (name, value) = directive.split_once('=')?;
        is(name, "max-age").then(|| seconds(value.trim_matches('"')).unwrap_or_default())
    });
    match max_age {
        Some(max_age) => {
            let age = response.values("age").next().and_then(seconds).unwrap_or_default();
            Some(max_age.saturating_sub(age))
        }
        // RFC 9111 section 5.3: a date that is none lies in the past.
        None => response.values("expires").next().map(|expires| {
            // An answer without a date counts from its arrival (RFC 9110 section 6.6.1).
            let date = response.values("date").next().map_or(Some(now), date);
            date.zip(self::date(expires)).map(|(date, expires)| expires.since(date)).unwrap_or_default()
        }),
    }
}

/// A number too large to read is as good as for ever (RFC 9111 section 1.2.2).
fn seconds(text: &str) -> Option<Duration> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| Duration::from_secs(text.parse().unwrap_or(u64::from(u32::MAX))))
}

fn date(text: &str) -> Option<UnixTime> {
    let since_epoch = httpdate::parse_http_date(text).ok()?.duration_since(SystemTime::UNIX_EPOCH);
    since_epoch.ok().map(UnixTime::since_epoch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_issuer_says_within_bounds() {
        let policy = RefreshPolicy {
            timeout: Duration::from_secs(5),
            cache_duration: Duration::from_secs(300),
            cooldown: Duration::from_secs(10),
            stale_if_error: Duration::from_secs(3600),
        };
        let dates = |expires: &'static str| vec![("date", "Sun, 06 Nov 1994 08:49:37 GMT"), ("expires", expires)];
        for (headers, seconds) in [
            (vec![], 300),
            (vec![("cache-control", "public, max-age=60")], 60),
            (vec![("cache-control", "public"), ("cache-control", "Max-Age=\"60\"")], 60),
            (vec![("cache-control", "max-age=60"), ("age", "45")], 15),
            (vec![("cache-control", "max-age=60"), ("age", "61")], 10),
            (vec![("cache-control", "max-age=86400")], 300),
            (vec![("cache-control", "max-age=99999999999999999999999")], 300),
            (vec![("cache-control", "max-age=0")], 10),
            (vec![("cache-control", "max-age=soon")], 10),
            (vec![("cache-control", "s-maxage=60")], 300),
            (vec![("cache-control", "no-store")], 10),
            (vec![("cache-control", "max-age=60, no-cache")], 10),
            (dates("Sun, 06 Nov 1994 08:51:37 GMT"), 120),
            (dates("Sun, 06 Nov 1994 08:48:37 GMT"), 10),
            (dates("0"), 10),
            (vec![("expires", "Sun, 06 Nov 1994 08:51:07 GMT")], 90),
            (vec![("expires", "Sun, 06 Nov 1994 08:49:36 GMT")], 10),
            (vec![("date", "now"), ("expires", "Sun, 06 Nov 1994 08:51:37 GMT")], 10),
            ([vec![("cache-control", "max-age=20")], dates("0")].concat(), 20),
        ] {
            let named = headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect();
            let response = Response { status: 200, headers: named, size: 0, body: Vec::new() };
            assert_eq!(
                lifetime(&response, &policy, UnixTime::from_secs(784_111_777)),
                Duration::from_secs(seconds),
                "{headers:?}"
            );
        }
    }
}
