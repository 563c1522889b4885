//! A surface with a name.

use crate::field::Field;

/// A surface and the name of what it was measured on.
#[derive(Debug, Clone, Copy)]
pub struct NamedField<'a> {
    /// The name above the panel, such as that of the run.
    pub name: &'a str,
    /// The surface. Each may have a grid of its own.
    pub field: Field<'a>,
}
