//! The whole: a request in, a step out. No clock, no network, no host.

use std::collections::HashSet;

use crate::{
    authenticate::{self, Authenticator, Identity},
    config::Config,
    connection::Connection,
    decision::Denial,
    effect::{
        Effects, HeaderEdit,
        claim_header::Unwritable,
        reserved::{ReservedHeaders, confusable},
    },
    operation::path,
    policy::{
        self, Permit, Policies, Refusal, Remarks,
        explain::Candidate,
        facts::{Facts, Known},
    },
    provider::Provider,
    reply::{Reply, Style},
    request::Request,
    seen::Seen,
    signature::PureRust,
    time::UnixTime,
    token::locate,
};

/// What is decided of a request, and what the policies have to say of it beside.
#[derive(Debug, Eq, PartialEq)]
pub struct Decision {
    /// What to do.
    pub step: Step,
    /// What to say.
    pub remarks: Remarks,
}

/// What the proxy does next with a request.
#[derive(Debug, Eq, PartialEq)]
pub enum Step {
    /// Performs the effects and lets the request go upstream.
    Continue(Permit, Effects),
    /// Answers itself.
    Reply(Denial, Reply),
}

/// A configuration at work.
#[derive(Debug)]
pub struct Gate {
    providers: Vec<Provider>,
    policies: Policies,
    reserved: ReservedHeaders,
    style: Style,
    bypass_cors_preflight: bool,
    max_token_bytes: usize,
    seen: Seen,
}

impl Gate {
    /// A gate that has seen nothing yet.
    pub fn new(config: Config) -> Self {
        let outputs = config.providers.iter().flat_map(|provider| {
            let claims = provider.output_claims.iter().map(|output| output.header.as_str());
            claims.chain(provider.output_payload.as_deref())
        });
        Self {
            reserved: ReservedHeaders::new(outputs),
            providers: config.providers,
            policies: config.policies,
            style: config.style,
            bypass_cors_preflight: config.bypass_cors_preflight,
            max_token_bytes: config.max_token_bytes,
            seen: Seen::default(),
        }
    }

    /// The forged headers among a request's trailers, which some servers merge into its headers (RFC 9110 section 6.5).
    pub fn forged_trailers(&self, trailers: &Request) -> Vec<String> {
        self.reserved.forged(trailers)
    }

    /// Decides a request.
    pub fn admit(&mut self, request: &Request, connection: &dyn Connection, now: UnixTime) -> Decision {
        // For every outcome: what claimgate may write, nobody else has written.
        let edits = self.reserved.forged(request).into_iter().map(HeaderEdit::Remove).collect();
        let mut effects = Effects { edits, ..Effects::default() };
        let mut remarks = Remarks::default();
        let is_exempt = self.is_exempt(request);
        let decided = self.authenticated(request, connection, now, |policies, facts, identities| {
            remarks = policies.remarks(facts);
            let permit = if is_exempt && !facts.text_only {
                policies.decide_preflight(facts)?
            } else {
                policies.decide(facts)?
            };
            hand_over(identities, request, &mut effects);
            Ok(permit)
        });
        let step = match decided.and_then(|decided| decided) {
            Ok(permit) => Step::Continue(permit, effects),
            Err(refusal) => Step::Reply(refusal.denial, Reply::refusal(&refusal, self.style, request)),
        };
        Decision { step, remarks }
    }

    /// Why: what each rule lacked that might have decided. Empty if a request does not get as far as the policies.
    pub fn explain(&mut self, request: &Request, connection: &dyn Connection, now: UnixTime) -> Vec<Candidate> {
        let explain = |policies: &Policies, facts: &Facts<'_>, _: &[Identity<'_>]| policies.explain(facts);
        self.authenticated(request, connection, now, explain).unwrap_or_default()
    }

    /// Whether the request is a preflight, which needs no token.
    fn is_exempt(&self, request: &Request) -> bool {
        self.bypass_cors_preflight && request.is_cors_preflight()
    }

    /// Authenticates a request and asks something about it.
    fn authenticated<T>(
        &mut self,
        request: &Request,
        connection: &dyn Connection,
        now: UnixTime,
        ask: impl FnOnce(&Policies, &Facts<'_>, &[Identity<'_>]) -> T,
    ) -> Result<T, Refusal> {
        let readings = path::readings(request.target());
        let known = Known::new(request, &readings, connection);
        let mut facts = Facts::new(&known);
        facts.text_only = self.style == Style::Istio;
        if self.is_exempt(request) {
            return Ok(ask(&self.policies, &facts, &[]));
        }
        let applying = authenticate::applying(&self.providers, request, &readings)?;
        let mut authenticator = Authenticator {
            providers: &applying,
            seen: &mut self.seen,
            backend: &PureRust,
            max_token_bytes: self.max_token_bytes,
            now,
        };
        let identities = authenticator.identities(request)?;
        policy::presence(&applying, &identities)?;
        if let Some(identity) = identities.first() {
            facts.claims = Some(&identity.claims);
            facts.space_delimited = &identity.provider.space_delimited_claims;
        }
        Ok(ask(&self.policies, &facts, &identities))
    }
}

/// Takes tokens out and hands claims upstream. Where two identities could fill one header, the first has it, even if it
/// leaves it empty: an upstream never sees one user's name beside another's groups.
fn hand_over(identities: &[Identity<'_>], request: &Request, effects: &mut Effects) {
    let consumed: Vec<_> = identities
        .iter()
        .filter(|identity| !identity.provider.forward_original_token)
        .map(|identity| identity.location)
        .collect();
    effects.edits.extend(locate::removal(&consumed, request));
    let mut taken: HashSet<String> = HashSet::new();
    for Identity { provider, claims, .. } in identities {
        let mut free = |header: &str| taken.insert(confusable(header));
        if let Some(header) = provider.output_payload.as_ref().filter(|header| free(header)) {
            effects.edits.push(HeaderEdit::Set(header.clone(), claims.encoded().to_vec()));
        }
        for output in provider.output_claims.iter().filter(|output| free(&output.header)) {
            match output.render(claims) {
                Ok(Some(value)) => effects.edits.push(HeaderEdit::Set(output.header.clone(), value.into_bytes())),
                Ok(None) => (),
                Err(Unwritable) => effects.dropped.push((provider.name.clone(), output.header.clone())),
            }
        }
    }
}
