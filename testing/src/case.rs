//! The corpus: one situation a case, in `tests/cases/<topic>/<noun>.toml`.

use super::{
    keys,
    token::{Recipe, hex},
};
use include_dir::{Dir, include_dir};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, Ipv4Addr},
};

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../tests/cases");

/// Where a case can run.
const PLACES: [&str; 3] = ["core", "node", "envoy"];

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// The cases that share a config.
pub struct CaseFile {
    /// `claims/expiration`
    pub name: String,
    pub config: Value,
    pub cases: Vec<Case>,
}

/// A request, and what must become of it.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub name: String,
    token: Option<Recipe>,
    #[serde(default)]
    tokens: BTreeMap<String, Recipe>,
    request: Option<Draft>,
    #[serde(default)]
    pub peer: Peer,
    pub expect: Expect,
    only: Option<Vec<String>>,
}

/// The outcome: 200 is admitted, anything else refused for a `reason`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    pub status: u16,
    pub reason: Option<String>,
    /// The id of the policy rule that denied; empty for none.
    pub rule: Option<String>,
    /// The header, word for word; empty for none.
    pub www_authenticate: Option<String>,
    /// Single parameters of the challenge; empty for one that must not be there.
    #[serde(default)]
    pub challenge: BTreeMap<String, String>,
    /// Headers of the reply; empty for one that must not be there.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    pub body: Option<String>,
    /// The line of the log, word for word and from its first pair on, at the core's fixed time.
    pub log: Option<String>,
    /// What a gRPC client is told; the status on the wire is then 200.
    pub grpc: Option<Grpc>,
    #[serde(default)]
    pub upstream: Upstream,
}

/// The trailers-only answer of gRPC.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Grpc {
    pub status: u8,
    pub message: String,
}

/// Who is at the other end of the connection, and where the connection arrived. What is not said is loopback, without TLS.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Peer {
    /// The URI SAN of the client's certificate, `spiffe://` and all.
    pub principal: Option<String>,
    /// The DNS SAN of the client's certificate.
    pub dns: Option<String>,
    /// The peer of the TCP connection.
    source_ip: Option<IpAddr>,
    /// The client that `x-forwarded-for` tells of.
    remote_ip: Option<IpAddr>,
    destination_ip: Option<IpAddr>,
    destination_port: Option<u16>,
    pub sni: Option<String>,
}

/// What the upstream sees of an admitted request.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Upstream {
    /// All values of a header, in order.
    #[serde(deserialize_with = "one_or_more")]
    pub headers: BTreeMap<String, Vec<String>>,
    pub absent: Vec<String>,
    pub path: Option<String>,
}

/// A request as it arrives, its pseudo-headers apart.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestParts {
    pub method: String,
    pub path: String,
    pub host: String,
    pub headers: Vec<(String, Vec<u8>)>,
}

/// A request with `{token}`, `{token:name}` and `{hex:ff00}` still in it.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Draft {
    method: String,
    path: String,
    host: String,
    headers: Vec<(String, String)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    config: Option<Value>,
    config_json: Option<String>,
    #[serde(rename = "case")]
    cases: Vec<Case>,
}

/// Every case file, by name; one that says something we do not understand panics.
pub fn corpus() -> Vec<CaseFile> {
    let mut files = Vec::new();
    collect(&FILES, &mut files);
    files.sort_by(|a, b| a.name.cmp(&b.name));
    files
}

fn collect(folder: &Dir<'_>, files: &mut Vec<CaseFile>) {
    for file in folder.files() {
        let path = file.path().to_str().unwrap().replace('\\', "/");
        if let Some(name) = path.strip_suffix(".toml") {
            files.push(CaseFile::parse(name, file.contents_utf8().unwrap()));
        }
    }
    folder.dirs().for_each(|inner| collect(inner, files));
}

impl CaseFile {
    /// Reads one file; `name` is for the complaints.
    pub fn parse(name: &str, text: &str) -> Self {
        let wire: Wire = toml::from_str(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut config = match (wire.config, wire.config_json) {
            (Some(config), None) => config,
            (None, Some(text)) => serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}")),
            _ => panic!("{name}: needs one of `config` and `config_json`"),
        };
        expand(&mut config);
        let mut names = BTreeSet::new();
        for case in &wire.cases {
            assert!(names.insert(&case.name), "{name}: two cases are called `{}`", case.name);
            if let Some(complaint) = case.complaint() {
                panic!("{name}: `{}` {complaint}", case.name);
            }
        }
        Self { name: name.to_owned(), config, cases: wire.cases }
    }

    /// `errors.style`
    pub fn style(&self) -> &str {
        self.config["errors"]["style"].as_str().unwrap_or("rfc6750")
    }
}

impl Expect {
    /// What it leaves open of all that a reason tells.
    pub fn unsaid(&self) -> Vec<&'static str> {
        let parts = [("body", &self.body), ("www_authenticate", &self.www_authenticate), ("log", &self.log)];
        parts.into_iter().filter(|(_, said)| said.is_none()).map(|(part, _)| part).collect()
    }
}

impl Case {
    /// The request with its tokens signed at `now`.
    pub fn request(&self, now: u64) -> RequestParts {
        let mut draft = self.request.clone().unwrap_or_default();
        if self.token.is_some() && !draft.says_where() {
            draft.headers.push(("authorization".into(), "Bearer {token}".into()));
        }
        let headers = draft.headers.into_iter();
        RequestParts {
            method: draft.method,
            path: String::from_utf8(self.fill(&draft.path, now)).unwrap(),
            host: draft.host,
            headers: headers.map(|(name, value)| (name, self.fill(&value, now))).collect(),
        }
    }

    /// Its tokens, signed at `now`.
    pub fn tokens(&self, now: u64) -> impl Iterator<Item = String> {
        self.token.iter().chain(self.tokens.values()).map(move |recipe| recipe.sign(now))
    }

    pub fn runs_in(&self, place: &str) -> bool {
        assert!(PLACES.contains(&place), "no case runs in `{place}`");
        let listed = self.only.as_ref().is_none_or(|only| only.iter().any(|name| name == place));
        listed && (place != "envoy" || self.peer.is_on_loopback())
    }

    fn complaint(&self) -> Option<&'static str> {
        let places = self.only.as_deref().unwrap_or_default();
        let forwarded = |draft: &Draft| draft.headers.iter().any(|(name, _)| name == "x-forwarded-for");
        match self.expect.status {
            _ if self.peer.remote_ip.is_some() && self.request.as_ref().is_some_and(forwarded) => {
                Some("has a `remote_ip` and an `x-forwarded-for`")
            }
            200 if self.expect.rule.is_some() => Some("is admitted, so no policy refused it"),
            _ if places.iter().any(|place| !PLACES.contains(&place.as_str())) => Some("runs in a place unknown"),
            200 => None,
            _ if self.expect.reason.is_none() => Some("is refused without a `reason`"),
            _ if !self.expect.upstream.is_silent() => Some("is refused, so the upstream sees nothing"),
            _ => None,
        }
    }

    fn fill(&self, template: &str, now: u64) -> Vec<u8> {
        let mut filled = Vec::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            filled.extend(before.bytes());
            let place = after.split_once('}');
            match place.and_then(|(place, tail)| Some((self.value(place, now)?, tail))) {
                Some((value, tail)) => {
                    filled.extend(value);
                    rest = tail;
                }
                None => {
                    filled.push(b'{');
                    rest = after;
                }
            }
        }
        filled.extend(rest.bytes());
        filled
    }

    /// What stands for a placeholder; braces around anything else are only braces.
    fn value(&self, place: &str, now: u64) -> Option<Vec<u8>> {
        let recipe = match place.split_once(':') {
            None if place == "token" => self.token.as_ref(),
            Some(("token", name)) => self.tokens.get(name),
            Some(("hex", digits)) => return Some(hex(digits)),
            _ => return None,
        };
        let recipe = recipe.unwrap_or_else(|| panic!("`{}` has no recipe for {{{place}}}", self.name));
        Some(recipe.sign(now).into_bytes())
    }
}

impl Peer {
    pub fn source_ip(&self) -> IpAddr {
        self.source_ip.unwrap_or(LOOPBACK)
    }

    pub fn remote_ip(&self) -> IpAddr {
        self.remote_ip.unwrap_or(LOOPBACK)
    }

    /// What a proxy in front would have written into `x-forwarded-for`.
    pub fn forwarded(&self) -> Option<IpAddr> {
        self.remote_ip
    }

    pub fn destination_ip(&self) -> IpAddr {
        self.destination_ip.unwrap_or(LOOPBACK)
    }

    pub fn destination_port(&self) -> u16 {
        self.destination_port.unwrap_or(80)
    }

    pub fn is_on_tls(&self) -> bool {
        self.principal.is_some() || self.dns.is_some() || self.sni.is_some()
    }

    /// Whether a test can be this peer without an address of another machine, or a port of its choice.
    fn is_on_loopback(&self) -> bool {
        self.source_ip() == LOOPBACK && self.destination_ip() == LOOPBACK && self.destination_port.is_none()
    }
}

impl Upstream {
    fn is_silent(&self) -> bool {
        self.headers.is_empty() && self.absent.is_empty() && self.path.is_none()
    }
}

impl Default for Draft {
    fn default() -> Self {
        Self { method: "GET".into(), path: "/".into(), host: "api.example.com".into(), headers: Vec::new() }
    }
}

impl Draft {
    /// Whether the token has its place already.
    fn says_where(&self) -> bool {
        self.path.contains("{token}") || self.headers.iter().any(|(_, value)| value.contains("{token}"))
    }
}

/// `jwks = "@rsa"` becomes the key set itself, at any depth.
fn expand(config: &mut Value) {
    match config {
        Value::Array(items) => items.iter_mut().for_each(expand),
        Value::Object(members) => members.iter_mut().for_each(|(name, member)| match member {
            Value::String(spec) if name == "jwks" && spec.starts_with('@') => *spec = keys::jwks(spec),
            _ => expand(member),
        }),
        _ => {}
    }
}

fn one_or_more<'de, D: Deserializer<'de>>(wire: D) -> Result<BTreeMap<String, Vec<String>>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Values {
        One(String),
        Many(Vec<String>),
    }
    let headers = BTreeMap::<String, Values>::deserialize(wire)?;
    let listed = headers.into_iter().map(|(name, values)| match values {
        Values::One(value) => (name, vec![value]),
        Values::Many(values) => (name, values),
    });
    Ok(listed.collect())
}
