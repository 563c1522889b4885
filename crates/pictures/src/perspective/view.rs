//! The projection from the box around a surface to pixels.
//!
//! The box reaches from −1 to 1 along both directions and from 0 to [`HEIGHT`] upwards. A point p,
//! measured from the middle of the box, lies at
//!
//! ```text
//! (p·r, p·u) D / (D − p·w)
//! ```
//!
//! for the unit vectors r to the right, u upwards on the picture and w towards the camera, and the
//! distance D of the camera.

use super::config::Camera;
use crate::drawing::geometry::{Point, Rect};

/// A place in the box.
pub(super) type Place = [f64; 3];

/// The height of the box, where its sides are 2.
pub(super) const HEIGHT: f64 = 1.3;

/// The distance of the camera from the middle of the box: as in a photograph taken from some three
/// times the width of what it shows.
const DISTANCE: f64 = 7.0;

/// A camera and the part of the picture that it fills.
#[derive(Debug, Clone, Copy)]
pub(super) struct View {
    right: Place,
    up: Place,
    toward: Place,
    /// Pixels per unit of the box, at its middle.
    pub(super) scale: f64,
    /// The pixel of the middle of the box.
    pub(super) origin: Point,
}

impl View {
    pub(super) fn new(camera: Camera) -> Self {
        let (sin_a, cos_a) = camera.azimuth.to_radians().sin_cos();
        let (sin_e, cos_e) = camera.elevation.to_radians().sin_cos();
        Self {
            right: [-sin_a, cos_a, 0.0],
            up: [-sin_e * cos_a, -sin_e * sin_a, cos_e],
            toward: [cos_e * cos_a, cos_e * sin_a, sin_e],
            scale: 1.0,
            origin: (0.0, 0.0),
        }
    }

    /// Returns the pixel of a place in the box.
    pub(super) fn pixel(&self, [x, y, z]: Place) -> Point {
        let place = [x, y, z - HEIGHT / 2.0];
        let size = self.scale * DISTANCE / (DISTANCE - dot(place, self.toward));
        (
            self.origin.0 + dot(place, self.right) * size,
            self.origin.1 - dot(place, self.up) * size,
        )
    }

    /// Returns the place of the camera.
    pub(super) fn eye(&self) -> Place {
        let [x, y, z] = self.toward.map(|c| c * DISTANCE);
        [x, y, z + HEIGHT / 2.0]
    }

    /// Returns the direction to the light, over the left shoulder of the camera.
    pub(super) fn light(&self) -> Place {
        let sum =
            [0, 1, 2].map(|k| 0.62 * self.toward[k] + 0.62 * self.up[k] - 0.48 * self.right[k]);
        unit(sum)
    }

    /// Returns the side of the box, −1 or 1 along each direction, that is far from the camera.
    pub(super) fn far(&self) -> [f64; 2] {
        [0, 1].map(|k| if self.toward[k] > 0.0 { -1.0 } else { 1.0 })
    }

    /// Returns the pixels around the eight corners of the box.
    pub(super) fn corners(&self) -> [Point; 8] {
        [0, 1, 2, 3, 4, 5, 6, 7].map(|k: u8| {
            let side = |bit: u8| if k & bit == 0 { -1.0 } else { 1.0 };
            let z = if k & 4 == 0 { 0.0 } else { HEIGHT };
            self.pixel([side(1), side(2), z])
        })
    }
}

/// Returns the smallest rectangle around points.
pub(super) fn around(points: impl Iterator<Item = Point>) -> Rect {
    let nothing = Rect {
        left: f64::INFINITY,
        top: f64::INFINITY,
        right: f64::NEG_INFINITY,
        bottom: f64::NEG_INFINITY,
    };
    points.fold(nothing, |rect, (x, y)| Rect {
        left: rect.left.min(x),
        top: rect.top.min(y),
        right: rect.right.max(x),
        bottom: rect.bottom.max(y),
    })
}

pub(super) fn dot(p: Place, q: Place) -> f64 {
    p[0] * q[0] + p[1] * q[1] + p[2] * q[2]
}

/// Returns the vector of length one in the direction of `p`; zero stays zero.
pub(super) fn unit(p: Place) -> Place {
    let length = dot(p, p).sqrt();
    if length > 0.0 {
        p.map(|c| c / length)
    } else {
        p
    }
}
