//! Where a rule looks for tokens.

use serde_json::Value;

#[cfg(not(target_arch = "wasm32"))]
use super::schema::Described;
use super::{
    at::At,
    header_name::ReadHeader,
    shape::{Required, Shape, Text, object},
};
use crate::location::Location;

object! {
    /// Where tokens are.
    pub struct TokenLocations:

    /// Headers with tokens. Every value of the header is read. Default: see above.
    pub from_headers: Vec<FromHeader>,
    /// Query parameters with tokens. Names and values are percent-decoded, and every occurrence is read. Default: see above.
    pub from_params: Vec<Text>,
    /// Cookies with tokens. Names are case-sensitive, quotes around the value are dropped, and every occurrence is read.
    pub from_cookies: Vec<CookieName>,
    /// Whether the token stays on the request.
    pub forward_original_token: bool = false,
}

object! {
    /// A header with tokens, as Istio's `JWTHeader`.
    pub struct FromHeader:

    /// The header, in any case. `cookie` is rejected: use `fromCookies`. A header that two rules read needs the same
    /// prefix in both, or prefixes of which none begins with the other.
    pub name: Required<ReadHeader>,
    /// What stands before the token, compared without regard to case. A value that starts otherwise holds no token; the prefix
    /// alone holds an empty one.
    pub prefix: Option<String>,
}

impl TokenLocations {
    /// The places, Istio's two if none is written.
    #[inline(never)]
    pub(super) fn checked(self, at: &mut At<'_>) -> Vec<Location> {
        if self.from_headers.is_empty() && self.from_params.is_empty() && self.from_cookies.is_empty() {
            return Location::defaults();
        }
        let mut locations = at.field("fromHeaders").each(self.from_headers, |at, written| {
            let ReadHeader(name) = written.name.value?;
            if name.is("cookie") {
                at.field("name").error("cookies are not read as a header").help("use `fromCookies`");
            }
            Some(Location::Header { name, prefix: written.prefix.unwrap_or_default().to_ascii_lowercase() })
        });
        locations.extend(self.from_params.into_iter().map(|Text(name)| Location::Query { name }));
        locations.extend(self.from_cookies.into_iter().map(|CookieName(name)| Location::Cookie { name }));
        locations
    }
}

/// A cookie's name.
#[derive(Debug)]
pub(super) struct CookieName(String);

impl Shape for CookieName {
    fn read(value: Value, at: &mut At<'_>) -> Option<Self> {
        let name = at.some_text(value)?;
        if name.contains(['=', ';', ' ', '\t']) {
            at.wrong(&name, "is not a cookie's name").help("leave out `=`, `;` and whitespace");
        }
        Some(Self(name))
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn described() -> Described {
        Described::pattern("^[^=; \t]+$")
    }
}
