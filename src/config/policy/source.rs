//! `source`: who sends a request.

use super::{
    pair::{Texts, matcher, pairs, report_no_values},
    rule::RuleContext,
};
use crate::{config::at::At, policy::matcher::Matcher};

pairs! {
    /// Who: every field must hold.
    pub struct Source:

    /// The peer's SPIFFE ID without `spiffe://`: exact, `abc*`, `*abc` or `*`. Default: any.
    pub principals: Texts,
    /// `<iss>/<sub>` of the token, split at the last slash: exact, `<iss>/abc*`, `<iss>/*`, `*/<sub>`, `*`; without a
    /// slash `abc*` is about `iss` and `*abc` about `sub`. Default: any.
    pub request_principals: Texts,
    /// The namespace in the peer's SPIFFE ID. A `*` stands for any text, anywhere. Default: any.
    pub namespaces: Texts,
    /// `<namespace>/<name>` in the peer's SPIFFE ID, or `<name>` in the policy's `namespace`. No `*`; not together with
    /// `principals` or `namespaces`. Default: any.
    pub service_accounts: Texts,
    /// The trust domain of the peer's SPIFFE ID. A `*` stands for any text, anywhere. Default: any.
    pub trust_domains: Texts,
    /// The address that opened the connection: addresses and blocks, `10.1.2.3` or `10.1.0.0/16`. Envoy does not always tell it:
    /// see authorization.md. Default: any.
    pub ip_blocks: Texts,
    /// The address of the client, from `X-Forwarded-For` or the PROXY protocol, as Envoy is set to believe them. Default: any.
    pub remote_ip_blocks: Texts,
}

impl Source {
    #[inline(never)]
    pub(super) fn checked(self, at: &mut At<'_>, context: &RuleContext<'_>) -> Vec<Matcher> {
        if self.service_accounts.has_values() && (self.principals.has_values() || self.namespaces.has_values()) {
            at.field("serviceAccounts")
                .error("it can't be combined with `principals` or `namespaces`, or their `not…`")
                .help("write a source for each of them");
        }
        let pairs = self.pairs();
        report_no_values(at, &pairs);
        pairs.into_iter().filter_map(|pair| matcher(at, pair, context)).collect()
    }
}
