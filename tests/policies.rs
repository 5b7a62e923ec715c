//! Properties of every set of policies, on random ones: more DENY rules never allow more, more ALLOW rules never allow less,
//! and the order does not matter.
#![cfg(test)]

use claimgate::{
    config::Config,
    gate::{Gate, Step},
    outbound::wait_queue::StreamId,
    policy::Action,
    request::Request,
    time::UnixTime,
};
use claimgate_testing::{
    case::{Peer, RequestParts},
    core::{NOW, headers},
    keys,
    policies::{Dice, ISSUERS, Question, policies},
    token::Recipe,
};
use serde_json::{Value, json};

const SETS: u64 = 400;
const QUESTIONS: usize = 12;

fn gate(policies: &[Value]) -> Gate {
    let rule = |issuer: &str| json!({"issuer": issuer, "jwks": keys::jwks("@ed25519"), "requireExpiration": false});
    let config = json!({"jwtRules": ISSUERS.map(rule), "authorizationPolicies": policies});
    // Only style istio takes a principal without a slash.
    let config = config.to_string().replace(r#""alice""#, r#""*alice""#);
    Gate::new(Config::parse(config.as_bytes()).unwrap().0)
}

fn request(question: &Question) -> Request {
    let mut parts = RequestParts {
        method: question.method.clone(),
        path: question.path.clone(),
        host: question.host.clone(),
        headers: question.headers.iter().map(|(name, value)| (name.clone(), value.clone().into_bytes())).collect(),
    };
    if let Some(claims) = &question.claims {
        let claims = claims.as_object().unwrap().clone();
        let token = Recipe { key: Some("ed25519".into()), claims, ..Recipe::default() }.sign(NOW);
        parts.headers.push(("authorization".into(), format!("Bearer {token}").into_bytes()));
    }
    Request::new(headers(parts))
}

/// The same policies, and none of them is a dry run, or all are.
fn dry(policies: &[Value], is_dry_run: bool) -> Vec<Value> {
    let enforcing = policies.iter().filter(|policy| policy.get("action").is_none_or(|action| action != "AUDIT"));
    enforcing
        .map(|policy| {
            let mut policy = policy.clone();
            policy["dryRun"] = is_dry_run.into();
            policy
        })
        .collect()
}

fn lets_pass(gate: &mut Gate, request: &Request) -> bool {
    matches!(gate.admit(StreamId(0), request, &Peer::default(), UnixTime::from_secs(NOW)).step, Step::Forward(_))
}

/// Every list reversed: policies, rules, parts and values.
fn backwards(value: &Value) -> Value {
    match value {
        Value::Array(list) => list.iter().rev().map(backwards).collect(),
        Value::Object(members) => members.iter().map(|(name, member)| (name.clone(), backwards(member))).collect(),
        other => other.clone(),
    }
}

/// Calls with every set, its gate, and requests.
fn with_every_set(mut ask: impl FnMut(u64, &[Value], &mut Dice, &[Request])) {
    for seed in 0..SETS {
        let mut dice = Dice::new(seed);
        let set = policies(&mut dice).as_array().unwrap().clone();
        let requests: Vec<Request> = (0..QUESTIONS).map(|_| request(&Question::random(&mut dice))).collect();
        ask(seed, &set, &mut dice, &requests);
    }
}

fn another(dice: &mut Dice, action: &str) -> Option<Value> {
    let mut policy = policies(dice).as_array()?.first()?.clone();
    policy["action"] = action.into();
    // A DENY policy without rules is an error.
    policy["rules"].as_array().is_some_and(|rules| !rules.is_empty()).then_some(policy)
}

#[test]
fn one_more_deny_never_lets_more_in() {
    let mut changed = 0;
    with_every_set(|seed, set, dice, requests| {
        let Some(deny) = another(dice, "DENY") else { return };
        let (mut before, mut after) = (gate(set), gate(&[set, &[deny]].concat()));
        for request in requests {
            let (was, is) = (lets_pass(&mut before, request), lets_pass(&mut after, request));
            assert!(was || !is, "{seed}: {request:?}");
            changed += usize::from(was != is);
        }
    });
    assert!(changed > 50, "only {changed} answers changed, so this shows little");
}

#[test]
fn one_more_allow_beside_another_never_lets_less_in() {
    let mut changed = 0;
    with_every_set(|seed, set, dice, requests| {
        let has_allow = set.iter().any(|policy| {
            policy.get("action").is_none_or(|action| action == "ALLOW") && policy.get("dryRun") != Some(&true.into())
        });
        let Some(allow) = another(dice, "ALLOW").filter(|_| has_allow) else { return };
        let (mut before, mut after) = (gate(set), gate(&[set, &[allow]].concat()));
        for request in requests {
            let (was, is) = (lets_pass(&mut before, request), lets_pass(&mut after, request));
            assert!(!was || is, "{seed}: {request:?}");
            changed += usize::from(was != is);
        }
    });
    assert!(changed > 50, "only {changed} answers changed, so this shows little");
}

#[test]
fn a_dry_run_would_deny_what_the_same_policies_deny() {
    let (mut denied, mut preflights) = (0, 0);
    with_every_set(|seed, set, _, requests| {
        let (mut real, mut dry) = (gate(&dry(set, false)), gate(&dry(set, true)));
        for request in requests {
            let decision = dry.admit(StreamId(0), request, &Peer::default(), UnixTime::from_secs(NOW));
            if !matches!(decision.step, Step::Forward(_)) {
                // A bad token is no matter of policies.
                continue;
            }
            let passes = lets_pass(&mut real, request);
            assert_eq!(
                passes,
                decision.record.shadow.is_none_or(|shadow| shadow.would_deny.is_empty()),
                "{seed}: {request:?}"
            );
            denied += usize::from(!passes);
            preflights += usize::from(!passes && request.is_cors_preflight());
        }
    });
    assert!(denied > 200 && preflights > 20, "{denied} and {preflights} are few");
}

#[test]
fn no_order_matters() {
    let mut passed = 0;
    let mut asked = 0;
    with_every_set(|seed, set, _, requests| {
        let reversed = backwards(&Value::Array(set.to_vec()));
        let (mut forwards, mut backwards) = (gate(set), gate(reversed.as_array().unwrap()));
        for request in requests {
            let passes = lets_pass(&mut forwards, request);
            assert_eq!(passes, lets_pass(&mut backwards, request), "{seed}: {request:?}");
            passed += usize::from(passes);
            asked += 1;
        }
    });
    assert!(passed * 10 > asked && passed * 10 < asked * 9, "{passed} of {asked} pass, so this shows little");
}

/// The same question about a path that servers read in several ways.
fn oddly_spelled(dice: &mut Dice, mut question: Question) -> Question {
    let path = question.path;
    question.path = match dice.pick(&["", "/", "/x/..", "/x/..;v=1", "%"]) {
        &"%" => path.replacen("/a", "/%61", 1),
        before => format!("{before}{path}"),
    };
    question
}

#[test]
fn what_is_explained_is_what_was_decided() {
    let (mut denied, mut allowed, mut read_otherwise) = (0, 0, 0);
    with_every_set(|seed, set, dice, _| {
        let mut gate = gate(set);
        for _ in 0..QUESTIONS {
            let question = Question::random(dice);
            let request = request(&oddly_spelled(dice, question));
            let record = gate.admit(StreamId(0), &request, &Peer::default(), UnixTime::from_secs(NOW)).record;
            let candidates = gate.explain(&record, &request, &Peer::default());
            let first = |action| candidates.iter().find(|rule| rule.action == action && rule.lacks.is_empty());
            let deciding = first(Action::Deny).or_else(|| first(Action::Allow)).map(|rule| rule.rule.to_string());
            if record.shadow.is_some() {
                let denied_by = record.denial.as_ref().and_then(|denial| denial.rule.as_deref());
                let said = denied_by.or(record.allowed_by.as_deref()).map(str::to_owned);
                // A request that a token would help is told only that one is missing.
                let is_told = record.denial.is_none() || said.is_some() || first(Action::Deny).is_none();
                assert_eq!(said, deciding.filter(|_| is_told), "{seed}: {request:?}\n{candidates:?}");
                denied += usize::from(record.denial.is_some());
                allowed += usize::from(record.allowed_by.is_some());
                read_otherwise += candidates.iter().filter(|rule| rule.read_as.is_some()).count();
            }
        }
    });
    assert!(denied > 500 && allowed > 200 && read_otherwise > 50, "{denied}, {allowed}, {read_otherwise} are few");
}

#[test]
fn an_audit_notes_what_the_same_rules_would_deny() {
    let mut noted = 0;
    with_every_set(|seed, _, dice, requests| {
        let Some(deny) = another(dice, "DENY") else { return };
        let deny = dry(&[deny], false).remove(0);
        let mut audit = deny.clone();
        audit["action"] = "AUDIT".into();
        let (mut denying, mut auditing) = (gate(&[deny]), gate(&[audit]));
        for request in requests {
            let decision = auditing.admit(StreamId(0), request, &Peer::default(), UnixTime::from_secs(NOW));
            if let Some(shadow) = decision.record.shadow {
                let passes = lets_pass(&mut denying, request);
                assert_eq!(passes, shadow.audited.is_empty(), "{seed}: {request:?}");
                noted += usize::from(!passes);
            }
        }
    });
    assert!(noted > 200, "{noted} are few");
}
