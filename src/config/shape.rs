//! The shapes of what is written: text, a number, a list, an object with its fields. A value is read in one pass. What in it
//! is of another shape becomes a problem and is read as if it had not been written.

use serde_json::{Map, Value};

use super::{Problem, at::At, problem::shown};
use crate::secret::Secret;

const TEXT: &str = "text";
const FLAG: &str = "`true` or `false`";
const LIST: &str = "a list";

/// Fields that are text and look like numbers.
const DURATIONS: [&str; 6] =
    ["clockSkew", "maxLifetime", "timeout", "jwksCacheDuration", "jwksCooldown", "jwksStaleIfError"];

/// What a value can be read as. The default stands in for a bad element of a list, so that its neighbours keep their place.
pub(super) trait Shape: Default {
    /// What users are told it is.
    const NAME: &'static str;

    /// Reads a value, or gives back one of another shape.
    fn read(value: Value, at: &mut At<'_>) -> Result<Self, Value>;
}

/// A field of an object that is being read.
pub(super) trait Field {
    /// Takes what is written; null is nothing.
    fn take(&mut self, value: Value, at: &mut At<'_>);
}

impl<T: Shape> Field for Option<T> {
    fn take(&mut self, value: Value, at: &mut At<'_>) {
        if !value.is_null() {
            *self = at.read(value);
        }
    }
}

impl At<'_> {
    /// Reads what stands here, or reports it.
    pub(super) fn read<T: Shape>(&mut self, value: Value) -> Option<T> {
        T::read(value, self).map_err(|value| self.report(mismatch(self, &value, T::NAME))).ok()
    }

    /// Hands every member of the object here to the field of its name.
    pub(super) fn read_members(&mut self, members: Map<String, Value>, fields: &mut [(&str, &mut dyn Field)]) {
        for (name, value) in members {
            let mut at = self.field(&name);
            match fields.iter_mut().find(|(field, _)| camel_case(field).eq(name.chars())) {
                Some((_, field)) => field.take(value, &mut at),
                None => {
                    let known: Vec<String> = fields.iter().map(|(field, _)| camel_case(field).collect()).collect();
                    let known: Vec<&str> = known.iter().map(String::as_str).collect();
                    at.report(at.problem(format!("{} is not a field here", shown(&name))).suggest(&name, &known));
                }
            }
        }
    }
}

/// Declares an object: its fields are named once, as Rust names them, and read as users do, in camel case.
macro_rules! object {
    (
        $(#[$object:meta])*
        pub struct $name:ident:

        $($(#[$field_meta:meta])* pub $field:ident: $shape:ty,)*
    ) => {
        $(#[$object])*
        #[derive(Debug, Default)]
        pub struct $name {
            $($(#[$field_meta])* pub $field: $shape,)*
        }

        impl Shape for $name {
            const NAME: &'static str = "an object";

            fn read(value: Value, at: &mut At<'_>) -> Result<Self, Value> {
                let Value::Object(members) = value else { return Err(value) };
                let mut object = Self::default();
                at.read_members(members, &mut [$((stringify!($field), &mut object.$field)),*]);
                Ok(object)
            }
        }
    };
}
pub(super) use object;

impl Shape for String {
    const NAME: &'static str = TEXT;

    fn read(value: Value, _: &mut At<'_>) -> Result<Self, Value> {
        match value {
            Value::String(text) => Ok(text),
            other => Err(other),
        }
    }
}

impl Shape for Secret {
    const NAME: &'static str = "secret text";

    fn read(value: Value, _: &mut At<'_>) -> Result<Self, Value> {
        match value {
            Value::String(text) => Ok(Self::new(text)),
            other => Err(other),
        }
    }
}

impl Shape for bool {
    const NAME: &'static str = FLAG;

    fn read(value: Value, _: &mut At<'_>) -> Result<Self, Value> {
        value.as_bool().ok_or(value)
    }
}

impl Shape for f64 {
    const NAME: &'static str = "a number";

    fn read(value: Value, _: &mut At<'_>) -> Result<Self, Value> {
        value.as_f64().ok_or(value)
    }
}

impl Shape for Value {
    const NAME: &'static str = "anything";

    fn read(value: Value, _: &mut At<'_>) -> Result<Self, Value> {
        Ok(value)
    }
}

impl<T: Shape> Shape for Vec<T> {
    const NAME: &'static str = LIST;

    fn read(value: Value, at: &mut At<'_>) -> Result<Self, Value> {
        let Value::Array(elements) = value else { return Err(value) };
        let mut list = Self::with_capacity(elements.len());
        for (index, element) in elements.into_iter().enumerate() {
            list.push(at.index(index).read(element).unwrap_or_default());
        }
        Ok(list)
    }
}

/// `jwt_rules` as users write it, `jwtRules`.
pub(super) fn camel_case(field: &str) -> impl Iterator<Item = char> {
    let mut is_initial = false;
    field.trim_start_matches("r#").chars().filter_map(move |c| {
        let cased = if is_initial { c.to_ascii_uppercase() } else { c };
        is_initial = c == '_';
        (!is_initial).then_some(cased)
    })
}

/// Lists and objects are not shown: they may hold a secret.
#[cold]
fn mismatch(at: &At<'_>, value: &Value, expected: &str) -> Problem {
    let found = match value {
        _ if expected == Secret::NAME => "it is something else".to_owned(),
        Value::String(text) => format!("{} is text", shown(text)),
        Value::Number(number) => format!("`{number}` is a number"),
        Value::Bool(flag) => format!("`{flag}` is a boolean"),
        Value::Array(_) => "it is a list".to_owned(),
        Value::Object(_) => "it is an object".to_owned(),
        Value::Null => "it is nothing".to_owned(),
    };
    let problem = at.problem(format!("{found}, not {expected}"));
    match (value, expected) {
        (Value::String(text), FLAG) if text == "true" || text == "false" => problem.help("write it without quotes"),
        (Value::String(_), LIST) => problem.help("put it into brackets, `[` and `]`"),
        (Value::Number(number), TEXT) if DURATIONS.iter().any(|name| at.path().ends_with(name)) => {
            problem.help(format!("write it with its unit, as in `{number}s`"))
        }
        (Value::Number(_), TEXT) => problem.help("write it in quotes"),
        _ => problem,
    }
}
