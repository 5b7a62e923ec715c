//! What a gate tells of its decisions: to the log, to the access log, to whoever debugs, and why.

use std::{borrow::Cow, rc::Rc};

use super::Gate;
use crate::{
    authenticate::{self, Identity},
    connection::Connection,
    decision_log::{
        Record,
        line::Line,
        missing_header::{MissingHeader, missing_headers},
        trace::trace,
    },
    denial::Denial,
    matching::path,
    policy::{Policies, explain::Candidate, facts::Facts},
    reason::Reason,
    reply::{Details, help},
    request::Request,
    time::UnixTime,
};

impl Gate {
    /// A decision as the log is told of it.
    pub fn line<'a>(&'a self, record: &'a Record, request: &'a Request, now: UnixTime) -> Line<'a> {
        Line {
            record,
            provider: self.provider(record),
            request,
            max_token_bytes: self.max_token_bytes,
            subjects: self.log_subjects,
            now,
        }
    }

    /// The header that brings traces, which nobody else may send.
    pub fn debug_header(&self) -> Option<&str> {
        self.debug.as_ref().map(|debug| debug.header.as_str())
    }

    /// The trace of a decision, if the request asks for it and may.
    pub fn trace(
        &mut self,
        record: &Record,
        request: &Request,
        connection: &dyn Connection,
        now: UnixTime,
    ) -> Option<String> {
        self.debug.as_ref().filter(|debug| debug.is_asked_by(request))?;
        let outcome = if record.reason.is_some() { "denied" } else { "allowed" };
        let pairs = self.line(record, request, now).decision().into_line();
        let mut steps = vec![format!("{outcome}: {pairs}")];
        steps.extend(self.explain(request, connection, now).iter().map(Candidate::to_string));
        if record.reason.is_none() {
            steps.extend(self.missing_headers(request, connection, now).iter().map(MissingHeader::to_string));
        }
        Some(trace(&steps))
    }

    /// What the access log and later filters can read of a decision, by key.
    pub fn filter_state<'a>(&'a self, record: &'a Record) -> impl Iterator<Item = (&'static str, Cow<'a, str>)> {
        self.filter_state.values(record, self.provider(record))
    }

    /// What the token rule of a decision is called.
    fn provider(&self, record: &Record) -> Option<&str> {
        let provider = self.providers.get(record.provider?.0)?;
        Some(&provider.name)
    }

    /// Why: what each rule lacked that might have decided. Empty if a request does not get as far as the policies.
    pub fn explain(&mut self, request: &Request, connection: &dyn Connection, now: UnixTime) -> Vec<Candidate> {
        let explain = |policies: &Policies, facts: &Facts<'_>, _: &[Identity<'_>]| policies.explain(facts);
        self.authenticated(request, connection, now, explain).unwrap_or_default()
    }

    /// Why headers that the rules write are not on a request that passes.
    pub fn missing_headers(
        &mut self,
        request: &Request,
        connection: &dyn Connection,
        now: UnixTime,
    ) -> Vec<MissingHeader> {
        let providers = Rc::clone(&self.providers);
        let omitted =
            |_: &Policies, _: &Facts<'_>, identities: &[Identity<'_>]| missing_headers(&providers, identities);
        self.authenticated(request, connection, now, omitted).unwrap_or_default()
    }

    /// What would have been accepted, if clients are told.
    pub(super) fn help(
        &mut self,
        denial: &Denial,
        request: &Request,
        connection: &dyn Connection,
        now: UnixTime,
    ) -> Vec<String> {
        if self.errors.details != Details::Full {
            return Vec::new();
        }
        let readings = path::readings(request.target());
        let applying = authenticate::applying(&self.providers, request, &readings).unwrap_or_default();
        let mut help = help::of_providers(denial.reason, &applying);
        match (&denial.rule, denial.reason) {
            (Some(rule), _) => help.push(format!("{rule} denies it")),
            (None, Reason::TokenMissing | Reason::PolicyNotAllowed) => {
                help.extend(help::of_policies(&self.explain(request, connection, now)));
            }
            _ => (),
        }
        help
    }
}
