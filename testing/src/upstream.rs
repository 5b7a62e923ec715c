//! An upstream that answers `ok` and remembers what it was sent, by the header `x-case`; without one it forgets.

use super::http::{self, Framing};
use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

/// The upstream; its threads end with the test's process.
pub struct Upstream {
    port: u16,
    memory: Memory,
}

/// One request as it arrived, headers in their order and with their duplicates.
#[derive(Clone, Debug)]
pub struct Seen {
    pub path: String,
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
}

#[derive(Clone, Default)]
struct Memory(Arc<Mutex<HashMap<String, Vec<Seen>>>>);

// === impl Upstream ===

impl Upstream {
    pub fn start() -> Upstream {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port on loopback");
        let port = listener.local_addr().expect("a bound socket has an address").port();
        let upstream = Upstream { port, memory: Memory::default() };
        let memory = upstream.memory.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let memory = memory.clone();
                thread::spawn(move || answer(&stream, &memory));
            }
        });
        upstream
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// The last request of a case.
    pub fn seen(&self, case: &str) -> Option<Seen> {
        self.memory.lock().get(case)?.last().cloned()
    }

    pub fn count(&self, case: &str) -> usize {
        self.memory.lock().get(case).map_or(0, Vec::len)
    }
}

// === impl Seen ===

impl Seen {
    /// The values of a header, joined as RFC 9110 5.3 joins them.
    pub fn header(&self, name: &str) -> Option<String> {
        http::joined(&self.headers, name)
    }

    /// The next request on a connection; none when the client has closed it.
    pub(crate) fn read(stream: &mut impl BufRead) -> io::Result<Option<Seen>> {
        let head = http::head(stream)?;
        if head.is_empty() {
            return Ok(None);
        }
        let mut space = [httparse::EMPTY_HEADER; 128];
        let mut parsed = httparse::Request::new(&mut space);
        parsed.parse(&head).map_err(io::Error::other)?;
        let path = parsed.path.unwrap_or_default().to_owned();
        let headers = http::owned(parsed.headers);
        let body = match http::framing(&headers)? {
            Framing::Length(length) => http::exactly(stream, length)?,
            Framing::Chunked => http::chunks(stream)?,
            Framing::Unframed => Vec::new(),
        };
        Ok(Some(Seen { path, headers, body }))
    }
}

// === impl Memory ===

impl Memory {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Vec<Seen>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, seen: Seen) {
        if let Some(case) = seen.header("x-case") {
            self.lock().entry(case).or_default().push(seen);
        }
    }
}

// === a connection ===

fn answer(stream: &TcpStream, memory: &Memory) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut writer = stream;
    while let Some(seen) = Seen::read(&mut reader)? {
        memory.keep(seen);
        writer.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")?;
    }
    Ok(())
}
