//! The shapes of what is written: text, a number, a list, an object with its fields. A value is read in one pass. What in it
//! is of another shape becomes a problem and is read as if it had not been written.

use serde_json::{Map, Value};

#[cfg(not(target_arch = "wasm32"))]
use super::schema::Described;
use super::{at::At, problem::Reported};

pub(super) const TEXT: &str = "text";
/// From here on a double can't hold every whole number.
pub(super) const EXACT: f64 = 9_007_199_254_740_992.0;
/// What is wrong with such a number.
pub(super) const TOO_LARGE: &str = "is too large to be exact";

/// What a value can be read as.
pub(super) trait Shape: Sized {
    /// What helps where it is required and was left out.
    const HELP: Option<&'static str> = None;

    /// Reads a value, or reports why it is none.
    fn read(value: Value, at: &mut At<'_>) -> Option<Self>;

    /// Stands in for a bad element of a list, where its neighbours must keep their place.
    fn stand_in() -> Option<Self> {
        None
    }

    /// Where in such a value a field of this name belongs, as in `[]` for the elements of a list.
    fn holds(_field: &str) -> Option<&'static str> {
        None
    }

    /// What the schema says of it.
    #[cfg(not(target_arch = "wasm32"))]
    fn described() -> Described;

    /// How a default is written; null if the comment says it.
    #[cfg(not(target_arch = "wasm32"))]
    fn written(&self) -> Value {
        Value::Null
    }
}

/// A field of an object that is being read. An `Option` may be left out, and so may what has a default.
pub(super) trait Field {
    /// Takes what is written; null is nothing.
    fn take(&mut self, value: Value, at: &mut At<'_>);

    /// Whether it should have been written, and what helps then.
    fn missing(&self) -> Option<Option<&'static str>> {
        None
    }

    /// Where in it a field of this name belongs.
    fn holds(&self, field: &str) -> Option<&'static str>;

    /// What the schema says of it.
    #[cfg(not(target_arch = "wasm32"))]
    fn described(&self) -> Described;
}

/// What may or must be written, and whether it was. What was written and could not be read is reported, and has no value.
#[derive(Debug)]
pub(super) struct Entry<T, const IS_REQUIRED: bool> {
    pub(super) value: Option<T>,
    pub(super) is_written: bool,
}

/// What must be written.
pub(super) type Required<T> = Entry<T, true>;
/// What may be written, where that alone matters.
pub(super) type Written<T> = Entry<T, false>;

/// What has a default, and whether it was written all the same.
#[derive(Debug)]
pub(super) struct Defaulted<T> {
    pub(super) value: T,
    pub(super) is_written: bool,
}

impl<T, const IS_REQUIRED: bool> Default for Entry<T, IS_REQUIRED> {
    fn default() -> Self {
        Self { value: None, is_written: false }
    }
}

impl<T> From<T> for Defaulted<T> {
    fn from(value: T) -> Self {
        Self { value, is_written: false }
    }
}

impl<T: Shape> Field for T {
    fn take(&mut self, value: Value, at: &mut At<'_>) {
        if let Some(read) = T::read(value, at) {
            *self = read;
        }
    }

    fn holds(&self, field: &str) -> Option<&'static str> {
        T::holds(field)
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn described(&self) -> Described {
        T::described().or_null().with_default(self.written())
    }
}

impl<T: Shape> Field for Option<T> {
    fn take(&mut self, value: Value, at: &mut At<'_>) {
        *self = T::read(value, at);
    }

    fn holds(&self, field: &str) -> Option<&'static str> {
        T::holds(field)
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn described(&self) -> Described {
        T::described().or_null()
    }
}

impl<T: Shape, const IS_REQUIRED: bool> Field for Entry<T, IS_REQUIRED> {
    fn take(&mut self, value: Value, at: &mut At<'_>) {
        *self = Self { value: T::read(value, at), is_written: true };
    }

    fn missing(&self) -> Option<Option<&'static str>> {
        (IS_REQUIRED && !self.is_written).then_some(T::HELP)
    }

    fn holds(&self, field: &str) -> Option<&'static str> {
        T::holds(field)
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn described(&self) -> Described {
        if IS_REQUIRED { T::described().required() } else { T::described().or_null() }
    }
}

impl<T: Shape> Field for Defaulted<T> {
    fn take(&mut self, value: Value, at: &mut At<'_>) {
        self.is_written = true;
        self.value.take(value, at);
    }

    fn holds(&self, field: &str) -> Option<&'static str> {
        T::holds(field)
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn described(&self) -> Described {
        self.value.described()
    }
}

/// An object with its fields, as [`object!`] declares it.
pub(super) trait Object: Default {
    /// The fields by the names that Rust has for them, those of its groups last.
    fn fields(&mut self) -> Vec<(&'static str, &mut dyn Field)>;

    /// The same fields, each with the object or group that declares it and its comment.
    #[cfg(not(target_arch = "wasm32"))]
    fn documented() -> Vec<(&'static str, &'static [&'static str])>;
}

impl At<'_> {
    /// Reads an object, each member into the field of its name.
    pub(super) fn object<T: Object>(&mut self, value: Value) -> Option<T> {
        let mut object = T::default();
        self.members(value, &mut object.fields()).then_some(object)
    }

    #[inline(never)]
    fn members(&mut self, value: Value, fields: &mut [(&'static str, &mut dyn Field)]) -> bool {
        let Value::Object(mut members) = value else {
            self.mismatch(&value, "an object");
            return false;
        };
        for (name, field) in fields.iter_mut() {
            let name = camel_case(name);
            if let Some(value) = members.remove(&name).filter(|value| !value.is_null()) {
                field.take(value, &mut self.field(&name));
            }
        }
        self.unknown(&members, fields);
        for (name, field) in fields.iter() {
            let Some(help) = field.missing() else { continue };
            let mut at = self.field(&camel_case(name));
            let problem = at.error("it is missing");
            if let Some(help) = help {
                problem.help(help);
            }
        }
        true
    }

    fn unknown(&mut self, members: &Map<String, Value>, fields: &[(&'static str, &mut dyn Field)]) {
        for name in members.keys() {
            let mut at = self.field(name);
            let problem = at.wrong(name, "is not a field here");
            let holder = fields.iter().find_map(|(holder, field)| Some((camel_case(holder), field.holds(name)?)));
            if let Some((holder, elements)) = holder {
                problem.help(format!("it belongs in `{holder}{elements}`"));
                continue;
            }
            let known: Vec<String> = fields.iter().map(|(field, _)| camel_case(field)).collect();
            problem.suggest(name, &known.iter().map(String::as_str).collect::<Vec<_>>());
        }
    }

    /// The text that stands here.
    #[inline(never)]
    pub(super) fn written_text(&mut self, value: Value) -> Option<String> {
        match value {
            Value::String(text) => Some(text),
            Value::Number(_) => {
                self.mismatch(&value, TEXT).help("write it in quotes");
                None
            }
            other => {
                self.mismatch(&other, TEXT);
                None
            }
        }
    }

    /// The text that stands here, with something in it.
    #[inline(never)]
    pub(super) fn some_text(&mut self, value: Value) -> Option<String> {
        let text = self.written_text(value)?;
        if text.is_empty() {
            self.error("it is empty");
            return None;
        }
        Some(text)
    }

    #[inline(never)]
    fn whole(&mut self, value: Value, least: usize, most: usize) -> Option<usize> {
        let number = f64::read(value, self)?;
        let whole = (number.fract() == 0.0).then(|| format!("{number:.0}").parse().ok()).flatten();
        let whole = whole.filter(|whole| (least..=most).contains(whole));
        if whole.is_none() {
            self.error(format!("`{number}` is not a whole number from {least} to {most}"));
        }
        whole
    }

    /// Reports a value of another shape. Lists and objects are not shown: they may hold a secret.
    #[cold]
    pub(super) fn mismatch(&mut self, value: &Value, expected: &str) -> Reported<'_> {
        let (written, kind) = match value {
            Value::String(text) => (self.shown(text), "text"),
            Value::Number(_) => (self.shown(&value.to_string()), "a number"),
            Value::Bool(_) => (self.shown(&value.to_string()), "a boolean"),
            Value::Array(_) => ("it".to_owned(), "a list"),
            Value::Object(_) => ("it".to_owned(), "an object"),
            Value::Null => ("it".to_owned(), "nothing"),
        };
        self.error(format!("{written} is {kind}, not {expected}"))
    }
}

/// Declares an object once: its fields as Rust names them, which users write in camel case, each with what the schema and the
/// documentation say of it and, behind `=`, its default. Behind `..` stand groups, whose fields are the object's own.
macro_rules! object {
    (
        $(#[$($object:tt)*])*
        pub struct $name:ident:

        $($(#[$($meta:tt)*])* pub $field:ident: $shape:ty $(= $default:expr)?,)*
        $(..$group:ident: $fields:ty,)*
    ) => {
        $(#[$($object)*])*
        #[derive(Debug)]
        pub(in crate::config) struct $name {
            $($(#[$($meta)*])* pub(in crate::config) $field: $shape,)*
            $(pub(in crate::config) $group: $fields,)*
        }

        impl Default for $name {
            fn default() -> Self {
                Self {
                    $($field: $crate::config::shape::default!($($default)?),)*
                    $($group: Default::default(),)*
                }
            }
        }

        impl $crate::config::shape::Object for $name {
            fn fields(&mut self) -> Vec<(&'static str, &mut dyn $crate::config::shape::Field)> {
                #[allow(unused_mut, reason = "an object without groups")]
                let mut fields: Vec<(&'static str, &mut dyn $crate::config::shape::Field)> =
                    vec![$((stringify!($field), &mut self.$field)),*];
                $(fields.extend(self.$group.fields());)*
                fields
            }

            #[cfg(not(target_arch = "wasm32"))]
            fn documented() -> Vec<(&'static str, &'static [&'static str])> {
                #[allow(unused_mut, reason = "an object without groups")]
                let mut documented: Vec<(&'static str, &'static [&'static str])> = vec![$(
                    (stringify!($name), const { &[$($crate::config::shape::comment!($($meta)*)),*] })
                ),*];
                $(documented.extend(<$fields as $crate::config::shape::Object>::documented());)*
                documented
            }
        }

        impl $crate::config::shape::Shape for $name {
            fn read(value: serde_json::Value, at: &mut $crate::config::at::At<'_>) -> Option<Self> {
                at.object(value)
            }

            fn stand_in() -> Option<Self> {
                Some(Self::default())
            }

            fn holds(field: &str) -> Option<&'static str> {
                let is_own = $crate::config::shape::is_among(field, &[$(stringify!($field)),*]);
                (is_own $(|| <$fields as $crate::config::shape::Shape>::holds(field).is_some())*).then_some("")
            }

            #[cfg(not(target_arch = "wasm32"))]
            fn described() -> $crate::config::schema::Described {
                $crate::config::schema::Described::object::<Self>()
            }
        }
    };
}

/// Declares the words of a type: what is written, and what it means. Behind `but` stands a word that others have, with what is
/// wrong with it here and what helps.
macro_rules! words {
    ($meaning:ty: $words:expr $(, but $other:literal: $sentence:literal, $help:literal)?) => {
        impl $crate::config::shape::Shape for $meaning {
            fn read(value: serde_json::Value, at: &mut $crate::config::at::At<'_>) -> Option<Self> {
                $(
                    if value == $other {
                        at.error($sentence).help($help);
                        return None;
                    }
                )?
                let words = $words;
                let index = at.word_of(value, &words.map(|(word, _)| word))?;
                words.get(index).map(|(_, meaning)| *meaning)
            }

            #[cfg(not(target_arch = "wasm32"))]
            fn described() -> $crate::config::schema::Described {
                $crate::config::schema::Described::words(&$words.map(|(word, _)| word))
            }

            #[cfg(not(target_arch = "wasm32"))]
            fn written(&self) -> serde_json::Value {
                $words.iter().find(|(_, meaning)| meaning == self).map(|(word, _)| (*word).into()).unwrap_or_default()
            }
        }
    };
}

macro_rules! default {
    () => {
        Default::default()
    };
    ($default:expr) => {
        $default.into()
    };
}

#[cfg(not(target_arch = "wasm32"))]
macro_rules! comment {
    (doc = $text:literal) => {
        $text
    };
    ($($other:tt)*) => {
        ""
    };
}

#[cfg(not(target_arch = "wasm32"))]
pub(super) use comment;
pub(super) use {default, object, words};

/// A text with something in it.
#[derive(Debug)]
pub(super) struct Text(pub(super) String);

/// A whole number within bounds. All numbers arrive as doubles from Istio.
#[derive(Clone, Copy, Debug)]
pub(super) struct Whole<const LEAST: usize, const MOST: usize>(pub(super) usize);

impl Shape for String {
    #[inline(never)]
    fn read(value: Value, at: &mut At<'_>) -> Option<Self> {
        at.written_text(value)
    }

    fn stand_in() -> Option<Self> {
        Some(Self::new())
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn described() -> Described {
        Described::kind("string")
    }
}

impl Shape for Text {
    #[inline(never)]
    fn read(value: Value, at: &mut At<'_>) -> Option<Self> {
        at.some_text(value).map(Self)
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn described() -> Described {
        Described::some_text()
    }
}

impl Shape for bool {
    #[inline(never)]
    fn read(value: Value, at: &mut At<'_>) -> Option<Self> {
        if let Value::Bool(flag) = value {
            return Some(flag);
        }
        let is_quoted = matches!(value.as_str(), Some("true" | "false"));
        let problem = at.mismatch(&value, "`true` or `false`");
        if is_quoted {
            problem.help("write it without quotes");
        }
        None
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn described() -> Described {
        Described::kind("boolean")
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn written(&self) -> Value {
        (*self).into()
    }
}

impl Shape for f64 {
    fn read(value: Value, at: &mut At<'_>) -> Option<Self> {
        let Some(number) = value.as_f64() else {
            at.mismatch(&value, "a number");
            return None;
        };
        // As a double it is the nearest that there is, and nothing better is known.
        if !value.is_f64() && number.abs() >= EXACT {
            at.wrong(&value.to_string(), TOO_LARGE);
            return None;
        }
        Some(number)
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn described() -> Described {
        Described::kind("number")
    }
}

impl<const LEAST: usize, const MOST: usize> Shape for Whole<LEAST, MOST> {
    fn read(value: Value, at: &mut At<'_>) -> Option<Self> {
        at.whole(value, LEAST, MOST).map(Self)
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn described() -> Described {
        Described::whole(LEAST, MOST)
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn written(&self) -> Value {
        self.0.into()
    }
}

impl Shape for Value {
    fn read(value: Value, _: &mut At<'_>) -> Option<Self> {
        Some(value)
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn described() -> Described {
        Described::anything()
    }
}

impl<T: Shape> Shape for Vec<T> {
    fn read(value: Value, at: &mut At<'_>) -> Option<Self> {
        let mut list = Self::new();
        let mut read = |element, at: &mut At<'_>| {
            if let Some(element) = T::read(element, at).or_else(T::stand_in) {
                list.push(element);
            }
        };
        at.elements(value, &mut read).then_some(list)
    }

    fn holds(field: &str) -> Option<&'static str> {
        T::holds(field).map(|_| "[]")
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn described() -> Described {
        T::described().in_list()
    }
}

impl At<'_> {
    /// Reads the elements of a list; false for what is none.
    #[inline(never)]
    fn elements(&mut self, value: Value, read: &mut dyn FnMut(Value, &mut At<'_>)) -> bool {
        if let Value::Array(elements) = value {
            elements.into_iter().enumerate().for_each(|(index, element)| read(element, &mut self.index(index)));
            return true;
        }
        let problem = self.mismatch(&value, "a list");
        if value.is_string() {
            problem.help("put it into brackets, `[` and `]`");
        }
        false
    }

    /// The place of the word that stands here among those that are known.
    #[inline(never)]
    pub(super) fn word_of(&mut self, value: Value, known: &[&str]) -> Option<usize> {
        let written = self.some_text(value)?;
        let place = known.iter().position(|word| *word == written);
        if place.is_none() {
            self.wrong(&written, "is not known here").suggest(&written, known);
        }
        place
    }
}

/// Whether a name as users write it is one of these fields.
#[inline(never)]
pub(super) fn is_among(name: &str, fields: &[&str]) -> bool {
    fields.iter().any(|field| camel_case(field) == name)
}

/// `jwt_rules` as users write it, `jwtRules`.
#[inline(never)]
pub(super) fn camel_case(field: &str) -> String {
    let mut is_initial = false;
    let letters = field.trim_start_matches("r#").chars().filter_map(|c| {
        let cased = if is_initial { c.to_ascii_uppercase() } else { c };
        is_initial = c == '_';
        (!is_initial).then_some(cased)
    });
    letters.collect()
}
