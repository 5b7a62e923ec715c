//! The members of a key set, counted while they are read: what is too much is not built.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::set::UnusableKeySet;

/// The list `keys` of a set, if it has no more than so many members.
pub(super) fn members(text: &[u8], most: usize) -> Result<Vec<Value>, UnusableKeySet> {
    let mut reader = serde_json::Deserializer::from_slice(text);
    let list = reader.deserialize_map(Set { most }).and_then(|list| reader.end().map(|()| list));
    match list {
        Ok(Some(list)) => Ok(list),
        Ok(None) => Err(UnusableKeySet::TooManyKeys),
        Err(error) if error.is_data() => Err(UnusableKeySet::NoKeys),
        Err(_) => Err(UnusableKeySet::NotJson),
    }
}

/// An object with one member `keys`.
struct Set {
    most: usize,
}

/// A list, or nothing if it is too long.
struct Keys {
    most: usize,
}

impl<'de> Visitor<'de> for Set {
    type Value = Option<Vec<Value>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key set")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut keys = None;
        while let Some(name) = members.next_key::<String>()? {
            if name != "keys" {
                members.next_value::<IgnoredAny>()?;
            } else if keys.replace(members.next_value_seed(Keys { most: self.most })?).is_some() {
                return Err(Error::duplicate_field("keys"));
            }
        }
        keys.ok_or_else(|| Error::missing_field("keys"))
    }
}

impl<'de> DeserializeSeed<'de> for Keys {
    type Value = Option<Vec<Value>>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Keys {
    type Value = Option<Vec<Value>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of keys")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while list.len() < self.most {
            match elements.next_element()? {
                Some(element) => list.push(element),
                None => return Ok(Some(list)),
            }
        }
        let mut is_longer = false;
        while elements.next_element::<IgnoredAny>()?.is_some() {
            is_longer = true;
        }
        Ok((!is_longer).then_some(list))
    }
}
