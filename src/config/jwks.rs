//! Where a rule's keys are: in the configuration, at a URL, or where the issuer says.

use serde_json::Value;

#[cfg(not(target_arch = "wasm32"))]
use super::schema::Described;
use super::{
    at::At,
    duration::{self, Span},
    jwt_rule::IssuerName,
    problem::shown,
    shape::{Defaulted, Shape, Text, Written, object},
};
use crate::{
    authenticate::provider::Keys,
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

object! {
    /// Where a rule's keys are.
    pub struct Jwks:

    /// The issuer's keys: a JWK Set (RFC 7517), as an object or as a string that holds its JSON.
    pub jwks: Written<JwkSet>,
    /// Where they are fetched: an `http` or `https` URL. Not together with `jwks`. Default: without `jwks`, what the issuer's metadata
    /// say.
    pub jwks_uri: Written<Endpoint>,
    /// Envoy's cluster for `jwksUri` or for the issuer. Default: `outbound|<port>||<host>`.
    pub jwks_cluster: Written<Text>,
    /// Hosts, with their ports if the URL has one, that the issuer's metadata may name besides its own.
    pub jwks_hosts: Written<Vec<Host>>,
    /// How long a fetched set is fresh at most.
    pub jwks_cache_duration: Defaulted<Span<1000>> = Span::seconds(5 * 60),
    /// How long after a response unknown keys cause no other fetch.
    pub jwks_cooldown: Defaulted<Span<1000>> = Span::seconds(10),
    /// How long a set is used since the issuer last confirmed it. Default: `24h`, or `jwksCacheDuration` if that is longer.
    pub jwks_stale_if_error: Written<Span<1>>,
    /// How long a call for keys may take, and how long a request waits for them.
    pub timeout: Defaulted<Span<1>> = Span::seconds(5),
}

impl Jwks {
    /// The keys of a rule, or the source they come from, which rules that say the same of it share.
    #[inline(never)]
    pub(super) fn checked(
        self,
        at: &mut At<'_>,
        name: &str,
        issuer: &Written<IssuerName>,
        algorithms: &[Algorithm],
        sources: &mut Vec<JwksSource>,
    ) -> Keys {
        let policy = self.policy(at);
        if self.jwks.is_written {
            self.report_without_effect(at);
            let set = self.jwks.value.and_then(|set| set.checked(&mut at.field("jwks"), algorithms));
            return Keys::Inline(set.unwrap_or_default());
        }
        if let Some(secret) = algorithms.iter().find(|algorithm| algorithm.is_symmetric()) {
            let (mut at, secret) = (at.field("algorithms"), secret.name());
            at.error(format!("`{secret}` needs a secret, and fetched keys are public"))
                .help("put the secret into `jwks`, or leave the algorithm out");
        }
        let Some(location) = self.location(at, issuer) else { return Keys::Inline(KeySet::default()) };
        let source = JwksSource { name: name.to_owned(), location, policy };
        let index = sources.iter().position(|known| known.is_same_as(&source)).unwrap_or_else(|| {
            sources.push(source);
            sources.len() - 1
        });
        Keys::Remote(SourceIndex(index))
    }

    fn report_without_effect(&self, at: &mut At<'_>) {
        if self.jwks_uri.is_written {
            at.field("jwksUri").error("it can't be combined with `jwks`").help("keep the one that is right");
            return;
        }
        for (field, is_written) in [
            ("timeout", self.timeout.is_written),
            ("jwksCluster", self.jwks_cluster.is_written),
            ("jwksHosts", self.jwks_hosts.is_written),
            ("jwksCacheDuration", self.jwks_cache_duration.is_written),
            ("jwksCooldown", self.jwks_cooldown.is_written),
            ("jwksStaleIfError", self.jwks_stale_if_error.is_written),
        ] {
            if is_written {
                at.field(field).warn("it has no effect on inline `jwks`");
            }
        }
    }

    #[inline(never)]
    fn location(self, at: &mut At<'_>, issuer: &Written<IssuerName>) -> Option<JwksLocation> {
        let through = |endpoint: Endpoint| match self.jwks_cluster.value {
            Some(Text(cluster)) => Endpoint { cluster, ..endpoint },
            None => endpoint,
        };
        if self.jwks_uri.is_written {
            if self.jwks_hosts.is_written {
                at.field("jwksHosts").warn("it has no effect together with `jwksUri`");
            }
            return self.jwks_uri.value.map(through).map(JwksLocation::Uri);
        }
        let (issuer, metadata) = metadata(at, issuer)?;
        let scheme = metadata.scheme();
        let hosts = self.jwks_hosts.value.unwrap_or_default().into_iter();
        let hosts = hosts.filter_map(|Host(host)| Endpoint::parse(&format!("{scheme}://{host}"), None));
        let hosts = hosts.map(|endpoint| endpoint.authority).collect();
        Some(JwksLocation::Discovery(Discovery { issuer, metadata: through(metadata), hosts }))
    }

    fn policy(&self, at: &mut At<'_>) -> RefreshPolicy {
        let cache_duration = self.jwks_cache_duration.value.0;
        let stale_if_error = self.jwks_stale_if_error.value.map(|Span(span)| span);
        if stale_if_error.is_some_and(|span| span < cache_duration) {
            let mut at = at.field("jwksStaleIfError");
            at.error("it is shorter than `jwksCacheDuration`, for which a set is fresh")
                .help(format!("write `{}` or more", duration::text(cache_duration)));
        }
        RefreshPolicy {
            timeout: self.timeout.value.0,
            cache_duration,
            cooldown: self.jwks_cooldown.value.0,
            stale_if_error: stale_if_error.unwrap_or(Span::<0>::seconds(24 * 3600).0.max(cache_duration)),
        }
    }
}

/// Where an issuer's metadata are (OpenID Connect Discovery 1.0 section 4.1).
fn metadata(at: &mut At<'_>, issuer: &Written<IssuerName>) -> Option<(String, Endpoint)> {
    let name = issuer.value.as_ref().map(|IssuerName(issuer)| issuer);
    let url = name.map(|issuer| format!("{}{METADATA}", issuer.strip_suffix('/').unwrap_or(issuer)));
    let endpoint = url.and_then(|url| Endpoint::parse(&url, None));
    let help = format!("{SHAPE}, or its URL into `jwksUri`");
    match name {
        None if issuer.is_written => (),
        None => at.field("jwks").error("it is missing, and without keys no token could pass").help(help),
        Some(name) if endpoint.is_none() => {
            let sentence = format!("it is missing, and the issuer {} is not a URL to ask for its keys", shown(name));
            at.field("jwks").error(sentence).help(help);
        }
        Some(_) => (),
    }
    name.cloned().zip(endpoint)
}

/// A JWK Set as JSON.
#[derive(Debug)]
pub(super) struct JwkSet(String);

impl JwkSet {
    /// The keys a rule brings along; what can't be used of them is a warning, a set without a usable key is a problem.
    #[inline(never)]
    fn checked(self, at: &mut At<'_>, algorithms: &[Algorithm]) -> Option<KeySet> {
        let Self(text) = self;
        let (keys, skipped) = KeySet::parse(text.as_bytes(), algorithms);
        for skip in skipped {
            let named = skip.kid.map(|kid| format!(" `{kid}`")).unwrap_or_default();
            at.field("keys").index(skip.index).warn(format!("the key{named} is skipped: {}", skip.reason));
        }
        warn_of_private_keys(at, &text);
        match keys {
            Ok(keys) => return Some(keys),
            Err(reason @ UnusableKeySet::NoUsableKey) => _ = at.error(reason.to_string()),
            Err(reason) => at.error(reason.to_string()).help(SHAPE),
        }
        None
    }
}

impl Shape for JwkSet {
    fn read(value: Value, at: &mut At<'_>) -> Option<Self> {
        match &value {
            Value::Object(_) => return Some(Self(value.to_string())),
            Value::String(text) if text.starts_with("http://") || text.starts_with("https://") => {
                at.error("it is a URL, not a key set").help("write it as `jwksUri`");
            }
            Value::String(text) if text.contains("-----BEGIN ") => {
                at.error("it is PEM, not a key set").help(r#"convert it to a JWK, and write `{"keys": [...]}`"#);
            }
            Value::String(text) => return Some(Self(text.clone())),
            _ => at.error("it is neither a string nor an object").help(SHAPE),
        }
        None
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn described() -> Described {
        use serde_json::json;
        let set = json!({ "type": "object", "properties": { "keys": { "type": "array" } }, "required": ["keys"] });
        Described::any_of([json!({ "type": "string", "pattern": r"^\s*\{" }), set])
    }
}

impl Shape for Endpoint {
    fn read(value: Value, at: &mut At<'_>) -> Option<Self> {
        let url = at.some_text(value)?;
        let endpoint = Self::parse(&url, None);
        if endpoint.is_none() {
            at.wrong(&url, "is not a URL to fetch keys from")
                .help("write `https://idp.example.com/keys`, with a host and without a user or `#`");
        }
        if is_open(&url) {
            at.warn("it is not `https`, so an attacker on the network can answer with other keys")
                .help("write `https`, unless the mesh encrypts the connection");
        }
        endpoint
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn described() -> Described {
        Described::pattern(r"^[Hh][Tt][Tt][Pp][Ss]?://[^/?#@\s]+([/?][^#\s]*)?$")
    }
}

/// Whether what comes from a URL crosses a network without TLS.
pub(super) fn is_open(url: &str) -> bool {
    let is_local = |host: &str| ["localhost", "127.0.0.1", "[::1]"].contains(&host);
    let host = |endpoint: &Endpoint| endpoint.authority.parse().map(|authority: http::uri::Authority| authority);
    Endpoint::parse(url, None).is_some_and(|endpoint| {
        !endpoint.is_https && !host(&endpoint).is_ok_and(|authority| is_local(authority.host()))
    })
}

/// A host, with a port if it is not that of the scheme.
#[derive(Debug)]
pub(super) struct Host(String);

impl Shape for Host {
    fn read(value: Value, at: &mut At<'_>) -> Option<Self> {
        let written = at.some_text(value)?;
        let endpoint = Endpoint::parse(&format!("https://{written}"), None);
        if endpoint.is_none_or(|host| host.path != "/") || written.ends_with('/') {
            at.wrong(&written, "is not a host").help("write `keys.example.com`, with a port if the URL has one");
            return None;
        }
        Some(Self(written))
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn described() -> Described {
        Described::pattern(r"^[^/?#@\s]+$")
    }
}

fn warn_of_private_keys(at: &mut At<'_>, text: &str) {
    let set: Value = serde_json::from_slice(text.as_bytes()).unwrap_or_default();
    let keys = set.get("keys").and_then(Value::as_array);
    for (index, _) in keys.into_iter().flatten().enumerate().filter(|(_, key)| is_private(key)) {
        let (mut at, sentence) =
            (at.field("keys"), "it holds a private key, which anyone who reads this configuration now has");
        at.index(index).warn(sentence).help("remove `d` and the rest of the private half, and replace the key");
    }
}
