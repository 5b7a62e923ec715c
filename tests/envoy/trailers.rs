//! Forged identity headers in the trailers of a request.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, TcpListener},
    thread,
    time::Duration,
};

use claimgate_testing::{
    bootstrap::{Bootstrap, Listener},
    envoy::Envoy,
    http::Message,
    keys,
};
use libtest_mimic::Trial;
use serde_json::json;

pub(crate) fn trials() -> Vec<Trial> {
    vec![Trial::test("trailers: forged headers are removed, others stay", || {
        let upstream = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let configuration = json!({"jwtRules": [{
            "issuer": "https://idp.example.com", "jwks": keys::jwks("@p256"),
            "outputClaimToHeaders": [{"header": "x-user", "claim": "sub"}],
        }]});
        let gate = Listener::gated("trailers", &configuration.to_string());
        let bootstrap = Bootstrap::to(upstream.local_addr()?.port()).listener(gate).with_trailers().json();
        let envoy = Envoy::start(&bootstrap);
        let arrived = thread::spawn(move || -> std::io::Result<String> {
            let (mut stream, _) = upstream.accept()?;
            stream.set_read_timeout(Some(Duration::from_secs(10)))?;
            let mut bytes = Vec::new();
            while !(bytes.ends_with(b"\r\n\r\n") && bytes.windows(5).any(|window| window == b"\r\n0\r\n")) {
                let mut buffer = [0; 1024];
                let read = stream.read(&mut buffer)?;
                bytes.extend(&buffer[..read]);
            }
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")?;
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        });
        let message = Message { method: "POST".into(), ..Message::get("/") }.header("transfer-encoding", "chunked");
        let body = b"1\r\nx\r\n0\r\nx-user: root\r\nX_User: root\r\nx-kept: yes\r\n\r\n".to_vec();
        assert_eq!(Message { body, ..message }.send(envoy.port("trailers"))?.status, 200);
        let arrived = arrived.join().unwrap()?;
        assert!(arrived.contains("x-kept: yes"), "{arrived}");
        assert!(!arrived.contains("root"), "{arrived}");
        Ok(())
    })]
}
