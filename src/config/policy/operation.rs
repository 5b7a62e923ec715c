//! `operation`: what a request does.

use super::{
    pair::{Scalars, Texts, matcher, pairs, report_no_values},
    rule::RuleContext,
    value::path,
};
use crate::{config::at::At, policy::rule};

pairs! {
    /// What: every field must hold.
    pub struct Operation:

    /// Host and port as the client wrote them, compared without regard to case: exact, `abc*`, `*abc` or `*`. Default: any.
    pub hosts: Texts,
    /// The port that the connection was opened to: numbers or text. Default: any.
    pub ports: Scalars,
    /// Methods, in upper case: exact, `abc*`, `*abc` or `*`. Default: any.
    pub methods: Texts,
    /// Paths without query and fragment: exact, `abc*`, `*abc`, `*`, or a template of `{*}`, `{**}` and `{name}`.
    /// Default: any.
    pub paths: Texts,
}

impl Operation {
    #[inline(never)]
    pub(super) fn checked(self, at: &mut At<'_>, context: &RuleContext<'_>) -> rule::Operation {
        let pairs = self.pairs();
        report_no_values(at, &pairs);
        let mut operation = rule::Operation::default();
        for pair in pairs {
            if let ("paths", any, none) = pair {
                operation.paths = at.field("paths").each(any, |at, text| path(at, text, context, false));
                operation.not_paths = at.field("notPaths").each(none, |at, text| path(at, text, context, true));
            } else {
                operation.others.extend(matcher(at, pair, context));
            }
        }
        operation
    }
}
