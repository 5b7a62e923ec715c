//! `key=value` pairs in one line (logfmt), of visible ASCII whatever goes in: no value can end the line or pose as a pair.

use std::fmt::Write;

/// The longest value, in characters.
const LONGEST: usize = 256;

/// Pairs in the order in which they were told.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Pairs(String);

impl Pairs {
    /// Adds a pair. What is not plain is quoted, and what is long is cut.
    pub fn tell(&mut self, key: &'static str, value: &str) {
        let space = if self.0.is_empty() { "" } else { " " };
        self.0.extend([space, key, "="]);
        let cut = value.char_indices().nth(LONGEST).and_then(|(end, _)| value.split_at_checked(end));
        let (kept, dots) = cut.map_or((value, ""), |(kept, _)| (kept, "..."));
        if !kept.is_empty() && kept.chars().all(is_plain) {
            self.0.extend([kept, dots]);
            return;
        }
        self.0.push('"');
        for c in kept.chars() {
            match c {
                '"' | '\\' => self.0.extend(['\\', c]),
                ' '..='~' => self.0.push(c),
                _ => self.0.extend(c.escape_unicode()),
            }
        }
        self.0.extend([dots, "\""]);
    }

    /// Adds a pair if there is a value.
    pub fn tell_if(&mut self, key: &'static str, value: Option<&str>) {
        if let Some(value) = value {
            self.tell(key, value);
        }
    }

    /// Adds a number with its unit.
    pub fn tell_number(&mut self, key: &'static str, number: u64, unit: &str) {
        let space = if self.0.is_empty() { "" } else { " " };
        // A text takes whatever is written to it.
        let _ = write!(self.0, "{space}{key}={number}{unit}");
    }

    pub fn into_line(self) -> String {
        self.0
    }
}

fn is_plain(c: char) -> bool {
    c.is_ascii_graphic() && !matches!(c, '"' | '\\' | '=')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn told(pairs: &[(&'static str, &str)]) -> String {
        let mut told = Pairs::default();
        pairs.iter().for_each(|(key, value)| told.tell(key, value));
        told.into_line()
    }

    /// The keys that a reader of logfmt finds.
    fn keys(line: &str) -> Vec<String> {
        let (mut keys, mut rest) = (Vec::new(), line);
        while let Some((key, after)) = rest.split_once('=') {
            keys.push(key.trim_start().to_owned());
            rest = match after.strip_prefix('"') {
                None => after.split_once(' ').map_or("", |(_, rest)| rest),
                Some(mut quoted) => loop {
                    let end = quoted.find(['"', '\\']).unwrap();
                    let is_end = quoted[end..].starts_with('"');
                    quoted = &quoted[end + if is_end { 1 } else { 2 }..];
                    if is_end {
                        break quoted;
                    }
                },
            };
        }
        keys
    }

    #[test]
    fn plain_values_stay_plain_and_others_are_quoted() {
        let pairs = [("a", "https://idp.example.com"), ("b", ""), ("c", "x y"), ("d", "a=\"b\\\nc\u{202e}é")];
        assert_eq!(told(&pairs), r#"a=https://idp.example.com b="" c="x y" d="a=\"b\\\u{a}c\u{202e}\u{e9}""#);
    }

    #[test]
    fn long_values_are_cut() {
        assert_eq!(told(&[("a", &"é".repeat(1_000))]).matches("\\u{e9}").count(), LONGEST);
        assert!(told(&[("a", &"x".repeat(LONGEST + 1))]).ends_with("xx..."));
        assert!(told(&[("a", &"x".repeat(LONGEST))]).ends_with("xx"));
    }

    proptest! {
        /// Nobody's value adds a pair, ends the line or reaches a terminal.
        #[test]
        fn a_value_is_a_value(one in ".{0,40}", other in "[\"=\\\\ a\n\u{1b}]{0,20}") {
            let line = told(&[("one", &one), ("other", &other), ("last", "1")]);
            prop_assert!(line.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{}", line);
            prop_assert_eq!(keys(&line), ["one", "other", "last"]);
        }
    }
}
