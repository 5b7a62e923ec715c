//! `operation`: what a request does.

use super::{
    pair::{matcher, pairs, report_no_values},
    rule::RuleContext,
    scalar::Scalar,
    value::path,
};
use crate::{config::at::At, policy::rule};

pairs! {
    /// What: every field must hold.
    pub struct Operation:

    /// Host and port as the client wrote them, compared without regard to case: exact, `abc*`, `*abc` or `*`. Default: any.
    pub hosts: String,
    /// The port that the connection was opened to: numbers or text. Default: any.
    pub ports: Scalar,
    /// Methods, in upper case: exact, `abc*`, `*abc` or `*`. Default: any.
    pub methods: String,
    /// Paths without query and fragment: exact, `abc*`, `*abc`, `*`, or a template of `{*}`, `{**}` and `{name}`.
    /// Default: any.
    pub paths: String,
}

impl Operation {
    #[inline(never)]
    pub(super) fn checked(self, at: &mut At<'_>, context: &RuleContext<'_>) -> rule::Operation {
        let pairs = self.pairs();
        report_no_values(at, &pairs);
        let mut operation = rule::Operation::default();
        for (field, pair) in pairs {
            if field == "paths" {
                let mut paths =
                    |field, list| at.field(field).each(list, |at, text| path(at, text, context, field == "notPaths"));
                operation.paths = paths("paths", pair.any);
                operation.not_paths = paths("notPaths", pair.none);
            } else {
                operation.others.extend(matcher(at, field, pair, context));
            }
        }
        operation
    }
}
