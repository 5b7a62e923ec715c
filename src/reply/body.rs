//! The body of a denial: one line of text, or a problem (RFC 9457).

use serde_json::{Map, Value};

use super::{Details, accept};
use crate::{denial::Denial, request::Request};

/// What is said, before it is known in which form.
pub(super) enum Body<'r> {
    /// These words, in no other form.
    Words(&'static str),
    /// What the status says.
    Status(u16),
    /// Why, and what would have been accepted.
    Why(&'r Denial, &'r [String]),
}

impl<'r> Body<'r> {
    pub(super) fn of(denial: &'r Denial, help: &'r [String], details: Details) -> Self {
        match details {
            Details::None => Self::Status(denial.reason.status()),
            Details::Reason => Self::Why(denial, &[]),
            Details::Full => Self::Why(denial, help),
        }
    }

    /// Type and text of the form that the client prefers.
    pub(super) fn negotiated(&self, status: u16, request: &Request) -> (Option<&'static str>, String) {
        match self {
            Self::Words(words) => (Some("text/plain"), (*words).to_owned()),
            _ if accept::prefers_json(request) => (Some("application/problem+json"), self.problem(status)),
            _ => (Some("text/plain"), self.line() + "\n"),
        }
    }

    /// All of it in one line.
    pub(super) fn line(&self) -> String {
        match self {
            Self::Words(words) => (*words).to_owned(),
            Self::Status(status) => phrase(*status).to_owned(),
            Self::Why(denial, help) => {
                let reason = denial.reason;
                let help = if help.is_empty() { String::new() } else { format!("; help: {}", help.join("; ")) };
                format!("{}: {reason}{help}", reason.code())
            }
        }
    }

    fn problem(&self, status: u16) -> String {
        // RFC 9457 section 4.2.1: the type that says no more than the status, whose phrase is its title.
        let mut members: Vec<(&str, Value)> =
            vec![("type", "about:blank".into()), ("title", phrase(status).into()), ("status", status.into())];
        if let Self::Why(denial, help) = self {
            members.push(("reason", denial.reason.code().into()));
            members.push(("detail", denial.reason.to_string().into()));
            if !help.is_empty() {
                members.push(("help", (*help).into()));
            }
        }
        let mut problem = Map::new();
        for (name, value) in members {
            problem.insert(name.to_owned(), value);
        }
        Value::Object(problem).to_string()
    }
}

/// The phrase of a status in RFC 9110 section 15.
fn phrase(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        503 => "Service Unavailable",
        _ => "Error",
    }
}
