//! Encodings of bytes as text.

pub mod base64url;
pub mod hex;
pub mod printable;
