//! `Connection` on an upgrade: it is kept, and what it names is dropped by the next hop, but no header of claimgate's.

use std::{
    io::{BufReader, Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    thread,
    time::Duration,
};

use claimgate_testing::{
    bootstrap::{Bootstrap, Listener},
    envoy::Envoy,
    http, keys,
    token::Recipe,
};
use libtest_mimic::Trial;
use serde_json::json;

pub(crate) fn trials() -> Vec<Trial> {
    vec![Trial::test("upgrade: a client can't have the next hop drop a claim's header", || {
        let upstream = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let configuration = json!({"jwtRules": [{
            "issuer": "https://idp.example.com", "jwks": keys::jwks("@p256"),
            "outputClaimToHeaders": [{"header": "x-user", "claim": "sub"}],
        }]});
        let gate = Listener::gated("gate", &configuration.to_string());
        let mut bootstrap = Bootstrap::to(upstream.local_addr()?.port()).listener(gate).json();
        let manager = &mut bootstrap["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0];
        manager["typed_config"]["upgrade_configs"] = json!([{"upgrade_type": "websocket"}]);
        let envoy = Envoy::start(&bootstrap);
        let arrived = thread::spawn(move || -> std::io::Result<String> {
            let (mut stream, _) = upstream.accept()?;
            let head = http::head(&mut BufReader::new(&stream))?;
            stream
                .write_all(b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n")?;
            Ok(String::from_utf8_lossy(&head).to_ascii_lowercase())
        });
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, envoy.port("gate")))?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        let token = Recipe::default().sign(crate::now());
        write!(
            stream,
            "GET / HTTP/1.1\r\nhost: test\r\nupgrade: websocket\r\nconnection: Upgrade, X-User, x_user\r\n\
             authorization: Bearer {token}\r\n\r\n"
        )?;
        let mut reply = [0; 12];
        stream.read_exact(&mut reply)?;
        assert_eq!(&reply, b"HTTP/1.1 101");
        let arrived = arrived.join().unwrap()?;
        let connection = arrived.lines().find_map(|line| line.strip_prefix("connection: "));
        assert_eq!(connection, Some("upgrade"), "{arrived}");
        assert!(arrived.contains("x-user: alice") && !arrived.contains("authorization"), "{arrived}");
        Ok(())
    })]
}
