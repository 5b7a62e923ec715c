//! The documented meaning of Istio's policies, checked with istiod's configuration in Envoy and with claimgate. So the random
//! comparison uses the right configuration.

use std::sync::Arc;

use libtest_mimic::{Failed, Trial};
use serde_json::{Value, json};

use super::{Lab, SharedLab, claimgate, rbac, sign};
use claimgate_testing::{policies::Question, tls::Authority};

/// Policies, and requests that they allow or deny.
struct Check {
    title: &'static str,
    policies: Value,
    asked: Vec<(bool, Question)>,
}

pub(super) fn trials() -> Vec<Trial> {
    let theirs = Arc::new(SharedLab::default());
    let ours = Arc::new(SharedLab::default());
    let mut trials = Vec::new();
    for check in checks().into_iter().map(Arc::new) {
        let (lab, own) = (Arc::clone(&theirs), Arc::clone(&check));
        trials.push(Trial::test(format!("rbac: istiod's translation, {}", check.title), move || {
            let listeners = || checks().into_iter().map(|check| rbac(check.title, &check.policies));
            own.ask(lab.open(|| Lab::open(&Authority::generate(), listeners()))?, "rbac")
        }));
        let (lab, own) = (Arc::clone(&ours), Arc::clone(&check));
        trials.push(Trial::test(format!("rbac: claimgate, {}", check.title), move || {
            let listeners = || checks().into_iter().map(|check| claimgate(check.title, &check.policies));
            own.ask(lab.open(|| Lab::open(&Authority::generate(), listeners()))?, "claimgate")
        }));
    }
    trials
}

impl Check {
    fn ask(&self, lab: &Lab, filter: &str) -> Result<(), Failed> {
        let listener = format!("{filter} {}", self.title);
        for (allowed, question) in &self.asked {
            let answer = lab.ask(&listener, &question.message(sign(question).as_deref()), None)?;
            let expected = if *allowed { (200, "ok") } else { (403, "RBAC: access denied") };
            assert_eq!((answer.status, answer.body.as_str()), expected, "{question}");
        }
        Ok(())
    }
}

fn checks() -> Vec<Check> {
    [semantics(), identity(), claims(), operations(), headers(), addresses()].into_iter().flatten().collect()
}

fn semantics() -> Vec<Check> {
    let admin = || json!([{"to": [{"operation": {"paths": ["/admin*"]}}]}]);
    vec![
        check("without policies all is allowed", json!([]), [yes(get("/"))]),
        check("ALLOW without rules allows nothing", json!([{"name": "p", "namespace": "n"}]), [no(get("/"))]),
        check("ALLOW with an empty list of rules allows nothing", allow(json!([])), [no(get("/"))]),
        check("ALLOW with an empty rule allows all", allow(json!([{}])), [yes(get("/"))]),
        check("DENY with an empty rule denies all", deny(json!([{}])), [no(get("/"))]),
        check("AUDIT decides nothing", json!([named("p", "AUDIT", json!([{}]))]), [yes(get("/"))]),
        check(
            "DENY goes before ALLOW",
            json!([named("a", "ALLOW", json!([{}])), named("d", "DENY", admin())]),
            [yes(get("/")), no(get("/admin"))],
        ),
        check("DENY alone leaves the rest open", deny(admin()), [yes(get("/")), no(get("/admin/x"))]),
        check(
            "one of several ALLOW policies is enough",
            json!([named("a", "ALLOW", json!([])), named("b", "ALLOW", admin())]),
            [no(get("/")), yes(get("/admin"))],
        ),
        check(
            "a dry run decides nothing, and an ALLOW policy in it does not count",
            json!([
                {"name": "a", "namespace": "n", "action": "ALLOW", "dryRun": true, "rules": []},
                {"name": "d", "namespace": "n", "action": "DENY", "dryRun": true, "rules": [{}]},
            ]),
            [yes(get("/"))],
        ),
        check(
            "any from, any to, all when",
            allow(json!([{
                "from": [{"source": {"requestPrincipals": ["*/alice"]}}, {"source": {"requestPrincipals": ["*/bob"]}}],
                "to": [{"operation": {"methods": ["GET"]}}, {"operation": {"paths": ["/a"]}}],
                "when": [
                    {"key": "request.headers[x-team]", "values": ["red", "blue"]},
                    {"key": "request.auth.claims[role]", "values": ["admin"]},
                ],
            }])),
            [
                yes(get("/b").claims(json!({"sub": "bob", "role": "admin"})).header("x-team", "red")),
                yes(get("/a").claims(json!({"role": "admin"})).header("x-team", "blue").method("POST")),
                no(get("/b").claims(json!({"role": "admin"})).header("x-team", "blue").method("POST")),
                no(get("/b").claims(json!({"sub": "eve", "role": "admin"})).header("x-team", "red")),
                no(get("/b").claims(json!({"sub": "bob"})).header("x-team", "red")),
                no(get("/b").claims(json!({"sub": "bob", "role": "admin"}))),
            ],
        ),
        check(
            "fields of one operation are all needed, what is not wanted included",
            allow(json!([{"to": [{"operation": {
                "methods": ["GET", "POST"], "notMethods": ["POST"], "paths": ["/a*"], "notPaths": ["/a/b", "*/c"],
            }}]}])),
            [yes(get("/a")), no(get("/a").method("POST")), no(get("/a/b")), no(get("/a/c")), no(get("/b"))],
        ),
        check(
            "a CORS preflight is let by without a token check, not past the policies",
            allow(json!([{"to": [{"operation": {"paths": ["/a"]}}]}])),
            [yes(preflight("/a")), no(preflight("/b"))],
        ),
        check(
            "values and notValues of one condition are both needed",
            when("request.auth.claims[groups]", json!(["dev*"]), json!(["devils"])),
            [
                yes(token(json!({"groups": ["dev"]}))),
                yes(token(json!({"groups": ["developers", "ops"]}))),
                no(token(json!({"groups": ["dev", "devils"]}))),
                no(token(json!({"groups": ["ops"]}))),
            ],
        ),
    ]
}

fn identity() -> Vec<Check> {
    let who = |principal: &str| allow(json!([{"from": [{"source": {"requestPrincipals": [principal]}}]}]));
    let alice = || token(json!({"sub": "alice"}));
    let bob_of_b = || token(json!({"iss": "issuer-b", "sub": "bob"}));
    vec![
        check(
            "requestPrincipals: a star is any issuer and any subject",
            who("*"),
            [
                yes(alice()),
                yes(bob_of_b()),
                no(get("/")),
                no(token(json!({"sub": "@absent"}))),
                no(token(json!({"sub": ""}))),
            ],
        ),
        check(
            "requestPrincipals: exact",
            who("https://idp.example.com/alice"),
            [yes(alice()), no(token(json!({"sub": "Alice"}))), no(bob_of_b()), no(get("/"))],
        ),
        check(
            "requestPrincipals: the issuer ends at the last slash of the value",
            who("https://idp.example.com/svc/one"),
            [no(token(json!({"sub": "svc/one"}))), no(token(json!({"sub": "one"})))],
        ),
        check(
            "requestPrincipals: any subject of an issuer",
            who("https://idp.example.com/*"),
            [yes(alice()), yes(token(json!({"sub": "svc/one"}))), no(bob_of_b()), no(token(json!({"sub": "@absent"})))],
        ),
        check(
            "requestPrincipals: a prefix of the subject",
            who("https://idp.example.com/al*"),
            [yes(alice()), yes(token(json!({"sub": "al"}))), no(token(json!({"sub": "bob"}))), no(bob_of_b())],
        ),
        check(
            "requestPrincipals: a suffix of the issuer, the subject exact",
            who("*.example.com/alice"),
            [yes(alice()), no(token(json!({"sub": "alice2"}))), no(token(json!({"iss": "issuer-b"})))],
        ),
        check(
            "requestPrincipals: any issuer, the subject exact",
            who("*/bob"),
            [yes(bob_of_b()), yes(token(json!({"sub": "bob"}))), no(alice())],
        ),
        check(
            "requestPrincipals: without a slash, a prefix of the issuer",
            who("issuer-*"),
            [yes(bob_of_b()), no(alice()), no(token(json!({"iss": "issuer-b", "sub": "@absent"})))],
        ),
        check(
            "requestPrincipals: without a slash, a suffix of the subject",
            who("*ob"),
            [yes(bob_of_b()), yes(token(json!({"sub": "bob"}))), no(alice())],
        ),
        check(
            "requestPrincipals: a star at the head makes one at the end a letter",
            who("*/*"),
            [no(alice()), no(bob_of_b()), yes(token(json!({"sub": "*"})))],
        ),
        check(
            "requestPrincipals: a prefix of an issuer with slashes is cut at its last one",
            who("https://idp.example.com*"),
            [no(alice())],
        ),
        check(
            "requestPrincipals: neither slash nor star is an issuer with an empty subject",
            who("issuer-b"),
            [no(bob_of_b()), yes(token(json!({"iss": "issuer-b", "sub": ""})))],
        ),
        check(
            "notRequestPrincipals denies the anonymous too",
            deny(json!([{"from": [{"source": {"notRequestPrincipals": ["*"]}}]}])),
            [yes(alice()), no(get("/")), no(token(json!({"sub": "@absent"})))],
        ),
        check(
            "request.auth.principal is the same as requestPrincipals",
            when("request.auth.principal", json!(["*/bob", "https://idp.example.com/al*"]), json!(["*/alice"])),
            [yes(bob_of_b()), no(alice()), yes(token(json!({"sub": "al"})))],
        ),
        check(
            "without mTLS there is no peer, and every not holds",
            json!([
                named(
                    "a",
                    "ALLOW",
                    json!([{"from": [{"source": {"principals": ["*"]}}, {"source": {"namespaces": ["*"]}},
                    {"source": {"serviceAccounts": ["n/a"]}}], "to": [{"operation": {"paths": ["/a"]}}]}])
                ),
                named(
                    "b",
                    "ALLOW",
                    json!([{"from": [{"source": {"notPrincipals": ["*"], "notNamespaces": ["*"]}}],
                    "to": [{"operation": {"paths": ["/b"]}}]}])
                ),
                named(
                    "c",
                    "ALLOW",
                    json!([{"when": [{"key": "connection.sni", "values": ["*"]}],
                    "to": [{"operation": {"paths": ["/c"]}}]}])
                ),
                named(
                    "d",
                    "ALLOW",
                    json!([{"when": [{"key": "connection.sni", "notValues": ["*"]}],
                    "to": [{"operation": {"paths": ["/d"]}}]}])
                ),
            ]),
            [no(get("/a")), yes(get("/b")), no(get("/c")), yes(get("/d"))],
        ),
    ]
}

fn claims() -> Vec<Check> {
    let claim = |path: &str, value: &str| when(&format!("request.auth.claims{path}"), json!([value]), json!([]));
    vec![
        check(
            "claims: a string or a list with it, exact",
            claim("[groups]", "admin"),
            [
                yes(token(json!({"groups": "admin"}))),
                yes(token(json!({"groups": ["dev", "admin"]}))),
                yes(token(json!({"groups": [1, null, "admin"]}))),
                no(token(json!({"groups": "Admin"}))),
                no(token(json!({"groups": "dev,admin"}))),
                no(token(json!({"groups": "dev admin"}))),
                no(token(json!({"groups": [["admin"]]}))),
                no(token(json!({"groups": {"admin": true}}))),
                no(token(json!({"groups": []}))),
                no(token(json!({}))),
                no(get("/")),
            ],
        ),
        check(
            "claims: a prefix",
            claim("[groups]", "ad*"),
            [
                yes(token(json!({"groups": ["admin"]}))),
                yes(token(json!({"groups": "ad"}))),
                no(token(json!({"groups": "bad"}))),
            ],
        ),
        check(
            "claims: a suffix",
            claim("[groups]", "*min"),
            [
                yes(token(json!({"groups": ["admin"]}))),
                yes(token(json!({"groups": "min"}))),
                no(token(json!({"groups": "mine"}))),
            ],
        ),
        check(
            "claims: a star is any text that is not empty",
            claim("[groups]", "*"),
            [
                yes(token(json!({"groups": "x"}))),
                yes(token(json!({"groups": ["", " "]}))),
                no(token(json!({"groups": ""}))),
                no(token(json!({"groups": [""]}))),
                no(token(json!({"groups": 1}))),
                no(token(json!({"groups": true}))),
                no(token(json!({"groups": null}))),
                no(token(json!({"groups": {"x": "y"}}))),
                no(token(json!({"groups": [1, true]}))),
            ],
        ),
        check(
            "claims: neither numbers nor booleans match their text",
            when("request.auth.claims[level]", json!(["3", "true", "3*", "*"]), json!([])),
            [no(token(json!({"level": 3}))), no(token(json!({"level": true}))), yes(token(json!({"level": "3"})))],
        ),
        check(
            "claims: notValues hold for a missing claim, and for one that is no text",
            when("request.auth.claims[groups]", json!([]), json!(["admin"])),
            [
                yes(get("/")),
                yes(token(json!({}))),
                yes(token(json!({"groups": 1}))),
                yes(token(json!({"groups": ["dev"]}))),
                no(token(json!({"groups": ["dev", "admin"]}))),
            ],
        ),
        check(
            "claims: nested",
            claim("[realm_access][roles]", "admin"),
            [
                yes(token(json!({"realm_access": {"roles": ["admin"]}}))),
                yes(token(json!({"realm_access": {"roles": "admin"}}))),
                no(token(json!({"realm_access": "admin"}))),
                no(token(json!({"realm_access": [{"roles": "admin"}]}))),
                no(token(json!({"realm_access": {"roles": {"admin": "admin"}}}))),
                no(token(json!({"realm_access.roles": "admin"}))),
            ],
        ),
        check(
            "claims: a bracket is one literal name",
            claim("[https://example.com/a.b]", "x"),
            [
                yes(token(json!({"https://example.com/a.b": "x"}))),
                no(token(json!({"https://example.com/a": {"b": "x"}}))),
            ],
        ),
        check(
            "claims: brackets that do not fit are part of one name",
            claim("[a]b[c]", "x"),
            [yes(token(json!({"a]b[c": "x"}))), no(token(json!({"a": {"c": "x"}})))],
        ),
        check(
            "claims: scope is its words",
            claim("[scope]", "read"),
            [
                yes(token(json!({"scope": "read write"}))),
                yes(token(json!({"scope": " write  read "}))),
                yes(token(json!({"scope": ["read"]}))),
                no(token(json!({"scope": ["read write"]}))),
                no(token(json!({"scope": "readwrite"}))),
                no(token(json!({"scope": "read\twrite"}))),
            ],
        ),
        check(
            "claims: scope is not its whole text",
            claim("[scope]", "read write"),
            [no(token(json!({"scope": "read write"}))), yes(token(json!({"scope": ["read write"]})))],
        ),
        check(
            "claims: a scope of spaces has no words and stays what it is",
            claim("[scope]", "*"),
            [yes(token(json!({"scope": " "}))), no(token(json!({"scope": ""})))],
        ),
        check(
            "claims: a star is one line",
            claim("[role]", "*"),
            [no(token(json!({"role": "a\nb"}))), yes(token(json!({"role": "a\tb"})))],
        ),
        check(
            "claims: a word of permission, no word of anything else",
            json!([
                named(
                    "a",
                    "ALLOW",
                    json!([{"when": [{"key": "request.auth.claims[permission]", "values": ["read"]}]}])
                ),
                named(
                    "b",
                    "ALLOW",
                    json!([{"when": [{"key": "request.auth.claims[permissions]", "values": ["read"]}]}])
                ),
                named("c", "ALLOW", json!([{"when": [{"key": "request.auth.claims[x][scope]", "values": ["read"]}]}])),
            ]),
            [
                yes(token(json!({"permission": "read write"}))),
                no(token(json!({"permissions": "read write"}))),
                no(token(json!({"x": {"scope": "read write"}}))),
            ],
        ),
        check(
            "request.auth.audiences and presenter are aud and azp",
            allow(json!([{"when": [
                {"key": "request.auth.audiences", "values": ["api://orders"]},
                {"key": "request.auth.presenter", "values": ["client-*"]},
            ]}])),
            [
                yes(token(json!({"aud": ["api://payments", "api://orders"], "azp": "client-1"}))),
                yes(token(json!({"aud": "api://orders", "azp": ["x", "client-1"]}))),
                no(token(json!({"aud": "api://orders/", "azp": "client-1"}))),
                no(token(json!({"aud": "api://orders"}))),
            ],
        ),
    ]
}

fn operations() -> Vec<Check> {
    let operation = |operation: Value| allow(json!([{"to": [{"operation": operation}]}]));
    let path = |path: &str| operation(json!({"paths": [path]}));
    let host = |host: &str| operation(json!({"hosts": [host]}));
    let at = |host: &str| get("/").host(host);
    vec![
        check(
            "methods: exact, in their case, and a prefix",
            operation(json!({"methods": ["GET", "PO*"]})),
            [yes(get("/")), yes(get("/").method("POST")), no(get("/").method("DELETE")), no(get("/").method("PUT"))],
        ),
        check(
            "methods: lower case is another method",
            operation(json!({"methods": ["GET"]})),
            [no(get("/").method("get"))],
        ),
        check("methods: a star", operation(json!({"methods": ["*"]})), [yes(get("/"))]),
        check(
            "hosts: exact, without regard to case, with their port",
            host("Api.Example.com"),
            [
                yes(at("api.example.COM")),
                no(at("api.example.com:80")),
                no(at("api.example.com:8080")),
                no(at("api.example.com.")),
                no(at("x.api.example.com")),
            ],
        ),
        check(
            "hosts: with a port",
            host("api.example.com:8080"),
            [yes(at("API.example.com:8080")), no(at("api.example.com"))],
        ),
        check(
            "hosts: any port",
            host("api.example.com:*"),
            [yes(at("Api.example.com:8080")), no(at("api.example.com"))],
        ),
        check(
            "hosts: a prefix of the text",
            host("api.*"),
            [yes(at("api.example.com")), yes(at("API.evil:80")), no(at("xapi.example.com"))],
        ),
        check(
            "hosts: a suffix of the text",
            host("*.EXAMPLE.com"),
            [yes(at("api.example.com")), no(at("example.com")), no(at("api.example.com:8080"))],
        ),
        check("hosts: a star", host("*"), [yes(at("x"))]),
        check(
            "paths: exact, without query",
            path("/a/b"),
            [
                yes(get("/a/b")),
                yes(get("/a/b?c=d")),
                yes(get("/a/b?")),
                no(get("/a/b/")),
                no(get("/A/b")),
                no(get("/a?x=/a/b")),
            ],
        ),
        check(
            "paths: a prefix of the text",
            path("/a*"),
            [yes(get("/a")), yes(get("/ab/c")), yes(get("/a?x")), no(get("/")), no(get("/b/a"))],
        ),
        check(
            "paths: a prefix that ends with a slash",
            path("/a/*"),
            [yes(get("/a/")), yes(get("/a/b/c")), no(get("/a"))],
        ),
        check(
            "paths: a suffix of the text",
            path("*/b"),
            [yes(get("/b")), yes(get("/a/b?x=1")), no(get("/a/b/")), no(get("/a?x=/b"))],
        ),
        check("paths: a star", path("*"), [yes(get("/")), yes(get("/a/b"))]),
        check(
            "paths: {*} is one segment with something in it",
            path("/a/{*}"),
            [
                yes(get("/a/b")),
                yes(get("/a/b?c/d")),
                no(get("/a")),
                no(get("/a/")),
                no(get("/a/b/")),
                no(get("/a/b/c")),
            ],
        ),
        check(
            "paths: {**} is any number of segments after its slash",
            path("/a/{**}"),
            [yes(get("/a/")), yes(get("/a/b")), yes(get("/a/b/")), yes(get("/a/b/c?d")), no(get("/a")), no(get("/ab"))],
        ),
        check("paths: {**} alone", path("/{**}"), [yes(get("/")), yes(get("/a")), yes(get("/a/b/"))]),
        check("paths: {*} alone", path("/{*}"), [no(get("/")), yes(get("/a")), no(get("/a/")), no(get("/a/b"))]),
        check(
            "paths: {*} between",
            path("/a/{*}/c"),
            [yes(get("/a/b/c")), no(get("/a//c")), no(get("/a/c")), no(get("/a/b/b/c")), no(get("/a/b/c/"))],
        ),
        check(
            "paths: {*} before a slash at the end",
            path("/a/{*}/"),
            [yes(get("/a/b/")), no(get("/a/b")), no(get("/a/"))],
        ),
        check(
            "paths: {**} before more segments",
            path("/a/{**}/c"),
            [
                yes(get("/a/b/c")),
                yes(get("/a/b/b/c")),
                yes(get("/a/b/c/c")),
                no(get("/a/c")),
                no(get("/a/bc")),
                no(get("/a/b/c/d")),
            ],
        ),
        check(
            "paths: {*} and {**}",
            path("/v1/{*}/{**}"),
            [yes(get("/v1/a/")), yes(get("/v1/a/b/c")), no(get("/v1/a")), no(get("/v1/"))],
        ),
        check(
            "paths: the letters of a template are letters",
            path("/a.b/$x/{*}"),
            [yes(get("/a.b/$x/c")), no(get("/aXb/$x/c"))],
        ),
        check(
            "paths: templates know the letters of a URI only",
            path("/a/{**}"),
            [yes(get("/a/~!$&'()+,:@=*-._")), no(get("/a/\"")), no(get("/a/<b>")), no(get("/a/|")), no(get("/a/{b}"))],
        ),
        check("paths: a star inside is a letter", path("/a/*/c"), [no(get("/a/b/c")), yes(get("/a/*/c"))]),
        check("paths: what is not decoded", path("/a b"), [no(get("/a%20b"))]),
        check(
            "notPaths",
            operation(json!({"notPaths": ["/a/{**}", "/b"]})),
            [yes(get("/a")), no(get("/a/b")), no(get("/b?x"))],
        ),
    ]
}

fn headers() -> Vec<Check> {
    let header = |name: &str, value: &str| when(&format!("request.headers[{name}]"), json!([value]), json!([]));
    let with = |value: &str| get("/").header("x-team", value);
    vec![
        check(
            "headers: exact value, name in any case",
            header("X-Team", "red"),
            [yes(with("red")), no(with("Red")), no(with("")), no(get("/")), no(with("red,blue"))],
        ),
        check(
            "headers: a star is there, and be it empty",
            header("x-team", "*"),
            [yes(with("red")), yes(with("")), no(get("/"))],
        ),
        check(
            "headers: of several any one matches (CVE-2026-26308)",
            header("x-team", "red"),
            [
                yes(with("red").header("x-team", "blue")),
                yes(with("blue").header("X-Team", "red")),
                yes(with("").header("x-team", "red")),
                no(with("blue").header("x-team", "green")),
                no(with("red,blue")),
            ],
        ),
        check(
            "headers: several are not joined",
            allow(
                json!([{"when": [{"key": "request.headers[x-team]", "values": ["red,blue", "red, blue", "re*ue"]}]}]),
            ),
            [yes(with("red,blue")), no(with("red").header("x-team", "blue"))],
        ),
        check(
            "headers: a prefix and a suffix of any of several",
            allow(json!([{"when": [
                {"key": "request.headers[x-team]", "values": ["re*"]},
                {"key": "request.headers[x-team]", "values": ["*ue"]},
            ]}])),
            [yes(with("red").header("x-team", "blue")), yes(with("blue").header("x-team", "red")), no(with("red"))],
        ),
        check(
            "headers: notValues with several hold if none matches",
            when("request.headers[x-team]", json!([]), json!(["red"])),
            [no(with("red").header("x-team", "blue")), no(with("blue").header("x-team", "red")), yes(with("red,blue"))],
        ),
        check(
            "headers: what Envoy knows it joins before anybody looks",
            header("x-forwarded-for", "10.1.2.3,10.1.2.4"),
            [
                yes(get("/").header("x-forwarded-for", "10.1.2.3").header("x-forwarded-for", "10.1.2.4")),
                no(get("/").header("x-forwarded-for", "10.1.2.3")),
            ],
        ),
        check(
            "headers: notValues hold for a missing one",
            when("request.headers[x-team]", json!([]), json!(["red"])),
            [yes(get("/")), yes(with("")), yes(with("blue")), no(with("red"))],
        ),
        check(
            "headers: notValues with a star hold for nothing but a missing one",
            when("request.headers[x-team]", json!([]), json!(["*"])),
            [yes(get("/")), no(with("")), no(with("red"))],
        ),
        check(
            "headers: host is the authority, case and all",
            header("host", "Api.example.com"),
            [yes(get("/").host("Api.example.com")), no(get("/").host("api.example.com"))],
        ),
        check(
            "headers: the pseudo-header path has its query",
            header(":path", "*?x=1"),
            [yes(get("/a?x=1")), no(get("/a"))],
        ),
        check("headers: white space around a value is not in it", header("x-team", "red"), [yes(with("  red\t"))]),
        check("headers: the token", header("authorization", "Bearer *"), [yes(token(json!({}))), no(get("/"))]),
    ]
}

fn addresses() -> Vec<Check> {
    let from = |field: &str, blocks: Value| allow(json!([{"from": [{"source": {field: blocks}}]}]));
    let forwarded = |value: &str| get("/").header("x-forwarded-for", value);
    let proxied = |source: &str, destination: &str, port: u16| {
        let family = if source.contains(':') { "TCP6" } else { "TCP4" };
        get("/").proxied(&format!("PROXY {family} {source} {destination} 4711 {port}"))
    };
    vec![
        check(
            "ipBlocks: the connection itself, whatever is forwarded",
            from("ipBlocks", json!(["127.0.0.0/8"])),
            [yes(get("/")), yes(forwarded("10.1.2.3")), yes(proxied("10.1.2.3", "10.9.8.7", 80))],
        ),
        check(
            "source.ip is the same as ipBlocks",
            when("source.ip", json!(["10.1.2.3"]), json!([])),
            [no(get("/")), no(forwarded("10.1.2.3")), no(proxied("10.1.2.3", "10.9.8.7", 80))],
        ),
        check(
            "remoteIpBlocks: the last address of x-forwarded-for",
            from("remoteIpBlocks", json!(["10.1.2.3"])),
            [
                yes(forwarded("10.1.2.3")),
                yes(forwarded("203.0.113.9, 10.1.2.3")),
                yes(forwarded("203.0.113.9").header("x-forwarded-for", "10.1.2.3")),
                no(forwarded("10.1.2.3, 203.0.113.9")),
                no(forwarded("10.1.2.3, garbage")),
                no(get("/")),
            ],
        ),
        check(
            "remote.ip: without a good x-forwarded-for, who the connection is from",
            when("remote.ip", json!(["127.0.0.1", "10.1.0.0/16"]), json!([])),
            [
                yes(get("/")),
                yes(forwarded("garbage")),
                yes(forwarded("")),
                yes(proxied("10.1.2.3", "10.9.8.7", 80)),
                no(proxied("10.2.2.3", "10.9.8.7", 80)),
                no(proxied("10.1.2.3", "10.9.8.7", 80).header("x-forwarded-for", "203.0.113.9")),
            ],
        ),
        check(
            "addresses: the bits after the prefix do not count, and a v4 block has no v6 address",
            from("remoteIpBlocks", json!(["10.1.2.99/24", "2001:db8::/32"])),
            [
                yes(forwarded("10.1.2.3")),
                no(forwarded("10.1.3.3")),
                yes(forwarded("2001:db8::7")),
                no(forwarded("2001:db9::7")),
            ],
        ),
        check(
            "addresses: all of v4",
            from("remoteIpBlocks", json!(["0.0.0.0/0"])),
            [yes(get("/")), no(forwarded("2001:db8::7"))],
        ),
        check(
            "addresses: all of v6",
            from("remoteIpBlocks", json!(["::/0"])),
            [no(get("/")), yes(forwarded("2001:db8::7"))],
        ),
        check(
            "ports: where the connection went, not what Host says",
            allow(json!([{"to": [{"operation": {"ports": ["8080", "443"]}}]}])),
            [
                yes(proxied("10.1.2.3", "10.9.8.7", 8080).host("x:80")),
                yes(proxied("2001:db8::7", "2001:db8::1", 443)),
                no(proxied("10.1.2.3", "10.9.8.7", 80).host("x:8080")),
                no(get("/").host("x:8080")),
            ],
        ),
        check(
            "destination.ip and destination.port",
            allow(json!([{"when": [
                {"key": "destination.ip", "values": ["10.9.0.0/16", "127.0.0.1"]},
                {"key": "destination.port", "notValues": ["80"]},
            ]}])),
            [
                yes(get("/")),
                yes(proxied("10.1.2.3", "10.9.8.7", 443)),
                no(proxied("10.1.2.3", "10.9.8.7", 80)),
                no(proxied("10.1.2.3", "10.8.8.7", 443)),
            ],
        ),
    ]
}

fn check<const N: usize>(title: &'static str, policies: Value, asked: [(bool, Question); N]) -> Check {
    Check { title, policies, asked: asked.into() }
}

fn named(name: &str, action: &str, rules: Value) -> Value {
    json!({"name": name, "namespace": "n", "action": action, "rules": rules})
}

fn allow(rules: Value) -> Value {
    json!([named("p", "ALLOW", rules)])
}

fn deny(rules: Value) -> Value {
    json!([named("p", "DENY", rules)])
}

fn when(key: &str, values: Value, not_values: Value) -> Value {
    allow(json!([{"when": [{"key": key, "values": values, "notValues": not_values}]}]))
}

fn yes(question: Question) -> (bool, Question) {
    (true, question)
}

fn no(question: Question) -> (bool, Question) {
    (false, question)
}

fn get(path: &str) -> Question {
    Question::get(path)
}

fn preflight(path: &str) -> Question {
    let preflight = get(path).method("OPTIONS").header("origin", "https://x").claims(json!({"exp": "@now-1000"}));
    preflight.header("access-control-request-method", "GET")
}

fn token(claims: Value) -> Question {
    Question::get("/").claims(claims)
}
