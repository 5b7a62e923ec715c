//! `jwks`: the keys a rule brings along.

use serde_json::Value;

use super::{At, Problem};
use crate::{
    keys::{KeySet, UnusableKeySet, is_private},
    signature::Algorithm,
};

const SHAPE: &str = r#"write the key set itself, `{"keys": [...]}`"#;

/// The keys of a rule; what can't be used of them is a warning, a set without a usable key is a problem.
pub(super) fn key_set(
    at: &mut At<'_>,
    jwks: Option<Value>,
    jwks_uri: Option<&str>,
    algorithms: &[Algorithm],
) -> Option<KeySet> {
    if jwks_uri.is_some() {
        let mut at = at.field("jwksUri");
        let problem = at.problem("keys can't be fetched yet");
        at.report(problem.help("put the key set itself into `jwks`"));
    }
    let text = match jwks {
        Some(Value::String(text)) => text,
        Some(set @ Value::Object(_)) => set.to_string(),
        Some(_) => {
            let mut at = at.field("jwks");
            at.report(at.problem("it is neither a string nor an object").help(SHAPE));
            return None;
        }
        None if jwks_uri.is_some() => return None,
        None => {
            let mut at = at.field("jwks");
            at.report(at.problem("it is missing, and without keys no token could pass").help(SHAPE));
            return None;
        }
    };
    let mut at = at.field("jwks");
    let (keys, skipped) = KeySet::parse(text.as_bytes(), algorithms);
    for skip in skipped {
        let named = skip.kid.map(|kid| format!(" `{kid}`")).unwrap_or_default();
        let mut at = at.field("keys");
        let mut at = at.index(skip.index);
        let problem = at.problem(format!("the key{named} is skipped: {}", skip.reason)).warning();
        at.report(problem);
    }
    warn_of_private_keys(&mut at, &text);
    keys.map_err(|reason| at.report(unusable(&at, &reason))).ok()
}

fn unusable(at: &At<'_>, reason: &UnusableKeySet) -> Problem {
    match reason {
        UnusableKeySet::NotJson => at.problem("it is not JSON").help(SHAPE),
        UnusableKeySet::NoKeys => at.problem("it has no list `keys`").help(SHAPE),
        UnusableKeySet::NoUsableKey => at.problem("it has no key that can be used"),
    }
}

fn warn_of_private_keys(at: &mut At<'_>, text: &str) {
    let set: Value = serde_json::from_slice(text.as_bytes()).unwrap_or_default();
    let keys = set.get("keys").and_then(Value::as_array);
    for (index, _) in keys.into_iter().flatten().enumerate().filter(|(_, key)| is_private(key)) {
        let mut at = at.field("keys");
        let mut at = at.index(index);
        let problem = at.problem("it holds a private key, which anyone who reads this configuration now has");
        at.report(problem.help("remove `d` and the rest of the private half, and replace the key").warning());
    }
}
