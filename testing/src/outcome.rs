//! What became of a request, wherever it was decided, held against what the case expects.

use super::case::{Expect, Grpc};

/// A reply and, if it was admitted, the request as the upstream saw it.
#[derive(Debug, Default)]
pub struct Outcome {
    pub status: u16,
    pub reason: Option<String>,
    pub rule: Option<String>,
    pub headers: Vec<(String, String)>,
    pub body: String,
    pub grpc: Option<Grpc>,
    pub upstream: Option<Arrival>,
}

/// A request at the upstream.
#[derive(Debug, Default)]
pub struct Arrival {
    pub path: String,
    pub headers: Vec<(String, Vec<u8>)>,
}

/// Reason code and rule id of `claimgate_denied{code}` and `claimgate_denied{code}:id`, the response-code details of a reason.
pub fn parts(details: &str) -> (Option<String>, Option<String>) {
    let parts = details.strip_prefix("claimgate_denied{").and_then(|rest| rest.split_once('}'));
    let Some((reason, rest)) = parts else {
        return (None, None);
    };
    (Some(reason.to_owned()), rest.strip_prefix(':').map(str::to_owned))
}

impl Arrival {
    fn values(&self, name: &str) -> Vec<String> {
        let of_name = self.headers.iter().filter(|(present, _)| present == name);
        of_name.map(|(_, value)| String::from_utf8_lossy(value).into_owned()).collect()
    }
}

impl Outcome {
    fn header(&self, name: &str) -> String {
        let of_name = self.headers.iter().filter(|(present, _)| present == name);
        of_name.map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(", ")
    }

    /// Everything that is not as expected.
    pub fn against(&self, expect: &Expect) -> Result<(), String> {
        let mut differences = Vec::new();
        let mut compare = |what: &str, found: &dyn std::fmt::Debug, expected: &dyn std::fmt::Debug| {
            let (found, expected) = (format!("{found:?}"), format!("{expected:?}"));
            if found != expected {
                differences.push(format!("{what} is {found}, expected {expected}"));
            }
        };
        compare("status", &self.status, &if expect.grpc.is_some() { 200 } else { expect.status });
        compare("reason", &self.reason, &expect.reason);
        compare("reached the upstream", &self.upstream.is_some(), &(expect.status == 200));
        let or_none = |text: &Option<String>| text.clone().unwrap_or_default();
        if let Some(rule) = &expect.rule {
            compare("rule", &or_none(&self.rule), rule);
        }
        if let Some(challenge) = &expect.www_authenticate {
            compare("www-authenticate", &self.header("www-authenticate"), challenge);
        }
        for (name, value) in &expect.challenge {
            let found = parameter(&self.header("www-authenticate"), name).map(str::to_owned);
            compare(&format!("{name} of the challenge"), &found.unwrap_or_default(), value);
        }
        for (name, value) in &expect.headers {
            compare(name, &self.header(name), value);
        }
        if expect.status != 200 {
            compare("gRPC", &self.grpc, &expect.grpc);
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

/// One parameter of a challenge, in quotes (RFC 9110 section 11.2).
fn parameter<'a>(challenge: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = challenge.strip_prefix("Bearer ")?;
    while let Some((parameter, after)) = rest.split_once("=\"") {
        let (value, after) = after.split_once('"')?;
        if parameter == name {
            return Some(value);
        }
        rest = after.trim_start_matches([',', ' ']);
    }
    None
}
