//! Random authorization policies and random requests that they have something to say about.
//!
//! Both draw on the same few words, and patterns are cut out of them, so that a good part of them matches. Everything is
//! what Istio's webhook accepts, and all paths are plain.

use std::fmt;

use serde_json::{Map, Value, json};

use super::http::Message;

/// The issuers that both sides trust: one with slashes in it, one without.
pub const ISSUERS: [&str; 2] = ["https://idp.example.com", "issuer-b"];

/// The mesh's trust domain, and another name of it.
pub const TRUST_DOMAIN: &str = "mesh.example";
pub const TRUST_DOMAIN_ALIAS: &str = "old.example";

/// A source of numbers that only its seed decides (splitmix64).
#[derive(Clone, Debug)]
pub struct Dice(u64);

/// A name in a certificate.
#[derive(Clone, Copy, Debug)]
pub enum San {
    Uri(&'static str),
    Dns(&'static str),
}

/// The certificates that peers show: of the mesh and its alias, of others, with a SPIFFE ID behind another URI, and without any.
pub const CERTIFICATES: [&[San]; 8] = [
    &[San::Uri("spiffe://mesh.example/ns/default/sa/web")],
    &[San::Uri("spiffe://old.example/ns/payments/sa/api")],
    &[San::Uri("spiffe://other.example/ns/a/sa/b")],
    &[San::Uri("spiffe://cluster.local/ns/default/sa/web")],
    &[San::Uri("https://example.org/web"), San::Uri("spiffe://mesh.example/ns/default/sa/web")],
    &[San::Dns("web.example.com")],
    &[San::Uri("spiffe://mesh.example/workload"), San::Dns("web.example.com")],
    &[],
];

/// A request as it is asked of both sides.
#[derive(Clone, Debug)]
pub struct Question {
    pub method: String,
    pub host: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    /// What the token says, as in a `Recipe`; no token without it.
    pub claims: Option<Value>,
    /// A PROXY protocol header: source and destination of the connection as Envoy is to see them.
    pub proxied: Option<String>,
    /// Whose certificate it shows where it must show one.
    pub certificate: usize,
}

// === impl Dice ===

impl Dice {
    pub fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.roll() % end as u64).unwrap()
    }

    fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }

    pub fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }

    fn several<T>(&mut self, most: usize, mut one: impl FnMut(&mut Dice) -> T) -> Vec<T> {
        (0..=self.below(most)).map(|_| one(self)).collect()
    }
}

// === requests ===

const METHODS: [&str; 3] = ["GET", "POST", "DELETE"];
/// What clients send: most of it is upper case.
const SENT_METHODS: [&str; 9] = ["GET", "GET", "POST", "POST", "DELETE", "DELETE", "OPTIONS", "get", "Post"];
const HOSTS: [&str; 7] = [
    "api.example.com",
    "API.Example.com",
    "api.example.com:8080",
    "admin.example.com",
    "example.com",
    "EXAMPLE.COM:80",
    "localhost:8080",
];
const PATHS: [&str; 16] = [
    "/",
    "/a",
    "/a/",
    "/a/b",
    "/a/b/",
    "/a/b/c",
    "/a/x/b",
    "/ab/c",
    "/admin",
    "/Admin",
    "/admin/users",
    "/v1/users",
    "/v1/users/7",
    "/v1/users/7/keys",
    "/v1/keys",
    "/index.html",
];
const QUERIES: [&str; 4] = ["?", "?x=1", "?path=/admin", "?a/b"];
const HEADERS: [&str; 3] = ["x-team", "x-env", "x-flag"];
const HEADER_VALUES: [&str; 6] = ["red", "blue", "red,blue", "red, blue", "Red", "0"];
const FORWARDED: [&str; 8] = [
    "203.0.113.9",
    "203.0.113.9, 10.1.2.3",
    "10.1.2.3,198.51.100.4",
    "2001:db8::7",
    "198.51.100.4, 2001:db8::7",
    "garbage",
    "10.1.2.3, garbage",
    "10.1.2.3:4711",
];
const PROXIED: [&str; 5] = [
    "PROXY TCP4 10.1.2.3 10.9.8.7 4711 80",
    "PROXY TCP4 10.1.9.9 10.9.8.7 4711 443",
    "PROXY TCP4 192.0.2.10 127.0.0.1 4711 8080",
    "PROXY TCP4 127.0.0.1 192.0.2.1 4711 80",
    "PROXY TCP6 2001:db8::7 2001:db8::1 4711 443",
];
const SUBJECTS: [&str; 6] = ["alice", "bob", "alice@example.com", "al", "svc/one", ""];

impl Question {
    pub fn get(path: &str) -> Question {
        Question {
            method: "GET".into(),
            host: "api.example.com".into(),
            path: path.into(),
            headers: Vec::new(),
            claims: None,
            proxied: None,
            certificate: 0,
        }
    }

    pub fn method(self, method: &str) -> Question {
        Question { method: method.into(), ..self }
    }

    pub fn host(self, host: &str) -> Question {
        Question { host: host.into(), ..self }
    }

    pub fn header(mut self, name: &str, value: &str) -> Question {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// With a token of the first issuer, for what is not said here.
    pub fn claims(self, claims: Value) -> Question {
        Question { claims: Some(claims), ..self }
    }

    pub fn proxied(self, line: &str) -> Question {
        Question { proxied: Some(line.into()), ..self }
    }

    pub fn random(dice: &mut Dice) -> Question {
        let mut path = dice.pick(&PATHS).to_string();
        if dice.percent(20) {
            path += *dice.pick(&QUERIES);
        }
        let mut method = *dice.pick(&SENT_METHODS);
        let mut headers = Vec::new();
        if dice.percent(10) {
            method = "OPTIONS";
            headers.push(("origin".to_owned(), "https://app.example.com".to_owned()));
            headers.push(("access-control-request-method".to_owned(), dice.pick(&METHODS).to_string()));
        }
        for name in HEADERS {
            let times = *dice.pick(&[0, 1, 1, 2]);
            for _ in 0..times {
                let value = if dice.percent(20) { "" } else { dice.pick(&HEADER_VALUES) };
                let name = if dice.percent(5) { name.replace('-', "_") } else { name.to_owned() };
                headers.push((name, value.to_owned()));
            }
        }
        for _ in 0..*dice.pick(&[0, 0, 0, 1, 1, 2]) {
            headers.push(("x-forwarded-for".to_owned(), dice.pick(&FORWARDED).to_string()));
        }
        Question {
            method: method.to_owned(),
            host: if dice.percent(6) { String::new() } else { dice.pick(&HOSTS).to_string() },
            path,
            headers,
            claims: dice.percent(75).then(|| claims(dice)),
            proxied: dice.percent(50).then(|| dice.pick(&PROXIED).to_string()),
            certificate: dice.below(CERTIFICATES.len()),
        }
    }

    /// As it goes over the wire.
    pub fn message(&self, token: Option<&str>) -> Message {
        let message = Message {
            preface: self.proxied.iter().map(|line| format!("{line}\r\n")).collect(),
            method: self.method.clone(),
            path: self.path.clone().into_bytes(),
            ..Message::default()
        };
        let message = message.header("host", &self.host);
        let message = self.headers.iter().fold(message, |message, (name, value)| message.header(name, value));
        let message = if self.method == "POST" { message.header("content-length", "0") } else { message };
        token.iter().fold(message, |message, token| message.header("authorization", format!("Bearer {token}")))
    }
}

/// What is sent, with the claims for the token.
impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = &self.proxied {
            writeln!(f, "{line}")?;
        }
        writeln!(f, "{:?}", CERTIFICATES[self.certificate])?;
        writeln!(f, "{} {}\nhost: {}", self.method, self.path, self.host)?;
        for (name, value) in &self.headers {
            writeln!(f, "{name}: {value}")?;
        }
        match &self.claims {
            Some(claims) => writeln!(f, "with a token that says {claims}"),
            None => writeln!(f, "without a token"),
        }
    }
}

fn claims(dice: &mut Dice) -> Value {
    let sub = if dice.percent(15) { "@absent" } else { dice.pick(&SUBJECTS) };
    let mut claims = json!({"iss": dice.pick(&ISSUERS), "sub": sub, "aud": "@absent"});
    for (name, values) in claim_values() {
        if dice.percent(75) {
            claims[name] = dice.pick(values.as_array().unwrap()).clone();
        }
    }
    // Now and then one that must be refused whatever the policies say.
    match dice.below(50) {
        0 => claims["exp"] = "@now-1000".into(),
        1 => claims["iss"] = "https://other.example.com".into(),
        _ => (),
    }
    claims
}

fn claim_values() -> [(&'static str, Value); 11] {
    [
        (
            "groups",
            json!([["admin"], ["dev", "ops"], [], "admin", "dev", 7, true, null, ["dev", 3, null, ["admin"], ""]]),
        ),
        ("role", json!(["admin", "user", "", "Admin", "dev,ops", {"admin": true}, ["user"], [""]])),
        ("level", json!([3, "3", 2.5, true, "true", [3, "4"]])),
        (
            "scope",
            json!(["read write", "read", "", " read  write ", "readwrite", ["read", "write"], ["read write"], 5]),
        ),
        ("permission", json!(["read admin", "write", ["read"]])),
        (
            "realm_access",
            json!([{"roles": ["admin", "dev"]}, {"roles": "ops"}, {"roles": []}, "admin", {"roles": {"admin": true}},
                [{"roles": "dev"}], {"name": {"first": "user"}, "roles": ["user"]}]),
        ),
        ("a.b", json!(["user", ["dev"]])),
        ("a", json!([{"b": "ops"}, {"b": ["user", "dev"]}, "ops"])),
        ("https://example.com/roles", json!([["dev"], "ops", {"x": "dev"}])),
        ("azp", json!(["client-1", "client-2", ["client-1"], 1, ""])),
        ("aud", json!(["api://payments", ["api://payments", "api://orders"], "api://orders", "client-1"])),
    ]
}

// === policies ===

/// Claims and the words that tokens have in them.
const CLAIMS: [(&str, &[&str]); 18] = [
    ("[groups]", &["admin", "dev", "ops", "7", "true"]),
    ("[groups]", &["admin", "dev"]),
    ("[role]", &["admin", "user", "dev,ops", "dev"]),
    ("[role]", &["admin", "user"]),
    ("[level]", &["3", "2.5", "true"]),
    ("[scope]", &["read", "write", "read write", "readwrite", "5"]),
    ("[scope]", &["read", "write", "read write"]),
    ("[permission]", &["read", "admin", "read admin"]),
    ("[realm_access][roles]", &["admin", "dev", "ops", "user"]),
    ("[realm_access][name][first]", &["user"]),
    ("[realm_access]", &["admin"]),
    ("[role][admin]", &["true", "admin"]),
    ("[a.b]", &["user", "dev"]),
    ("[a][b]", &["user", "dev", "ops"]),
    ("[https://example.com/roles]", &["dev", "ops"]),
    ("[sub]", &["alice", "bob", "svc/one"]),
    ("[iss]", &["https://idp.example.com", "issuer-b"]),
    ("[missing]", &["x"]),
];
const TEMPLATES: [&str; 13] = [
    "/{*}",
    "/{**}",
    "/a/{*}",
    "/a/{**}",
    "/a/{*}/",
    "/{*}/b",
    "/a/{*}/{*}",
    "/v1/users/{*}",
    "/v1/users/{*}/keys",
    "/v1/{*}/{**}",
    "/{**}/keys",
    "/v1/{**}/keys",
    "/a/{**}/b",
];
const BLOCKS: [&str; 14] = [
    "127.0.0.1",
    "127.0.0.0/8",
    "10.1.2.3",
    "10.1.2.99/24",
    "10.0.0.0/8",
    "192.0.2.0/24",
    "203.0.113.9",
    "198.51.100.0/30",
    "0.0.0.0/0",
    "2001:db8::7",
    "2001:db8::/32",
    "::/0",
    "::1",
    "10.9.8.0/24",
];
const PORTS: [&str; 4] = ["80", "443", "8080", "15006"];
const PEERS: [&str; 6] = [
    "cluster.local/ns/default/sa/web",
    "cluster.local/ns/payments/sa/api",
    "other.example/ns/a/sa/b",
    "mesh.example/ns/default/sa/web",
    "old.example/ns/payments/sa/api",
    "*.example/ns/default/sa/web",
];
const NAMESPACES: [&str; 3] = ["default", "payments", "a"];
const TRUST_DOMAINS: [&str; 4] = ["mesh.example", "old.example", "other.example", "cluster.local"];

/// One to five policies of all actions, or one of rules that ask a single thing, where nothing hides behind anything else.
pub fn policies(dice: &mut Dice) -> Value {
    let mut policies = if dice.percent(45) {
        let action = *dice.pick(&["ALLOW", "ALLOW", "DENY"]);
        vec![json!({"namespace": "default", "action": action, "rules": dice.several(3, simple_rule)})]
    } else {
        dice.several(5, policy)
    };
    for (index, policy) in policies.iter_mut().enumerate() {
        policy["name"] = format!("p{index}").into();
    }
    Value::Array(policies)
}

fn policy(dice: &mut Dice) -> Value {
    let action = *dice.pick(&["ALLOW", "ALLOW", "ALLOW", "ALLOW", "DENY", "DENY", "DENY", "AUDIT"]);
    let mut policy = json!({"namespace": dice.pick(&["payments", "default"]), "action": action});
    if action == "ALLOW" && dice.percent(30) {
        policy.as_object_mut().unwrap().remove("action");
    }
    match dice.below(40) {
        // Istio's webhook refuses a DENY policy that never matches.
        0 if action != "DENY" => (),
        1 if action != "DENY" => policy["rules"] = json!([]),
        2 => policy["rules"] = json!([{}]),
        _ => policy["rules"] = dice.several(if action == "ALLOW" { 4 } else { 2 }, rule).into(),
    }
    if action != "AUDIT" && dice.percent(6) {
        policy["dryRun"] = true.into();
    }
    policy
}

fn rule(dice: &mut Dice) -> Value {
    let mut rule = Map::new();
    if dice.percent(50) {
        let fields = *dice.pick(&[1, 1, 1, 2]);
        rule.insert("from".into(), dice.several(2, |dice| json!({ "source": source(dice, fields) })).into());
    }
    if dice.percent(55) {
        let fields = *dice.pick(&[1, 1, 1, 2, 2, 3]);
        rule.insert("to".into(), dice.several(2, |dice| json!({ "operation": operation(dice, fields) })).into());
    }
    if rule.is_empty() || dice.percent(40) {
        rule.insert("when".into(), dice.several(2, condition).into());
    }
    rule.into()
}

fn simple_rule(dice: &mut Dice) -> Value {
    match dice.below(10) {
        0..=1 => json!({"from": [{"source": source(dice, 1)}]}),
        2..=4 => json!({"to": [{"operation": operation(dice, 1)}]}),
        _ => json!({"when": [condition(dice)]}),
    }
}

fn source(dice: &mut Dice, fields: usize) -> Value {
    let mut source = Map::new();
    for _ in 0..fields {
        match dice.below(20) {
            0..=1 => lists(dice, &mut source, ["principals", "notPrincipals"], |dice| pattern(dice, &PEERS)),
            2..=3 => lists(dice, &mut source, ["namespaces", "notNamespaces"], |dice| starred(dice, &NAMESPACES)),
            4 => lists(dice, &mut source, ["trustDomains", "notTrustDomains"], |dice| starred(dice, &TRUST_DOMAINS)),
            5 if !["principals", "notPrincipals", "namespaces", "notNamespaces"]
                .iter()
                .any(|name| source.contains_key(*name)) =>
            {
                lists(dice, &mut source, ["serviceAccounts", "notServiceAccounts"], |dice| {
                    dice.pick(&["web", "default/web", "payments/api"]).to_string()
                });
                break;
            }
            5..=7 => lists(dice, &mut source, ["ipBlocks", "notIpBlocks"], block),
            8..=11 => lists(dice, &mut source, ["remoteIpBlocks", "notRemoteIpBlocks"], block),
            _ => lists(dice, &mut source, ["requestPrincipals", "notRequestPrincipals"], request_principal),
        }
    }
    source.into()
}

fn operation(dice: &mut Dice, fields: usize) -> Value {
    let mut operation = Map::new();
    for _ in 0..fields {
        match dice.below(10) {
            0..=1 => lists(dice, &mut operation, ["hosts", "notHosts"], |dice| pattern(dice, &HOSTS)),
            2..=3 => lists(dice, &mut operation, ["methods", "notMethods"], method),
            4 => lists(dice, &mut operation, ["ports", "notPorts"], port),
            _ => lists(dice, &mut operation, ["paths", "notPaths"], |dice| {
                if dice.percent(45) { dice.pick(&TEMPLATES).to_string() } else { pattern(dice, &PATHS) }
            }),
        }
    }
    operation.into()
}

fn condition(dice: &mut Dice) -> Value {
    let mut condition = Map::new();
    let mut on = |dice: &mut Dice, key: &str, value: &dyn Fn(&mut Dice) -> String| {
        condition.insert("key".into(), key.into());
        lists(dice, &mut condition, ["values", "notValues"], value);
    };
    match dice.below(32) {
        0 => on(dice, "source.ip", &block),
        1..=2 => on(dice, "remote.ip", &block),
        3 => on(dice, "destination.ip", &block),
        4 => on(dice, "destination.port", &port),
        5..=6 => on(dice, "request.auth.principal", &request_principal),
        7..=8 => on(dice, "request.auth.audiences", &|dice| pattern(dice, &["api://payments", "api://orders"])),
        9..=10 => on(dice, "request.auth.presenter", &|dice| pattern(dice, &["client-1", "client-2"])),
        11 => {
            let key = *dice.pick(&["source.principal", "source.namespace", "source.trustDomain", "connection.sni"]);
            on(dice, key, &|dice| match key {
                "source.namespace" => starred(dice, &NAMESPACES),
                "source.trustDomain" => starred(dice, &TRUST_DOMAINS),
                _ => pattern(dice, &PEERS),
            });
        }
        12..=17 => {
            let name = *dice.pick(&[
                "x-team",
                "x-team",
                "X-Team",
                "x-env",
                "x-flag",
                "x-missing",
                ":method",
                ":authority",
                "host",
            ]);
            on(dice, &format!("request.headers[{name}]"), &|dice| match name {
                ":method" => method(dice),
                ":authority" | "host" => pattern(dice, &HOSTS),
                _ => pattern(dice, &HEADER_VALUES),
            });
        }
        _ => {
            let (claim, words) = *dice.pick(&CLAIMS);
            on(dice, &format!("request.auth.claims{claim}"), &|dice| pattern(dice, words));
        }
    }
    condition.into()
}

/// The list of what matches, the list of what does not, or both.
fn lists(
    dice: &mut Dice,
    object: &mut Map<String, Value>,
    [values, not_values]: [&str; 2],
    one: impl Fn(&mut Dice) -> String,
) {
    let kind = dice.below(10);
    if kind != 0 && kind != 1 {
        object.insert(values.into(), dice.several(3, &one).into());
    }
    if kind <= 2 {
        object.insert(not_values.into(), dice.several(2, &one).into());
    }
}

fn block(dice: &mut Dice) -> String {
    dice.pick(&BLOCKS).to_string()
}

/// In upper case: claimgate refuses others, which match nothing in Istio.
fn method(dice: &mut Dice) -> String {
    pattern(dice, &METHODS).to_uppercase()
}

fn port(dice: &mut Dice) -> String {
    dice.pick(&PORTS).to_string()
}

/// Every form that istiod tells apart, and a few that look like another one.
fn request_principal(dice: &mut Dice) -> String {
    let iss = *dice.pick(&ISSUERS);
    let sub = *dice.pick(&SUBJECTS[..5]);
    match dice.below(12) {
        0 => "*".into(),
        1..=2 => format!("{iss}/*"),
        3 => format!("{iss}/{}*", &sub[..1]),
        4 => format!("*{}/{sub}", &iss[dice.below(iss.len())..]),
        5 => format!("*/{sub}"),
        6 => format!("*{}", &sub[dice.below(sub.len())..]),
        7 => format!("{}*", &iss[..1 + dice.below(iss.len())]),
        8 => dice
            .pick(&["*/*", "*.example.com/al*", "https://idp.example.com*", "alice", "issuer-b/", "issuer-*"])
            .to_string(),
        _ => format!("{iss}/{sub}"),
    }
}

/// One of the words, with stars anywhere.
fn starred(dice: &mut Dice, words: &[&str]) -> String {
    let word = *dice.pick(words);
    let (from, to) = (dice.below(word.len()), dice.below(word.len()));
    match dice.below(8) {
        0 => "*".into(),
        1 => format!("{}*", &word[..from]),
        2 => format!("*{}", &word[from..]),
        3 if from <= to => format!("{}*{}", &word[..from], &word[to..]),
        4 if from <= to => format!("*{}*", &word[from..to]),
        _ => word.into(),
    }
}

/// One of the words, or a pattern that was one of them once.
fn pattern(dice: &mut Dice, words: &[&str]) -> String {
    let word = *dice.pick(words);
    let cut = dice.below(word.len());
    match dice.below(20) {
        0..=2 => "*".into(),
        3..=6 => format!("{}*", &word[..=cut]),
        7..=10 => format!("*{}", &word[cut..]),
        11 => word.to_uppercase(),
        12 => format!("{word}x"),
        _ => word.into(),
    }
}
