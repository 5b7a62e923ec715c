//! The claims of a proven token (RFC 7519 section 4). They can be read only out of a [`Proven`].

pub mod claim_header;
pub mod path;
mod size;
pub mod validity;

use std::time::Duration;

use serde_json::{Map, Value};

use crate::{
    jose::{UntrustedToken, header::Header},
    proof::Proven,
    reason::{Reason, Registered},
    time::UnixTime,
};

/// A verified payload with its registered claims in their types.
#[derive(Debug, Eq, PartialEq)]
pub struct Claims {
    issuer: Option<String>,
    subject: Option<String>,
    audiences: Vec<String>,
    expires: Option<UnixTime>,
    not_before: Option<UnixTime>,
    header: Header,
    members: Map<String, Value>,
    encoded: Vec<u8>,
}

impl Claims {
    /// Reads the payload of a token whose signature is good.
    ///
    /// # Errors
    /// A registered claim that is there but of the wrong form is never taken for an absent one.
    pub fn read(proven: Proven<'_>) -> Result<Self, Reason> {
        let token: UntrustedToken<'_> = proven.into_token();
        let (header, members, encoded) = token.into_parts();
        string(&members, Registered::Jti)?;
        numeric_date(&members, Registered::Iat)?;
        Ok(Self {
            issuer: string(&members, Registered::Iss)?,
            subject: string(&members, Registered::Sub)?,
            audiences: audiences(&members)?,
            expires: numeric_date(&members, Registered::Exp)?,
            not_before: numeric_date(&members, Registered::Nbf)?,
            header,
            encoded: encoded.to_vec(),
            members,
        })
    }

    /// `iss`.
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// `sub`.
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// `aud`.
    pub fn audiences(&self) -> &[String] {
        &self.audiences
    }

    /// `exp`.
    pub fn expires(&self) -> Option<UnixTime> {
        self.expires
    }

    /// The header of the token that said all this.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Every claim.
    pub fn members(&self) -> &Map<String, Value> {
        &self.members
    }

    /// The memory all of it takes, in bytes.
    pub fn size(&self) -> usize {
        let texts = [&self.issuer, &self.subject, &self.header.kid, &self.header.typ];
        let texts = texts.into_iter().flatten().map(size::text).sum::<usize>();
        let audiences = size::list(&self.audiences) + self.audiences.iter().map(size::text).sum::<usize>();
        size_of::<Self>() + texts + audiences + size::bytes(&self.encoded) + size::object(&self.members)
    }

    /// The payload as the issuer encoded it, unpadded base64url.
    pub fn encoded(&self) -> &[u8] {
        &self.encoded
    }
}

fn string(members: &Map<String, Value>, claim: Registered) -> Result<Option<String>, Reason> {
    match members.get(claim.name()) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(Reason::ClaimMalformed(claim)),
    }
}

fn audiences(members: &Map<String, Value>) -> Result<Vec<String>, Reason> {
    let malformed = Reason::ClaimMalformed(Registered::Aud);
    match members.get("aud") {
        None => Ok(Vec::new()),
        Some(Value::String(audience)) => Ok(vec![audience.clone()]),
        Some(Value::Array(list)) => {
            list.iter().map(|audience| audience.as_str().map(str::to_owned).ok_or(malformed)).collect()
        }
        Some(_) => Err(malformed),
    }
}

/// RFC 7519 section 2: a number of seconds since the epoch, fractions allowed; nothing else is a date.
pub(crate) fn numeric_date(members: &Map<String, Value>, claim: Registered) -> Result<Option<UnixTime>, Reason> {
    let Some(value) = members.get(claim.name()) else {
        return Ok(None);
    };
    let since_epoch = match (value.as_u64(), value.as_f64()) {
        (Some(seconds), _) => Duration::from_secs(seconds),
        (None, Some(seconds)) => Duration::try_from_secs_f64(seconds).map_err(|_| Reason::DateOutOfRange(claim))?,
        (None, None) => return Err(Reason::ClaimMalformed(claim)),
    };
    Ok(Some(UnixTime::since_epoch(since_epoch)))
}
