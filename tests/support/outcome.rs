//! What became of a request, wherever it was decided, held against what the case expects.

use super::case::Expect;

/// A reply and, if it was admitted, the request as the upstream saw it.
#[derive(Debug, Default)]
pub struct Outcome {
    pub status: u16,
    pub reason: Option<String>,
    pub www_authenticate: Option<String>,
    pub body: String,
    pub upstream: Option<Arrival>,
}

/// A request at the upstream.
#[derive(Debug, Default)]
pub struct Arrival {
    pub path: String,
    pub headers: Vec<(String, Vec<u8>)>,
}

impl Arrival {
    fn values(&self, name: &str) -> Vec<String> {
        let of_name = self.headers.iter().filter(|(present, _)| present == name);
        of_name.map(|(_, value)| String::from_utf8_lossy(value).into_owned()).collect()
    }
}

impl Outcome {
    /// Everything that is not as expected.
    pub fn against(&self, expect: &Expect) -> Result<(), String> {
        let mut differences = Vec::new();
        let mut compare = |what: &str, found: &dyn std::fmt::Debug, expected: &dyn std::fmt::Debug| {
            let (found, expected) = (format!("{found:?}"), format!("{expected:?}"));
            if found != expected {
                differences.push(format!("{what} is {found}, expected {expected}"));
            }
        };
        compare("status", &self.status, &expect.status);
        compare("reason", &self.reason, &expect.reason);
        compare("reached the upstream", &self.upstream.is_some(), &(expect.status == 200));
        if expect.www_authenticate.is_some() {
            compare("www-authenticate", &self.www_authenticate, &expect.www_authenticate);
        }
        if let Some(body) = &expect.body {
            compare("body", &self.body, body);
        }
        if let Some(arrival) = &self.upstream {
            for (name, values) in &expect.upstream.headers {
                compare(&format!("{name} at the upstream"), &arrival.values(name), values);
            }
            for name in &expect.upstream.absent {
                compare(&format!("{name} at the upstream"), &arrival.values(name), &Vec::<String>::new());
            }
            if let Some(path) = &expect.upstream.path {
                compare("path at the upstream", &arrival.path, path);
            }
        }
        if differences.is_empty() { Ok(()) } else { Err(differences.join("\n")) }
    }
}
