//! The bootstrap of a test's Envoy: one listener per configuration, all in front of one upstream.

#![allow(clippy::disallowed_methods, reason = "a test learns from its environment where the module is")]

use serde_json::{Value, json};
use std::env;

/// Listeners and the upstream behind them; `json` is what Envoy reads.
#[derive(Clone, Debug)]
pub(crate) struct Bootstrap {
    upstream: u16,
    listeners: Vec<Listener>,
}

/// A listener on a free port of loopback, with one HTTP filter before the router.
#[derive(Clone, Debug)]
pub(crate) struct Listener {
    name: String,
    filter: Value,
    normalize_path: bool,
}

// === impl Bootstrap ===

impl Bootstrap {
    pub(crate) fn to(upstream: u16) -> Bootstrap {
        Bootstrap { upstream, listeners: Vec::new() }
    }

    pub(crate) fn listener(mut self, listener: Listener) -> Bootstrap {
        self.listeners.push(listener);
        self
    }

    pub(crate) fn json(&self) -> Value {
        let listeners: Vec<_> = self.listeners.iter().map(Listener::json).collect();
        json!({ "static_resources": { "listeners": listeners, "clusters": [cluster("upstream", self.upstream)] } })
    }
}

// === impl Listener ===

impl Listener {
    /// Behind claimgate, with this configuration.
    pub(crate) fn gated(name: &str, configuration: &str) -> Listener {
        Listener::filtered(name, claimgate(configuration))
    }

    /// Behind some other HTTP filter, to compare with.
    pub(crate) fn filtered(name: &str, filter: Value) -> Listener {
        Listener { name: name.into(), filter, normalize_path: false }
    }

    pub(crate) fn normalizing_paths(self) -> Listener {
        Listener { normalize_path: true, ..self }
    }

    fn json(&self) -> Value {
        let router = json!({ "name": "envoy.filters.http.router", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router",
        }});
        let manager = json!({
            "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
            "stat_prefix": self.name,
            "codec_type": "AUTO",
            "normalize_path": self.normalize_path,
            "http_filters": [self.filter, router],
            "route_config": { "virtual_hosts": [{
                "name": "all",
                "domains": ["*"],
                "routes": [{ "match": { "prefix": "/" }, "route": { "cluster": "upstream" } }],
            }]},
            "access_log": [access_log()],
        });
        json!({
            "name": self.name,
            "address": loopback(0),
            "filter_chains": [{ "filters": [{
                "name": "envoy.filters.network.http_connection_manager",
                "typed_config": manager,
            }]}],
        })
    }
}

// === parts ===

/// The module named by `CLAIMGATE_WASM`. One `vm_id` for all: the listeners share a VM, as they do in production.
fn claimgate(configuration: &str) -> Value {
    let module = env::var("CLAIMGATE_WASM").expect("CLAIMGATE_WASM names the module; `./build.sh test` sets it");
    json!({ "name": "claimgate", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
        "config": {
            "name": "claimgate",
            "root_id": "claimgate",
            "failure_policy": "FAIL_CLOSED",
            "vm_config": {
                "vm_id": "claimgate",
                "runtime": "envoy.wasm.runtime.v8",
                "code": { "local": { "filename": module } },
            },
            "configuration": {
                "@type": "type.googleapis.com/google.protobuf.StringValue",
                "value": configuration,
            },
        },
    }})
}

fn cluster(name: &str, port: u16) -> Value {
    json!({
        "name": name,
        "type": "STATIC",
        "load_assignment": { "cluster_name": name, "endpoints": [{ "lb_endpoints": [
            { "endpoint": { "address": loopback(port) } },
        ]}]},
    })
}

/// One JSON object a line; the file lies in Envoy's working directory.
fn access_log() -> Value {
    json!({ "name": "envoy.access_loggers.file", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
        "path": "access.log",
        "log_format": { "json_format": {
            "case": "%REQ(X-CASE)%",
            "response_code": "%RESPONSE_CODE%",
            "response_code_details": "%RESPONSE_CODE_DETAILS%",
        }},
    }})
}

fn loopback(port: u16) -> Value {
    json!({ "socket_address": { "address": "127.0.0.1", "port_value": port } })
}
