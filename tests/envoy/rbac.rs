//! Authorization policies beside Envoy's own RBAC filter, configured as istiod would, in one Envoy: the same decisions.
//!
//! `CLAIMGATE_SEED` repeats a run; the seed is in the name of every trial.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fmt,
    panic::{UnwindSafe, catch_unwind},
    sync::{Arc, OnceLock},
};

use libtest_mimic::{Failed, Trial};
use serde_json::{Value, json};

use crate::{exceptions, jwt_authn::without_query};
use claimgate_testing::{
    bootstrap::{Bootstrap, Listener},
    envoy::Envoy,
    http::{Message, Reply},
    istiod, keys,
    policies::{self, CERTIFICATES, Dice, ISSUERS, Question, San, TRUST_DOMAIN, TRUST_DOMAIN_ALIAS},
    tls::{self, Authority, Client},
    token::Recipe,
    upstream::Upstream,
};

mod documented;

const SETS: u64 = 150;
const QUESTIONS: usize = 24;

/// One Envoy and its ports.
struct Lab {
    /// Keeps the upstream's port.
    _upstream: Upstream,
    _envoy: Envoy,
    ports: BTreeMap<String, u16>,
    /// With each of the certificates.
    clients: Vec<Client>,
}

/// A lab that the first trial starts. If that fails, the others fail without another try.
#[derive(Default)]
struct SharedLab(OnceLock<Option<Lab>>);

/// What a client sees.
#[derive(Eq, PartialEq)]
struct Answer {
    status: u16,
    headers: Vec<Option<String>>,
    body: String,
}

/// The headers of an answer that RBAC sets.
const TELLING: [&str; 4] = ["content-type", "grpc-status", "grpc-message", "www-authenticate"];

impl Answer {
    /// By a policy, also where gRPC says so.
    fn is_refusal(&self) -> bool {
        self.status == 403 || self.headers.iter().flatten().any(|value| value == "7")
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?} {}", self.status, self.headers, self.body)
    }
}

pub(crate) fn trials() -> Vec<Trial> {
    documented::trials().into_iter().chain(random()).collect()
}

fn random() -> impl Iterator<Item = Trial> {
    let seed = match env::var("CLAIMGATE_SEED") {
        Ok(seed) => seed.parse().unwrap(),
        Err(_) => crate::now(),
    };
    let lab = Arc::new(SharedLab::default());
    (0..SETS).map(move |set| {
        let lab = Arc::clone(&lab);
        Trial::test(format!("rbac: random policies {set} of CLAIMGATE_SEED={seed}"), move || {
            let open = || {
                let authority = Authority::generate();
                let names = BTreeSet::new();
                let secured = |set, listener: Listener| {
                    if exceptions::is_over_tls(set) { listener.over(authority.downstream(&names)) } else { listener }
                };
                let listeners = (0..SETS).flat_map(|set| {
                    let pair = both(set, &policies::policies(&mut dice(seed, set)));
                    pair.map(|listener| secured(set, listener))
                });
                Lab::open(&authority, listeners)
            };
            lab.open(open)?.compare(seed, set)
        })
    })
}

/// A set does not depend on the others.
fn dice(seed: u64, set: u64) -> Dice {
    Dice::new(seed.wrapping_mul(1000).wrapping_add(set))
}

fn both(set: u64, policies: &Value) -> [Listener; 2] {
    [claimgate(&set.to_string(), policies), rbac(&set.to_string(), policies)]
}

impl SharedLab {
    fn open(&self, open: impl FnOnce() -> Lab + UnwindSafe) -> Result<&Lab, Failed> {
        let lab = self.0.get_or_init(|| catch_unwind(open).ok());
        lab.as_ref().ok_or_else(|| "Envoy did not start, and said why above".into())
    }
}

impl Lab {
    fn open(authority: &Authority, listeners: impl Iterator<Item = Listener>) -> Lab {
        let san = |san: &San| match san {
            San::Uri(name) => tls::uri(name),
            San::Dns(name) => tls::dns(name),
        };
        let clients = CERTIFICATES.iter().map(|names| authority.client(names.iter().map(san).collect(), None));
        let clients = clients.collect();
        let upstream = Upstream::start();
        let envoy = Envoy::start(&listeners.fold(Bootstrap::to(upstream.port()), Bootstrap::listener).json());
        Lab { ports: envoy.ports(), _envoy: envoy, _upstream: upstream, clients }
    }

    fn compare(&self, seed: u64, set: u64) -> Result<(), Failed> {
        let mut dice = dice(seed, set);
        let policies = policies::policies(&mut dice);
        let mut differences = Vec::new();
        for _ in 0..QUESTIONS {
            let mut question = Question::random(&mut dice);
            let client = exceptions::is_over_tls(set).then(|| &self.clients[question.certificate]);
            if client.is_some() {
                question.proxied = None;
            }
            let message = question.message(sign(&question).as_deref());
            for message in [message.clone(), message.header("content-type", "application/grpc")] {
                let theirs = self.ask(&format!("rbac {set}"), &message, client)?;
                let ours = self.ask(&format!("claimgate {set}"), &message, client)?;
                let is_exception = || exceptions::RBAC.iter().any(|(_, applies)| applies(set, &policies, &question));
                let stated = || ours.is_refusal() && !theirs.is_refusal() && is_exception();
                if ours != theirs && !stated() {
                    differences.push(format!("{question}claimgate: {ours}\nrbac: {theirs}\n"));
                }
            }
        }
        if differences.is_empty() { Ok(()) } else { Err(report(&policies, &differences)) }
    }

    fn ask(&self, listener: &str, message: &Message, client: Option<&Client>) -> Result<Answer, Failed> {
        let port = self.ports[listener];
        let reply: Reply = match client {
            Some(client) => message.send_as(client, port)?,
            None => message.send(port)?,
        };
        let headers = TELLING.iter().map(|name| reply.header(name).map(without_query)).collect();
        Ok(Answer { status: reply.status, headers, body: reply.text() })
    }
}

fn claimgate(name: &str, policies: &Value) -> Listener {
    let rule = |issuer: &str| {
        json!({
            "issuer": issuer, "jwks": keys::jwks("@ed25519"), "presence": "OPTIONAL", "requireExpiration": false,
            "forwardOriginalToken": true,
        })
    };
    let configuration = json!({
        "errors": {"style": "istio"}, "jwtRules": ISSUERS.map(rule), "authorizationPolicies": policies,
        "trustDomain": TRUST_DOMAIN, "trustDomainAliases": [TRUST_DOMAIN_ALIAS], "sourceAddress": "filterState",
    });
    let listener = Listener::gated(&format!("claimgate {name}"), &configuration.to_string());
    listener.behind_proxy().telling_direct_addresses().taking_any_method()
}

fn rbac(name: &str, policies: &Value) -> Listener {
    let authentication = istiod::jwt_authn(&ISSUERS, &keys::jwks("@ed25519"));
    let filters = [authentication].into_iter().chain(istiod::rbac(policies)).collect();
    Listener::chained(&format!("rbac {name}"), filters).behind_proxy().taking_any_method()
}

fn sign(question: &Question) -> Option<String> {
    let claims = question.claims.as_ref()?.as_object()?.clone();
    Some(Recipe { key: Some("ed25519".into()), claims, ..Recipe::default() }.sign(crate::now()))
}

fn report(policies: &Value, differences: &[String]) -> Failed {
    let policies: Vec<_> = policies.as_array().unwrap().iter().map(Value::to_string).collect();
    let shown = differences.iter().take(3).map(String::as_str).collect::<Vec<_>>().join("\n");
    let count = differences.len();
    format!("{count} of {} answers differ under\n{}\n\n{shown}", 2 * QUESTIONS, policies.join("\n")).into()
}
