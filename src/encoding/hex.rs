//! Lower-case hexadecimal (RFC 4648 section 8).

pub fn encode(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
