//! What others wrote, for a line of the log: short, on one line, and nothing but printable ASCII.

use std::fmt::Write;

/// The text with everything else escaped, cut to about so many characters.
pub fn printable(text: &str, longest: usize) -> String {
    let mut line = String::new();
    for character in text.chars() {
        if line.len() >= longest {
            line.push_str("...");
            break;
        }
        // Writing to a string does not fail.
        let _ = match character {
            ' '..='~' if character != '\\' => line.write_char(character),
            other => write!(line, "{}", other.escape_default()),
        };
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_else_is_printed() {
        for (text, line) in [
            ("RS256", "RS256"),
            ("", ""),
            ("a\nb\r\tc", "a\\nb\\r\\tc"),
            ("\u{202e}é", "\\u{202e}\\u{e9}"),
            ("\\n`", "\\\\n`"),
            ("0123456789abcdef", "0123456789..."),
        ] {
            assert_eq!(printable(text, 10), line, "{text:?}");
        }
        assert!(printable(&"\u{10ffff}".repeat(10_000), 64).len() < 80);
    }
}
