//! `selector` and `targetRefs`: a filter is in one proxy, and so are its policies.

use serde_json::Value as Json;

use super::{At, AuthorizationPolicy, selected, shown};

/// Warns of every selection, and refuses those that can't be of one workload.
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
    let labels = [one, other].map(|written| written.get("matchLabels").and_then(Json::as_object));
    if let [Some(ours), Some(theirs)] = labels {
        return ours.iter().any(|(label, value)| theirs.get(label).is_some_and(|other| other != value));
    }
    match (one.as_array(), other.as_array()) {
        (Some(ours), Some(theirs)) => !ours.iter().any(|target| theirs.contains(target)),
        _ => false,
    }
}
