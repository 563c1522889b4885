//! The style of a text.

use crate::color::Color;

/// The part of a text that lies at its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    /// The left end, or the tops of the capitals.
    Start,
    /// The middle, or half the height of the capitals.
    Middle,
    /// The right end, or the baseline.
    End,
}

/// The style of a text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lettering {
    /// The height of a line in pixels.
    pub(crate) size: f64,
    /// `None` for the ink of the theme.
    pub(crate) color: Option<Color>,
    /// The alignment along the direction of writing.
    pub(crate) along: Align,
    /// The alignment across it.
    pub(crate) across: Align,
    /// The direction of writing, in degrees clockwise from the left to the right; −90 is upwards.
    pub(crate) angle: f64,
}

impl Lettering {
    pub(crate) fn new(size: f64, along: Align, across: Align) -> Self {
        Self {
            size,
            color: None,
            along,
            across,
            angle: 0.0,
        }
    }

    pub(crate) fn color(self, color: Color) -> Self {
        Self {
            color: Some(color),
            ..self
        }
    }

    pub(crate) fn upwards(self) -> Self {
        self.turned(-90.0)
    }

    pub(crate) fn turned(self, angle: f64) -> Self {
        Self { angle, ..self }
    }
}
