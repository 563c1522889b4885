//! The settings of surfaces in perspective.

use crate::axis::AxisScale;
use crate::{Error, Theme};

/// The direction from which a surface is seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Camera {
    /// The direction of the camera over the ground in degrees, counter-clockwise from the first
    /// axis: −90 looks along the second axis, and −60 has both axes at the front.
    pub azimuth: f64,
    /// The height of the camera over the ground in degrees, from 5 to 85.
    pub elevation: f64,
}

impl Default for Camera {
    fn default() -> Self {
        Self {
            azimuth: -60.0,
            elevation: 32.0,
        }
    }
}

/// The settings of [`perspective_with`](crate::perspective_with) and
/// [`perspectives_with`](crate::perspectives_with).
///
/// ```
/// use pictures::{Camera, PerspectiveConfig};
///
/// let config = PerspectiveConfig {
///     camera: Camera {
///         azimuth: 30.0,
///         elevation: 45.0,
///     },
///     clip: Some(10.0),
///     ..PerspectiveConfig::new("A bowl")
/// };
/// assert_eq!(config.width, 640);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct PerspectiveConfig {
    /// The title.
    pub title: String,
    /// The name of the first direction, with its unit.
    pub a_label: String,
    /// The name of the second direction, with its unit.
    pub b_label: String,
    /// The name of the values, with their unit.
    pub value_label: String,
    /// The scale of the heights and of the colours; the label of the colour bar says which was
    /// used.
    pub scale: AxisScale,
    /// The largest value drawn: the surface is cut open there, and the legend says so and counts
    /// the points above. `None` for all values.
    pub clip: Option<f64>,
    /// The direction from which the surface is seen.
    pub camera: Camera,
    /// The largest number of lines along each direction on the surface; 0 for none.
    pub mesh: usize,
    /// Whether contour lines at the ticks of the colour bar are drawn on the floor.
    pub floor: bool,
    /// The number of contour lines on the floor and of ticks of the colour bar, about.
    pub levels: usize,
    /// The ground and the lettering.
    pub theme: Theme,
    /// The width in pixels: of the picture of one surface, or of each of several.
    pub width: u32,
    /// The height in pixels: of the picture of one surface, or of each of several.
    pub height: u32,
}

impl PerspectiveConfig {
    /// Returns the usual settings of one surface: a loss along two directions, the scale that suits
    /// the values, nothing cut off, at most 25 lines each way, contour lines on the floor, 640 x
    /// 480 pixels.
    #[must_use]
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            a_label: "multiples of direction 1".into(),
            b_label: "multiples of direction 2".into(),
            value_label: "loss".into(),
            scale: AxisScale::Auto,
            clip: None,
            camera: Camera::default(),
            mesh: 25,
            floor: true,
            levels: 10,
            theme: Theme::Light,
            width: 640,
            height: 480,
        }
    }

    /// Returns the usual settings of several surfaces, each 400 x 360 pixels.
    #[must_use]
    pub fn several(title: impl Into<String>) -> Self {
        Self {
            width: 400,
            height: 360,
            ..Self::new(title)
        }
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        let wrong = |name, value, allowed| {
            Err(Error::Setting {
                name,
                value,
                allowed,
            })
        };
        let Camera { azimuth, elevation } = self.camera;
        if !azimuth.is_finite() {
            return wrong("the camera's azimuth", azimuth, "give a number of degrees");
        }
        if !(5.0..=85.0).contains(&elevation) {
            let allowed = "choose between 5 and 85 degrees";
            return wrong("the camera's elevation", elevation, allowed);
        }
        match self.clip {
            Some(clip) if !clip.is_finite() => wrong(
                "the largest value drawn",
                clip,
                "give a finite number, or None for all values",
            ),
            _ => Ok(()),
        }
    }
}
