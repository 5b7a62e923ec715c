//! The whole: a request in, a step out. No clock, no network, no host.

use std::collections::HashSet;

use crate::{
    authenticate::{self, Authenticator, Identity},
    config::Config,
    decision::Denial,
    effect::{
        Effects, HeaderEdit,
        claim_header::Unwritable,
        reserved::{ReservedHeaders, confusable},
    },
    policy::{self, Permit},
    provider::Provider,
    reply::{Reply, Style},
    request::Request,
    seen::Seen,
    signature::PureRust,
    time::UnixTime,
    token::locate,
};

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
    pub fn admit(&mut self, request: &Request, now: UnixTime) -> Step {
        // For every outcome: what claimgate may write, nobody else has written.
        let edits = self.reserved.forged(request).into_iter().map(HeaderEdit::Remove).collect();
        let mut effects = Effects { edits, dropped: Vec::new() };
        if self.bypass_cors_preflight
            && let Some(permit) = policy::cors_preflight(request)
        {
            return Step::Continue(permit, effects);
        }
        match self.decide(request, now, &mut effects) {
            Ok(permit) => Step::Continue(permit, effects),
            Err(denial) => Step::Reply(denial, Reply::refusal(denial, self.style, request)),
        }
    }

    fn decide(&mut self, request: &Request, now: UnixTime, effects: &mut Effects) -> Result<Permit, Denial> {
        let applying = authenticate::applying(&self.providers, request)?;
        let mut authenticator = Authenticator {
            providers: &applying,
            seen: &mut self.seen,
            backend: &PureRust,
            max_token_bytes: self.max_token_bytes,
            now,
        };
        let identities = authenticator.identities(request)?;
        let permit = policy::admit(&applying, &identities)?;
        hand_over(&identities, request, effects);
        Ok(permit)
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
