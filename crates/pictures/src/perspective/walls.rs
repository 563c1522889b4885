//! The box around a surface: its far walls, its floor, and the axes along its edges.

use super::view::{HEIGHT, Place, View, around};
use crate::axis::{Axis, Ticks};
use crate::drawing::geometry::{Point, Rect};
use crate::drawing::{Align, Drawing, Ends, Lettering, Path, font};
use crate::layout::{NAME, SMALL, as_labelled, fitted};

/// The three axes of the box, with their ticks and names.
pub(super) struct Walls<'a> {
    pub(super) axes: [Axis; 3],
    pub(super) ticks: [Ticks; 3],
    pub(super) names: [&'a str; 3],
    /// The height in the box of the least value.
    pub(super) low: f64,
    pub(super) unit: f64,
}

/// A text beside the box, around its middle.
struct Text {
    text: String,
    middle: Point,
    size: f64,
    angle: f64,
}

impl Text {
    /// Returns the half width and half height of the upright rectangle around the text.
    fn half(&self) -> (f64, f64) {
        let (width, height) = (
            font::width(&self.text, self.size),
            font::CAPITAL * self.size,
        );
        let (sin, cos) = self.angle.to_radians().sin_cos();
        let (sin, cos) = (sin.abs(), cos.abs());
        (
            f64::midpoint(width * cos, height * sin),
            f64::midpoint(width * sin, height * cos),
        )
    }

    fn bounds(&self) -> Rect {
        let (half_width, half_height) = self.half();
        Rect {
            left: self.middle.0 - half_width,
            right: self.middle.0 + half_width,
            top: self.middle.1 - half_height,
            bottom: self.middle.1 + half_height,
        }
    }
}

/// An edge of the box that carries an axis, on the picture.
struct Edge {
    from: Place,
    to: Place,
    /// The direction away from the box.
    outward: Point,
}

impl Walls<'_> {
    /// Scales and moves the view until the box and all texts fill `room`.
    pub(super) fn fit(&self, view: &mut View, room: Rect) {
        let extent = |view: &View| {
            let texts = self.texts(view);
            let bounds = texts.iter().flat_map(|text| {
                let rect = text.bounds();
                [(rect.left, rect.top), (rect.right, rect.bottom)]
            });
            around(bounds.chain(view.corners()))
        };
        let (mut small, mut large) = (1.0, room.width() + room.height());
        for _ in 0..40 {
            view.scale = f64::midpoint(small, large);
            let extent = extent(view);
            if extent.width() <= room.width() && extent.height() <= room.height() {
                small = view.scale;
            } else {
                large = view.scale;
            }
        }
        view.scale = small;
        let extent = extent(view);
        view.origin.0 +=
            f64::midpoint(room.left, room.right) - f64::midpoint(extent.left, extent.right);
        view.origin.1 +=
            f64::midpoint(room.top, room.bottom) - f64::midpoint(extent.top, extent.bottom);
    }

    /// Returns the height in the box of a value.
    pub(super) fn height(&self, value: f64) -> f64 {
        self.low + (HEIGHT - self.low) * self.axes[2].unit(value)
    }

    /// Draws the walls, the floor, and the lines at the ticks.
    pub(super) fn draw(&self, drawing: &mut Drawing, view: &View) {
        let palette = drawing.theme().palette();
        let [x, y] = view.far();
        let wall = drawing.theme().tone(palette.grid, 0.3);
        let faces: [[Place; 4]; 3] = [
            [
                [-1.0, -1.0, 0.0],
                [1.0, -1.0, 0.0],
                [1.0, 1.0, 0.0],
                [-1.0, 1.0, 0.0],
            ],
            [
                [x, -1.0, 0.0],
                [x, 1.0, 0.0],
                [x, 1.0, HEIGHT],
                [x, -1.0, HEIGHT],
            ],
            [
                [-1.0, y, 0.0],
                [1.0, y, 0.0],
                [1.0, y, HEIGHT],
                [-1.0, y, HEIGHT],
            ],
        ];
        let placed =
            |places: &[Place]| -> Vec<Point> { places.iter().map(|p| view.pixel(*p)).collect() };
        for face in &faces {
            let mut path = Path::new();
            path.area(&placed(face));
            drawing.area(path, wall);
        }
        let mut grid = Path::new();
        for value in &self.ticks[0].at {
            let at = 2.0 * self.axes[0].unit(*value) - 1.0;
            grid.line(&placed(&[[at, -y, 0.0], [at, y, 0.0], [at, y, HEIGHT]]));
        }
        for value in &self.ticks[1].at {
            let at = 2.0 * self.axes[1].unit(*value) - 1.0;
            grid.line(&placed(&[[-x, at, 0.0], [x, at, 0.0], [x, at, HEIGHT]]));
        }
        for value in &self.ticks[2].at {
            let at = self.height(*value);
            grid.line(&placed(&[[-x, y, at], [x, y, at], [x, -y, at]]));
        }
        drawing.stroke(grid, 2.2 * self.unit, palette.grid, Ends::Cut);
        let mut edges = Path::new();
        for face in &faces[1..] {
            edges.line(&placed(&[face[0], face[1], face[2], face[3], face[0]]));
        }
        drawing.stroke(
            edges,
            2.2 * self.unit,
            drawing.theme().tone(palette.muted, 0.6),
            Ends::Round,
        );
        let mut near = Path::new();
        near.line(&placed(&[[x, -y, 0.0], [-x, -y, 0.0], [-x, y, 0.0]]));
        for edge in self.edges(view) {
            near.line(&placed(&[edge.from, edge.to]));
        }
        drawing.stroke(near, 3.2 * self.unit, palette.ink, Ends::Round);
    }

    /// Writes the ticks with their labels and the names of the axes.
    pub(super) fn write(&self, drawing: &mut Drawing, view: &View) {
        let mut path = Path::new();
        for (edge, k) in self.edges(view).into_iter().zip(0..) {
            for share in self.shares(k) {
                let at = view.pixel(along(&edge, share));
                path.line(&[at, beyond(at, edge.outward, 9.0 * self.unit)]);
            }
        }
        let ink = drawing.theme().palette().ink;
        drawing.stroke(path, 3.0 * self.unit, ink, Ends::Cut);
        for text in self.texts(view) {
            let style = Lettering::new(text.size, Align::Middle, Align::Middle);
            let ground = drawing.theme().palette().ground;
            // From some sides the surface reaches below a label.
            drawing.text_with_halo(&text.text, text.middle, style.turned(text.angle), ground);
        }
    }

    /// Returns the places of the ticks of axis `k` as shares of its edge.
    fn shares(&self, k: usize) -> Vec<f64> {
        let unit = |value: &f64| self.axes[k].unit(*value);
        let shares = self.ticks[k].at.iter().map(unit);
        if k == 2 {
            let low = self.low / HEIGHT;
            shares.map(|share| low + (1.0 - low) * share).collect()
        } else {
            shares.collect()
        }
    }

    /// Returns the edges that carry the axes: those of the floor that are near, and the upright one
    /// at the left.
    fn edges(&self, view: &View) -> [Edge; 3] {
        let [x, y] = view.far();
        let middle = view.pixel([0.0; 3]);
        let floor = |from: Place, to: Place| {
            let (p, q) = (view.pixel(from), view.pixel(to));
            let (dx, dy) = (q.0 - p.0, q.1 - p.1);
            let length = dx.hypot(dy).max(1e-9);
            let outward = (-dy / length, dx / length);
            let away = (
                f64::midpoint(p.0, q.0) - middle.0,
                f64::midpoint(p.1, q.1) - middle.1,
            );
            let sign = (outward.0 * away.0 + outward.1 * away.1).signum();
            Edge {
                from,
                to,
                outward: (sign * outward.0, sign * outward.1),
            }
        };
        // The corner farthest to the left lies on the outline of the box.
        let corners = [[-x, y, 0.0], [x, -y, 0.0], [-x, -y, 0.0], [x, y, 0.0]];
        let leftness = |corner: &&Place| -view.pixel(**corner).0;
        let left = corners
            .iter()
            .rev()
            .max_by(|p, q| leftness(p).total_cmp(&leftness(q)));
        let left = *left.expect("a box has four corners");
        [
            floor([-1.0, -y, 0.0], [1.0, -y, 0.0]),
            floor([-x, -1.0, 0.0], [-x, 1.0, 0.0]),
            Edge {
                from: left,
                to: [left[0], left[1], HEIGHT],
                outward: (-1.0, 0.0),
            },
        ]
    }

    /// Returns the labels that do not overlap another, and the names.
    fn texts(&self, view: &View) -> Vec<Text> {
        let (small, unit) = (0.94 * SMALL * self.unit, self.unit);
        let mut texts: Vec<Text> = Vec::new();
        let mut names = Vec::new();
        let edges = self.edges(view);
        // The names of both directions have the size of the one with less room.
        let mut named = [0, 1, 2].map(|k| {
            let (p, q) = (view.pixel(edges[k].from), view.pixel(edges[k].to));
            let name = as_labelled(self.names[k], &self.ticks[k]);
            let room = (1.1 * (q.0 - p.0).hypot(q.1 - p.1)).max(260.0 * unit);
            fitted(&name, NAME * unit, room)
        });
        let least = named[0].1.min(named[1].1);
        (named[0].1, named[1].1) = (least, least);
        for (edge, k) in edges.into_iter().zip(0..) {
            let outward = edge.outward;
            let reach = |text: &Text| {
                let (half_width, half_height) = text.half();
                outward.0.abs() * half_width + outward.1.abs() * half_height
            };
            let mut depth = 0.0_f64;
            let labels: Vec<Text> = self
                .shares(k)
                .into_iter()
                .zip(&self.ticks[k].labels)
                .map(|(share, label)| {
                    let mut text = Text {
                        text: label.clone(),
                        middle: view.pixel(along(&edge, share)),
                        size: small,
                        angle: 0.0,
                    };
                    let reach = reach(&text);
                    depth = depth.max(20.0 * unit + 2.0 * reach);
                    text.middle = beyond(text.middle, outward, 18.0 * unit + reach);
                    text
                })
                .collect();
            // Every label, every second, and so on, until they stand apart; one that meets the
            // label of another axis at a corner is left out.
            let stride = (1..=labels.len()).find(|stride| {
                let shown: Vec<Rect> = labels.iter().step_by(*stride).map(Text::bounds).collect();
                shown
                    .windows(2)
                    .all(|pair| pair[0].is_apart(&pair[1], 8.0 * unit))
            });
            let others = texts.len();
            for label in labels.into_iter().step_by(stride.unwrap_or(1)) {
                let bounds = label.bounds();
                let is_apart = |other: &Text| other.bounds().is_apart(&bounds, 16.0 * unit);
                if texts[..others].iter().all(is_apart) {
                    texts.push(label);
                }
            }
            let (p, q) = (view.pixel(edge.from), view.pixel(edge.to));
            let middle = (f64::midpoint(p.0, q.0), f64::midpoint(p.1, q.1));
            let (text, size) = named[k].clone();
            let text = Text {
                text,
                middle: beyond(
                    middle,
                    outward,
                    depth + 12.0 * unit + font::CAPITAL * size / 2.0,
                ),
                size,
                angle: readable_angle(p, q),
            };
            // A name of a letter or two stands upright.
            let is_short = text.text.chars().count() <= 2;
            names.push(Text {
                angle: if is_short { 0.0 } else { text.angle },
                ..text
            });
        }
        texts.extend(
            names
                .into_iter()
                .filter(|name| !name.text.trim().is_empty()),
        );
        texts
    }
}

/// Returns the direction of a line in degrees, so that writing along it is not upside down.
fn readable_angle(from: Point, to: Point) -> f64 {
    let angle = (to.1 - from.1).atan2(to.0 - from.0).to_degrees();
    if angle >= 90.0 - 1e-6 {
        angle - 180.0
    } else if angle < -90.0 - 1e-6 {
        angle + 180.0
    } else {
        angle
    }
}

fn along(edge: &Edge, share: f64) -> Place {
    [0, 1, 2].map(|k| edge.from[k] + share * (edge.to[k] - edge.from[k]))
}

fn beyond(point: Point, direction: Point, by: f64) -> Point {
    (point.0 + by * direction.0, point.1 + by * direction.1)
}

#[cfg(test)]
mod tests {
    use super::super::config::Camera;
    use super::*;

    #[test]
    fn everything_fits_and_no_label_lies_on_another_from_any_side() {
        let axis = |low: f64, high: f64| Axis {
            low,
            high,
            log: false,
        };
        let axes = [axis(-1.0, 1.0), axis(-0.0125, 0.025), axis(0.0, 12345.0)];
        for azimuth in (-180..180).step_by(15) {
            for elevation in [5.0, 20.0, 32.0, 60.0, 85.0] {
                let walls = Walls {
                    axes,
                    ticks: axes.map(|axis| axis.ticks(4)),
                    names: ["first direction", "second direction", "loss"],
                    low: 0.28,
                    unit: 0.71,
                };
                let room = Rect {
                    left: 10.0,
                    top: 60.0,
                    right: 500.0,
                    bottom: 470.0,
                };
                let camera = Camera {
                    azimuth: f64::from(azimuth),
                    elevation,
                };
                let mut view = View::new(camera);
                walls.fit(&mut view, room);
                assert!(around(view.corners().into_iter()).lies_in(room.grown(1e-6)));
                let texts = walls.texts(&view);
                assert!(texts.len() >= 6, "{camera:?}: {}", texts.len());
                for (k, text) in texts.iter().enumerate() {
                    assert!(
                        text.bounds().lies_in(room.grown(1e-6)),
                        "{camera:?} {}",
                        text.text
                    );
                    assert!((-90.001..=90.001).contains(&text.angle));
                    for other in texts[..k]
                        .iter()
                        .filter(|t| t.angle == 0.0 && text.angle == 0.0)
                    {
                        let apart = text.bounds().is_apart(&other.bounds(), 0.0);
                        assert!(apart, "{camera:?}: {} {}", text.text, other.text);
                    }
                }
            }
        }
    }
}
