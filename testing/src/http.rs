//! A raw HTTP/1.1 client: what is handed to it is what goes over the wire, byte for byte.

use super::tls::Client;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(10);

/// A request, sent as it is written here: nothing is added, not even `host`.
#[derive(Clone, Debug, Default)]
pub struct Message {
    /// What a proxy says before the request: a PROXY protocol header.
    pub preface: String,
    pub method: String,
    pub path: Vec<u8>,
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
}

/// A connection that stays open for the next request.
pub struct Connection<S = TcpStream>(BufReader<S>);

/// What came back.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
}

// === impl Message ===

impl Message {
    pub fn get(path: &str) -> Message {
        Message { method: "GET".into(), path: path.into(), ..Message::default() }.header("host", "test")
    }

    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Message {
        self.headers.push((name.into(), value.as_ref().into()));
        self
    }

    pub fn send(&self, port: u16) -> io::Result<Reply> {
        Connection::open(port)?.send(self)
    }

    /// The same bytes, inside TLS.
    pub fn send_as(&self, client: &Client, port: u16) -> io::Result<Reply> {
        Connection(BufReader::new(client.over(connect(port)?))).send(self)
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = [self.preface.as_bytes(), self.method.as_bytes(), b" ", &self.path, b" HTTP/1.1\r\n"].concat();
        for (name, value) in &self.headers {
            bytes.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
        }
        bytes.extend(b"\r\n");
        bytes.extend(&self.body);
        bytes
    }
}

// === impl Connection ===

impl Connection {
    pub fn open(port: u16) -> io::Result<Connection> {
        Ok(Connection(BufReader::new(connect(port)?)))
    }
}

impl<S: Read + Write> Connection<S> {
    pub fn send(&mut self, message: &Message) -> io::Result<Reply> {
        self.0.get_mut().write_all(&message.bytes())?;
        loop {
            let reply = Reply::read(&mut self.0, &message.method)?;
            if reply.status >= 200 {
                return Ok(reply);
            }
        }
    }
}

fn connect(port: u16) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&(Ipv4Addr::LOCALHOST, port).into(), PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

// === impl Reply ===

impl Reply {
    /// The values of a header, joined as RFC 9110 5.3 joins them.
    pub fn header(&self, name: &str) -> Option<String> {
        joined(&self.headers, name)
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    fn read(stream: &mut impl BufRead, method: &str) -> io::Result<Reply> {
        let head = head(stream)?;
        if head.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut space = [httparse::EMPTY_HEADER; 128];
        let mut parsed = httparse::Response::new(&mut space);
        parsed.parse(&head).map_err(io::Error::other)?;
        let status = parsed.code.unwrap_or_default();
        let headers = owned(parsed.headers);
        let silent = method == "HEAD" || status < 200 || status == 204 || status == 304;
        let body = match framing(&headers)? {
            _ if silent => Vec::new(),
            Framing::Length(length) => exactly(stream, length)?,
            Framing::Chunked => chunks(stream)?,
            Framing::Unframed => {
                let mut rest = Vec::new();
                stream.read_to_end(&mut rest)?;
                rest
            }
        };
        Ok(Reply { status, headers, body })
    }
}

// === framing, for both ends of a connection ===

pub(crate) enum Framing {
    Length(u64),
    Chunked,
    Unframed,
}

/// The bytes up to and with the empty line; none at all when the peer has closed.
pub fn head(stream: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read_until(b'\n', &mut head)? == 0 {
            return if head.is_empty() { Ok(head) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
        }
    }
    Ok(head)
}

pub(crate) fn framing(headers: &[(String, Vec<u8>)]) -> io::Result<Framing> {
    if joined(headers, "transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
        return Ok(Framing::Chunked);
    }
    match joined(headers, "content-length") {
        Some(length) => length.parse().map(Framing::Length).map_err(io::Error::other),
        None => Ok(Framing::Unframed),
    }
}

pub fn exactly(stream: &mut impl BufRead, length: u64) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    stream.take(length).read_to_end(&mut body)?;
    if u64::try_from(body.len()) == Ok(length) { Ok(body) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

pub(crate) fn chunks(stream: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let size = line.split(';').next().unwrap_or_default().trim();
        let size = u64::from_str_radix(size, 16).map_err(io::Error::other)?;
        body.extend(exactly(stream, size)?);
        if size == 0 {
            while line.trim_end() != "" {
                line.clear();
                stream.read_line(&mut line)?;
            }
            return Ok(body);
        }
        exactly(stream, 2)?;
    }
}

pub(crate) fn owned(headers: &[httparse::Header<'_>]) -> Vec<(String, Vec<u8>)> {
    headers.iter().map(|header| (header.name.to_owned(), header.value.to_owned())).collect()
}

pub(crate) fn joined(headers: &[(String, Vec<u8>)], name: &str) -> Option<String> {
    let values: Vec<_> = headers
        .iter()
        .filter(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|(_, value)| String::from_utf8_lossy(value))
        .collect();
    (!values.is_empty()).then(|| values.join(", "))
}
