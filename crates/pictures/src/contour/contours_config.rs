//! The settings of several surfaces side by side.

use super::track::Track;
use crate::Theme;
use crate::axis::AxisScale;

/// The settings of [`contours_with`](crate::contours_with).
#[derive(Debug, Clone, PartialEq)]
pub struct ContoursConfig {
    /// The title.
    pub title: String,
    /// The name of the first direction, with its unit.
    pub a_label: String,
    /// The name of the second direction, with its unit.
    pub b_label: String,
    /// The name of the values, with their unit.
    pub value_label: String,
    /// The scale of the values of all surfaces; the label of the colour bar says which was used.
    pub scale: AxisScale,
    /// The number of contour lines, about.
    pub levels: usize,
    /// Whether the lines carry their values, where there is room.
    pub labels: bool,
    /// Paths over each surface, in the order of the surfaces; may be shorter, or empty.
    pub tracks: Vec<Vec<Track>>,
    /// The ground and the lettering.
    pub theme: Theme,
    /// The side of each surface in pixels; the size of the picture follows from it and from the
    /// number of surfaces.
    pub side: u32,
}

impl ContoursConfig {
    /// Returns the usual settings: losses along two directions, the scale that suits the values, 10
    /// contour lines, surfaces of 280 pixels a side.
    #[must_use]
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            a_label: "multiples of direction 1".into(),
            b_label: "multiples of direction 2".into(),
            value_label: "loss".into(),
            scale: AxisScale::Auto,
            levels: 10,
            labels: false,
            tracks: Vec::new(),
            theme: Theme::Light,
            side: 280,
        }
    }
}
