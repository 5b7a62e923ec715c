//! What a rule can ask about: its name in `when`, its field in `from` or `to`, how its values are read, and its fact.

use std::{borrow::Cow, fmt};

use serde_json::{Number, Value as Json};

use super::{
    facts::Token,
    value::{Found, NotAValue, Reader, Value},
    view::View,
};
use crate::{claims::path::ClaimPath, matching::pattern::Pattern, request::HeaderName};

/// One attribute of a request, its connection or its token, in Istio's words.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Attribute {
    /// Host and port, without regard to case.
    Host,
    Method,
    /// The port the connection was opened to.
    DestinationPort,
    /// Where the connection was opened to.
    DestinationIp,
    /// The server name of TLS.
    Sni,
    /// Who opened the connection.
    SourceIp,
    /// Who sent the request.
    RemoteIp,
    /// The peer's SPIFFE ID without its scheme.
    Principal,
    /// The peer's namespace.
    Namespace,
    /// The peer's service account.
    ServiceAccount,
    /// The peer's trust domain.
    TrustDomain,
    /// The token's `<iss>/<sub>`.
    RequestPrincipal,
    /// A claim of the token.
    Claim(Claim),
    Header(HeaderName),
    /// A header that a rule writes from a token and that nobody else can send.
    Output(HeaderName),
}

/// A claim, and its name if it is one of the first level.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Claim {
    path: ClaimPath,
    name: Option<String>,
}

/// Where an attribute without a name of its own can be asked about.
struct Place {
    attribute: Attribute,
    key: &'static str,
    field: &'static str,
}

const fn place(attribute: Attribute, key: &'static str, field: &'static str) -> Place {
    Place { attribute, key, field }
}

/// An empty name is a place where it can't be asked about.
static PLACES: [Place; 12] = [
    place(Attribute::RequestPrincipal, "request.auth.principal", "requestPrincipals"),
    place(Attribute::SourceIp, "source.ip", "ipBlocks"),
    place(Attribute::Namespace, "source.namespace", "namespaces"),
    place(Attribute::Principal, "source.principal", "principals"),
    place(Attribute::ServiceAccount, "source.serviceAccount", "serviceAccounts"),
    place(Attribute::TrustDomain, "source.trustDomain", "trustDomains"),
    place(Attribute::RemoteIp, "remote.ip", "remoteIpBlocks"),
    place(Attribute::DestinationIp, "destination.ip", ""),
    place(Attribute::DestinationPort, "destination.port", "ports"),
    place(Attribute::Sni, "connection.sni", ""),
    place(Attribute::Host, "", "hosts"),
    place(Attribute::Method, "request.headers[:method]", "methods"),
];

/// The text names no attribute.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NotAnAttribute {
    /// It is not known.
    Unknown,
    /// `request.headers` without a name.
    Header,
    /// `request.auth.claims` without a name.
    Claim,
    /// The name of a claim is in quotes.
    Quoted,
}

impl Attribute {
    /// What can be written as a key, the names in brackets left open.
    pub const KEYS: [&str; 14] = [
        "request.headers[…]",
        "request.auth.claims[…]",
        "request.auth.principal",
        "request.auth.audiences",
        "request.auth.presenter",
        "source.ip",
        "source.namespace",
        "source.principal",
        "source.serviceAccount",
        "source.trustDomain",
        "remote.ip",
        "destination.ip",
        "destination.port",
        "connection.sni",
    ];

    /// The attribute of a field of a `source` or an `operation`.
    pub fn of_field(field: &str) -> Option<Self> {
        let place = PLACES.iter().find(|place| !field.is_empty() && place.field == field)?;
        Some(place.attribute.clone())
    }

    /// The attribute of a key of `when`. In style `istio` every bracket of a claim is literal.
    pub fn of_key(key: &str, text_only: bool) -> Result<Self, NotAnAttribute> {
        if let Some(brackets) = key.strip_prefix("request.headers") {
            return header(brackets).ok_or(NotAnAttribute::Header);
        }
        if let Some(brackets) = key.strip_prefix("request.auth.claims") {
            return Claim::parse(brackets, text_only).map(Self::Claim);
        }
        match key {
            "request.auth.audiences" => Ok(Self::Claim(Claim::named("aud"))),
            "request.auth.presenter" => Ok(Self::Claim(Claim::named("azp"))),
            _ => {
                let place = PLACES.iter().find(|place| !key.is_empty() && place.key == key);
                place.map(|place| place.attribute.clone()).ok_or(NotAnAttribute::Unknown)
            }
        }
    }

    /// Reads one of its values; a name of a trust domain with aliases becomes several.
    pub fn values(&self, text: &str, reader: &Reader<'_>) -> Result<Vec<Value>, NotAValue> {
        let value = match self {
            Self::Principal => return reader.principals(text),
            Self::TrustDomain => return reader.trust_domains(text),
            Self::SourceIp | Self::RemoteIp | Self::DestinationIp => Value::block(text),
            Self::DestinationPort => Value::port(text),
            Self::Namespace => Value::namespace(text),
            Self::ServiceAccount => reader.service_account(text),
            Self::RequestPrincipal => reader.request_principal(text),
            Self::Host => Value::text(&text.to_ascii_lowercase()),
            Self::Method => Value::method(text),
            Self::Sni | Self::Claim(_) | Self::Header(_) | Self::Output(_) => Value::text(text),
        };
        Ok(vec![value?])
    }

    /// Whether the fact comes from the token.
    pub fn needs_token(&self) -> bool {
        matches!(self, Self::RequestPrincipal | Self::Claim(_) | Self::Output(_))
    }

    /// Whether the fact is what RFC 6749 section 3.3 calls scope; some issuers write `scp`.
    pub fn is_scope(&self) -> bool {
        matches!(self, Self::Claim(claim) if matches!(claim.name.as_deref(), Some("scope" | "scp")))
    }

    /// Whether the fact is text, which can be compared with other text and with expressions.
    pub fn is_text(&self) -> bool {
        matches!(
            self,
            Self::Header(_)
                | Self::Output(_)
                | Self::Method
                | Self::Claim(_)
                | Self::Principal
                | Self::TrustDomain
                | Self::Sni
        )
    }

    /// The fact.
    pub(super) fn find<'v>(&'v self, view: &'v View<'_>) -> Found<'v> {
        let known = view.facts.known;
        match self {
            Self::SourceIp => Found::Address(known.source_ip(view.settings.source_address)),
            Self::RemoteIp => Found::Address(known.remote_ip()),
            Self::DestinationIp => Found::Address(known.destination_ip()),
            Self::DestinationPort => Found::Port(known.destination_port()),
            Self::Principal | Self::Namespace | Self::ServiceAccount | Self::TrustDomain => Found::Peer(known.peer()),
            Self::RequestPrincipal => {
                let claims = view.facts.claims();
                Found::Principal(claims.and_then(|claims| claims.issuer().zip(claims.subject())))
            }
            Self::Host => Found::Text(known.host()),
            Self::Method if !view.is_preflight() => Found::Text(known.method()),
            Self::Method | Self::Sni | Self::Claim(_) | Self::Header(_) | Self::Output(_) => {
                Found::Texts(self.texts(view))
            }
        }
    }

    /// The fact as text, or as several texts; `None` if it is not known.
    pub(super) fn texts<'v>(&'v self, view: &'v View<'_>) -> Option<Vec<Cow<'v, [u8]>>> {
        let known = view.facts.known;
        let one = |text: Option<&'v str>| text.map(|text| Cow::Borrowed(text.as_bytes())).into_iter().collect();
        Some(match self {
            Self::Method if view.is_preflight() => known.announced_methods().map(Cow::Borrowed).collect(),
            Self::Method => vec![Cow::Borrowed(known.method())],
            Self::Header(name) | Self::Output(name) => known.values(name.as_str()).map(Cow::Borrowed).collect(),
            Self::Claim(claim) => claim.texts(view).into_iter().map(bytes).collect(),
            Self::Sni => one(known.sni()),
            Self::Principal | Self::TrustDomain => {
                let Some(peer) = known.peer() else { return Some(Vec::new()) };
                if peer.may_hide_identity() {
                    return None;
                }
                one(peer.identity().map(|peer| match self {
                    Self::Principal => peer.principal(),
                    _ => peer.trust_domain(),
                }))
            }
            _ => return None,
        })
    }

    /// The fact as text to compare with another. A header must be the only one that an upstream may take for it.
    pub(super) fn compared<'v>(&'v self, view: &'v View<'_>) -> Option<Vec<Cow<'v, [u8]>>> {
        match self {
            Self::Header(name) if view.facts.known.twins(name) > 1 => None,
            _ => self.texts(view),
        }
    }

    /// The fact as a number.
    pub(super) fn number(&self, view: &View<'_>) -> Option<f64> {
        match self {
            Self::Claim(claim) => claim.find(view)?.as_f64(),
            _ => None,
        }
    }

    /// Whether texts match a pattern; `None` if servers may disagree about it.
    pub(super) fn matches(&self, pattern: &Pattern, texts: &[Cow<'_, [u8]>], view: &View<'_>) -> Option<bool> {
        let any = |matches: &dyn Fn(&[u8]) -> bool| texts.iter().any(|text| matches(text));
        let exact = any(&|text| pattern.matches(text));
        let in_any_case = || any(&|text| pattern.matches_in_any_case(text));
        match (self, pattern) {
            (Self::Host | Self::Method, Pattern::Present) => Some(true),
            (Self::Host, _) => {
                if view.facts.known.is_host_missing() {
                    None
                } else {
                    Some(exact)
                }
            }
            // A preflight is for the method it asks for, and is a request with a method of its own.
            (Self::Method, _) if view.is_preflight() => {
                let every = !texts.is_empty() && texts.iter().all(|text| pattern.matches(text));
                let is_own = pattern.matches_in_any_case(view.facts.known.method());
                if !every && (texts.is_empty() || in_any_case() || is_own) { None } else { Some(every) }
            }
            // Some servers take `post` for `POST`.
            (Self::Method, _) => {
                if !exact && in_any_case() {
                    None
                } else {
                    Some(exact)
                }
            }
            // A header that is there and empty is present (Envoy's present_match).
            (Self::Header(_) | Self::Output(_), Pattern::Present) => Some(!texts.is_empty()),
            (Self::Header(name), _) if name.as_str() == ":authority" && !exact && in_any_case() => None,
            // Any other text must say something, in one line (Envoy's `.+`).
            (Self::Claim(_) | Self::Sni, Pattern::Present) => {
                Some(any(&|text| !text.is_empty() && !text.contains(&b'\n')))
            }
            _ => Some(exact),
        }
    }
}

/// The header in brackets. Envoy knows the host as `:authority`.
fn header(brackets: &str) -> Option<Attribute> {
    let name = brackets.strip_prefix('[')?.strip_suffix(']')?.to_ascii_lowercase();
    if name.is_empty() || name.contains(['[', ']', ' ']) {
        return None;
    }
    Some(match name.as_str() {
        "host" => Attribute::Header(HeaderName::new(":authority")),
        ":method" => Attribute::Method,
        _ => Attribute::Header(HeaderName::new(&name)),
    })
}

fn bytes(text: Cow<'_, str>) -> Cow<'_, [u8]> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    }
}

impl fmt::Display for Attribute {
    /// As it is written in `when`, or as its field if it can't be.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(name) | Self::Output(name) => write!(f, "request.headers[{name}]"),
            Self::Claim(claim) => claim.fmt(f),
            _ => PLACES
                .iter()
                .filter(|place| place.attribute == *self)
                .try_for_each(|place| f.write_str(if place.key.is_empty() { place.field } else { place.key })),
        }
    }
}

impl Claim {
    fn named(name: &str) -> Self {
        Self { path: ClaimPath::literal(name), name: Some(name.to_owned()) }
    }

    /// The claim in brackets: `[a][b]` goes into objects, `[a.b]` is that name or else the way through `a`.
    fn parse(brackets: &str, text_only: bool) -> Result<Self, NotAnAttribute> {
        let inside = brackets.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let inside = inside.filter(|inside| !inside.is_empty()).ok_or(NotAnAttribute::Claim)?;
        let mut steps = inside.split("][");
        if steps.clone().any(|step| step.starts_with(['"', '\'']) || step.ends_with(['"', '\''])) {
            return Err(NotAnAttribute::Quoted);
        }
        if steps.clone().any(|step| step.is_empty() || step.contains(['[', ']'])) {
            return Ok(Self::named(inside));
        }
        match (steps.next(), steps.next()) {
            (Some(name), None) if text_only => Ok(Self::named(name)),
            (Some(name), None) => {
                let path = ClaimPath::parse(name).map_err(|_| NotAnAttribute::Claim)?;
                Ok(Self { path, name: Some(name.to_owned()) })
            }
            _ => {
                let path = ClaimPath::parse(brackets).map_err(|_| NotAnAttribute::Claim)?;
                Ok(Self { path, name: None })
            }
        }
    }

    /// Whether its brackets did not pair, so that all between the outermost is one name, as in Istio.
    pub fn has_brackets(&self) -> bool {
        self.name.as_ref().is_some_and(|name| name.contains(['[', ']']))
    }

    fn find<'v>(&self, view: &View<'v>) -> Option<&'v Json> {
        self.path.walk(view.facts.claims()?.members())
    }

    /// The texts of the claim: itself, or the elements of its list, or the words of a space-delimited one.
    fn texts<'v>(&self, view: &View<'v>) -> Vec<Cow<'v, str>> {
        let Some(value) = self.find(view) else { return Vec::new() };
        let text = |value: &'v Json| match value {
            Json::String(text) => Some(Cow::Borrowed(text.as_str())),
            Json::Number(number) if !view.settings.text_only => Some(Cow::Owned(number_text(number))),
            Json::Bool(flag) if !view.settings.text_only => Some(Cow::Owned(flag.to_string())),
            _ => None,
        };
        match value {
            // A text without words stays what it is, as in Envoy.
            Json::String(words) if self.is_space_delimited(view) && !words.trim_matches(' ').is_empty() => {
                words.split(' ').filter(|word| !word.is_empty()).map(Cow::Borrowed).collect()
            }
            Json::Array(list) => list.iter().filter_map(text).collect(),
            value => text(value).into_iter().collect(),
        }
    }

    fn is_space_delimited(&self, view: &View<'_>) -> bool {
        let Token::Proven { space_delimited, .. } = view.facts.token else { return false };
        let is_listed =
            |name: &String| matches!(name.as_str(), "scope" | "permission") || space_delimited.contains(name);
        self.name.as_ref().is_some_and(is_listed)
    }
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "request.auth.claims[{name}]"),
            None => write!(f, "request.auth.claims{}", self.path),
        }
    }
}

/// The text of a number, in a token and in a configuration: `5.0` is `5`.
pub fn number_text(number: &Number) -> String {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match number.as_f64() {
        Some(double) if number.is_f64() && double.fract() == 0.0 && double.abs() < EXACT => format!("{double:.0}"),
        _ => number.to_string(),
    }
}
