//! What is counted and measured, in one table, and what each of it is called in Envoy's stats.
//!
//! A label is a part of the name, `name=value` between dots, for Envoy's `stats_tags` to take out again. Its values come
//! from the configuration and from the tables of this crate, never from a request: so traffic adds no stat.

/// One metric; a stat is a metric with values for its labels.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Metric {
    /// Its name below `wasmcustom.claimgate`.
    pub name: &'static str,
    /// How it moves.
    pub kind: Kind,
    /// What it is split by, in order.
    pub labels: &'static [&'static str],
}

/// How a metric moves.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// Only up.
    Counter,
    /// Up and down.
    Gauge,
}

/// The value of a label where the configuration has no name: a decision without a rule, a dry run without a match.
pub const NONE: &str = "none";

impl Metric {
    /// Requests decided.
    pub const DECISIONS: Self = counter("decisions", &["outcome", "provider", "reason", "rule"]);
    /// Good tokens that were known.
    pub const TOKEN_CACHE_HITS: Self = counter("token_cache_hits", &[]);
    /// Good tokens whose signature was verified.
    pub const TOKEN_CACHE_MISSES: Self = counter("token_cache_misses", &[]);
    /// Fetches of keys that have ended.
    pub const KEY_FETCHES: Self = counter("key_fetches", &["source", "result"]);
    /// Usable keys.
    pub const KEYS: Self = gauge("keys", &["source"]);
    /// Seconds since the issuer confirmed them.
    pub const KEYS_AGE_SECONDS: Self = gauge("keys_age_seconds", &["source"]);
    /// Requests that wait for keys.
    pub const WAITING_REQUESTS: Self = gauge("waiting_requests", &[]);
    /// Requests that found no room to wait.
    pub const TOO_MANY_WAITING: Self = counter("too_many_waiting", &[]);
    /// What dry runs would have refused.
    pub const DRY_RUN_WOULD_DENY: Self = counter("dry_run_would_deny", &["rule"]);
    /// Claims that no header could carry.
    pub const HEADERS_DROPPED: Self = counter("headers_dropped", &["provider", "header"]);

    /// Algorithms whose signatures the host verifies.
    pub const HOST_CRYPTO_ALGORITHMS: Self = gauge("host_crypto_algorithms", &[]);

    /// Every metric.
    pub const ALL: [Self; 11] = [
        Self::DECISIONS,
        Self::TOKEN_CACHE_HITS,
        Self::TOKEN_CACHE_MISSES,
        Self::KEY_FETCHES,
        Self::KEYS,
        Self::KEYS_AGE_SECONDS,
        Self::WAITING_REQUESTS,
        Self::TOO_MANY_WAITING,
        Self::DRY_RUN_WOULD_DENY,
        Self::HEADERS_DROPPED,
        Self::HOST_CRYPTO_ALGORITHMS,
    ];

    /// The stat for these values of the labels, in their order; those at the end that are not known stay away.
    pub fn stat(&self, values: &[&str]) -> String {
        let mut stat = format!("claimgate.{}", self.name);
        for (label, value) in self.labels.iter().zip(values) {
            stat.push('.');
            stat.push_str(label);
            stat.push('=');
            stat.extend(value.chars().map(|c| if is_plain(c) { c } else { '_' }));
        }
        stat
    }
}

/// A name as the value of a label: the scheme of a URL says nothing, the rest stays readable.
pub fn label(name: &str) -> &str {
    name.strip_prefix("https://").unwrap_or(name)
}

/// Dots separate, and other signs mean something to those who collect stats. The brackets of policy ids and the slashes of
/// issuers do not.
const fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '/' | '[' | ']')
}

const fn counter(name: &'static str, labels: &'static [&'static str]) -> Metric {
    Metric { name, kind: Kind::Counter, labels }
}

const fn gauge(name: &'static str, labels: &'static [&'static str]) -> Metric {
    Metric { name, kind: Kind::Gauge, labels }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_parts_of_the_name() {
        assert_eq!(Metric::WAITING_REQUESTS.stat(&[]), "claimgate.waiting_requests");
        assert_eq!(Metric::DECISIONS.stat(&["allowed", "okta"]), "claimgate.decisions.outcome=allowed.provider=okta");
    }

    #[test]
    fn no_value_has_a_part_of_its_own() {
        let stat = |value| Metric::DRY_RUN_WOULD_DENY.stat(&[value]).replace("claimgate.dry_run_would_deny.rule=", "");
        assert_eq!(stat("ns[foo]-policy[a.b]-rule[0]"), "ns[foo]-policy[a_b]-rule[0]");
        assert_eq!(stat("a.rule=b: 1\n|#\"\\ü"), "a_rule_b__1______");
        assert_eq!(stat(label("https://idp.example.com:8443/realms/a")), "idp_example_com_8443/realms/a");
    }
}
