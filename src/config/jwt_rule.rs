//! `jwtRules`: the issuers whose tokens are trusted.

use std::rc::Rc;

use serde_json::Value;

#[cfg(not(target_arch = "wasm32"))]
use super::schema::Described;
use super::{
    at::At,
    conflicts,
    expectations::Expectations,
    jwks::{self, Jwks},
    location::TokenLocations,
    output::Outputs,
    request_match::Match,
    shape::{Shape, Text, Written, object, words},
};
use crate::{
    authenticate::provider::{Issuer, Presence, Provider, ProviderIndex},
    oauth::jwks_source::JwksSource,
    reply::Style,
};

object! {
    /// One trusted issuer, as Istio's `JWTRule`.
    pub struct JwtRule:

    /// What logs and metrics call the rule. Default: the issuer.
    pub name: Option<Text>,
    /// The `iss` of the rule's tokens, compared exactly. Without it the rule accepts every token that its keys sign, except for
    /// issuers that other rules name, with a warning. Default: any.
    pub issuer: Written<IssuerName>,
    /// `REQUIRED`: a request to which the rule applies must have a token that is good for this rule. `OPTIONAL`: a request
    /// without a token passes.
    pub presence: Presence = Presence::Optional,
    /// The requests the rule is for. It applies to a request if one of the entries does. Default: everything.
    pub r#match: Vec<Match>,
    /// Top-level claims whose text is a list of words, for policies and for the format `space`. `scope` and `permission` always
    /// are.
    pub space_delimited_claims: Vec<Text>,
    ..locations: TokenLocations,
    ..expectations: Expectations,
    ..jwks: Jwks,
    ..outputs: Outputs,
}

words!(Presence: [("OPTIONAL", Presence::Optional), ("REQUIRED", Presence::Required)]);

/// The rules, and the sources of their keys.
pub(super) fn providers(at: &mut At<'_>, rules: Vec<JwtRule>, style: Style) -> (Vec<Provider>, Vec<JwksSource>) {
    let issuers = rules.iter().filter_map(|rule| rule.issuer.value.as_ref());
    let named: Vec<String> = issuers.map(|IssuerName(issuer)| issuer.clone()).collect();
    let mut sources = Vec::new();
    let rules = rules.into_iter().enumerate();
    let providers: Vec<Provider> = rules
        .map(|(index, rule)| rule.checked(&mut at.index(index), ProviderIndex(index), &named, style, &mut sources))
        .collect();
    conflicts::report(at, &providers);
    (providers, sources)
}

impl JwtRule {
    /// The issuer, if the rule names one.
    pub(super) fn issuer(&self) -> Option<&str> {
        self.issuer.value.as_ref().map(|IssuerName(issuer)| issuer.as_str())
    }

    #[inline(never)]
    fn checked(
        self,
        at: &mut At<'_>,
        index: ProviderIndex,
        named: &[String],
        style: Style,
        sources: &mut Vec<JwksSource>,
    ) -> Provider {
        if !self.issuer.is_written {
            at.field("issuer")
                .warn("it is missing, so every token that these keys sign is trusted, except for issuers that other rules name")
                .help("write the exact `iss` of the tokens");
        }
        let issuer = self.issuer.value.as_ref().map(|IssuerName(issuer)| issuer.clone());
        let name = self.name.map(|Text(name)| name).or_else(|| issuer.clone());
        let name = name.unwrap_or_else(|| at.path().to_owned());
        let forward_original_token = self.locations.forward_original_token;
        let clear_route_cache = self.outputs.clear_route_cache;
        let locations = self.locations.checked(at);
        let (expectations, algorithms) = self.expectations.checked();
        let keys = self.jwks.checked(at, &name, &self.issuer, &algorithms, sources);
        let space_delimited_claims: Vec<String> =
            self.space_delimited_claims.into_iter().map(|Text(claim)| claim).collect();
        let (output_payload, output_claims) = self.outputs.checked(at, &space_delimited_claims, style);
        Provider {
            index,
            name: name.into(),
            issuer: issuer.map_or_else(|| Issuer::AnyBut(named.to_vec()), Issuer::Named),
            applies_to: self.r#match.into_iter().map(Match::checked).collect(),
            presence: self.presence,
            locations: locations.into_iter().map(Rc::new).collect(),
            forward_original_token,
            algorithms,
            keys,
            space_delimited_claims,
            expectations,
            output_payload,
            output_claims,
            clear_route_cache,
        }
    }
}

/// An `iss`.
#[derive(Debug)]
pub(super) struct IssuerName(pub(super) String);

impl Shape for IssuerName {
    fn read(value: Value, at: &mut At<'_>) -> Option<Self> {
        let issuer = at.some_text(value)?;
        let help = "write the exact `iss` of the tokens";
        if issuer.contains(|c: char| c.is_whitespace() || c.is_control()) {
            at.wrong(&issuer, "has whitespace, which no `iss` has").help(help);
            return None;
        }
        if issuer.contains(['{', '}', '<', '>']) {
            at.wrong(&issuer, "has a placeholder, which claimgate does not replace")
                .help(format!("{help}; several tenants need a rule each"));
            return None;
        }
        if jwks::is_open(&issuer) {
            at.warn("it is not `https`, so an attacker on the network can answer in its place")
                .help("write `https`, if the `iss` of the tokens says so");
        }
        Some(Self(issuer))
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn described() -> Described {
        Described::pattern(r"^[^\s{}<>]+$")
    }
}
