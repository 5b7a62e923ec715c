//! The memory that parsed JSON takes, so that a bound in bytes is one.

use serde_json::{Map, Value};

/// What an allocator adds to each block, and rounds up.
const BLOCK: usize = 16;
/// The members that a node of a `BTreeMap` has room for, and the fewest it is left with when it is split.
const NODE: (usize, usize) = (11, 5);

pub(super) fn text(text: &String) -> usize {
    block(text.capacity())
}

pub(super) fn bytes(bytes: &Vec<u8>) -> usize {
    block(bytes.capacity())
}

pub(super) fn list<T>(list: &Vec<T>) -> usize {
    block(list.capacity().saturating_mul(size_of::<T>()))
}

/// A node with one member takes as much as a full one, so small objects are many times their text.
pub(super) fn object(members: &Map<String, Value>) -> usize {
    let (room, fewest) = NODE;
    let nodes = if members.is_empty() { 0 } else { 1 + members.len() / fewest };
    // Room for the members, the edges of an inner node, and the links.
    let node = room * (size_of::<String>() + size_of::<Value>()) + (room + 3) * size_of::<usize>();
    let inside = members.iter().map(|(name, member)| text(name) + value(member));
    nodes * block(node) + inside.sum::<usize>()
}

fn value(value: &Value) -> usize {
    match value {
        Value::String(string) => text(string),
        Value::Array(elements) => list(elements) + elements.iter().map(self::value).sum::<usize>(),
        Value::Object(members) => object(members),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

fn block(bytes: usize) -> usize {
    if bytes == 0 { 0 } else { bytes.saturating_add(BLOCK) }
}
