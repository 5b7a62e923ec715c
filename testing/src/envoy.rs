//! A stock Envoy as a child process: started, asked, given a new configuration, and gone with the test.

use super::{http::Message, patience::patiently};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{self, Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs, thread};

/// A running Envoy. Dropping it ends the process; its folder stays behind only when the test fails.
pub struct Envoy {
    child: Child,
    folder: PathBuf,
    admin: u16,
}

/// What Envoy made of new listeners.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Update {
    Accepted,
    /// Refused, in Envoy's words; what was there before still serves.
    Rejected(String),
}

// === impl Envoy ===

impl Envoy {
    /// With the listeners fixed in the bootstrap.
    pub fn start(bootstrap: &Value) -> Envoy {
        Envoy::start_in(folder(), bootstrap, 1)
    }

    /// The same, with several workers.
    pub fn start_with_workers(bootstrap: &Value, workers: u32) -> Envoy {
        Envoy::start_in(folder(), bootstrap, workers)
    }

    /// With the listeners in a file that Envoy watches, so that `update` can replace them.
    pub fn start_updatable(bootstrap: &Value) -> Envoy {
        Envoy::start_updatable_with_workers(bootstrap, 1)
    }

    /// The same, with several workers.
    pub fn start_updatable_with_workers(bootstrap: &Value, workers: u32) -> Envoy {
        let folder = folder();
        let mut bootstrap = bootstrap.clone();
        publish(&folder, &bootstrap["static_resources"]["listeners"].take());
        bootstrap["node"] = json!({ "id": "test", "cluster": "test" });
        bootstrap["dynamic_resources"] =
            json!({ "lds_config": { "path_config_source": { "path": "./listeners.json" } } });
        Envoy::start_in(folder, &bootstrap, workers)
    }

    /// Starts an Envoy that must end by itself, and returns its log.
    pub fn refuses(bootstrap: &Value) -> String {
        let folder = folder();
        let mut child = spawn(&folder, bootstrap, 1);
        let ended = patiently(|| child.try_wait().expect("a child can be waited for"));
        let log = log(&folder);
        if ended.is_none() {
            end(&mut child);
        }
        let status = ended.unwrap_or_else(|| panic!("Envoy should have refused its configuration:\n{log}"));
        assert!(!status.success(), "Envoy ended without an error:\n{log}");
        sweep(&folder);
        log
    }

    fn start_in(folder: PathBuf, bootstrap: &Value, workers: u32) -> Envoy {
        let child = spawn(&folder, bootstrap, workers);
        let mut envoy = Envoy { child, folder, admin: 0 };
        let live = patiently(|| {
            if envoy.child.try_wait().expect("a child can be waited for").is_some() {
                return Some(false);
            }
            envoy.admin = admin_port(&envoy.folder)?;
            let ready = Message::get("/ready").send(envoy.admin).ok()?;
            (ready.text() == "LIVE\n").then_some(true)
        });
        assert_eq!(live, Some(true), "Envoy did not start:\n{}", envoy.log());
        envoy
    }

    /// The process, for whoever measures it.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The port that a listener really has.
    pub fn port(&self, listener: &str) -> u16 {
        let ports = self.ports();
        *ports.get(listener).unwrap_or_else(|| panic!("no listener `{listener}` in {ports:?}"))
    }

    /// The ports that all listeners really have.
    pub fn ports(&self) -> BTreeMap<String, u16> {
        let listeners = self.admin_json("/listeners?format=json");
        let port = |one: &Value| {
            let port = one["local_address"]["socket_address"]["port_value"].as_u64()?;
            Some((one["name"].as_str()?.to_owned(), u16::try_from(port).ok()?))
        };
        listeners["listener_statuses"].as_array().into_iter().flatten().filter_map(port).collect()
    }

    /// The port of the admin interface.
    pub fn admin_port(&self) -> u16 {
        self.admin
    }

    /// What Envoy's admin interface answers.
    pub fn admin(&self, path: &str) -> String {
        Message::get(path).send(self.admin).expect("Envoy's admin answers").text()
    }

    /// A counter or gauge; one that does not exist yet is zero.
    pub fn stat(&self, name: &str) -> u64 {
        let stats = self.admin("/stats?usedonly");
        let value = stats.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        value.map_or(0, |value| value.parse().expect("a counter or a gauge"))
    }

    /// Makes Envoy and the modules in it log all they can.
    pub fn log_everything(&self) {
        self.log_at("level=trace");
    }

    /// Makes a part of Envoy log from a level on: `wasm=debug`.
    pub fn log_at(&self, level: &str) {
        let message = Message { method: "POST".into(), ..Message::get(&format!("/logging?{level}")) };
        assert_eq!(message.send(self.admin).expect("Envoy's admin answers").status, 200);
    }

    /// What Envoy has logged so far.
    pub fn log(&self) -> String {
        log(&self.folder)
    }

    /// The access log's entry for the last request of a case.
    pub fn logged(&self, case: &str) -> Value {
        let file = self.folder.join("access.log");
        let entry = patiently(|| {
            let lines = fs::read_to_string(&file).unwrap_or_default();
            let mut entries = lines.lines().rev().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            entries.find(|entry| entry["case"] == case)
        });
        entry.unwrap_or_else(|| panic!("the access log does not know `{case}`"))
    }

    /// Gives Envoy the listeners of another bootstrap and waits for its verdict.
    pub fn update(&self, bootstrap: &Value) -> Update {
        let rejected = self.stat("listener_manager.lds.update_rejected");
        let accepted = self.stat("listener_manager.lds.update_success");
        publish(&self.folder, &bootstrap["static_resources"]["listeners"]);
        let verdict = patiently(|| {
            if self.stat("listener_manager.lds.update_rejected") > rejected {
                return Some(Update::Rejected(self.reasons()));
            }
            let settled = self.stat("listener_manager.total_listeners_warming") == 0;
            (settled && self.stat("listener_manager.lds.update_success") > accepted).then_some(Update::Accepted)
        });
        verdict.unwrap_or_else(|| panic!("Envoy did not look at the new listeners:\n{}", self.log()))
    }

    /// Envoy keeps each reason twice: with the listener it has and with the one it refused.
    fn reasons(&self) -> String {
        let dump = self.admin_json("/config_dump?resource=dynamic_listeners");
        let listeners = dump["configs"].as_array().into_iter().flatten();
        let reasons: BTreeSet<_> = listeners.filter_map(|one| one["error_state"]["details"].as_str()).collect();
        Vec::from_iter(reasons).join("\n")
    }

    fn admin_json(&self, path: &str) -> Value {
        serde_json::from_str(&self.admin(path)).expect("Envoy's admin speaks JSON")
    }
}

impl Drop for Envoy {
    fn drop(&mut self) {
        end(&mut self.child);
        sweep(&self.folder);
    }
}

// === the process and its folder ===

fn folder() -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = format!("envoy-{}-{}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tmp").join(name);
    fs::create_dir_all(&folder).expect("a folder for Envoy");
    folder
}

fn spawn(folder: &Path, bootstrap: &Value, workers: u32) -> Child {
    let envoy = env::var("ENVOY_BIN").expect("ENVOY_BIN names Envoy; `./build.sh test` sets it");
    let mut bootstrap = bootstrap.clone();
    bootstrap["admin"] = json!({ "address": { "socket_address": { "address": "127.0.0.1", "port_value": 0 } } });
    fs::write(folder.join("bootstrap.json"), bootstrap.to_string()).expect("a writable folder");
    let log = fs::File::create(folder.join("envoy.log")).expect("a writable folder");
    // The folder is Envoy's working directory, so that configurations name its files without knowing where it is.
    Command::new(envoy)
        .current_dir(folder)
        .args(["--config-path", "bootstrap.json", "--admin-address-path", "admin"])
        .args(["--concurrency", &workers.to_string(), "--disable-hot-restart", "--file-flush-interval-msec", "20"])
        .args(["--component-log-level", "main:warning"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .expect("ENVOY_BIN can be run")
}

fn end(child: &mut Child) {
    // Both fail only when the process is gone already.
    let _ = child.kill();
    let _ = child.wait();
}

fn sweep(folder: &Path) {
    if !thread::panicking() {
        let _ = fs::remove_dir_all(folder);
    }
}

fn log(folder: &Path) -> String {
    fs::read_to_string(folder.join("envoy.log")).unwrap_or_default()
}

fn admin_port(folder: &Path) -> Option<u16> {
    fs::read_to_string(folder.join("admin")).ok()?.rsplit(':').next()?.trim().parse().ok()
}

/// Envoy notices files that are moved into place, and only those.
fn publish(folder: &Path, listeners: &Value) {
    let mut resources = listeners.clone();
    for listener in resources.as_array_mut().into_iter().flatten() {
        listener["@type"] = "type.googleapis.com/envoy.config.listener.v3.Listener".into();
    }
    let draft = folder.join("listeners.draft");
    fs::write(&draft, json!({ "resources": resources }).to_string()).expect("a writable folder");
    fs::rename(&draft, folder.join("listeners.json")).expect("a rename inside one folder");
}
