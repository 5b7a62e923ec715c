//! Where the address for `ipBlocks` comes from: the connection, or what the proxy has written into filter state.

use claimgate_testing::{
    bootstrap::{Bootstrap, Listener},
    envoy::Envoy,
    http::Message,
    upstream::Upstream,
};
use libtest_mimic::Trial;
use serde_json::json;

/// Whether loopback is known to have opened the connection, and whether it is if Envoy takes another client from
/// `X-Forwarded-For`; by `sourceAddress`, without and with filter state.
const EXPECTED: [(&str, bool, [bool; 2]); 6] = [
    ("connection", false, [true, false]),
    ("connection", true, [true, false]),
    ("filterState", false, [false, false]),
    ("filterState", true, [true, true]),
    ("", false, [true, false]),
    ("", true, [true, true]),
];

pub(crate) fn trials() -> Vec<Trial> {
    vec![Trial::test("source address: an address that is not known opens nothing and escapes nothing", || {
        let upstream = Upstream::start();
        let actions = ["ALLOW", "DENY"];
        let name = |believed: &str, is_told: bool, action: &str| format!("{believed} {is_told} {action}");
        let mut bootstrap = Bootstrap::to(upstream.port());
        for (believed, is_told, _) in EXPECTED {
            for action in actions {
                // What is neither is unknown: no rule for loopback allows it, and one against others denies it.
                let blocks = if action == "ALLOW" { "ipBlocks" } else { "notIpBlocks" };
                let rule = json!({"from": [{"source": {blocks: ["127.0.0.0/8"]}}]});
                let mut configuration = json!({"authorizationPolicies": [{"action": action, "rules": [rule]}]});
                if !believed.is_empty() {
                    configuration["sourceAddress"] = believed.into();
                }
                let listener = Listener::gated(&name(believed, is_told, action), &configuration.to_string());
                bootstrap = bootstrap.listener(if is_told { listener.telling_direct_addresses() } else { listener });
            }
        }
        let envoy = Envoy::start(&bootstrap.json());
        for (believed, is_told, [directly, forwarded]) in EXPECTED {
            for action in actions {
                let listener = name(believed, is_told, action);
                let ask = |message: Message| message.send(envoy.port(&listener)).map(|reply| reply.status == 200);
                assert_eq!(ask(Message::get("/"))?, directly, "{listener}");
                assert_eq!(ask(Message::get("/").header("x-forwarded-for", "10.1.1.1"))?, forwarded, "{listener}");
            }
        }
        Ok(())
    })]
}
