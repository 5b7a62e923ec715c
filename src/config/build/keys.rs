//! Where a rule's keys are: in the configuration, at a URL, or where the issuer says.

use std::time::Duration;

use serde_json::Value;

use super::{At, Problem, duration, shown};
use crate::{
    authenticate::provider::Keys,
    config::wire::JwtRule,
    jose::algorithm::Algorithm,
    keys::{KeySet, UnusableKeySet, is_private},
    oauth::{
        discovery::Discovery,
        jwks_source::{JwksLocation, JwksSource},
    },
    outbound::{SourceIndex, endpoint::Endpoint, refresh::RefreshPolicy},
};

const SHAPE: &str = r#"write the key set itself, `{"keys": [...]}`"#;
const METADATA: &str = "/.well-known/openid-configuration";

/// The part of a rule that says where its keys are.
pub(super) struct KeyLocation {
    jwks: Option<Value>,
    uri: Option<String>,
    cluster: Option<String>,
    hosts: Option<Vec<String>>,
    cache_duration: Option<String>,
    cooldown: Option<String>,
    stale_if_error: Option<String>,
    timeout: Option<String>,
}

impl KeyLocation {
    pub(super) fn take_from(rule: &mut JwtRule) -> Self {
        Self {
            jwks: rule.jwks.take(),
            uri: rule.jwks_uri.take(),
            cluster: rule.jwks_cluster.take(),
            hosts: rule.jwks_hosts.take(),
            cache_duration: rule.jwks_cache_duration.take(),
            cooldown: rule.jwks_cooldown.take(),
            stale_if_error: rule.jwks_stale_if_error.take(),
            timeout: rule.timeout.take(),
        }
    }

    /// The keys of a rule, or the source they come from, which rules that say the same of it share.
    pub(super) fn keys(
        self,
        at: &mut At<'_>,
        name: &str,
        issuer: Option<&str>,
        algorithms: &[Algorithm],
        sources: &mut Vec<JwksSource>,
    ) -> Keys {
        let policy = self.policy(at);
        if let Some(jwks) = self.jwks {
            if self.uri.is_some() {
                let mut at = at.field("jwksUri");
                at.report(at.problem("it can't stand beside `jwks`").help("keep the one that is right"));
            }
            let fields = [
                ("timeout", self.timeout.is_some()),
                ("jwksCluster", self.cluster.is_some()),
                ("jwksHosts", self.hosts.is_some()),
                ("jwksCacheDuration", self.cache_duration.is_some()),
                ("jwksCooldown", self.cooldown.is_some()),
                ("jwksStaleIfError", self.stale_if_error.is_some()),
            ];
            for (field, _) in fields.into_iter().filter(|(_, is_written)| *is_written && self.uri.is_none()) {
                let mut at = at.field(field);
                at.report(at.problem("it has no effect on inline `jwks`").warning());
            }
            return Keys::Inline(inline(&mut at.field("jwks"), &jwks, algorithms).unwrap_or_default());
        }
        if let Some(secret) = algorithms.iter().find(|algorithm| algorithm.is_symmetric()) {
            let mut at = at.field("algorithms");
            let problem = at.problem(format!("`{}` needs a secret, and fetched keys are public", secret.name()));
            at.report(problem.help("put the secret into `jwks`, or leave the algorithm out"));
        }
        let cluster = self.cluster.and_then(|cluster| at.field("jwksCluster").text(cluster));
        let location = match self.uri {
            Some(uri) => {
                if self.hosts.is_some() {
                    let mut at = at.field("jwksHosts");
                    at.report(at.problem("it has no effect beside `jwksUri`").warning());
                }
                endpoint(&mut at.field("jwksUri"), &uri, cluster.as_deref()).map(JwksLocation::Uri)
            }
            None => discovery(at, issuer, cluster.as_deref(), self.hosts).map(JwksLocation::Discovery),
        };
        let Some(location) = location else { return Keys::Inline(KeySet::default()) };
        let source = JwksSource { name: name.to_owned(), location, policy };
        let index = sources.iter().position(|known| known.is_same_as(&source)).unwrap_or_else(|| {
            sources.push(source);
            sources.len() - 1
        });
        Keys::Remote(SourceIndex(index))
    }

    fn policy(&self, at: &mut At<'_>) -> RefreshPolicy {
        let mut span = |field: &str, written: &Option<String>, least: Duration, unsaid: Duration| {
            let mut at = at.field(field);
            let span = written.as_deref().and_then(|written| at.duration(written));
            if span.is_some_and(|span| span < least) {
                let problem = at.problem(format!("{} is too short", shown(written.as_deref().unwrap_or_default())));
                at.report(problem.help(format!("write `{}` or more", duration::text(least))));
            }
            span.unwrap_or(unsaid)
        };
        let second = Duration::from_secs(1);
        let timeout = span("timeout", &self.timeout, Duration::from_millis(1), second * 5);
        let cache_duration = span("jwksCacheDuration", &self.cache_duration, second, second * 300);
        let cooldown = span("jwksCooldown", &self.cooldown, second, second * 10);
        let day = second * 24 * 3600;
        let stale_if_error = span("jwksStaleIfError", &self.stale_if_error, cache_duration, day.max(cache_duration));
        RefreshPolicy { timeout, cache_duration, cooldown, stale_if_error }
    }
}

/// The keys a rule brings along; what can't be used of them is a warning, a set without a usable key is a problem.
fn inline(at: &mut At<'_>, jwks: &Value, algorithms: &[Algorithm]) -> Option<KeySet> {
    let text = match jwks {
        Value::String(text) => text.clone(),
        set @ Value::Object(_) => set.to_string(),
        _ => {
            at.report(at.problem("it is neither a string nor an object").help(SHAPE));
            return None;
        }
    };
    let (keys, skipped) = KeySet::parse(text.as_bytes(), algorithms);
    for skip in skipped {
        let named = skip.kid.map(|kid| format!(" {}", shown(&kid))).unwrap_or_default();
        let mut at = at.field("keys");
        let mut at = at.index(skip.index);
        let problem = at.problem(format!("the key{named} is skipped: {}", skip.reason)).warning();
        at.report(problem);
    }
    warn_of_private_keys(at, &text);
    keys.map_err(|reason| at.report(unusable(at, &reason))).ok()
}

fn endpoint(at: &mut At<'_>, url: &str, cluster: Option<&str>) -> Option<Endpoint> {
    let endpoint = Endpoint::parse(url, cluster);
    if endpoint.is_none() {
        let problem = at.problem(format!("{} is no URL to fetch keys from", shown(url)));
        at.report(problem.help("write `https://idp.example.com/keys`, with a host and without a user or `#`"));
    }
    endpoint
}

/// OpenID Connect Discovery 1.0 section 4.1.
fn discovery(
    at: &mut At<'_>,
    issuer: Option<&str>,
    cluster: Option<&str>,
    hosts: Option<Vec<String>>,
) -> Option<Discovery> {
    let metadata = issuer.and_then(|issuer| {
        Endpoint::parse(&format!("{}{METADATA}", issuer.strip_suffix('/').unwrap_or(issuer)), cluster)
    });
    let Some((issuer, metadata)) = issuer.zip(metadata) else {
        let mut at = at.field("jwks");
        let sentence = match issuer {
            Some(issuer) => format!("it is missing, and the issuer {} is no URL to ask for its keys", shown(issuer)),
            None => "it is missing, and without keys no token could pass".to_owned(),
        };
        at.report(at.problem(sentence).help(format!("{SHAPE}, or its URL into `jwksUri`")));
        return None;
    };
    let hosts = at.field("jwksHosts").each(hosts, |at, written| {
        let host = Endpoint::parse(&format!("{}://{written}", metadata.scheme()), None).filter(|host| host.path == "/");
        if host.is_none() || written.ends_with('/') {
            let problem = at.problem(format!("{} is not a host", shown(&written)));
            at.report(problem.help("write `keys.example.com`, with a port if the URL has one"));
        }
        host.map(|host| host.authority)
    });
    Some(Discovery { issuer: issuer.to_owned(), metadata, hosts })
}

fn unusable(at: &At<'_>, reason: &UnusableKeySet) -> Problem {
    let problem = at.problem(reason.to_string());
    if *reason == UnusableKeySet::NoUsableKey { problem } else { problem.help(SHAPE) }
}

fn warn_of_private_keys(at: &mut At<'_>, text: &str) {
    let set: Value = serde_json::from_slice(text.as_bytes()).unwrap_or_default();
    let keys = set.get("keys").and_then(Value::as_array);
    for (index, _) in keys.into_iter().flatten().enumerate().filter(|(_, key)| is_private(key)) {
        let mut at = at.field("keys");
        let mut at = at.index(index);
        let problem = at.problem("it holds a private key, which anyone who reads this configuration now has");
        at.report(problem.help("remove `d` and the rest of the private half, and replace the key").warning());
    }
}
