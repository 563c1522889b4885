//! How a text is written.

use crate::color::{Color, INK};

/// Which part of a text lies at its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    /// The left end, or the tops of the capitals.
    Start,
    /// The middle, or half the height of the capitals.
    Middle,
    /// The right end, or the baseline.
    End,
}

/// How a text is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lettering {
    /// The height of a line in pixels.
    pub(crate) size: f64,
    pub(crate) color: Color,
    /// The alignment along the direction of writing.
    pub(crate) along: Align,
    /// The alignment across it.
    pub(crate) across: Align,
    /// Whether the text is written from bottom to top.
    pub(crate) upwards: bool,
}

impl Lettering {
    pub(crate) fn new(size: f64, along: Align, across: Align) -> Self {
        Self {
            size,
            color: INK,
            along,
            across,
            upwards: false,
        }
    }

    pub(crate) fn color(self, color: Color) -> Self {
        Self { color, ..self }
    }

    pub(crate) fn upwards(self) -> Self {
        Self {
            upwards: true,
            ..self
        }
    }
}
