//! What a gate says of its decisions: to the log, to the access log, to whoever debugs. It reads the record and decides
//! nothing again.

use std::borrow::Cow;

use super::Gate;
use crate::{
    authenticate,
    connection::Connection,
    decision_log::{Record, line::Line, trace::trace},
    denial::Denial,
    policy::{Policies, explain::Candidate},
    reason::Reason,
    reply::{Details, help},
    request::{HeaderName, Request},
    time::UnixTime,
    upstream::missing_header::{MissingHeader, missing_headers},
};

impl Gate {
    /// A decision as the log has it.
    pub fn line<'a>(&self, record: &'a Record, request: &'a Request, now: UnixTime) -> Line<'a> {
        let (max_token_bytes, subjects) = (self.max_token_bytes, self.log_subjects);
        Line { record, request, max_token_bytes, subjects, now }
    }

    /// The header that brings traces, which no one else may send.
    pub fn debug_header(&self) -> Option<&HeaderName> {
        self.debug.as_ref().map(|debug| &debug.header)
    }

    /// The trace of a decision, if the request asks for it and may.
    pub fn trace(
        &self,
        record: &Record,
        request: &Request,
        connection: &dyn Connection,
        now: UnixTime,
    ) -> Option<String> {
        self.debug.as_ref().filter(|debug| debug.is_asked_by(request))?;
        let pairs = self.line(record, request, now).decision().into_line();
        let mut steps = vec![format!("{}: {pairs}", record.outcome())];
        steps.extend(self.explain(record, request, connection).iter().map(Candidate::to_string));
        if record.denial.is_none() {
            steps.extend(self.missing_headers(record).iter().map(MissingHeader::to_string));
        }
        Some(trace(&steps))
    }

    /// What the access log and later filters can read of a decision, by key.
    pub fn filter_state<'a>(&'a self, record: &'a Record) -> impl Iterator<Item = (&'static str, Cow<'a, str>)> {
        self.filter_state.values(record)
    }

    /// Why: what each rule lacked that might have decided. Empty if the policies were not asked.
    pub fn explain(&self, record: &Record, request: &Request, connection: &dyn Connection) -> Vec<Candidate> {
        if record.shadow.is_none() {
            return Vec::new();
        }
        self.ask_policies(record, request, connection, Policies::explain)
    }

    /// Why headers that the rules write are not on a request that passes.
    pub fn missing_headers(&self, record: &Record) -> Vec<MissingHeader> {
        missing_headers(&self.providers, &record.identities)
    }

    /// What would have been accepted, if clients are told.
    pub(super) fn help(
        &self,
        denial: &Denial,
        request: &Request,
        connection: &dyn Connection,
        record: &Record,
    ) -> Vec<String> {
        if self.errors.details != Details::Full {
            return Vec::new();
        }
        let applying = authenticate::applying(&self.providers, request).unwrap_or_default();
        let mut help = help::of_providers(denial.reason, &applying);
        match (&denial.rule, denial.reason) {
            (Some(rule), _) => help.push(format!("{rule} denies it")),
            (None, Reason::TokenMissing | Reason::PolicyNotAllowed) => {
                help.extend(help::of_policies(&self.explain(record, request, connection)));
            }
            _ => (),
        }
        help
    }
}
