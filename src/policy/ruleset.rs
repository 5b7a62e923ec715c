//! The rules of all policies of one action, found by host and path.

use super::{facts::Token, index::Index, rule::Rule, view::View};

/// Rules in the order of the configuration, and a way to those that may match.
#[derive(Debug, Default)]
pub(super) struct RuleSet {
    rules: Vec<Rule>,
    index: Index,
}

impl RuleSet {
    pub(super) fn new(rules: Vec<Rule>) -> Self {
        Self { index: Index::new(&rules), rules }
    }

    /// Whether some rule asks anything of the token.
    pub(super) fn needs_token(&self) -> bool {
        self.rules.iter().any(Rule::needs_token)
    }

    /// Whether some rule matches every request.
    pub(super) fn matches_everything(&self) -> bool {
        self.rules.iter().any(Rule::matches_everything)
    }

    /// The first rule that prohibits: it matches in some reading of the path.
    pub(super) fn first_prohibiting(&self, view: &View<'_>) -> Option<&Rule> {
        let view = view.for_prohibition();
        self.candidates(&view).find(|rule| rule.possibly_matches(&view))
    }

    /// Every rule that would prohibit.
    pub(super) fn prohibiting(&self, view: &View<'_>) -> impl Iterator<Item = &Rule> {
        let view = view.for_prohibition();
        self.candidates(&view).filter(move |rule| rule.possibly_matches(&view))
    }

    /// The first rule that permits: it matches in every reading of the path. A preflight passes where the method it asks
    /// for would with the right token, and where any request without a token does.
    pub(super) fn first_permitting(&self, view: &View<'_>) -> Option<&Rule> {
        let permitting = |view: View<'_>| self.candidates(&view).find(|rule| rule.surely_matches(&view));
        permitting(*view).or_else(|| view.is_preflight().then(|| permitting(view.with(Token::Anonymous)))?)
    }

    /// The rules that host and path do not rule out, in order.
    pub(super) fn candidates<'s>(&'s self, view: &View<'_>) -> impl Iterator<Item = &'s Rule> + use<'s> {
        let found = if self.rules.is_empty() { Vec::new() } else { self.index.candidates(view) };
        found.into_iter().filter_map(|index| self.rules.get(index))
    }
}
