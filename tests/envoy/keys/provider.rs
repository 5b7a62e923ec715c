//! A real OpenID provider: discovery, tokens of the client credentials grant, rotation.

use std::{thread, time::Duration};

use claimgate_testing::{
    bootstrap::{Bootstrap, Listener},
    envoy::Envoy,
    load::Load,
    openid_provider::OpenIdProvider,
    upstream::Upstream,
};
use libtest_mimic::Trial;
use serde_json::json;

const AUDIENCE: &str = "https://api.example.com";

pub(crate) fn trials() -> Vec<Trial> {
    vec![Trial::test("keys: oidc-provider is discovered, its tokens pass, and its rotation fails none", || {
        let (upstream, provider) = (Upstream::start(), OpenIdProvider::start());
        let configuration = json!({"jwtRules": [{
            "name": "idp", "issuer": provider.issuer(), "jwksCluster": "idp", "jwksCooldown": "1s",
            "audiences": [AUDIENCE], "presence": "REQUIRED",
            "outputClaimToHeaders": [{"header": "x-user", "claim": "sub"}],
        }]});
        let gate = Listener::gated("gate", &configuration.to_string());
        let bootstrap = Bootstrap::to(upstream.port()).cluster("idp", provider.port()).listener(gate);
        let envoy = Envoy::start_with_workers(&bootstrap.json(), 4);
        let port = envoy.port("gate");
        let ask = |token: &str| super::with(token).header("x-case", "provider").send(port);

        let old = provider.token(AUDIENCE);
        let reply = ask(&old)?;
        assert_eq!(reply.status, 200, "{}\n{}", reply.text(), envoy.log());
        assert_eq!(upstream.seen("provider").unwrap().header("x-user").as_deref(), Some("alice"));
        assert_eq!(ask(&provider.token("https://other.example.com"))?.status, 401);

        let load = Load::on(port).ask("old", super::with(&old), |reply| reply.status == 200).per_second(100).start();
        thread::sleep(Duration::from_millis(1200));
        let before = provider.fetches();
        provider.rotate();
        let new = provider.token(AUDIENCE);
        load.add("new", super::with(&new), |reply| reply.status == 200);
        thread::sleep(Duration::from_secs(2));
        let tally = load.stop();
        assert_eq!(tally.failed(), 0, "{:?}\n{}", tally.complaints(), envoy.log());
        assert!(tally.statuses("new")[&200] > 20, "{:?}", tally.statuses("new"));
        let after = provider.fetches();
        assert!((1..=super::vms(4) + 1).contains(&(after.keys - before.keys)), "{before:?}, {after:?}");
        assert_eq!(after.discovery, super::vms(4));
        Ok(())
    })]
}
