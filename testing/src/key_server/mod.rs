//! An issuer on loopback: its keys, its discovery document, and a switchboard with the troubles of key servers.
//!
//! All of it can be turned while requests are on their way.

use super::{patience::patiently, tls::Authority, upstream::Seen};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use socket2::{Domain, SockRef, Socket, Type};
use std::io::{self, BufReader, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{self, JoinHandle};
use std::time::Duration;

pub use switchboard::{Behaviour, Fetch};
use switchboard::{Switchboard, Then};

mod switchboard;

pub const KEYS: &str = "/keys";
pub const DISCOVERY: &str = "/.well-known/openid-configuration";

/// The server. Its port is its own as long as it lives, also while nobody listens there.
pub struct KeyServer {
    /// Scheme, host and port, as a token's issuer would write them.
    origin: String,
    port: u16,
    tls: Option<Arc<ServerConfig>>,
    switchboard: Arc<Mutex<Switchboard>>,
    listening: Mutex<Option<Listening>>,
    /// Bound, never listening: nobody else is given the port.
    _reservation: Socket,
}

struct Listening {
    port: u16,
    open: Arc<AtomicBool>,
    acceptor: JoinHandle<Vec<Weak<TcpStream>>>,
}

// === impl KeyServer ===

impl KeyServer {
    pub fn start() -> KeyServer {
        let server = KeyServer::down();
        server.resume();
        server
    }

    /// As `https://` and the first of these names, on the port everybody expects: only a cluster knows the real one.
    pub fn start_over_tls(authority: &Authority, names: &[&str]) -> KeyServer {
        let server = KeyServer::at(|_| format!("https://{}", names[0]), Some(authority.server(names)));
        server.resume();
        server
    }

    /// Nobody listens until `resume`.
    pub fn down() -> KeyServer {
        KeyServer::at(|port| format!("http://127.0.0.1:{port}"), None)
    }

    fn at(origin: impl FnOnce(u16) -> String, tls: Option<Arc<ServerConfig>>) -> KeyServer {
        let (reservation, port) = reserve().expect("a free port on loopback");
        let origin = origin(port);
        let switchboard = Arc::new(Mutex::new(Switchboard::good(&origin)));
        KeyServer { origin, port, tls, switchboard, listening: Mutex::default(), _reservation: reservation }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// The issuer, as long as no other is named.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// Refuses connections and cuts those that there are.
    pub fn stop(&self) {
        if let Some(listening) = lock(&self.listening).take() {
            listening.end();
        }
    }

    /// Listens again, on the same port.
    pub fn resume(&self) {
        lock(&self.listening).get_or_insert_with(|| {
            let (tls, switchboard) = (self.tls.clone(), Arc::clone(&self.switchboard));
            Listening::start(self.port, move |socket| match &tls {
                Some(config) => {
                    let connection = ServerConnection::new(Arc::clone(config)).map_err(io::Error::other)?;
                    answer(StreamOwned::new(connection, socket), socket, &switchboard)
                }
                None => answer(socket, socket, &switchboard),
            })
        });
    }
}

/// What it is set to.
impl KeyServer {
    /// The keys, in the words of `keys::jwks`.
    pub fn serves(&self, keys: &str) {
        self.switchboard().keys = super::keys::jwks(keys);
    }

    /// The issuer of the discovery document.
    pub fn names_issuer(&self, issuer: &str) {
        self.switchboard().issuer = issuer.into();
    }

    /// The `jwks_uri` of the discovery document.
    pub fn names_jwks_uri(&self, uri: &str) {
        self.switchboard().jwks_uri = uri.into();
    }

    /// On all paths.
    pub fn behave(&self, behaviour: Behaviour) {
        for path in [KEYS, DISCOVERY] {
            self.behave_at(path, behaviour.clone());
        }
    }

    fn behave_at(&self, path: &str, behaviour: Behaviour) {
        self.switchboard().behaviours.insert(path.into(), behaviour);
    }

    /// A header of all answers. With an `etag`, whoever has it already is told so by 304.
    pub fn says(&self, name: &str, value: &str) {
        self.switchboard().headers.insert(name.into(), value.into());
    }
}

/// What it was asked.
impl KeyServer {
    pub fn fetches(&self, path: &str) -> Vec<Fetch> {
        self.switchboard().fetches.iter().filter(|fetch| fetch.request.path == path).cloned().collect()
    }

    pub fn count(&self, path: &str) -> usize {
        self.fetches(path).len()
    }

    pub fn count_of(&self, path: &str, status: u16) -> usize {
        self.fetches(path).iter().filter(|fetch| fetch.status == Some(status)).count()
    }

    /// Waits until a path was asked for so many times in all.
    pub fn wait_for(&self, path: &str, count: usize) {
        let asked = patiently(|| (self.count(path) >= count).then_some(()));
        assert!(asked.is_some(), "{path} was fetched {} times, not {count}", self.count(path));
    }

    fn switchboard(&self) -> MutexGuard<'_, Switchboard> {
        lock(&self.switchboard)
    }
}

impl Drop for KeyServer {
    fn drop(&mut self) {
        self.stop();
    }
}

// === impl Listening ===

impl Listening {
    fn start(port: u16, serve: impl Fn(&TcpStream) -> io::Result<()> + Clone + Send + 'static) -> Listening {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("a port of our own");
        let open = Arc::new(AtomicBool::new(true));
        let still_open = Arc::clone(&open);
        let acceptor = thread::spawn(move || {
            let mut connections = Vec::new();
            for socket in listener.incoming().flatten().map(Arc::new) {
                if !still_open.load(Ordering::SeqCst) {
                    break;
                }
                connections.push(Arc::downgrade(&socket));
                let serve = serve.clone();
                thread::spawn(move || serve(&socket));
            }
            connections
        });
        Listening { port, open, acceptor }
    }

    fn end(self) {
        self.open.store(false, Ordering::SeqCst);
        // Wakes the acceptor; whoever was faster has woken it too.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
        for socket in self.acceptor.join().expect("accepting does not fail").iter().filter_map(Weak::upgrade) {
            let _ = socket.shutdown(Shutdown::Both);
        }
    }
}

// === a connection ===

fn answer(stream: impl Read + Write, socket: &TcpStream, switchboard: &Mutex<Switchboard>) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    while let Some(request) = Seen::read(&mut stream)? {
        let answer = lock(switchboard).answer(request);
        thread::sleep(answer.delay);
        stream.get_mut().write_all(&answer.bytes)?;
        stream.get_mut().flush()?;
        match answer.then {
            Then::Listen => {}
            Then::Hang => return io::copy(&mut stream, &mut io::sink()).map(drop),
            Then::Reset => return SockRef::from(socket).set_linger(Some(Duration::ZERO)),
        }
    }
    Ok(())
}

fn reserve() -> io::Result<(Socket, u16)> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    // As std's listeners do; both must for the listener to be let in.
    socket.set_reuse_address(true)?;
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
    let address = socket.local_addr()?.as_socket().ok_or(io::ErrorKind::AddrNotAvailable)?;
    Ok((socket, address.port()))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
