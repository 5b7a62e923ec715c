//! A description of the configuration: a JSON Schema for editors and validators, and the tables of its fields in
//! `docs/configuration.md`. Both are made of the declarations that read it. Native only.

use std::fmt::Write;

use serde_json::{Map, Value, json};

use super::{
    document::Document,
    shape::{Object, Shape, camel_case},
};

/// What the schema says of one shape.
#[derive(Clone, Debug)]
pub(super) struct Described {
    schema: Map<String, Value>,
    fields: Vec<Declared>,
    is_list: bool,
    is_required: bool,
    /// What the documentation adds to a field's comment.
    note: String,
}

/// A field as it was declared.
#[derive(Clone, Debug)]
struct Declared {
    /// The object or group that declares it.
    group: &'static str,
    name: String,
    /// The comment, on one line.
    comment: String,
    shape: Described,
}

/// A field's row in a table.
#[derive(Clone, Debug)]
pub struct Field {
    /// The object or group of fields that declares it.
    pub group: &'static str,
    /// As in `errors.style` or, for the fields of a rule, `fromHeaders[].name`.
    pub path: String,
    /// `required`, `none`, or what it is if it is not written.
    pub default: String,
    /// What it means.
    pub meaning: String,
}

impl Described {
    fn of(schema: Value) -> Self {
        let Value::Object(schema) = schema else { return Self::anything() };
        Self { schema, ..Self::anything() }
    }

    pub(super) fn anything() -> Self {
        Self { schema: Map::new(), fields: Vec::new(), is_list: false, is_required: false, note: String::new() }
    }

    /// What can't be written at all.
    pub(super) fn nothing() -> Self {
        Self::of(json!({ "enum": [] }))
    }

    pub(super) fn kind(kind: &str) -> Self {
        Self::of(json!({ "type": kind }))
    }

    pub(super) fn kinds(kinds: &[&str]) -> Self {
        Self::of(json!({ "type": kinds }))
    }

    pub(super) fn some_text() -> Self {
        Self::of(json!({ "type": "string", "minLength": 1 }))
    }

    pub(super) fn longest_text(longest: usize) -> Self {
        Self::of(json!({ "type": "string", "maxLength": longest }))
    }

    pub(super) fn secret(shortest: usize) -> Self {
        let pattern = r"^[^ \t\r\n][\s\S]*[^ \t\r\n]$";
        Self::of(json!({ "type": "string", "minLength": shortest, "pattern": pattern, "writeOnly": true }))
    }

    pub(super) fn pattern(pattern: &str) -> Self {
        Self::of(json!({ "type": "string", "pattern": pattern }))
    }

    pub(super) fn whole(least: usize, most: usize) -> Self {
        let note = format!("A whole number from {least} to {most}.");
        Self { note, ..Self::of(json!({ "type": "integer", "minimum": least, "maximum": most })) }
    }

    pub(super) fn words(words: &[&str]) -> Self {
        Self { note: format!("One of `{}`.", words.join("`, `")), ..Self::of(json!({ "enum": words })) }
    }

    /// One of several.
    pub(super) fn any_of(shapes: impl IntoIterator<Item = Value>) -> Self {
        Self::of(json!({ "anyOf": shapes.into_iter().collect::<Vec<_>>() }))
    }

    pub(super) fn object<T: Object>() -> Self {
        let mut object = T::default();
        let fields =
            object.fields().into_iter().zip(T::documented()).map(|((name, field), (group, comment))| Declared {
                group,
                name: camel_case(name),
                comment: comment.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ").trim().to_owned(),
                shape: field.described(),
            });
        let fields: Vec<Declared> = fields.collect();
        let required: Vec<&String> =
            fields.iter().filter(|field| field.shape.is_required).map(|field| &field.name).collect();
        let properties = fields.iter().map(|field| (field.name.clone(), field.schema()));
        let properties: Map<String, Value> = properties.collect();
        let mut object = Self::of(json!({ "type": "object", "properties": properties, "additionalProperties": false }));
        if !required.is_empty() {
            object.schema.insert("required".to_owned(), json!(required));
        }
        Self { fields, ..object }
    }

    /// A list of these.
    pub(super) fn in_list(self) -> Self {
        let schema = json!({ "type": "array", "items": self.schema });
        Self { fields: self.fields, is_list: true, note: self.note.replacen("One of", "Any of", 1), ..Self::of(schema) }
    }

    /// A list with something in it.
    pub(super) fn not_empty(mut self) -> Self {
        self.schema.insert("minItems".to_owned(), json!(1));
        self
    }

    /// An object with something in it.
    pub(super) fn with_some_field(mut self) -> Self {
        self.schema.insert("minProperties".to_owned(), json!(1));
        self
    }

    /// Null counts as not written.
    pub(super) fn or_null(mut self) -> Self {
        if let Some(kind) = self.schema.get_mut("type") {
            match kind {
                Value::Array(kinds) => kinds.push(json!("null")),
                kind => *kind = json!([kind.take(), "null"]),
            }
        }
        if let Some(Value::Array(words)) = self.schema.get_mut("enum") {
            words.push(Value::Null);
        }
        if let Some(Value::Array(shapes)) = self.schema.get_mut("anyOf") {
            shapes.push(json!({ "type": "null" }));
        }
        self
    }

    pub(super) fn with_default(mut self, default: Value) -> Self {
        if !default.is_null() {
            self.schema.insert("default".to_owned(), default);
        }
        self
    }

    pub(super) fn required(mut self) -> Self {
        self.is_required = true;
        self
    }
}

impl Declared {
    fn schema(&self) -> Value {
        let mut schema = self.shape.schema.clone();
        if !self.comment.is_empty() {
            schema.insert("description".to_owned(), json!(self.comment));
        }
        Value::Object(schema)
    }

    /// What it means, and what it is if it is not written, where the comment ends with that.
    fn parts(&self) -> (&str, Option<&str>) {
        match self.comment.rsplit_once("Default: ") {
            Some((meaning, default)) => (meaning.trim_end(), Some(default.trim_end_matches('.'))),
            None => (&self.comment, None),
        }
    }

    fn row(&self, path: String) -> Field {
        let (meaning, default) = self.parts();
        let default = match (default, self.shape.schema.get("default")) {
            (Some(words), _) => words.to_owned(),
            (None, Some(Value::String(text))) => format!("`{text}`"),
            (None, Some(value)) => format!("`{value}`"),
            (None, None) => if self.shape.is_required { "required" } else { "none" }.to_owned(),
        };
        // A comment that explains every word has named them.
        let is_said = self.shape.note.split('`').skip(1).step_by(2).all(|word| meaning.contains(&format!("`{word}`")));
        let note = if is_said && self.shape.note.contains('`') { "" } else { &self.shape.note };
        let meaning = [meaning, note].join(" ").trim().to_owned();
        Field { group: self.group, path, default, meaning }
    }

    fn rows(&self, path: &str, rows: &mut Vec<Field>) {
        // The fields of a rule are called as in it.
        let path = format!("{path}{}", self.name);
        rows.push(self.row(path.clone()));
        let elements = if self.shape.is_list { "[]" } else { "" };
        let inside = if path == "jwtRules" { String::new() } else { format!("{path}{elements}.") };
        self.shape.fields.iter().for_each(|field| field.rows(&inside, rows));
    }
}

/// The configuration as a JSON Schema.
pub fn schema() -> Value {
    let mut schema = Document::described().schema;
    schema.insert("$schema".to_owned(), json!("http://json-schema.org/draft-07/schema#"));
    schema.insert("title".to_owned(), json!("The configuration of claimgate"));
    Value::Object(schema)
}

/// Every field of the configuration.
pub fn fields() -> Vec<Field> {
    let mut rows = Vec::new();
    Document::described().fields.iter().for_each(|field| field.rows("", &mut rows));
    rows
}

/// The table of the fields that these objects and groups declare.
pub fn table(groups: &[&str]) -> String {
    let mut table = "| Field | Default | Meaning |\n|---|---|---|\n".to_owned();
    for field in fields().iter().filter(|field| groups.contains(&field.group)) {
        let cells = [format!("`{}`", field.path), field.default.clone(), field.meaning.clone()];
        let cells = cells.map(|cell| cell.replace('|', "\\|"));
        let _ = writeln!(table, "| {} |", cells.join(" | "));
    }
    table
}
