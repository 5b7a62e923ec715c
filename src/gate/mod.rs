//! The whole: a request in, a decision out. No clock, no network, no host.

mod explain;
mod keys;

use std::{rc::Rc, time::Duration};

use crate::{
    authenticate::{
        self, Authenticator, Identity, Requirement,
        provider::Provider,
        token_cache::{CacheStats, TokenCache},
    },
    config::Config,
    connection::Connection,
    crypto::{PureRust, Verify},
    decision_log::{Record, filter_state::FilterState, line::Subjects, trace::Debug},
    denial::Denial,
    matching::path,
    oauth::{jwks_cache::JwksCache, remote_jwks::RemoteJwks},
    outbound::wait_queue::{NoWait, StreamId, WaitQueue},
    policy::{
        Permit, Policies,
        facts::{Facts, Known, Token},
    },
    reason::Reason,
    reply::{Errors, Reply, Style},
    request::Request,
    stop::Stop,
    time::UnixTime,
    upstream::{Upstream, reserved::ReservedHeaders},
};

/// What is decided of a request.
#[derive(Debug)]
pub struct Decision {
    /// What to do.
    pub step: Step,
    /// What was found on the way, and what is done to the request if it goes on.
    pub record: Record,
}

/// What the proxy does next with a request.
#[derive(Debug, Eq, PartialEq)]
pub enum Step {
    /// Lets the request go upstream.
    Forward(Permit),
    /// Answers itself.
    Reply(Reply),
    /// Holds the request until it is asked to have it decided again.
    Wait,
}

/// A configuration at work.
#[derive(Debug)]
pub struct Gate {
    providers: Vec<Rc<Provider>>,
    remote_jwks: Vec<RemoteJwks>,
    token_cache: TokenCache,
    backend: Box<dyn Verify>,
    policies: Policies,
    upstream: Upstream,
    waiting: WaitQueue,
    errors: Errors,
    bypass_cors_preflight: bool,
    max_token_bytes: usize,
    log_subjects: Subjects,
    filter_state: FilterState,
    debug: Option<Debug>,
}

impl Gate {
    /// A gate that has seen nothing yet.
    pub fn new(config: Config) -> Self {
        Self::sharing(config, &mut JwksCache::default(), Box::new(PureRust))
    }

    /// A gate that goes on with what others of the same VM have fetched, and verifies signatures with this backend.
    pub fn sharing(config: Config, cache: &mut JwksCache, backend: Box<dyn Verify>) -> Self {
        let outputs = config.providers.iter().flat_map(Provider::outputs);
        let routing = config.providers.iter().filter(|provider| provider.clear_route_cache);
        let reserved = ReservedHeaders::new(outputs.chain(config.debug.as_ref().map(|debug| &debug.header)));
        Self {
            upstream: Upstream::new(reserved, ReservedHeaders::new(routing.flat_map(Provider::outputs))),
            providers: config.providers.into_iter().map(Rc::new).collect(),
            remote_jwks: config.sources.into_iter().map(|source| RemoteJwks::new(source, cache)).collect(),
            token_cache: TokenCache::default(),
            backend,
            policies: config.policies,
            waiting: WaitQueue::new(config.max_waiting_requests),
            errors: config.errors,
            bypass_cors_preflight: config.bypass_cors_preflight,
            max_token_bytes: config.max_token_bytes,
            log_subjects: config.log_subjects,
            filter_state: config.filter_state,
            debug: config.debug,
        }
    }

    /// Decides a request, or has it wait.
    pub fn admit(
        &mut self,
        stream: StreamId,
        request: &Request,
        connection: &dyn Connection,
        now: UnixTime,
    ) -> Decision {
        let mut record = Record::default();
        let denial = match self.decide(request, connection, now, &mut record) {
            Ok(permit) => {
                self.waiting.leave(stream);
                record.allowed_by = permit.rule().cloned();
                return Decision { step: Step::Forward(permit), record };
            }
            Err(stop) => match self.wait(stream, stop, now) {
                Ok(()) => return Decision { step: Step::Wait, record },
                Err(denial) => denial,
            },
        };
        self.deny(denial, request, connection, record)
    }

    /// Decides a request with the keys there are.
    pub fn admit_without_waiting(&mut self, request: &Request, connection: &dyn Connection, now: UnixTime) -> Decision {
        let mut record = Record::default();
        match self.decide(request, connection, now, &mut record) {
            Ok(permit) => {
                record.allowed_by = permit.rule().cloned();
                Decision { step: Step::Forward(permit), record }
            }
            Err(stop) => self.deny(stop.into_denial(), request, connection, record),
        }
    }

    /// Forgets a request that is gone.
    pub fn leave(&mut self, stream: StreamId) {
        self.waiting.leave(stream);
    }

    /// The requests that have waited long enough, to be decided again.
    pub fn expired(&self, now: UnixTime) -> Vec<StreamId> {
        self.waiting.expired(now)
    }

    /// How many requests wait.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// The forged headers among a request's trailers, which some servers merge into its headers (RFC 9110 section 6.5).
    pub fn forged_trailers<'a>(&self, trailers: &'a Request) -> Vec<&'a str> {
        self.upstream.reserved().forged(trailers)
    }

    /// The token rules.
    pub fn providers(&self) -> impl Iterator<Item = &Provider> {
        self.providers.iter().map(Rc::as_ref)
    }

    /// How tokens were proven since the last call.
    pub fn take_cache_stats(&mut self) -> CacheStats {
        std::mem::take(&mut self.token_cache.stats)
    }

    /// The whole decision, from what the client sent to what goes upstream.
    fn decide(
        &mut self,
        request: &Request,
        connection: &dyn Connection,
        now: UnixTime,
        record: &mut Record,
    ) -> Result<Permit, Stop> {
        record.mutation = self.upstream.remove_forged(request);
        self.authenticate(request, now, record)?;
        record.mutation.write_claims(&record.identities);
        let (shadow, decided) = self.ask_policies(record, request, connection, |policies, facts| {
            (policies.shadow(facts), policies.decide(facts))
        });
        record.shadow = Some(shadow);
        Ok(decided?)
    }

    /// Asks the policies about a request as it goes upstream.
    fn ask_policies<R>(
        &self,
        record: &Record,
        request: &Request,
        connection: &dyn Connection,
        ask: impl FnOnce(&Policies, &Facts<'_>) -> R,
    ) -> R {
        let outgoing = request.with(&record.mutation.edits);
        let readings = path::readings(outgoing.target());
        let known = Known::new(outgoing, &readings, connection);
        ask(&self.policies, &Facts::new(&known).with(self.token(request, &record.identities)))
    }

    /// Finds out who sends the request, and takes the tokens out of it.
    fn authenticate(&mut self, request: &Request, now: UnixTime, record: &mut Record) -> Result<(), Stop> {
        let applying = authenticate::applying(&self.providers, request)?;
        if !self.is_exempt(request) {
            let mut authenticator = Authenticator {
                providers: &applying,
                requirement: match self.errors.style {
                    Style::Rfc6750 => Requirement::All,
                    Style::Istio => Requirement::Any,
                },
                token_cache: &mut self.token_cache,
                remote_jwks: &mut self.remote_jwks,
                backend: self.backend.as_ref(),
                max_token_bytes: self.max_token_bytes,
                now,
            };
            record.identities = authenticator.identities(request)?;
            authenticate::presence(&applying, &record.identities)?;
        }
        let unjudged = authenticate::unjudged(&applying, &record.identities, request);
        record.mutation.remove_tokens(&record.identities, &unjudged, request);
        Ok(())
    }

    /// What policies may know of who sends a request.
    fn token<'a>(&self, request: &Request, identities: &'a [Identity]) -> Token<'a> {
        match identities.first() {
            _ if self.is_exempt(request) => Token::Preflight,
            Some(Identity { claims, provider, .. }) => {
                Token::Proven { claims, space_delimited: &provider.space_delimited_claims }
            }
            None => Token::Anonymous,
        }
    }

    /// Whether the request is a preflight, which needs no token.
    fn is_exempt(&self, request: &Request) -> bool {
        self.bypass_cors_preflight && request.is_cors_preflight()
    }

    /// Has a request wait.
    ///
    /// # Errors
    /// It has nothing to wait for, has waited long enough, or finds no room.
    fn wait(&mut self, stream: StreamId, stop: Stop, now: UnixTime) -> Result<(), Denial> {
        let Stop::Wait(source, otherwise) = stop else {
            self.waiting.leave(stream);
            return Err(stop.into_denial());
        };
        let timeout = self.remote(source).map(|remote| remote.source().policy.timeout).unwrap_or_default();
        self.waiting.wait(stream, source, timeout, now).map_err(|no_wait| match no_wait {
            NoWait::Expired => *otherwise,
            NoWait::Full => {
                let retry_after = Some(Duration::from_secs(1));
                Denial { reason: Reason::TooManyWaiting, retry_after, ..*otherwise }
            }
        })
    }

    fn deny(&self, denial: Denial, request: &Request, connection: &dyn Connection, mut record: Record) -> Decision {
        let help = self.help(&denial, request, connection, &record);
        let reply = Reply::denial(&denial, &help, &self.errors, request);
        record.denial = Some(denial);
        Decision { step: Step::Reply(reply), record }
    }
}
