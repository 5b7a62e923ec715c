//! The body of a request goes on only with a permit, also where Envoy calls the filter for the body of held headers.

use claimgate_testing::{
    bootstrap::{Bootstrap, Listener},
    envoy::Envoy,
    http::Message,
    keys,
    token::Recipe,
    upstream::Upstream,
};
use libtest_mimic::Trial;
use serde_json::json;

pub(crate) fn trials() -> Vec<Trial> {
    vec![Trial::test("body: none reaches the upstream of a denied request", || {
        let upstream = Upstream::start();
        let configuration = json!({"jwtRules": [{
            "issuer": "https://idp.example.com", "jwks": keys::jwks("@p256"), "presence": "REQUIRED",
        }]});
        let gate = |name: &str| Listener::gated(name, &configuration.to_string());
        let listeners = [gate("usual"), gate("streaming").allowing_headers_stop_iteration()];
        let bootstrap = listeners.into_iter().fold(Bootstrap::to(upstream.port()), Bootstrap::listener);
        let envoy = Envoy::start(&bootstrap.json());
        let bad = Recipe { signature: Some("flip".into()), ..Recipe::default() };
        for (recipe, status) in [(Recipe::default(), 200), (bad, 401)] {
            for listener in ["usual", "streaming"] {
                let case = format!("{listener} {status}");
                let message = Message::get("/").header("x-case", &case).header("transfer-encoding", "chunked");
                let message = message.header("authorization", format!("Bearer {}", recipe.sign(crate::now())));
                let body = b"4\r\nbody\r\n0\r\nx-trailer: 1\r\n\r\n".to_vec();
                let reply = Message { method: "POST".into(), body, ..message }.send(envoy.port(listener))?;
                assert_eq!(reply.status, status, "{case}");
                let arrived = upstream.seen(&case).map(|seen| seen.body);
                assert_eq!(arrived, (status == 200).then(|| b"body".to_vec()), "{case}");
            }
        }
        Ok(())
    })]
}
