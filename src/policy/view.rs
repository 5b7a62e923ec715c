//! How facts are looked at: for a permission, which wants to be sure, or for a prohibition, for which a doubt is enough.

use super::facts::{Facts, Token};
use crate::{
    connection::SourceAddress,
    matching::path::{self, PathNormalization, Reading},
};

/// What a configuration says about all of its policies.
#[derive(Clone, Copy, Debug, Default)]
pub struct Settings {
    /// Style `istio`: only text matches, and preflights are requests like others.
    pub text_only: bool,
    /// What is believed about who opened a connection.
    pub source_address: SourceAddress,
    /// What the proxy makes of paths; if nobody says, every reading counts.
    pub path_normalization: Option<PathNormalization>,
}

/// What is taken for granted, to find out what would have changed the answer.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Assume {
    /// Nothing: the facts as they are.
    #[default]
    Nothing,
    /// Whatever a rule asks of the token holds.
    Identity,
    /// Nothing a rule asks of the token holds.
    Anonymous,
    /// Whatever a rule asks of the token's scope holds.
    Scope,
}

/// Facts in one light.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub facts: Facts<'a>,
    pub settings: Settings,
    pub assume: Assume,
    /// Whether what is unknown matches: yes for a prohibition, no for a permission.
    pub unknown_matches: bool,
    /// The one reading of the path that the settings name.
    named: Option<&'a Reading<'a>>,
}

impl Settings {
    /// The one reading of the path that all agree on, if the configuration says so.
    pub(super) fn reading<'a>(&self, facts: &Facts<'a>) -> Option<Reading<'a>> {
        self.path_normalization.map(|normalization| path::reading(facts.known.target(), normalization))
    }
}

impl<'a> View<'a> {
    /// For a permission.
    pub(super) fn new(facts: &Facts<'a>, settings: Settings, named: Option<&'a Reading<'a>>) -> Self {
        let token = match facts.token {
            Token::Preflight if settings.text_only => Token::Anonymous,
            token => token,
        };
        let facts = facts.with(token);
        Self { facts, settings, assume: Assume::Nothing, unknown_matches: false, named }
    }

    /// The same for a prohibition.
    pub(super) fn for_prohibition(self) -> Self {
        Self { unknown_matches: true, ..self }
    }

    /// The same with something taken for granted.
    pub(super) fn assuming(self, assume: Assume) -> Self {
        Self { assume, ..self }
    }

    /// The same request with this token.
    pub(super) fn with(self, token: Token<'a>) -> Self {
        Self { facts: self.facts.with(token), ..self }
    }

    /// Whether the request is a preflight that needs no token.
    pub(super) fn is_preflight(&self) -> bool {
        matches!(self.facts.token, Token::Preflight)
    }

    /// What is taken for granted of the token: on a preflight, what a permission asks for and nothing that prohibits.
    pub(super) fn assumed_of_token(&self) -> Option<bool> {
        match self.assume {
            Assume::Identity => Some(true),
            Assume::Anonymous => Some(false),
            Assume::Nothing | Assume::Scope => self.is_preflight().then_some(!self.unknown_matches),
        }
    }

    /// The readings of the path that count: for a prohibition all, for a permission the one that is named, if one is.
    pub(super) fn readings(&self) -> impl Iterator<Item = &'a Reading<'a>> + use<'a> {
        let every = if self.named.is_some() && !self.unknown_matches { &[] } else { self.facts.known.readings() };
        every.iter().chain(self.named)
    }
}
