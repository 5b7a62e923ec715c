//! What a browser sees of a denial, with Envoy's own CORS filter after or before claimgate.

use std::io;

use claimgate_testing::{
    bootstrap::{Bootstrap, Listener},
    envoy::Envoy,
    http::{Message, Reply},
    keys,
    token::Recipe,
    upstream::Upstream,
};
use libtest_mimic::{Failed, Trial};
use serde_json::{Value, json};

const APP: &str = "https://app.example.com";
const STRANGER: &str = "https://app.example.com.evil.example";

/// Envoy's filter, and the place of its policy.
const CORS: &str = "envoy.filters.http.cors";

#[derive(Clone, Copy, PartialEq)]
enum Order {
    GateFirst,
    CorsFirst,
}

pub(crate) fn trials() -> Vec<Trial> {
    let trial = |name: &str, browse: fn() -> Result<(), Failed>| Trial::test(format!("cors: {name}"), browse);
    vec![
        trial("a page reads why it was refused, with Envoy's filter behind the gate", || browse(Order::GateFirst)),
        trial("a page reads why it was refused, with Envoy's filter before the gate", || browse(Order::CorsFirst)),
        trial("without errors.cors nothing is on a reason of a gate that comes first", || {
            let site = Site::start(Order::GateFirst, json!({}));
            let reply = site.charge(APP, "Bearer not.a.token")?;
            assert_eq!((reply.status, cors(&reply)), (401, vec![]));
            Ok(())
        }),
    ]
}

/// What a browser does for `fetch(…, {method: "POST", credentials: "include", headers: {authorization: …}})`.
fn browse(order: Order) -> Result<(), Failed> {
    let allowed = json!({"allowOrigins": [{"exact": APP}], "allowCredentials": true});
    let site = Site::start(order, json!({"errors": {"cors": true}, "cors": allowed}));
    let good = format!("Bearer {}", Recipe::default().sign(crate::now()));

    let preflight = site.preflight(APP)?;
    assert_eq!(preflight.status, 200, "{preflight:?}");
    let says = |name: &str| preflight.header(name).unwrap_or_default();
    assert_eq!(says("access-control-allow-origin"), APP);
    assert_eq!(says("access-control-allow-credentials"), "true");
    assert_eq!(says("access-control-allow-methods"), "POST");
    assert_eq!(says("access-control-allow-headers"), "authorization, content-type");
    assert_eq!(site.upstream.count("preflight"), 0);

    let refused = site.charge(APP, "Bearer not.a.token")?;
    assert_eq!(refused.status, 401);
    assert_eq!(refused.text(), "header_encoding: the header is not unpadded base64url\n");
    assert_eq!(
        cors(&refused),
        [
            ("access-control-allow-credentials", "true"),
            ("access-control-allow-origin", APP),
            // Envoy's filter overwrites the headers if it has seen the request, so its policy names the header too.
            ("access-control-expose-headers", if order == Order::GateFirst { OURS } else { ITS }),
            ("vary", "origin"),
        ]
        .map(owned)
    );
    let challenge = refused.header("www-authenticate").unwrap_or_default();
    assert!(challenge.starts_with(r#"Bearer realm="api.example.com", error="invalid_token""#), "{challenge}");

    let passed = site.charge(APP, &good)?;
    assert_eq!((passed.status, passed.header("access-control-allow-origin").as_deref()), (200, Some(APP)));
    assert_eq!(site.upstream.count("charge"), 1);

    // Pages of other origins may not read the answer, and their preflights fail.
    assert!(!cors(&site.preflight(STRANGER)?).iter().any(|(name, _)| name != "vary"));
    let refused = site.charge(STRANGER, "Bearer not.a.token")?;
    assert_eq!((refused.status, cors(&refused)), (401, vec![owned(("vary", "origin"))]));
    Ok(())
}

const OURS: &str = "www-authenticate, retry-after";
const ITS: &str = "www-authenticate";

/// The headers that a browser uses; a duplicate header is visible.
fn cors(reply: &Reply) -> Vec<(String, String)> {
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let headers = reply.headers.iter().map(|(name, value)| (name.to_lowercase(), text(value)));
    let mut headers: Vec<_> =
        headers.filter(|(name, _)| name == "vary" || name.starts_with("access-control-")).collect();
    headers.sort();
    headers
}

fn owned((name, value): (&str, &str)) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

/// An API that pages of another origin call.
struct Site {
    upstream: Upstream,
    envoy: Envoy,
}

impl Site {
    fn start(order: Order, more: Value) -> Site {
        let upstream = Upstream::start();
        let rule = json!({"issuer": "https://idp.example.com", "jwks": keys::jwks("@p256"), "presence": "REQUIRED"});
        let mut configuration = json!({"jwtRules": [rule]});
        configuration.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let filter = json!({"name": CORS, "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.cors.v3.Cors",
        }});
        let gate = Listener::gated("gate", &configuration.to_string()).followed_by(filter);
        let mut bootstrap = Bootstrap::to(upstream.port()).listener(gate).json();
        let manager =
            &mut bootstrap["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"];
        if order == Order::CorsFirst {
            manager["http_filters"].as_array_mut().unwrap().swap(0, 1);
        }
        manager["route_config"]["virtual_hosts"][0]["typed_per_filter_config"] = json!({CORS: {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy",
            "allow_origin_string_match": [{"exact": APP}],
            "allow_methods": "POST",
            "allow_headers": "authorization, content-type",
            "expose_headers": ITS,
            "allow_credentials": true,
        }});
        Site { envoy: Envoy::start(&bootstrap), upstream }
    }

    fn preflight(&self, origin: &str) -> io::Result<Reply> {
        let message = from_page("OPTIONS", origin, "preflight");
        let message = message.header("access-control-request-method", "POST");
        message.header("access-control-request-headers", "authorization,content-type").send(self.envoy.port("gate"))
    }

    fn charge(&self, origin: &str, authorization: &str) -> io::Result<Reply> {
        let message = from_page("POST", origin, "charge").header("cookie", "session=1").header("content-length", "0");
        message
            .header("content-type", "application/json")
            .header("authorization", authorization)
            .send(self.envoy.port("gate"))
    }
}

/// A request as a browser sends it for a page of another site.
fn from_page(method: &str, origin: &str, id: &str) -> Message {
    let message = Message { method: method.into(), path: "/charge".into(), ..Message::default() };
    let headers = [
        ("host", "api.example.com"),
        ("x-case", id),
        ("origin", origin),
        ("referer", &format!("{origin}/")),
        ("accept", "*/*"),
        ("user-agent", "Mozilla/5.0"),
        ("sec-fetch-mode", "cors"),
        ("sec-fetch-site", "same-site"),
        ("sec-fetch-dest", "empty"),
    ];
    headers.into_iter().fold(message, |message, (name, value)| message.header(name, value))
}
