//! One policy: Istio's `AuthorizationPolicy.spec`, with the names of its metadata.

use serde_json::Value;

use super::{
    Context,
    rule::{Rule, RuleContext},
};
#[cfg(not(target_arch = "wasm32"))]
use crate::config::schema::Described;
use crate::{
    config::{
        at::At,
        shape::{Shape, Written, object, words},
    },
    policy::{Action, Policy, value::Reader},
};

object! {
    /// A policy (`AuthorizationPolicy.spec`, with its metadata's names).
    pub struct AuthorizationPolicy:

    /// What denials and the log call it. Default: empty.
    pub name: Option<String>,
    /// For the same, and the namespace of `serviceAccounts` that name none. Default: empty.
    pub namespace: Option<String>,
    /// What happens to a request that matches. `AUDIT` only logs it. `CUSTOM` is an error. Default: `ALLOW`.
    pub action: Written<Action>,
    /// Whether the policy is decided and logged, and not enforced, as with Istio's annotation `istio.io/dry-run`. It changes
    /// nothing for `AUDIT`.
    pub dry_run: bool = false,
    /// The policy matches if one of them does. Without any it never matches.
    pub rules: Vec<Rule>,
    /// Not read, with a warning: the policies are for the proxy that the filter runs in.
    pub selector: Option<Value>,
    /// The same.
    pub target_refs: Option<Value>,
    /// An error: it is for `CUSTOM`.
    pub provider: Written<CustomProvider>,
}

words!(
    Action: [("ALLOW", Action::Allow), ("DENY", Action::Deny), ("AUDIT", Action::Audit)],
    but "CUSTOM": "`CUSTOM` asks another service, which claimgate does not",
    "keep it in Istio, or write in `ALLOW` and `DENY` what the service decides"
);

/// The service that a `CUSTOM` policy asks.
#[derive(Debug)]
pub(in crate::config) struct CustomProvider;

impl Shape for CustomProvider {
    fn read(_: Value, _: &mut At<'_>) -> Option<Self> {
        Some(Self)
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn described() -> Described {
        Described::nothing()
    }
}

impl AuthorizationPolicy {
    #[inline(never)]
    pub(super) fn checked(self, at: &mut At<'_>, context: &Context) -> Policy {
        let is_other_action = self.action.is_written && self.action.value.is_none();
        if self.provider.is_written && !is_other_action {
            at.field("provider").error("it is for `CUSTOM` policies, which claimgate does not have");
        }
        self.report_no_rules(at);
        let action = self.action.value.unwrap_or(Action::Allow);
        let namespace = self.namespace.unwrap_or_default();
        let id = format!("ns[{namespace}]-policy[{}]", self.name.unwrap_or_default());
        let reader = Reader {
            namespace: &namespace,
            issuers: &context.issuers,
            trust_domains: context.trust_domains.as_ref(),
            text_only: context.settings.text_only,
        };
        let mut at = at.field("rules");
        let rules = self.rules.into_iter().enumerate().map(|(index, rule)| {
            let context = RuleContext { context, reader, action, needs_token: rule.needs_token() };
            rule.checked(&mut at.index(index), &id, index, &context)
        });
        Policy { action, is_dry_run: self.dry_run, rules: rules.collect() }
    }

    fn report_no_rules(&self, at: &mut At<'_>) {
        let Some(action @ (Action::Deny | Action::Audit)) = self.action.value.filter(|_| self.rules.is_empty()) else {
            return;
        };
        let mut at = at.field("rules");
        let sentence = format!("`{action}` without rules never matches");
        let problem = if action == Action::Audit { at.warn(sentence) } else { at.error(sentence) };
        problem.help("write `[{}]` for every request, or remove the policy");
    }
}
