//! The headers that a rule writes.

use serde_json::Value;

#[cfg(not(target_arch = "wasm32"))]
use super::schema::Described;
use super::{
    at::At,
    header_name::OutputHeader,
    shape::{Required, Shape, object, words},
};
use crate::{
    claims::{
        claim_header::{ClaimHeader, Format},
        path::ClaimPath,
    },
    reply::Style,
    request::HeaderName,
};

object! {
    /// The headers that a rule writes.
    pub struct Outputs:

    /// Header for the payload, as the issuer encoded it: base64url without padding.
    pub output_payload_to_header: Option<OutputHeader>,
    /// Headers for single claims.
    pub output_claim_to_headers: Vec<ClaimToHeader>,
    /// Whether Envoy chooses the route again after these headers were set or a forged one was removed.
    pub clear_route_cache: bool = false,
}

object! {
    /// A claim and its header, as Istio's `ClaimToHeader`.
    pub struct ClaimToHeader:

    /// The header: letters, digits, `-` and `_`, each name once in a rule.
    pub header: Required<OutputHeader>,
    /// The claim: `email`, `realm.roles` or `[realm_access][roles]`.
    pub claim: Required<ClaimPath>,
    /// How the value is written. `comma` and `space` make the header a list: a text that would be read as several elements is not
    /// written. Default: a text as it is, a list joined with commas; in style `istio` as Envoy.
    pub format: Option<Format>,
}

words!(Format: [
    ("comma", Format::Comma),
    ("space", Format::Space),
    ("json", Format::Json),
    ("base64json", Format::Base64Json),
]);

impl Outputs {
    /// The headers it writes.
    pub(super) fn headers(&self) -> impl Iterator<Item = &HeaderName> {
        let claims = self.output_claim_to_headers.iter().filter_map(|output| output.header.value.as_ref());
        claims.chain(&self.output_payload_to_header).map(|OutputHeader(name)| name)
    }

    /// The header for the payload and those for claims, each header once.
    #[inline(never)]
    pub(super) fn checked(
        self,
        at: &mut At<'_>,
        space_delimited: &[String],
        style: Style,
    ) -> (Option<HeaderName>, Vec<ClaimHeader>) {
        if self.clear_route_cache && self.output_payload_to_header.is_none() && self.output_claim_to_headers.is_empty()
        {
            at.field("clearRouteCache").warn("it has no effect on a rule that writes no header");
        }
        let payload = self.output_payload_to_header.map(|OutputHeader(name)| name);
        let mut taken: Vec<HeaderName> = payload.iter().cloned().collect();
        let unwritten = if style == Style::Istio { Format::Envoy } else { Format::Plain };
        let claims = at.field("outputClaimToHeaders").each(self.output_claim_to_headers, |at, written| {
            let OutputHeader(header) = written.header.value?;
            if taken.contains(&header) {
                let mut at = at.field("header");
                at.wrong(header.as_str(), "is written twice by this rule")
                    .help("give every claim its own header; `-` and `_` count as the same");
            }
            taken.push(header.clone());
            let claim = written.claim.value?;
            let is_words = is_words(&claim, space_delimited);
            let format = match written.format.unwrap_or(unwritten) {
                Format::Space if is_words => Format::Words,
                format => format,
            };
            Some(ClaimHeader { header, claim, format })
        });
        (payload, claims)
    }
}

/// Whether the text of a claim is a list of words.
fn is_words(claim: &ClaimPath, space_delimited: &[String]) -> bool {
    let name = claim.to_string();
    matches!(name.as_str(), "scope" | "permission") || space_delimited.contains(&name)
}

impl Shape for ClaimPath {
    fn read(value: Value, at: &mut At<'_>) -> Option<Self> {
        let written = at.some_text(value)?;
        let path = Self::parse(&written).ok();
        if path.is_none() {
            at.wrong(&written, "is not a claim").help("write `email`, `realm.roles` or `[realm_access][roles]`");
        }
        path
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn described() -> Described {
        Described::some_text()
    }
}
