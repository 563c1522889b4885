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

    /// Returns the place behind a pixel on the plane through the middle of the box that faces the
    /// camera.
    #[cfg(test)]
    pub(super) fn place_behind(&self, (x, y): Point) -> Place {
        let [x, y] = [x - self.origin.0, self.origin.1 - y].map(|c| c / self.scale);
        let [p, q, r] = [0, 1, 2].map(|k| x * self.right[k] + y * self.up[k]);
        [p, q, r + HEIGHT / 2.0]
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

    /// Returns the side of the box, −1 or 1 along each direction, whose wall is drawn: the far one.
    /// From between the two both are seen from inside, and the left one is drawn, so that the axis
    /// on the floor lies at the right.
    pub(super) fn far(&self) -> [f64; 2] {
        [0, 1].map(|k| {
            let is_between = (DISTANCE * self.toward[k]).abs() < 1.0;
            let near = if is_between {
                self.right[k]
            } else {
                self.toward[k]
            };
            -near.signum()
        })
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

#[cfg(test)]
mod tests {
    use super::*;

    fn views() -> Vec<View> {
        let mut views = Vec::new();
        for azimuth in [-60.0, 0.0, 45.0, 135.0, 300.0] {
            for elevation in [5.0, 32.0, 85.0] {
                views.push(View {
                    scale: 150.0,
                    origin: (320.0, 240.0),
                    ..View::new(Camera { azimuth, elevation })
                });
            }
        }
        views
    }

    #[test]
    fn all_places_on_a_ray_from_the_camera_have_one_pixel() {
        for view in views() {
            let eye = view.eye();
            for at in [(100.0, 50.0), (320.0, 240.0), (500.0, 400.0)] {
                let through = view.place_behind(at);
                for share in [0.8, 1.0, 1.1] {
                    let place = [0, 1, 2].map(|k| eye[k] + share * (through[k] - eye[k]));
                    let pixel = view.pixel(place);
                    assert!(
                        (pixel.0 - at.0).hypot(pixel.1 - at.1) < 1e-9,
                        "{pixel:?} {at:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_first_axis_goes_to_the_right_in_front_of_a_camera_at_minus_90_degrees() {
        let view = View::new(Camera {
            azimuth: -90.0,
            elevation: 30.0,
        });
        let [left, right] = [-1.0, 1.0].map(|x| view.pixel([x, -1.0, 0.0]));
        assert!(left.0 < right.0 && (left.1 - right.1).abs() < 1e-12);
        // What is far is smaller and, on the floor, higher on the picture.
        let [far_left, far_right] = [-1.0, 1.0].map(|x| view.pixel([x, 1.0, 0.0]));
        assert!(far_right.0 - far_left.0 < right.0 - left.0 && far_left.1 < left.1);
        assert_eq!(view.far(), [-1.0, 1.0]);
    }

    #[test]
    fn walls_are_seen_from_inside() {
        for view in views() {
            // The wall at x = 1 shows its inner side to what lies at smaller x.
            let (eye, far) = (view.eye(), view.far());
            for k in 0..2 {
                assert!(far[k].abs() == 1.0 && far[k] * eye[k] < 1.0, "{view:?}");
            }
        }
    }
}
