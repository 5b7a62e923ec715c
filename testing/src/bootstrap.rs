//! The bootstrap of a test's Envoy: one listener per configuration, all in front of one upstream, and clusters beside it.

use serde_json::{Value, json};
use std::{env, fs, path::Path};

/// Where a listener that `tells_direct_addresses` writes who opened the connection, in filter state.
const DIRECT_ADDRESS: &str = "claimgate.source_ip";

/// What the module imports and exports, but foreign functions.
const ABI: &str = "
    _initialize _start malloc proxy_on_memory_allocate proxy_abi_version_0_2_1
    proxy_on_context_create proxy_on_vm_start proxy_on_configure proxy_on_tick proxy_on_done proxy_on_delete proxy_on_log
    proxy_on_request_headers proxy_on_request_body proxy_on_request_trailers
    proxy_on_response_headers proxy_on_response_body proxy_on_response_trailers
    proxy_on_http_call_response
    proxy_log proxy_get_log_level proxy_get_current_time_nanoseconds proxy_set_tick_period_milliseconds
    proxy_set_effective_context proxy_get_property proxy_set_property proxy_get_buffer_bytes
    proxy_get_header_map_pairs proxy_get_header_map_value proxy_add_header_map_value proxy_replace_header_map_value
    proxy_remove_header_map_value proxy_continue_stream proxy_send_local_response proxy_http_call
    proxy_get_shared_data proxy_set_shared_data
    proxy_define_metric proxy_increment_metric proxy_record_metric proxy_get_metric
    environ_get environ_sizes_get fd_write random_get proc_exit clock_time_get";

const GATE: &str = "claimgate";

/// Listeners, the upstream behind them, and the clusters that only filters call; `json` is what Envoy reads.
#[derive(Clone, Debug)]
pub struct Bootstrap {
    clusters: Vec<Value>,
    listeners: Vec<Listener>,
    /// How stats become metrics with labels.
    stats: Value,
    has_trailers: bool,
}

/// A listener on a free port of loopback, with HTTP filters before the router.
#[derive(Clone, Debug)]
pub struct Listener {
    name: String,
    filters: Vec<Value>,
    normalize_path: bool,
    takes_any_method: bool,
    tells_direct_addresses: bool,
    /// Envoy's transport socket; none is plain text.
    transport: Option<Value>,
    proxied: bool,
}

// === impl Bootstrap ===

impl Bootstrap {
    pub fn to(upstream: u16) -> Bootstrap {
        Bootstrap {
            clusters: vec![cluster("upstream", upstream)],
            listeners: Vec::new(),
            stats: json!({}),
            has_trailers: false,
        }
    }

    /// With the labels of `envoy/envoy.yaml`.
    pub fn labelling_stats(mut self) -> Bootstrap {
        self.stats = shown("envoy.yaml")["stats_config"].clone();
        self
    }

    pub fn listener(mut self, listener: Listener) -> Bootstrap {
        self.listeners.push(listener);
        self
    }

    /// A cluster with a port of loopback as its only endpoint.
    pub fn cluster(mut self, name: &str, port: u16) -> Bootstrap {
        self.clusters.push(cluster(name, port));
        self
    }

    /// The same, behind TLS, as `Authority::upstream` has it.
    pub fn cluster_over(mut self, name: &str, port: u16, transport: Value) -> Bootstrap {
        let mut cluster = cluster(name, port);
        cluster["transport_socket"] = transport;
        self.clusters.push(cluster);
        self
    }

    /// HTTP/1 with trailers, on both sides.
    pub fn with_trailers(self) -> Bootstrap {
        Bootstrap { has_trailers: true, ..self }
    }

    pub fn json(&self) -> Value {
        let listeners: Vec<_> = self.listeners.iter().map(Listener::json).collect();
        let mut bootstrap = json!({
            "stats_config": self.stats,
            "static_resources": { "listeners": listeners, "clusters": self.clusters },
        });
        if self.has_trailers {
            let resources = &mut bootstrap["static_resources"];
            let trailers = json!({"enable_trailers": true});
            for index in 0..self.listeners.len() {
                let manager = &mut resources["listeners"][index]["filter_chains"][0]["filters"][0]["typed_config"];
                manager["http_protocol_options"] = trailers.clone();
            }
            resources["clusters"][0]["typed_extension_protocol_options"] = json!({
                "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                    "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                    "explicit_http_config": {"http_protocol_options": trailers},
                },
            });
        }
        bootstrap
    }
}

// === impl Listener ===

impl Listener {
    /// Behind claimgate, with this configuration.
    pub fn gated(name: &str, configuration: &str) -> Listener {
        Listener::filtered(name, claimgate(configuration))
    }

    /// Behind some other HTTP filter, to compare with.
    pub fn filtered(name: &str, filter: Value) -> Listener {
        Listener::chained(name, vec![filter])
    }

    /// Behind some other HTTP filters, one after the other.
    pub fn chained(name: &str, filters: Vec<Value>) -> Listener {
        Listener {
            name: name.into(),
            filters,
            normalize_path: false,
            takes_any_method: false,
            tells_direct_addresses: false,
            transport: None,
            proxied: false,
        }
    }

    /// The same, with another filter before the router.
    pub fn followed_by(mut self, filter: Value) -> Listener {
        self.filters.push(filter);
        self
    }

    /// A gated listener where a pause at the headers is no more than that: the filter goes on seeing the body.
    pub fn allowing_headers_stop_iteration(mut self) -> Listener {
        self.plugin()["allow_on_headers_stop_iteration"] = true.into();
        self
    }

    /// A gated listener whose VM may call everything but foreign functions.
    pub fn without_foreign_functions(mut self) -> Listener {
        let allowed = ABI.split_whitespace().map(|name| (name.into(), json!({}))).collect();
        self.plugin()["capability_restriction_config"] = json!({ "allowed_capabilities": Value::Object(allowed) });
        self
    }

    /// Takes methods that nobody has registered, as HTTP/2 does anyway.
    pub fn taking_any_method(self) -> Listener {
        Listener { takes_any_method: true, ..self }
    }

    pub fn normalizing_paths(self) -> Listener {
        Listener { normalize_path: true, ..self }
    }

    /// Writes the address of whoever opened the connection into filter state. No attribute has it: `source.address`
    /// is the client that `x-forwarded-for` tells of.
    pub fn telling_direct_addresses(self) -> Listener {
        Listener { tells_direct_addresses: true, ..self }
    }

    /// Behind TLS, as `Authority::downstream` has it.
    pub fn over(self, transport: Value) -> Listener {
        Listener { transport: Some(transport), ..self }
    }

    /// Believes a PROXY protocol header about where the connection comes from and goes to.
    pub fn behind_proxy(self) -> Listener {
        Listener { proxied: true, ..self }
    }

    fn plugin(&mut self) -> &mut Value {
        let gate = self.filters.iter_mut().find(|filter| filter["name"] == GATE);
        &mut gate.expect("a listener behind claimgate")["typed_config"]["config"]
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
            "http_protocol_options": { "allow_custom_methods": self.takes_any_method },
            "http_filters": self.filters.iter().chain([&router]).collect::<Vec<_>>(),
            "route_config": { "virtual_hosts": [{
                "name": "all",
                "domains": ["*"],
                "routes": [{ "match": { "prefix": "/" }, "route": { "cluster": "upstream" } }],
            }]},
            "access_log": [access_log()],
        });
        let manager = json!({ "name": "envoy.filters.network.http_connection_manager", "typed_config": manager });
        let state = self.tells_direct_addresses.then(direct_address);
        let mut chain = json!({ "filters": Vec::from_iter(state.into_iter().chain([manager])) });
        let mut listener = json!({ "name": self.name, "address": loopback(0) });
        if self.proxied {
            listener["listener_filters"] = json!([proxy_protocol()]);
        }
        if let Some(transport) = &self.transport {
            chain["transport_socket"] = transport.clone();
            listener["listener_filters"] = json!([tls_inspector()]);
        }
        listener["filter_chains"] = json!([chain]);
        listener
    }
}

// === parts ===

/// A bootstrap of the folder `envoy`, as the papers show it.
pub fn shown(name: &str) -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../envoy").join(name);
    serde_norway::from_str(&fs::read_to_string(file).expect("a readable file")).expect("YAML")
}

/// The module named by `CLAIMGATE_WASM`. One `vm_id`: the listeners share a VM, as in production.
fn claimgate(configuration: &str) -> Value {
    let module = env::var("CLAIMGATE_WASM").expect("CLAIMGATE_WASM names the module; `./build.sh test` sets it");
    json!({ "name": GATE, "typed_config": {
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

/// Without it Envoy does not know which server name was asked for, also where it ends TLS itself.
fn tls_inspector() -> Value {
    json!({ "name": "envoy.filters.listener.tls_inspector", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector",
    }})
}

fn direct_address() -> Value {
    json!({ "name": "envoy.filters.network.set_filter_state", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.network.set_filter_state.v3.Config",
        "on_new_connection": [{
            "object_key": DIRECT_ADDRESS,
            "factory_key": "envoy.string",
            "format_string": { "text_format_source": {
                "inline_string": "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%",
            }},
        }],
    }})
}

fn proxy_protocol() -> Value {
    json!({ "name": "envoy.filters.listener.proxy_protocol", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol",
        "allow_requests_without_proxy_protocol": true,
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
            "outcome": "%FILTER_STATE(wasm.claimgate.outcome:PLAIN)%",
            "reason": "%FILTER_STATE(wasm.claimgate.reason:PLAIN)%",
            "rule": "%FILTER_STATE(wasm.claimgate.rule:PLAIN)%",
            "provider": "%FILTER_STATE(wasm.claimgate.provider:PLAIN)%",
            "issuer": "%FILTER_STATE(wasm.claimgate.issuer:PLAIN)%",
            "subject": "%FILTER_STATE(wasm.claimgate.subject:PLAIN)%",
            "principal": "%FILTER_STATE(wasm.claimgate.principal:PLAIN)%",
        }},
    }})
}

fn loopback(port: u16) -> Value {
    json!({ "socket_address": { "address": "127.0.0.1", "port_value": port } })
}
