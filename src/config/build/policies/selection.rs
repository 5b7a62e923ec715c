//! `selector` and `targetRefs`: a filter is in one proxy, and so are its policies.

use serde_json::{Map, Value as Json};

use super::{At, AuthorizationPolicy, selected, shown};

/// Warns of every selection, and refuses those that can't be of one workload.
pub(super) fn report(at: &mut At<'_>, policies: &[AuthorizationPolicy]) {
    for (index, policy) in policies.iter().enumerate() {
        for (field, written) in selected(policy) {
            let earlier = policies.iter().take(index).enumerate();
            let other = earlier.flat_map(|(index, policy)| selected(policy).map(move |selected| (index, selected)));
            let other = other.filter(|(_, (other, _))| *other == field).find(|(_, (_, other))| differ(written, other));
            let mut at = at.index(index);
            let mut at = at.field(field);
            match other {
                Some((other, _)) => {
                    let other = shown(&format!("authorizationPolicies[{other}].{field}"));
                    let problem = at.problem(format!("it is another workload than {other}"));
                    at.report(
                        problem.help("a filter is in one proxy: write the policies of that workload and no others"),
                    );
                }
                None => {
                    let problem = at.problem("it is not read: the policy is for the proxy this filter runs in");
                    at.report(problem.warning());
                }
            }
        }
    }
}

/// Whether one workload can't be what both choose: a label with two values, or targets of which none is the same.
fn differ(one: &Json, other: &Json) -> bool {
    let labels = |written: &Json| -> Map<String, Json> {
        written.get("matchLabels").and_then(Json::as_object).cloned().unwrap_or_default()
    };
    let (ours, theirs) = (labels(one), labels(other));
    let is_other = |(label, value): (&String, &Json)| theirs.get(label).is_some_and(|other| other != value);
    let targets = |written: &Json| written.as_array().cloned().unwrap_or_default();
    let (our_targets, their_targets) = (targets(one), targets(other));
    let shares = our_targets.iter().any(|target| their_targets.contains(target));
    ours.iter().any(is_other) || !our_targets.is_empty() && !their_targets.is_empty() && !shares
}
