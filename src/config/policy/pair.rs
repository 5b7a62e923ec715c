//! A field and its `not…`, which sources and operations are made of.

use super::{meaning::report_nothing_left, rule::RuleContext, scalar::Scalar, value::each_value};
use crate::{
    config::{at::At, shape::camel_case},
    policy::{attribute::Attribute, matcher::Matcher},
};

/// Values of which any must match, and values of which none may.
#[derive(Debug)]
pub(in crate::config) struct Pair<T> {
    pub(super) any: Vec<T>,
    pub(super) none: Vec<T>,
}

impl<T> Default for Pair<T> {
    fn default() -> Self {
        Self { any: Vec::new(), none: Vec::new() }
    }
}

impl<T> Pair<T> {
    /// Whether it has a value.
    pub(super) fn has_values(&self) -> bool {
        !self.any.is_empty() || !self.none.is_empty()
    }
}

impl<T: Into<Scalar>> Pair<T> {
    pub(super) fn into_scalars(self) -> Pair<Scalar> {
        let scalars = |list: Vec<T>| list.into_iter().map(T::into).collect();
        Pair { any: scalars(self.any), none: scalars(self.none) }
    }
}

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
            $($(#[$($meta)*])* pub(super) $field: $crate::config::policy::pair::Pair<$shape>,)*
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
            /// Every field by its name, with its values as scalars.
            fn pairs(self) -> Vec<(&'static str, $crate::config::policy::pair::Pair<$crate::config::policy::scalar::Scalar>)> {
                vec![$((stringify!($field), self.$field.into_scalars())),*]
            }
        }
    };
}
pub(super) use pairs;

/// Reports a source or an operation without values, which Istio rejects: it could mean all, or nothing.
pub(super) fn report_no_values(at: &mut At<'_>, pairs: &[(&str, Pair<Scalar>)]) {
    if !pairs.iter().any(|(_, pair)| pair.has_values()) && !at.has_errors_inside() {
        at.error("no field in it has a value").help("write a field with values, or leave the entry out");
    }
}

/// What a field and its `not…` ask.
#[inline(never)]
pub(super) fn matcher(at: &mut At<'_>, field: &str, pair: Pair<Scalar>, context: &RuleContext<'_>) -> Option<Matcher> {
    if !pair.has_values() {
        return None;
    }
    let [field, negated] = [camel_case(field), camel_case(&["not_", field].concat())];
    let attribute = Attribute::of_field(&field)?;
    report_nothing_left(&mut at.field(&field), &pair.any, &pair.none, &negated);
    if pair.any.is_empty() {
        context.report_negative(&mut at.field(&negated), &attribute);
    }
    let any = each_value(&mut at.field(&field), pair.any, &attribute, context);
    let none = each_value(&mut at.field(&negated), pair.none, &attribute, context);
    Some(Matcher::new(attribute, any, none))
}
