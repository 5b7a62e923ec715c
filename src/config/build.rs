//! From what was written to what it means, in one pass that collects every problem.

mod conflicts;
mod errors;
mod headers;
mod keys;
mod matching;
mod policies;
mod when;

use std::{ops::RangeInclusive, rc::Rc, time::Duration};

use keys::KeyLocation;

use super::{
    Config, Problem,
    at::At,
    duration,
    problem::shown,
    wire::{self, JwtRule},
};
use crate::{
    authenticate::provider::{Issuer, Presence, Provider, ProviderIndex},
    claims::validity::{Audience, Expectations, Types},
    decision_log::{
        filter_state::{ATTRIBUTES, FilterState},
        line::Subjects,
        trace::Debug,
    },
    jose::algorithm::Algorithm,
    matching::pattern::{NotAPattern, Pattern},
    oauth::jwks_source::JwksSource,
    reply::Style,
};

const MAX_TOKEN_BYTES: usize = 64 * 1024;
const MAX_WAITING_REQUESTS: usize = 1000;
/// Too long to be guessed, if it is random.
const SHORTEST_SECRET: usize = 16;
const DEBUG_HEADER: &str = "x-claimgate-debug";
const CLOCK_SKEW: Duration = Duration::from_secs(60);

impl At<'_> {
    /// Reads every element of a list; the bad ones are reported and left out.
    fn each<W, T>(&mut self, list: Option<Vec<W>>, mut read: impl FnMut(&mut At<'_>, W) -> Option<T>) -> Vec<T> {
        list.unwrap_or_default()
            .into_iter()
            .enumerate()
            .filter_map(|(index, written)| read(&mut self.index(index), written))
            .collect()
    }

    /// The meaning of one of a few known words.
    fn word<T: Copy>(&mut self, written: &str, known: &[(&str, T)]) -> Option<T> {
        if written.is_empty() {
            self.report(self.problem("it is empty"));
            return None;
        }
        let meaning = known.iter().find(|(word, _)| *word == written).map(|(_, meaning)| *meaning);
        if meaning.is_none() {
            let words: Vec<&str> = known.iter().map(|(word, _)| *word).collect();
            self.report(self.problem(format!("{} is not known here", shown(written))).suggest(written, &words));
        }
        meaning
    }

    fn required(&mut self, written: Option<String>) -> Option<String> {
        if written.is_none() {
            self.report(self.problem("it is missing"));
        }
        self.text(written?)
    }

    fn text(&mut self, written: String) -> Option<String> {
        if written.is_empty() {
            self.report(self.problem("it is empty"));
            return None;
        }
        Some(written)
    }

    fn duration(&mut self, written: &str) -> Option<Duration> {
        let span = duration::parse(written);
        if span.is_none() {
            let problem = self.problem(format!("{} is not a duration", shown(written)));
            self.report(problem.help("write it as `60s`, `5m` or `1h30m`"));
        }
        span
    }

    /// A number that must be whole and within bounds.
    fn whole(&mut self, written: f64, bounds: RangeInclusive<usize>) -> Option<usize> {
        let whole = (written.fract() == 0.0).then(|| format!("{written:.0}").parse().ok()).flatten();
        let whole = whole.filter(|number| bounds.contains(number));
        if whole.is_none() {
            let (least, most) = (bounds.start(), bounds.end());
            self.report(self.problem(format!("`{written}` is not a whole number from {least} to {most}")));
        }
        whole
    }

    fn pattern(&mut self, written: &str) -> Option<Pattern> {
        Pattern::parse(written).map_err(|reason| self.not_a_pattern(written, reason)).ok()
    }

    fn not_a_pattern(&mut self, written: &str, reason: NotAPattern) {
        let problem = match reason {
            NotAPattern::Empty => self.problem("it is empty").help("write `*` for anything"),
            NotAPattern::Star => self
                .problem(format!("{} is not a pattern", shown(written)))
                .help("put one `*` at the start or at the end, or write it without"),
        };
        self.report(problem);
    }
}

/// The configuration, to be used only if no error was reported.
pub(super) fn config(at: &mut At<'_>, mut wire: wire::Config) -> Config {
    let has_policies = wire.authorization_policies.as_ref().is_some_and(|policies| !policies.is_empty());
    let context = policies::Context::read(at, &mut wire);
    let policies = policies::policies(at, wire.authorization_policies, &context);
    let errors = errors::errors(at, wire.errors, wire.cors);
    let log_subjects = wire.log_subjects.and_then(|written| {
        let known = [("hash", Subjects::Hash), ("plain", Subjects::Plain), ("none", Subjects::Hidden)];
        at.field("logSubjects").word(&written, &known)
    });
    let filter_state = wire.filter_state.map(|written| {
        let attributes = at.field("filterState").each(Some(written), |at, name| at.word(&name, &ATTRIBUTES));
        FilterState::listed(attributes)
    });
    let max_token_bytes = wire
        .max_token_bytes
        .and_then(|written| at.field("maxTokenBytes").whole(written, 256..=1024 * 1024))
        .unwrap_or(MAX_TOKEN_BYTES);
    let max_waiting_requests = wire
        .max_waiting_requests
        .and_then(|written| at.field("maxWaitingRequests").whole(written, 0..=100_000))
        .unwrap_or(MAX_WAITING_REQUESTS);
    let rules = wire.jwt_rules.unwrap_or_default();
    if rules.is_empty() && !has_policies {
        let mut at = at.field("jwtRules");
        let problem = at.problem("there is no rule, so nobody would be trusted and everything would pass");
        at.report(problem.help("add a rule with `issuer` and `jwks`"));
    }
    let mut sources = Vec::new();
    let named: Vec<String> = rules.iter().filter_map(|rule| rule.issuer.clone()).collect();
    let mut at_rules = at.field("jwtRules");
    let providers: Vec<Provider> = rules
        .into_iter()
        .enumerate()
        .map(|(index, rule)| {
            provider(&mut at_rules.index(index), ProviderIndex(index), rule, &named, errors.style, &mut sources)
        })
        .collect();
    conflicts::report(&mut at_rules, &providers);
    let debug = wire.debug.and_then(|written| debugging(&mut at.field("debug"), written, &providers));
    Config {
        providers,
        sources,
        max_waiting_requests,
        policies,
        errors,
        log_subjects: log_subjects.unwrap_or_default(),
        filter_state: filter_state.unwrap_or_default(),
        debug,
        bypass_cors_preflight: wire.bypass_cors_preflight.unwrap_or(true),
        max_token_bytes,
    }
}

fn debugging(at: &mut At<'_>, written: wire::Debug, providers: &[Provider]) -> Option<Debug> {
    let mut at_header = at.field("header");
    let header = headers::output(&mut at_header, written.header.as_deref().unwrap_or(DEBUG_HEADER));
    if let Some(header) = &header {
        conflicts::report_debug_header(&mut at_header, header, providers);
    }
    let mut at = at.field("secret");
    let problem = match &written.secret {
        None => at.problem("it is missing"),
        Some(secret) if secret.len() < SHORTEST_SECRET => {
            at.problem(format!("it has {} bytes, fewer than {SHORTEST_SECRET}", secret.len()))
        }
        Some(_) => return Some(Debug { header: header?, secret: written.secret? }),
    };
    at.report(problem.help("make one: `openssl rand -hex 16`"));
    None
}

fn provider(
    at: &mut At<'_>,
    index: ProviderIndex,
    mut rule: JwtRule,
    named: &[String],
    style: Style,
    sources: &mut Vec<JwksSource>,
) -> Provider {
    let location = KeyLocation::take_from(&mut rule);
    let issuer = rule.issuer.and_then(|issuer| at.field("issuer").text(issuer));
    let algorithms = algorithms(&mut at.field("algorithms"), rule.algorithms);
    let name = rule.name.and_then(|name| at.field("name").text(name));
    if issuer.is_none() {
        let problem = at
            .field("issuer")
            .problem("it is missing, so whatever these keys sign is trusted, but for issuers that other rules name");
        at.report(problem.help("write the exact `iss` of the tokens").warning());
    }
    let name = name.or_else(|| issuer.clone()).unwrap_or_else(|| at.path().to_owned());
    let keys = location.keys(at, &name, issuer.as_deref(), &algorithms, sources);
    let locations = headers::locations(at, rule.from_headers, rule.from_params, rule.from_cookies);
    let output_payload = rule
        .output_payload_to_header
        .and_then(|written| headers::output(&mut at.field("outputPayloadToHeader"), &written));
    let space_delimited_claims =
        at.field("spaceDelimitedClaims").each(rule.space_delimited_claims, |at, written| at.text(written));
    let words: Vec<String> =
        space_delimited_claims.iter().cloned().chain(["scope", "permission"].map(str::to_owned)).collect();
    let output_claims = headers::claim_headers(
        &mut at.field("outputClaimToHeaders"),
        rule.output_claim_to_headers,
        output_payload.as_ref(),
        &words,
        style,
    );
    let clear_route_cache = rule.clear_route_cache.unwrap_or(false);
    if clear_route_cache && output_payload.is_none() && output_claims.is_empty() {
        let mut at = at.field("clearRouteCache");
        at.report(at.problem("it has no effect on a rule that writes no header").warning());
    }
    let presences = [("OPTIONAL", Presence::Optional), ("REQUIRED", Presence::Required)];
    let presence = rule.presence.and_then(|written| at.field("presence").word(&written, &presences));
    let clock_skew = rule.clock_skew.and_then(|written| at.field("clockSkew").duration(&written));
    let max_lifetime = rule.max_lifetime.and_then(|written| at.field("maxLifetime").duration(&written));
    if max_lifetime.is_some_and(|span| span.is_zero()) {
        let mut at = at.field("maxLifetime");
        at.report(at.problem("it is zero, so no token could pass").help("leave it out for no bound"));
    }
    let expectations = Expectations {
        audiences: at.field("audiences").each(rule.audiences, |at, written| at.text(written).map(Audience::new)),
        subjects: at.field("subjects").each(rule.subjects, |at, written| at.pattern(&written)),
        types: types(&mut at.field("types"), rule.types),
        clock_skew: clock_skew.unwrap_or(CLOCK_SKEW),
        require_expiration: rule.require_expiration.unwrap_or(true),
        max_lifetime,
    };
    Provider {
        index,
        name: name.into(),
        issuer: issuer.map_or_else(|| Issuer::AnyBut(named.to_vec()), Issuer::Named),
        applies_to: matching::request_matches(&mut at.field("match"), rule.r#match),
        presence: presence.unwrap_or(Presence::Optional),
        locations: locations.into_iter().map(Rc::new).collect(),
        forward_original_token: rule.forward_original_token.unwrap_or(false),
        algorithms,
        keys,
        space_delimited_claims,
        expectations,
        output_payload,
        output_claims,
        clear_route_cache,
    }
}

fn algorithms(at: &mut At<'_>, written: Option<Vec<String>>) -> Vec<Algorithm> {
    let Some(written) = written else {
        return Algorithm::ASYMMETRIC.to_vec();
    };
    if written.is_empty() {
        at.report(
            at.problem("it lists nothing, so no token could pass").help("leave it out for every asymmetric algorithm"),
        );
    }
    at.each(Some(written), |at, name| {
        let algorithm = Algorithm::named(&name);
        if algorithm.is_none() {
            let names = Algorithm::ALL.map(Algorithm::name);
            let problem = at.problem(format!("{} is not an algorithm claimgate verifies", shown(&name)));
            // `ES256K` is an algorithm of its own, not a misspelt `ES256`.
            let is_another = names.iter().any(|known| name.starts_with(known));
            at.report(if is_another { problem.one_of(&names) } else { problem.suggest(&name, &names) });
        }
        algorithm
    })
}

fn types(at: &mut At<'_>, written: Option<Vec<String>>) -> Types {
    match written {
        None => Types::Bearer,
        Some(written) => {
            if written.is_empty() {
                at.report(
                    at.problem("it lists nothing, so no token could pass").help("leave it out for any bearer token"),
                );
            }
            let types = at.each(Some(written), |at, written| at.text(written));
            Types::listed(types.iter().map(String::as_str))
        }
    }
}
