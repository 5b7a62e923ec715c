//! Routing by claims, with `envoy/route-by-claim.yaml` itself: only its ports, the module's file and a rule's fields differ.

use std::{env, io, time::Duration};

use claimgate_testing::{
    bootstrap,
    envoy::Envoy,
    http::Message,
    key_server::{Behaviour, KEYS, KeyServer},
    token::Recipe,
    upstream::Upstream,
};
use libtest_mimic::Trial;
use serde_json::{Value, json};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("routes: a claim chooses the cluster, and a forged header does not", || {
            let site = Site::start(json!({}));
            assert_eq!(site.ask(json!("a"), None)?, ("tenant-a", Some("a".to_owned())));
            assert_eq!(site.ask(json!("b"), None)?, ("everybody", Some("b".to_owned())));
            assert_eq!(site.ask(json!("@absent"), None)?, ("everybody", None));
            // A request with a forged header goes where its token says, or to the default cluster.
            for forged in ["x-tenant", "X-Tenant"] {
                assert_eq!(site.ask(Value::Null, Some(forged))?, ("everybody", None));
                assert_eq!(site.ask(json!("@absent"), Some(forged))?, ("everybody", None));
                assert_eq!(site.ask(json!("b"), Some(forged))?, ("everybody", Some("b".to_owned())));
                assert_eq!(site.ask(json!("a"), Some(forged))?, ("tenant-a", Some("a".to_owned())));
            }
            Ok(())
        }),
        // Envoy does this for every module of an ABI up to 0.2.1: see docs/configuration.md.
        Trial::test("routes: Envoy chooses anew after any change of headers, also without clearRouteCache", || {
            let site = Site::start(json!({"clearRouteCache": false}));
            assert_eq!(site.ask(json!("a"), None)?, ("tenant-a", Some("a".to_owned())));
            assert_eq!(site.ask(Value::Null, Some("x-tenant"))?, ("everybody", None));
            Ok(())
        }),
        Trial::test("routes: a request that waited for keys is sent where its claim says", || {
            let server = KeyServer::start();
            server.behave(Behaviour::Slow(Duration::from_millis(1000)));
            let site = Site::with_keys_of(&server);
            assert_eq!(site.ask(json!("a"), None)?, ("tenant-a", Some("a".to_owned())));
            assert_eq!(site.ask(json!("b"), Some("x-tenant"))?, ("everybody", Some("b".to_owned())));
            Ok(())
        }),
    ]
}

/// The example, with a recording upstream in each cluster.
struct Site {
    envoy: Envoy,
    upstreams: [(&'static str, Upstream); 2],
}

impl Site {
    fn start(rule: Value) -> Site {
        Site::of(rule, Vec::new())
    }

    fn with_keys_of(server: &KeyServer) -> Site {
        let cluster = json!({"name": "keys", "type": "STATIC", "load_assignment": {"cluster_name": "keys", "endpoints": [
            {"lb_endpoints": [{"endpoint": {"address": address(server.port())}}]},
        ]}});
        Site::of(json!({"jwks": null, "jwksUri": server.url(KEYS), "jwksCluster": "keys"}), vec![cluster])
    }

    fn of(rule: Value, clusters: Vec<Value>) -> Site {
        let upstreams = [("tenant-a", Upstream::start()), ("everybody", Upstream::start())];
        let mut bootstrap = bootstrap::shown("route-by-claim.yaml");
        let resources = &mut bootstrap["static_resources"];
        let listener = &mut resources["listeners"][0];
        listener["address"] = address(0);
        let plugin = &mut listener["filter_chains"][0]["filters"][0]["typed_config"]["http_filters"][0]["typed_config"]
            ["config"];
        plugin["vm_config"]["code"]["local"]["filename"] = env::var("CLAIMGATE_WASM").unwrap().into();
        let mut configuration: Value =
            serde_json::from_str(plugin["configuration"]["value"].as_str().unwrap()).unwrap();
        configuration["jwtRules"][0].as_object_mut().unwrap().extend(rule.as_object().unwrap().clone());
        plugin["configuration"]["value"] = configuration.to_string().into();
        for (cluster, (name, upstream)) in resources["clusters"].as_array_mut().unwrap().iter_mut().zip(&upstreams) {
            assert_eq!(cluster["name"], *name);
            cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"] =
                address(upstream.port());
        }
        resources["clusters"].as_array_mut().unwrap().extend(clusters);
        Site { envoy: Envoy::start(&bootstrap), upstreams }
    }

    /// The cluster that gets a request and its `x-tenant` there: with a token for this tenant, or without a token. The client
    /// forges the tenant `a` in a header of this name.
    fn ask(&self, tenant: Value, forged: Option<&str>) -> io::Result<(&'static str, Option<String>)> {
        let case = format!("{tenant} {forged:?}");
        let mut message = Message::get("/").header("x-case", &case);
        if !tenant.is_null() {
            let recipe: Recipe = serde_json::from_value(json!({"claims": {"tenant": tenant}})).unwrap();
            message = message.header("authorization", format!("Bearer {}", recipe.sign(crate::now())));
        }
        if let Some(name) = forged {
            message = message.header(name, "a");
        }
        let reply = message.send(self.envoy.port("gateway"))?;
        assert_eq!(reply.status, 200, "{case}: {}", reply.text());
        let arrived: Vec<_> = self.upstreams.iter().filter_map(|(name, it)| Some((*name, it.seen(&case)?))).collect();
        let [(name, seen)] = arrived.as_slice() else { panic!("{case}: arrived {} times", arrived.len()) };
        Ok((name, seen.header("x-tenant")))
    }
}

fn address(port: u16) -> Value {
    json!({ "socket_address": { "address": "127.0.0.1", "port_value": port } })
}
