//! The host's `verify_signature` where it is there and answers right, and the crates everywhere else.

use std::fmt;

use super::{PureRust, Verify, VerifyingKey, known_answers, question::Question};
use crate::jose::algorithm::Algorithm;

/// What Envoy's `verify_signature` can verify.
pub(super) const OFFERED: [Algorithm; 6] =
    [Algorithm::Rs256, Algorithm::Rs384, Algorithm::Rs512, Algorithm::Es256, Algorithm::Es384, Algorithm::Es512];

/// Envoy's foreign function `verify_signature`.
pub trait VerifySignature: fmt::Debug {
    /// Calls it; `None` if there is none, it is restricted or it fails.
    fn call(&self, arguments: &[u8]) -> Option<Vec<u8>>;
}

/// Whether the host is asked.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum HostCrypto {
    /// For what it has given the known answers to.
    #[default]
    Auto,
    /// Never.
    Off,
}

/// Verifies with the host what it verifies right. Where it says neither yes nor no, [`PureRust`] decides.
#[derive(Debug)]
pub struct Host<F> {
    function: F,
    wanted: HostCrypto,
    algorithms: Vec<Algorithm>,
}

impl<F: VerifySignature> Host<F> {
    /// Probes the host, unless it is not wanted.
    pub fn probe(function: F, wanted: HostCrypto) -> Self {
        let is_right = |algorithm: &Algorithm| known_answers::are_right(&function, *algorithm);
        let algorithms = match wanted {
            HostCrypto::Auto => OFFERED.into_iter().filter(is_right).collect(),
            HostCrypto::Off => Vec::new(),
        };
        Self { function, wanted, algorithms }
    }

    /// The host's function.
    pub fn function(&self) -> &F {
        &self.function
    }

    /// What the host verifies.
    pub fn algorithms(&self) -> &[Algorithm] {
        &self.algorithms
    }

    /// Whether the host is wanted for more than it can do.
    pub fn is_lacking(&self) -> bool {
        self.wanted == HostCrypto::Auto && self.algorithms.len() < OFFERED.len()
    }
}

impl<F: VerifySignature> Verify for Host<F> {
    fn verify(&self, algorithm: Algorithm, key: &VerifyingKey, message: &[u8], signature: &[u8]) -> bool {
        let question = self.algorithms.contains(&algorithm).then(|| Question::new(algorithm, key, message, signature));
        let verdict = question.flatten().and_then(|question| question.ask(&self.function));
        verdict.unwrap_or_else(|| PureRust.verify(algorithm, key, message, signature))
    }
}

/// Who verifies what, as a line of the log.
impl<F> fmt::Display for Host<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |is_by_host: bool| {
            let names = OFFERED.iter().filter(|algorithm| self.algorithms.contains(algorithm) == is_by_host);
            names.map(|algorithm| algorithm.name()).collect::<Vec<_>>().join(", ")
        };
        let (by_host, not_by_host) = (names(true), names(false));
        match (self.wanted, by_host.as_str(), not_by_host.as_str()) {
            (HostCrypto::Off, ..) => f.write_str("hostCrypto: it is off, so the module verifies all signatures"),
            (_, _, "") => write!(f, "hostCrypto: the host verifies {by_host}"),
            (_, "", _) => f.write_str(
                "hostCrypto: the host has no usable `verify_signature`, so the module verifies all signatures",
            ),
            _ => write!(f, "hostCrypto: the host verifies {by_host}, but not {not_by_host}"),
        }
    }
}
