//! What a method gives and gets.

pub(crate) mod direction;
pub(crate) mod pair;
