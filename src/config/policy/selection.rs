//! `selector` and `targetRefs`: a filter is in one proxy, and so are its policies.

use serde_json::Value;

use super::AuthorizationPolicy;
use crate::config::at::At;

/// Warns of every selection, and rejects those that can't be of one workload.
#[cold]
pub(super) fn report(at: &mut At<'_>, policies: &[AuthorizationPolicy]) {
    for (index, policy) in policies.iter().enumerate() {
        for (field, written) in selected(policy) {
            let earlier = policies.iter().take(index).enumerate();
            let other = earlier.flat_map(|(index, policy)| selected(policy).map(move |selected| (index, selected)));
            let other = other.filter(|(_, (other, _))| *other == field).find(|(_, (_, other))| differ(written, other));
            let mut at = at.index(index);
            let mut at = at.field(field);
            match other {
                Some((other, _)) => at
                    .error(format!("it selects another workload than `authorizationPolicies[{other}].{field}`"))
                    .help("a filter is in one proxy: write the policies of that workload and no others"),
                None => _ = at.warn("it is not read: the policy is for the proxy this filter runs in"),
            }
        }
    }
}

/// `selector` and `targetRefs`, if they are written.
fn selected(policy: &AuthorizationPolicy) -> impl Iterator<Item = (&'static str, &Value)> {
    let fields = [("selector", &policy.selector), ("targetRefs", &policy.target_refs)];
    fields.into_iter().filter_map(|(field, written)| Some((field, written.as_ref()?)))
}

/// Whether one workload can't be what both choose: a label with two values, or targets of which none is the same.
fn differ(one: &Value, other: &Value) -> bool {
    let labels = [one, other].map(|written| written.get("matchLabels").and_then(Value::as_object));
    if let [Some(ours), Some(theirs)] = labels {
        return ours.iter().any(|(label, value)| theirs.get(label).is_some_and(|other| other != value));
    }
    match (one.as_array(), other.as_array()) {
        (Some(ours), Some(theirs)) => !ours.iter().any(|target| theirs.contains(target)),
        _ => false,
    }
}
