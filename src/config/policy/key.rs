//! A key of `when`, in Istio's words.

use super::rule::RuleContext;
use crate::{
    config::{at::At, problem::shown},
    policy::attribute::{Attribute, NotAnAttribute},
};

/// The attribute of a key.
#[inline(never)]
pub(super) fn attribute(at: &mut At<'_>, key: &str, context: &RuleContext<'_>) -> Option<Attribute> {
    let attribute = Attribute::of_key(key, context.reader.text_only).map_err(|reason| report(at, key, reason)).ok()?;
    match &attribute {
        Attribute::Claim(claim) if claim.has_brackets() => {
            at.warn(format!("the brackets of {} do not pair, so they name one claim", shown(key)))
                .help("write `request.auth.claims[realm_access][roles]` for a claim in a claim");
        }
        Attribute::Header(name) if context.context.debug_header.as_ref() == Some(name) => {
            at.wrong(key, "is the header of `debug`, which is removed before policies decide")
                .help("use another header, or set another `debug.header`");
        }
        Attribute::Header(name) if !context.context.is_output(name) => {
            if let Some(output) = context.context.outputs.iter().find(|output| *output == name) {
                at.wrong(
                    key,
                    "is removed before policies decide, because servers take it for a header that a rule writes",
                )
                .help(format!("write `request.headers[{output}]`"));
            }
        }
        _ => (),
    }
    Some(match attribute {
        Attribute::Header(name) if context.context.is_output(&name) => Attribute::Output(name),
        attribute => attribute,
    })
}

#[cold]
fn report(at: &mut At<'_>, key: &str, reason: NotAnAttribute) {
    match reason {
        NotAnAttribute::Header => at.wrong(key, "does not name a header").help("write `request.headers[x-tenant]`"),
        NotAnAttribute::Claim => at
            .wrong(key, "does not name a claim")
            .help("write `request.auth.claims[groups]` or `request.auth.claims[realm_access][roles]`"),
        NotAnAttribute::Quoted => at
            .wrong(key, "names a claim with quotes in its name")
            .help(format!("write `{}`", key.replace(['"', '\''], ""))),
        NotAnAttribute::Unknown if key.starts_with("experimental.") => at
            .wrong(key, "is not a key")
            .help("claimgate does not read Envoy's metadata; use `request.auth.claims[…]` or `request.headers[…]`"),
        NotAnAttribute::Unknown => at.wrong(key, "is not a key").suggest(key, &Attribute::KEYS),
    }
}
