//! Text with `*` anywhere, each for any text, also none: what istiod makes `.*` of.

/// The literal parts between the stars, in order.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Glob(Vec<String>);

impl Glob {
    /// Reads a text with stars.
    pub fn new(text: &str) -> Self {
        Self(text.split('*').map(str::to_owned).collect())
    }

    /// Whether the whole text matches. The first place of each part is good enough, so there is no way back to try.
    pub fn matches(&self, text: &str) -> bool {
        let Some((first, parts)) = self.0.split_first() else { return false };
        let Some(mut rest) = text.strip_prefix(first.as_str()) else { return false };
        let Some((last, parts)) = parts.split_last() else { return rest.is_empty() };
        for part in parts {
            let Some((_, after)) = rest.split_once(part.as_str()) else { return false };
            rest = after;
        }
        rest.ends_with(last.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_take_any_text() {
        for (glob, text, expected) in [
            ("team", "team", true),
            ("team", "teams", false),
            ("team-*-prod", "team-a-prod", true),
            ("team-*-prod", "team--prod", true),
            ("team-*-prod", "team-prod", false),
            ("team-*-prod", "team-a-prod-eu", false),
            ("*eam*", "team", true),
            ("*eam*", "eam", true),
            ("*eam*", "tema", false),
            ("*a*a", "a", false),
            ("*a*a", "aba", true),
            ("a*b*b", "ab", false),
            ("**", "", true),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(Glob::new(glob).matches(text), expected, "{glob} {text}");
        }
    }

    #[test]
    fn many_stars_do_not_explode() {
        let glob = Glob::new(&format!("{}b", "a*".repeat(2_000)));
        assert!(!glob.matches(&"a".repeat(100_000)));
    }
}
