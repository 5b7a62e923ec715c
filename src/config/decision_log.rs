//! The log and the filter state of decisions.

use serde_json::Value;

#[cfg(not(target_arch = "wasm32"))]
use super::schema::Described;
use super::{
    at::At,
    shape::{Shape, object, words},
};
use crate::decision_log::{
    filter_state::{ATTRIBUTES, Attribute, FilterState},
    line::Subjects,
};

object! {
    /// The log and the filter state of decisions.
    pub struct DecisionLog:

    /// How the log writes a token's `sub`.
    pub log_subjects: Subjects = Subjects::Hash,
    /// What the access log and later filters can read about a decision. Default: `reason` and `rule` of denials.
    pub filter_state: FilterState,
}

words!(Subjects: [("hash", Subjects::Hash), ("plain", Subjects::Plain), ("none", Subjects::Hidden)]);
words!(Attribute: ATTRIBUTES);

impl Shape for FilterState {
    fn read(value: Value, at: &mut At<'_>) -> Option<Self> {
        Vec::read(value, at).map(Self::listed)
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn described() -> Described {
        Attribute::described().in_list()
    }
}
