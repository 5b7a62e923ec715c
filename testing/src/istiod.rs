//! The Envoy filters that istiod makes of `RequestAuthentication` and `AuthorizationPolicy`, for policies its webhook accepts.
//!
//! Follows `pilot/pkg/security/authn/policy_applier.go` and `pilot/pkg/security/authz/{builder,model,matcher}` of istio/istio
//! at 86c9f01, for an inbound HTTP chain of a sidecar: peers are known by their certificate.

use serde_json::{Map, Value, json};

use super::policies::{TRUST_DOMAIN, TRUST_DOMAIN_ALIAS};

const RBAC: &str = "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC";
const JWT_AUTHN: &str = "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication";
const URI_TEMPLATE: &str = "type.googleapis.com/envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig";

/// The RBAC filters of `AuthorizationPolicy` specs with their metadata's names, in their order (builder.go `build`).
pub fn rbac(policies: &Value) -> Vec<Value> {
    let of_action = |action: &str| -> Vec<&Value> {
        list(policies).iter().filter(|policy| policy["action"].as_str().unwrap_or("ALLOW") == action).collect()
    };
    [("AUDIT", "LOG", ""), ("DENY", "DENY", "istio_dry_run_deny_"), ("ALLOW", "ALLOW", "istio_dry_run_allow_")]
        .into_iter()
        .map(|(action, rbac_action, prefix)| (of_action(action), rbac_action, prefix))
        .filter(|(policies, ..)| !policies.is_empty())
        .map(|(policies, action, prefix)| filter(&policies, action, prefix))
        .collect()
}

/// The filter of `RequestAuthentication` rules, one an issuer, all with the same inline keys.
pub fn jwt_authn(issuers: &[&str], jwks: &str) -> Value {
    let name = |index: usize| format!("origins-{index}");
    let provider = |issuer: &str| {
        json!({
            "issuer": issuer,
            "local_jwks": {"inline_string": jwks},
            "forward": true,
            "payload_in_metadata": "payload",
            "normalize_payload_in_metadata": {"space_delimited_claims": ["permission", "scope"]},
        })
    };
    let providers: Map<_, _> =
        issuers.iter().enumerate().map(|(index, issuer)| (name(index), provider(issuer))).collect();
    let optional =
        |index| json!({"requires_any": {"requirements": [{"provider_name": name(index)}, {"allow_missing": {}}]}});
    let requires = match issuers.len() {
        1 => optional(0),
        count => {
            let all: Vec<_> = (0..count).map(optional).collect();
            let one = (0..count).map(|index| json!({"provider_name": name(index)}));
            let any: Vec<_> = one.chain([json!({"requires_all": {"requirements": all}})]).collect();
            json!({"requires_any": {"requirements": any}})
        }
    };
    json!({"name": "envoy.filters.http.jwt_authn", "typed_config": {
        "@type": JWT_AUTHN,
        "bypass_cors_preflight": true,
        "providers": providers,
        "rules": [{"match": {"prefix": "/"}, "requires": requires}],
    }})
}

fn filter(policies: &[&Value], action: &str, shadow_prefix: &str) -> Value {
    let mut config = json!({"@type": RBAC});
    for policy in policies {
        let dry_run = policy["dryRun"] == true;
        let place = if dry_run { "shadow_rules" } else { "rules" };
        if dry_run {
            config["shadow_rules_stat_prefix"] = shadow_prefix.into();
        }
        config[place]["action"] = action.into();
        let place = &mut config[place]["policies"];
        let (namespace, name) = (text(&policy["namespace"]), text(&policy["name"]));
        let id = |rule: usize| format!("ns[{namespace}]-policy[{name}]-rule[{rule}]");
        let rules = list(&policy["rules"]);
        for (index, rule) in rules.iter().enumerate() {
            place[id(index)] = self::rule(rule, namespace);
        }
        if rules.is_empty() {
            place[id(0)] = json!({
                "permissions": [{"not_rule": {"any": true}}],
                "principals": [{"not_id": {"any": true}}],
            });
        }
    }
    json!({"name": "envoy.filters.http.rbac", "typed_config": config})
}

// === model.go ===

/// Any `from` with the conditions on whoever asks, and any `to` with the conditions on what is asked.
fn rule(rule: &Value, namespace: &str) -> Value {
    let conditions =
        || list(&rule["when"]).iter().map(|when| (text(&when["key"]), &when["values"], &when["notValues"]));
    let mut principals = Vec::new();
    let mut permissions = Vec::new();
    for (key, values, not_values) in conditions() {
        match key {
            "destination.ip" => permissions.extend(both(&PERMISSION, values, not_values, destination_ip)),
            "destination.port" => permissions.extend(both(&PERMISSION, values, not_values, destination_port)),
            "connection.sni" => permissions.extend(both(&PERMISSION, values, not_values, sni)),
            _ => principals.extend(principal(key, values, not_values, namespace)),
        }
    }
    json!({
        "permissions": alternatives(&PERMISSION, &rule["to"], &permissions, |to| operation(&to["operation"])),
        "principals": alternatives(&PRINCIPAL, &rule["from"], &principals, |from| source(&from["source"], namespace)),
    })
}

fn alternatives(kind: &Kind, choices: &Value, conditions: &[Value], read: impl Fn(&Value) -> Vec<Value>) -> Vec<Value> {
    let all = |mut own: Vec<Value>| {
        own.extend_from_slice(conditions);
        if own.is_empty() {
            own.push(json!({"any": true}));
        }
        kind.and(own)
    };
    match list(choices) {
        [] => vec![all(Vec::new())],
        choices => choices.iter().map(|choice| all(read(choice))).collect(),
    }
}

/// `insertFront` puts the last field first.
fn source(source: &Value, namespace: &str) -> Vec<Value> {
    [
        ("source.principal", "principals", "notPrincipals"),
        ("request.auth.principal", "requestPrincipals", "notRequestPrincipals"),
        ("source.serviceAccount", "serviceAccounts", "notServiceAccounts"),
        ("source.trustDomain", "trustDomains", "notTrustDomains"),
        ("source.namespace", "namespaces", "notNamespaces"),
        ("remote.ip", "remoteIpBlocks", "notRemoteIpBlocks"),
        ("source.ip", "ipBlocks", "notIpBlocks"),
    ]
    .into_iter()
    .flat_map(|(key, values, not_values)| principal(key, &source[values], &source[not_values], namespace))
    .collect()
}

fn operation(operation: &Value) -> Vec<Value> {
    let host = |value: &str| header(":authority", value, true);
    let method = |value: &str| header(":method", value, false);
    let (one, other) = (&operation["hosts"], &operation["notHosts"]);
    let hosts = both(&PERMISSION, one, other, host);
    let methods = both(&PERMISSION, &operation["methods"], &operation["notMethods"], method);
    let paths = both(&PERMISSION, &operation["paths"], &operation["notPaths"], path);
    let ports = both(&PERMISSION, &operation["ports"], &operation["notPorts"], destination_port);
    [hosts, methods, paths, ports].concat()
}

fn principal(key: &str, values: &Value, not_values: &Value, namespace: &str) -> Vec<Value> {
    let simple = |value: &dyn Fn(&str) -> Value| both(&PRINCIPAL, values, not_values, value);
    let extended = |read: &dyn Fn(&[Value]) -> Value| {
        let mut found = Vec::new();
        if !list(values).is_empty() {
            found.push(read(list(values)));
        }
        if !list(not_values).is_empty() {
            found.push(PRINCIPAL.not(read(list(not_values))));
        }
        found
    };
    let claims = |path: Vec<&str>| extended(&|values: &[Value]| claim_of(&path, &list_or_scalar(values)));
    match key {
        "source.ip" => simple(&|value| json!({"direct_remote_ip": cidr(value)})),
        "remote.ip" => simple(&|value| json!({"remote_ip": cidr(value)})),
        "source.namespace" => simple(&|value| authenticated(&regex(&format!(".*/ns/{}/.*", stars(value, ".*"))))),
        "source.principal" => {
            let (values, not_values) = (migrated(values), migrated(not_values));
            both(&PRINCIPAL, &values, &not_values, |value| authenticated(&string(value, "spiffe://")))
        }
        "source.trustDomain" => {
            let (values, not_values) = (expanded(values), expanded(not_values));
            both(&PRINCIPAL, &values, &not_values, |value| authenticated(&trust_domain(value)))
        }
        "source.serviceAccount" => simple(&|value| authenticated(&service_account(value, namespace))),
        "request.auth.principal" => extended(&request_principals),
        "request.auth.audiences" => claims(vec!["aud"]),
        "request.auth.presenter" => claims(vec!["azp"]),
        _ => match (key.strip_prefix("request.headers"), key.strip_prefix("request.auth.claims")) {
            (Some(name), _) => simple(&|value| json!({"header": header(bracketed(name), value, false)["header"]})),
            (_, Some(path)) => claims(brackets(path)),
            _ => panic!("istiod drops the rule for its key `{key}`"),
        },
    }
}

/// `values` and `notValues` of what has a matcher a value (`rule.permission`, `rule.principal`).
fn both(kind: &Kind, values: &Value, not_values: &Value, read: impl Fn(&str) -> Value) -> Vec<Value> {
    let any = |values: &Value| -> Option<Value> {
        let matchers: Vec<_> = list(values).iter().map(|value| read(text(value))).collect();
        (!matchers.is_empty()).then(|| kind.or(matchers))
    };
    any(values).into_iter().chain(any(not_values).map(|matcher| kind.not(matcher))).collect()
}

/// How Envoy's permissions and principals are put together.
struct Kind {
    and: &'static str,
    or: &'static str,
    not: &'static str,
    members: &'static str,
}

const PERMISSION: Kind = Kind { and: "and_rules", or: "or_rules", not: "not_rule", members: "rules" };
const PRINCIPAL: Kind = Kind { and: "and_ids", or: "or_ids", not: "not_id", members: "ids" };

impl Kind {
    fn and(&self, members: Vec<Value>) -> Value {
        json!({ self.and: { self.members: members } })
    }

    fn or(&self, members: Vec<Value>) -> Value {
        json!({ self.or: { self.members: members } })
    }

    fn not(&self, member: Value) -> Value {
        json!({ self.not: member })
    }
}

// === generator.go ===

fn destination_ip(value: &str) -> Value {
    json!({ "destination_ip": cidr(value) })
}

fn destination_port(value: &str) -> Value {
    json!({ "destination_port": value.parse::<u16>().expect("a port") })
}

fn sni(value: &str) -> Value {
    json!({ "requested_server_name": string(value, "") })
}

fn path(value: &str) -> Value {
    if value.contains("{*}") || value.contains("{**}") {
        let template = value.replace("{*}", "*").replace("{**}", "**");
        let config = json!({"@type": URI_TEMPLATE, "path_template": template});
        return json!({"uri_template": {"name": "uri-template", "typed_config": config}});
    }
    json!({"url_path": {"path": string(value, "")}})
}

fn authenticated(name: &Value) -> Value {
    json!({"authenticated": {"principal_name": name}})
}

fn service_account(value: &str, namespace: &str) -> Value {
    let (namespace, record) = value.split_once('/').unwrap_or((namespace, value));
    regex(&format!("spiffe://.+/ns/{}/(.+/|)sa/{}(/.+)?", quoted(namespace), quoted(record)))
}

fn trust_domain(value: &str) -> Value {
    match value {
        "*" => json!({"prefix": "spiffe://"}),
        _ if !value.contains('*') => json!({"prefix": format!("spiffe://{value}/")}),
        _ => regex(&format!("spiffe://{}/.*", stars(value, "[^/]*"))),
    }
}

/// `<iss>/<sub>`, split at the last slash; a star at the head leaves `sub` exact, one at the end `iss`.
fn request_principals(values: &[Value]) -> Value {
    let one = |value: &Value| {
        let value = text(value);
        let exact = |text: &str| json!({ "exact": text });
        let any = || regex(".+");
        let (iss, sub) = match (value.rsplit_once('/'), value.strip_prefix('*'), value.strip_suffix('*')) {
            _ if value == "*" => (any(), any()),
            (Some(("*", sub)), Some(_), _) => (any(), exact(sub)),
            (Some((iss, sub)), Some(_), _) => (json!({"suffix": &iss[1..]}), exact(sub)),
            (None, Some(suffix), _) => (any(), json!({ "suffix": suffix })),
            (Some((iss, "*")), _, Some(_)) => (exact(iss), any()),
            (Some((iss, sub)), _, Some(_)) => (exact(iss), json!({"prefix": &sub[..sub.len() - 1]})),
            (None, _, Some(prefix)) => (json!({ "prefix": prefix }), any()),
            (Some((iss, sub)), None, None) => (exact(iss), exact(sub)),
            (None, None, None) => (exact(value), exact("")),
        };
        let claim = |name, matcher| metadata(&[name], &json!({ "string_match": matcher }));
        PRINCIPAL.and(vec![claim("iss", iss), claim("sub", sub)])
    };
    match values {
        [value] => one(value),
        values => PRINCIPAL.or(values.iter().map(one).collect()),
    }
}

/// A claim that matches, or a list with a member that does.
fn claim_of(path: &[&str], matcher: &Value) -> Value {
    metadata(path, &json!({"or_match": {"value_matchers": [{"list_match": {"one_of": matcher}}, matcher]}}))
}

fn list_or_scalar(values: &[Value]) -> Value {
    match values {
        [value] => json!({"string_match": string(text(value), "")}),
        values => {
            let matchers: Vec<_> =
                values.iter().map(|value| json!({"string_match": string(text(value), "")})).collect();
            json!({"or_match": {"value_matchers": matchers}})
        }
    }
}

fn metadata(path: &[&str], value: &Value) -> Value {
    let path: Vec<_> = ["payload"].iter().chain(path).map(|key| json!({ "key": key })).collect();
    json!({"metadata": {"filter": "envoy.filters.http.jwt_authn", "path": path, "value": value}})
}

// === trustdomain/bundle.go, for one trust domain and one alias ===

/// `ReplaceTrustDomainAliases`.
fn migrated(principals: &Value) -> Value {
    let migrated = |principal: &Value| -> Vec<String> {
        let principal = text(principal);
        let parts: Vec<&str> = principal.split('/').collect();
        let is_ours = |domain: &str| {
            let matches = |pattern: &str, text: &str| {
                pattern.strip_suffix('*').is_some_and(|start| text.starts_with(start))
                    || pattern.strip_prefix('*').is_some_and(|end| text.ends_with(end))
            };
            domain == "cluster.local"
                || [TRUST_DOMAIN, TRUST_DOMAIN_ALIAS].iter().any(|ours| *ours == domain || matches(domain, ours))
        };
        if parts.len() != 5 || parts[0] == "*" || !is_ours(parts[0]) {
            return vec![principal.to_owned()];
        }
        let replaced = |ours: &str| match parts[0].strip_prefix('*') {
            Some(end) if ours.ends_with(end) => principal.to_owned(),
            _ => format!("{ours}/{}", parts[1..].join("/")),
        };
        [TRUST_DOMAIN, TRUST_DOMAIN_ALIAS].map(replaced).to_vec()
    };
    list(principals).iter().flat_map(migrated).map(Value::String).collect()
}

/// `ExpandTrustDomainAliases`.
fn expanded(domains: &Value) -> Value {
    let ours = [TRUST_DOMAIN, TRUST_DOMAIN_ALIAS].map(str::to_owned).to_vec();
    let expanded = |domain: &Value| {
        let domain = text(domain).to_owned();
        if ours.contains(&domain) { ours.clone() } else { vec![domain] }
    };
    list(domains).iter().flat_map(expanded).map(Value::String).collect()
}

// === matcher/ ===

fn header(name: &str, value: &str, ignore_case: bool) -> Value {
    let matcher = |how: &str, text: &str| json!({"string_match": {how: text, "ignore_case": ignore_case}});
    let mut matcher = match (value, value.strip_prefix('*'), value.strip_suffix('*')) {
        ("*", ..) => json!({"present_match": true}),
        (_, Some(suffix), _) => matcher("suffix", suffix),
        (_, _, Some(prefix)) => matcher("prefix", prefix),
        _ => matcher("exact", value),
    };
    matcher["name"] = name.into();
    json!({ "header": matcher })
}

fn string(value: &str, scheme: &str) -> Value {
    match (value, value.strip_prefix('*'), value.strip_suffix('*')) {
        ("*", ..) => regex(".+"),
        (_, Some(suffix), _) if scheme.is_empty() => json!({ "suffix": suffix }),
        (_, Some(suffix), _) => regex(&format!("{scheme}.*{}", quoted(suffix))),
        (_, _, Some(prefix)) => json!({"prefix": format!("{scheme}{prefix}")}),
        _ => json!({"exact": format!("{scheme}{value}")}),
    }
}

fn regex(regex: &str) -> Value {
    json!({"safe_regex": {"regex": regex}})
}

/// A text as a regular expression, its stars replaced.
fn stars(value: &str, by: &str) -> String {
    value.split('*').map(quoted).collect::<Vec<_>>().join(by)
}

/// Go's `regexp.QuoteMeta`.
fn quoted(text: &str) -> String {
    let escape = |c: char| if r"\.+*?()|[]{}^$".contains(c) { vec!['\\', c] } else { vec![c] };
    text.chars().flat_map(escape).collect()
}

fn cidr(value: &str) -> Value {
    let whole = if value.contains(':') { 128 } else { 32 };
    let (address, length) =
        value.split_once('/').map_or((value, whole), |(address, length)| (address, length.parse().expect("a length")));
    json!({"address_prefix": address, "prefix_len": length})
}

// === util.go ===

fn bracketed(text: &str) -> &str {
    text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).expect("a name in brackets")
}

/// `[a][b]`; if that is not what it is, one name between the outermost brackets.
fn brackets(path: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((name, after)) if !name.contains('[') => (names.push(name), rest = after),
            _ => return vec![bracketed(path)],
        };
    }
    names
}

// === JSON ===

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
