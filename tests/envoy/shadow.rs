//! What the filter logs about policies: AUDIT and dry runs at info, what each rule lacks at debug.

use claimgate_testing::{
    bootstrap::{Bootstrap, Listener},
    envoy::Envoy,
    http::Message,
    upstream::Upstream,
};
use libtest_mimic::Trial;
use serde_json::json;

pub(crate) fn trials() -> Vec<Trial> {
    vec![Trial::test("remarks: audits, dry runs and what a rule lacked are in the log", || {
        let upstream = Upstream::start();
        let policy = |name: &str, action: &str, dry: bool, path: &str| {
            let rules = json!([{"to": [{"operation": {"paths": [path]}}], "when": [{"key": "request.headers[x-a]", "values": ["b"]}]}]);
            json!({"name": name, "namespace": "foo", "action": action, "dryRun": dry, "rules": rules})
        };
        let configuration = json!({"authorizationPolicies": [
            policy("watch", "AUDIT", false, "/*"),
            policy("maybe", "DENY", true, "/*"),
            policy("open", "ALLOW", false, "/open"),
        ]});
        let gate = Listener::gated("remarks", &configuration.to_string());
        let envoy = Envoy::start(&Bootstrap::to(upstream.port()).listener(gate).json());
        let ask = |path: &str, value: &str| Message::get(path).header("x-a", value).send(envoy.port("remarks"));
        assert_eq!(ask("/open", "b")?.status, 200);
        let heard = |line: &str| envoy.log().lines().filter(|logged| logged.ends_with(line)).count();
        assert_eq!(heard(": audit: ns[foo]-policy[watch]-rule[0]"), 1, "{}", envoy.log());
        assert_eq!(heard(": dry run: would deny by ns[foo]-policy[maybe]-rule[0]"), 1, "{}", envoy.log());

        // Also for a denial; what a rule lacks only at debug.
        assert_eq!(ask("/closed", "b")?.status, 403);
        assert_eq!(heard(": audit: ns[foo]-policy[watch]-rule[0]"), 2, "{}", envoy.log());
        let stats = envoy.admin("/stats");
        let counted = stats.lines().find(|line| line.contains("claimgate.dry_run_would_deny"));
        let expected = "wasmcustom.claimgate.dry_run_would_deny.rule=ns[foo]-policy[maybe]-rule[0]: 2";
        assert_eq!(counted, Some(expected));
        envoy.log_everything();
        assert_eq!(ask("/open", "c")?.status, 403);
        let lack = ": denied: ALLOW ns[foo]-policy[open]-rule[0] lacks when[0] request.headers[x-a]";
        assert_eq!(heard(lack), 1, "{}", envoy.log());
        Ok(())
    })]
}
