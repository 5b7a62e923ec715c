//! A field and its `not…`, which sources and operations are made of.

use super::{
    meaning::report_nothing_left,
    rule::RuleContext,
    scalar::{Scalar, Values},
    value::each_value,
};
use crate::{
    config::{at::At, shape::camel_case},
    policy::{attribute::Attribute, matcher::Matcher},
};

/// Values of which any must match, and values of which none may.
#[derive(Debug, Default)]
pub(in crate::config) struct Pair<const IS_TEXT: bool> {
    pub(super) any: Values<IS_TEXT>,
    pub(super) none: Values<IS_TEXT>,
}

/// A field of text, and its `not…`.
pub(super) type Texts = Pair<true>;
/// A field of text, numbers and booleans, and its `not…`.
pub(super) type Scalars = Pair<false>;

impl<const IS_TEXT: bool> Pair<IS_TEXT> {
    /// Whether it has a value.
    pub(super) fn has_values(&self) -> bool {
        !self.any.0.is_empty() || !self.none.0.is_empty()
    }
}

/// A field by its name, with its values and those of its `not…`.
pub(super) type NamedPair = (&'static str, Vec<Scalar>, Vec<Scalar>);

/// Declares an object whose fields are pairs: each is read with its `not…`, so that none can lack one.
macro_rules! pairs {
    (
        $(#[$($object:tt)*])*
        pub struct $name:ident:

        $($(#[$($meta:tt)*])* pub $field:ident: $shape:ty,)*
    ) => {
        $(#[$($object)*])*
        #[derive(Debug, Default)]
        pub(in crate::config) struct $name {
            $($(#[$($meta)*])* pub(super) $field: $shape,)*
        }

        impl $crate::config::shape::Object for $name {
            fn fields(&mut self) -> Vec<(&'static str, &mut dyn $crate::config::shape::Field)> {
                let fields: Vec<(&'static str, &mut dyn $crate::config::shape::Field)> = vec![$(
                    (stringify!($field), &mut self.$field.any),
                    (concat!("not_", stringify!($field)), &mut self.$field.none),
                )*];
                fields
            }

            #[cfg(not(target_arch = "wasm32"))]
            fn documented() -> Vec<(&'static str, &'static [&'static str])> {
                vec![$(
                    (stringify!($name), const { &[$($crate::config::shape::comment!($($meta)*)),*] }),
                    (stringify!($name), const { &[" None of these."] }),
                )*]
            }
        }

        impl $crate::config::shape::Shape for $name {
            fn read(value: serde_json::Value, at: &mut $crate::config::at::At<'_>) -> Option<Self> {
                at.object(value)
            }

            fn holds(field: &str) -> Option<&'static str> {
                let fields = [$(stringify!($field), concat!("not_", stringify!($field))),*];
                $crate::config::shape::is_among(field, &fields).then_some("")
            }

            #[cfg(not(target_arch = "wasm32"))]
            fn described() -> $crate::config::schema::Described {
                $crate::config::schema::Described::object::<Self>().with_some_field()
            }
        }

        impl $name {
            fn pairs(self) -> Vec<$crate::config::policy::pair::NamedPair> {
                vec![$((stringify!($field), self.$field.any.0, self.$field.none.0)),*]
            }
        }
    };
}
pub(super) use pairs;

/// Reports a source or an operation without values, which Istio rejects: it could mean all, or nothing.
pub(super) fn report_no_values(at: &mut At<'_>, pairs: &[NamedPair]) {
    if pairs.iter().all(|(_, any, none)| any.is_empty() && none.is_empty()) && !at.has_errors_inside() {
        at.error("no field in it has a value").help("write a field with values, or leave the entry out");
    }
}

/// What a field and its `not…` ask.
#[inline(never)]
pub(super) fn matcher(at: &mut At<'_>, (field, any, none): NamedPair, context: &RuleContext<'_>) -> Option<Matcher> {
    if any.is_empty() && none.is_empty() {
        return None;
    }
    let [field, negated] = [camel_case(field), camel_case(&["not_", field].concat())];
    let attribute = Attribute::of_field(&field)?;
    report_nothing_left(&mut at.field(&field), &any, &none, &negated);
    if any.is_empty() {
        context.report_negative(&mut at.field(&negated), &attribute);
    }
    let any = each_value(&mut at.field(&field), any, &attribute, context);
    let none = each_value(&mut at.field(&negated), none, &attribute, context);
    Some(Matcher::new(attribute, any, none))
}
