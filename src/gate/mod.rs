//! The whole: a request in, a step out. No clock, no network, no host.

mod keys;
mod explain;

use std::{rc::Rc, time::Duration};

use crate::{
    authenticate::{
        self, Authenticator, Cause, Identity,
        provider::Provider,
        token_cache::{CacheStats, TokenCache},
    },
    config::Config,
    connection::Connection,
    crypto::PureRust,
    decision_log::{Credential, Record, filter_state::FilterState, line::Subjects, trace::Debug},
    denial::Denial,
    keys::{keyring::Keyring, source::SourceIndex},
    matching::path,
    policy::{
        Permit, Policies, Shadow,
        facts::{Facts, Known, Token},
    },
    reason::Reason,
    reply::{Errors, Reply},
    request::{HeaderEdit, Request},
    time::UnixTime,
    upstream::{Effects, reserved::ReservedHeaders},
};

/// What is decided of a request, and what the policies have to say of it beside.
#[derive(Debug, Eq, PartialEq)]
pub struct Decision {
    /// What to do.
    pub step: Step,
    /// What to say.
    pub shadow: Shadow,
    /// What to tell of it.
    pub record: Record,
}

/// What the proxy does next with a request.
#[derive(Debug, Eq, PartialEq)]
pub enum Step {
    /// Performs the effects and lets the request go upstream.
    Continue(Permit, Effects),
    /// Answers itself.
    Reply(Reason, Reply),
    /// Holds the request until a fetch of this source has ended, but not for longer than this, and then asks again.
    Wait(SourceIndex, Duration),
}

/// A configuration at work.
#[derive(Debug)]
pub struct Gate {
    providers: Rc<[Provider]>,
    keyrings: Vec<Keyring>,
    policies: Policies,
    reserved: ReservedHeaders,
    /// Those among them that the route hangs on.
    routing: ReservedHeaders,
    errors: Errors,
    bypass_cors_preflight: bool,
    max_token_bytes: usize,
    max_waiting_requests: usize,
    log_subjects: Subjects,
    filter_state: FilterState,
    debug: Option<Debug>,
    seen: TokenCache,
}

impl Gate {
    /// A gate that has seen nothing yet.
    pub fn new(config: Config) -> Self {
        let outputs = config.providers.iter().flat_map(Provider::outputs);
        let routing = config.providers.iter().filter(|provider| provider.clear_route_cache);
        Self {
            reserved: ReservedHeaders::new(outputs.chain(config.debug.as_ref().map(|debug| debug.header.as_str()))),
            routing: ReservedHeaders::new(routing.flat_map(Provider::outputs)),
            providers: config.providers.into(),
            keyrings: config.sources.into_iter().map(Keyring::new).collect(),
            policies: config.policies,
            errors: config.errors,
            bypass_cors_preflight: config.bypass_cors_preflight,
            max_token_bytes: config.max_token_bytes,
            max_waiting_requests: config.max_waiting_requests,
            log_subjects: config.log_subjects,
            filter_state: config.filter_state,
            debug: config.debug,
            seen: TokenCache::default(),
        }
    }

    /// The forged headers among a request's trailers, which some servers merge into its headers (RFC 9110 section 6.5).
    pub fn forged_trailers(&self, trailers: &Request) -> Vec<String> {
        self.reserved.forged(trailers)
    }

    /// Decides a request, or has it wait for keys.
    pub fn admit(&mut self, request: &Request, connection: &dyn Connection, now: UnixTime) -> Decision {
        self.decide(request, connection, now, true)
    }

    /// Decides a request that has waited long enough.
    pub fn admit_without_waiting(&mut self, request: &Request, connection: &dyn Connection, now: UnixTime) -> Decision {
        self.decide(request, connection, now, false)
    }

    /// How many requests may wait at a time.
    pub fn max_waiting_requests(&self) -> usize {
        self.max_waiting_requests
    }

    /// The token rules.
    pub fn providers(&self) -> &[Provider] {
        &self.providers
    }

    /// How tokens were proven since the last call.
    pub fn take_cache_stats(&mut self) -> CacheStats {
        std::mem::take(&mut self.seen.stats)
    }

    /// The answer to a request that is refused undecided.
    pub fn refuse(&self, reason: Reason, request: &Request) -> Reply {
        let denial = Denial { retry_after: Some(Duration::from_secs(1)), ..Denial::of(reason) };
        Reply::denial(&denial, &[], &self.errors, request)
    }

    fn decide(&mut self, request: &Request, connection: &dyn Connection, now: UnixTime, may_wait: bool) -> Decision {
        // For every outcome: what claimgate may write, nobody else has written.
        let forged = self.reserved.forged(request);
        let clear_route_cache = forged.iter().any(|name| self.routing.holds(name));
        let edits = forged.into_iter().map(HeaderEdit::Remove).collect();
        let mut effects = Effects { edits, clear_route_cache, ..Effects::default() };
        let mut shadow = Shadow::default();
        let mut record = Record::default();
        let decided = self.authenticated(request, connection, now, |policies, facts, identities| {
            shadow = policies.shadow(facts);
            record = Record::of(identities.first());
            let permit = policies.decide(facts)?;
            record.rule = permit.rule().cloned();
            effects.hand_over(identities, request);
            Ok(permit)
        });
        let decided = match decided {
            Ok(decided) => decided,
            Err(halt) => {
                record = *halt.record;
                match halt.cause {
                    Halting::Wait(source) if may_wait => {
                        let patience = self.keyring(source).map(|keyring| keyring.source().terms.timeout);
                        return Decision { step: Step::Wait(source, patience.unwrap_or_default()), shadow, record };
                    }
                    Halting::Wait(source) => Err(self.unavailable(source, now)),
                    Halting::Refused(denial) => Err(denial),
                }
            }
        };
        let step = match decided {
            Ok(permit) => Step::Continue(permit, effects),
            Err(denial) => {
                let help = self.help(&denial, request, connection, now);
                let reply = Reply::denial(&denial, &help, &self.errors, request);
                record.reason = Some(denial.reason);
                record.rule = denial.rule;
                Step::Reply(denial.reason, reply)
            }
        };
        Decision { step, shadow, record }
    }

    fn unavailable(&self, source: SourceIndex, now: UnixTime) -> Denial {
        let next_in = self.keyring(source).map(|keyring| keyring.next_in(now));
        Denial { retry_after: next_in, ..Denial::of(Reason::KeysUnavailable) }
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
    ) -> Result<T, Halt> {
        let readings = path::readings(request.target());
        let known = Known::new(request, &readings, connection);
        let mut facts = Facts::new(&known);
        if self.is_exempt(request) {
            facts = facts.with(Token::Preflight);
            return Ok(ask(&self.policies, &facts, &[]));
        }
        let applying = authenticate::applying(&self.providers, request, &readings)?;
        let mut authenticator = Authenticator {
            providers: &applying,
            seen: &mut self.seen,
            keyrings: &mut self.keyrings,
            backend: &PureRust,
            max_token_bytes: self.max_token_bytes,
            now,
        };
        let identities = match authenticator.identities(request) {
            Ok(identities) => identities,
            Err(setback) => {
                let cause = match setback.cause {
                    Cause::Denied(reason) => Halting::Refused(reason.into()),
                    Cause::Wait(source) => Halting::Wait(source),
                    Cause::Unavailable(source) => Halting::Refused(self.unavailable(source, now)),
                };
                let credential = Credential::Claimed(setback.place);
                let record = Record { provider: setback.rule, credential, ..Record::default() };
                return Err(Halt { cause, record: record.into() });
            }
        };
        authenticate::presence(&applying, &identities).map_err(|rule| Halt {
            cause: Halting::Refused(Reason::TokenMissing.into()),
            record: Record { provider: Some(rule), ..Record::of(identities.first()) }.into(),
        })?;
        if let Some(identity) = identities.first() {
            let space_delimited = &identity.provider.space_delimited_claims;
            facts = facts.with(Token::Proven { claims: &identity.claims, space_delimited });
        }
        Ok(ask(&self.policies, &facts, &identities))
    }
}

/// Why nothing is asked about a request, and what is to be told of it.
struct Halt {
    cause: Halting,
    record: Box<Record>,
}

enum Halting {
    Refused(Denial),
    Wait(SourceIndex),
}

impl From<Reason> for Halt {
    fn from(reason: Reason) -> Self {
        Self { cause: Halting::Refused(reason.into()), record: Box::default() }
    }
}
