//! Curves: anything against anything, and the loss along one direction.

use crate::axis::{Axis, AxisScale};
use crate::color::Style;
use crate::drawing::Drawing;
use crate::drawing::geometry::{Point, Rect};
use crate::field::check_increasing;
use crate::layout::{Entry, Frame, Mark, Names};
use crate::number::significant;
use crate::{Error, Picture, Theme};

/// One curve.
#[derive(Debug, Clone, Copy)]
pub struct Series<'a> {
    /// The name in the legend.
    pub name: &'a str,
    /// `[n]` coordinates, finite and increasing.
    pub x: &'a [f64],
    /// `[n]` values. The curve is interrupted where a value is not finite, and the place is
    /// hatched.
    pub y: &'a [f64],
}

impl Series<'_> {
    /// Checks lengths and coordinates; the message names the curve.
    pub(crate) fn check(&self) -> Result<(), Error> {
        check_increasing(&format!("the coordinates of {:?}", self.name), self.x)?;
        if self.y.len() == self.x.len() {
            return Ok(());
        }
        Err(Error::Length {
            what: format!("the curve {:?}", self.name),
            found: self.y.len(),
            expected: self.x.len(),
        })
    }
}

/// The settings of [`curves_with`].
#[derive(Debug, Clone, PartialEq)]
pub struct CurvesConfig {
    /// The title.
    pub title: String,
    /// The name of the horizontal axis, with its unit.
    pub x_label: String,
    /// The name of the vertical axis, with its unit; "(log scale)" is added when the scale is
    /// logarithmic.
    pub y_label: String,
    /// The vertical scale.
    pub scale: AxisScale,
    /// The place of a dashed upright line that marks the centre, if there is one.
    pub center: Option<f64>,
    /// Places of further dashed upright lines, each with its name in the legend; those beyond the
    /// curves are left out.
    pub marks: Vec<(f64, String)>,
    /// Whether the smallest value of each curve is marked and written in the legend.
    pub minima: bool,
    /// The ground and the lettering.
    pub theme: Theme,
    /// The width in pixels.
    pub width: u32,
    /// The height in pixels.
    pub height: u32,
}

impl CurvesConfig {
    /// Returns the usual settings: values over steps, the scale that suits the values, neither
    /// centre nor minima, 640 x 480 pixels.
    #[must_use]
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            x_label: "step".into(),
            y_label: "value".into(),
            scale: AxisScale::Auto,
            center: None,
            marks: Vec::new(),
            minima: false,
            theme: Theme::Light,
            width: 640,
            height: 480,
        }
    }

    /// Returns the usual settings for losses along a direction: the centre at 0 and the minima are
    /// marked.
    #[must_use]
    pub fn loss_line(title: impl Into<String>) -> Self {
        Self {
            x_label: "multiples of the direction".into(),
            y_label: "loss".into(),
            center: Some(0.0),
            minima: true,
            ..Self::new(title)
        }
    }
}

/// The largest number of points of a curve that are shown as dots, where there are few curves.
const DOTS: usize = 64;
/// The largest number of curves with dots, and with their minima in the legend.
pub(crate) const FEW: usize = 4;

/// Draws the loss along one direction, one curve for each of `series` (training and validation, or
/// two optimisers), with the centre and the minima marked.
///
/// # Errors
/// As [`curves_with`].
///
/// # Examples
/// ```
/// use pictures::{Series, loss_line};
///
/// let train = Series {
///     name: "train",
///     x: &[-1.0, 0.0, 1.0],
///     y: &[2.0, 0.5, f64::INFINITY],
/// };
/// let picture = loss_line(&[train], "Loss along the first eigenvector")?;
/// assert!(picture.svg().contains("not finite: 1 of 3 points"));
/// # Ok::<(), pictures::Error>(())
/// ```
pub fn loss_line(series: &[Series<'_>], title: impl Into<String>) -> Result<Picture, Error> {
    curves_with(series, &CurvesConfig::loss_line(title))
}

/// Draws curves over a common axis, with the usual settings of [`curves_with`].
///
/// # Errors
/// As [`curves_with`].
pub fn curves(series: &[Series<'_>], title: impl Into<String>) -> Result<Picture, Error> {
    curves_with(series, &CurvesConfig::new(title))
}

/// Draws curves over a common axis.
///
/// # Errors
/// When there is no curve, a length does not match, coordinates are not finite and increasing, the
/// scale is [`AxisScale::Log`] and a finite value is not positive, or the picture's size is out of
/// range.
pub fn curves_with(series: &[Series<'_>], config: &CurvesConfig) -> Result<Picture, Error> {
    draw(series, config).map(|(picture, _)| picture)
}

fn draw(curves: &[Series<'_>], config: &CurvesConfig) -> Result<(Picture, Frame), Error> {
    if curves.is_empty() {
        return Err(Error::Empty {
            what: "the list of curves".into(),
        });
    }
    for curve in curves {
        curve.check()?;
    }
    let all_y = || curves.iter().flat_map(|curve| curve.y);
    let y = Axis::of(all_y().copied(), config.scale).map_err(|value| Error::NotPositive {
        what: "a curve".into(),
        value,
    })?;
    let y = y.unwrap_or(Axis::UNIT).padded(0.04);
    let x = curves.iter().flat_map(|curve| curve.x.iter().copied());
    let x = Axis::linear(x).padded(0.02);

    let mut drawing = Drawing::new(config.width, config.height, config.theme)?;
    let theme = config.theme;
    let muted = theme.palette().muted;
    let y_label = y.named(&config.y_label);
    let names = Names {
        title: &config.title,
        x: &config.x_label,
        y: &y_label,
    };
    let center = config.center.filter(|c| (x.low..=x.high).contains(c));
    let mut legend: Vec<Entry> = curves
        .iter()
        .enumerate()
        .map(|(index, curve)| {
            let minimum = minimum(curve).filter(|_| config.minima && curves.len() <= FEW);
            let text = minimum.map_or_else(String::new, |(x, y)| {
                format!(": min {} at {}", significant(y, 4), significant(x, 3))
            });
            Entry::new(
                Mark::Line(theme.series(index)),
                format!("{}{text}", curve.name),
            )
        })
        .collect();
    legend.extend(center.map(|_| Entry::new(Mark::Dashes(muted), "centre")));
    let inside = |mark: &&(f64, String)| (x.low..=x.high).contains(&mark.0);
    let marks: Vec<&(f64, String)> = config.marks.iter().filter(inside).collect();
    let color = |index: usize| theme.series(curves.len() + index).color;
    legend.extend(
        marks
            .iter()
            .enumerate()
            .map(|(index, (_, name))| Entry::new(Mark::Dashes(color(index)), name.clone())),
    );
    legend.extend(Entry::not_finite(all_y()));
    let frame = Frame::lay_out(&mut drawing, names, &legend, x, y, 0.0);

    frame.grid(&mut drawing);
    for curve in curves {
        hatch(&mut drawing, &frame, curve);
    }
    if let Some(center) = center {
        frame.upright(&mut drawing, center, muted);
    }
    for (index, (place, _)) in marks.iter().enumerate() {
        frame.upright(&mut drawing, *place, color(index));
    }
    frame.border(&mut drawing);
    for (index, curve) in curves.iter().enumerate() {
        draw_curve(
            &mut drawing,
            &frame,
            curve,
            theme.series(index),
            curves.len() <= FEW,
        );
    }
    if config.minima {
        for (index, curve) in curves.iter().enumerate() {
            if let Some((x, y)) = minimum(curve) {
                frame.mark(
                    &mut drawing,
                    Mark::Minimum(theme.series(index).color),
                    frame.point(x, y),
                );
            }
        }
    }
    Ok((Picture::of(drawing, &config.title), frame))
}

/// Draws a curve; with dots at its points, if asked for and where they stand apart.
pub(crate) fn draw_curve(
    drawing: &mut Drawing,
    frame: &Frame,
    curve: &Series<'_>,
    style: Style,
    dots: bool,
) {
    let places = curve.x.iter().zip(curve.y);
    let points: Vec<Point> = places.map(|(x, y)| frame.point(*x, *y)).collect();
    drawing.line(&points, style, 6.0 * frame.unit, frame.unit);
    let is_finite = |k: usize| curve.y.get(k).is_some_and(|v| v.is_finite());
    let stands_alone = |k: usize| !(is_finite(k + 1) || k.checked_sub(1).is_some_and(is_finite));
    let has_dots = dots && points.len() <= DOTS;
    for (k, point) in points.iter().enumerate() {
        if has_dots || stands_alone(k) {
            drawing.disc(*point, 6.0 * frame.unit, style.color);
        }
    }
}

/// Returns the first of the smallest finite values, with its coordinate.
fn minimum(curve: &Series<'_>) -> Option<(f64, f64)> {
    let points = curve.x.iter().zip(curve.y).filter(|(_, y)| y.is_finite());
    points
        .min_by(|p, q| p.1.total_cmp(q.1))
        .map(|(x, y)| (*x, *y))
}

/// Hatches the strips that are nearest to a value that is not finite.
pub(crate) fn hatch(drawing: &mut Drawing, frame: &Frame, curve: &Series<'_>) {
    let at = |k: usize| frame.point(curve.x[k], frame.y.low).0;
    for k in (0..curve.x.len()).filter(|k| !curve.y[*k].is_finite()) {
        let left = if k == 0 {
            at(k)
        } else {
            f64::midpoint(at(k - 1), at(k))
        };
        let right = if k + 1 == curve.x.len() {
            at(k)
        } else {
            f64::midpoint(at(k), at(k + 1))
        };
        // A strip narrower than the stripes would not be seen.
        let center = f64::midpoint(left, right);
        let half = (right - left).max(8.0 * frame.unit) / 2.0;
        let strip = Rect {
            left: (center - half).max(frame.plot.left),
            right: (center + half).min(frame.plot.right),
            ..frame.plot
        };
        drawing.hatch(strip);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::drawing::tests::Pixels;

    fn at((pixels, frame): &(Pixels, Frame), x: f64, y: f64) -> [u8; 3] {
        pixels.at(frame.point(x, y))
    }

    fn drawn(curves: &[Series<'_>], title: &str) -> (Pixels, Frame) {
        let (picture, frame) = draw(curves, &CurvesConfig::new(title)).unwrap();
        (Pixels::of(picture.svg()), frame)
    }

    #[test]
    fn curves_pass_through_their_points_in_their_colours() {
        let x = [0.0, 1.0, 2.0];
        let curves = [
            Series {
                name: "one",
                x: &x,
                y: &[1.0, 3.0, 1.0],
            },
            Series {
                name: "two",
                x: &x,
                y: &[0.0, 0.0, 2.0],
            },
        ];
        let picture = drawn(&curves, "two");
        assert_eq!(at(&picture, 0.5, 2.0), Theme::Light.series(0).color);
        // The second is dashed: somewhere between its points it is drawn, and nothing else but its
        // dots is.
        let dashed = (30..70).map(|k| at(&picture, f64::from(k) / 100.0, 0.0));
        assert!(
            dashed
                .into_iter()
                .any(|color| color == Theme::Light.series(1).color)
        );
        assert_eq!(at(&picture, 1.0, 1.55), Theme::Light.palette().grid);
    }

    #[test]
    fn a_value_that_is_not_finite_interrupts_the_curve_and_is_hatched() {
        let curve = Series {
            name: "loss",
            x: &[0.0, 1.0, 2.0, 3.0],
            y: &[1.0, f64::NAN, 1.0, 2.0],
        };
        let picture = drawn(&[curve], "gap");
        let [light, dark] = Theme::Light.palette().hatch;
        for (x, y) in [(1.0, 1.0), (1.3, 1.7)] {
            let grey = at(&picture, x, y)[0];
            assert!((dark[0]..=light[0]).contains(&grey), "{grey}");
        }
        assert_eq!(at(&picture, 2.5, 1.5), Theme::Light.series(0).color);
    }

    #[test]
    fn mistakes_are_errors() {
        assert!(matches!(curves(&[], "none"), Err(Error::Empty { .. })));
        assert!(matches!(
            curves(
                &[Series {
                    name: "a",
                    x: &[0.0],
                    y: &[]
                }],
                "none"
            ),
            Err(Error::Length { .. })
        ));
        assert!(matches!(
            curves(
                &[Series {
                    name: "a",
                    x: &[f64::NAN],
                    y: &[0.0]
                }],
                "none"
            ),
            Err(Error::NotIncreasing { .. })
        ));
        let flat = Series {
            name: "a",
            x: &[0.0],
            y: &[0.0],
        };
        let config = CurvesConfig {
            scale: AxisScale::Log,
            ..CurvesConfig::new("none")
        };
        assert!(matches!(
            curves_with(&[flat], &config),
            Err(Error::NotPositive { .. })
        ));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn any_curve_gives_a_picture(
            y in prop::collection::vec(prop::num::f64::ANY, 1..6),
            stretch in prop::sample::select(vec![1e-300, 1.0, 1e300]),
            names in "\\PC{0,300}",
            count in 1_usize..20,
        ) {
            let x: Vec<f64> = (0..y.len()).map(|i| i as f64 * stretch).collect();
            let series = vec![Series { name: &names, x: &x, y: &y }; count];
            let picture = loss_line(&series, &names).unwrap();
            let read = Picture::from_svg(picture.svg()).unwrap();
            prop_assert_eq!((read.width(), read.height()), (640, 480));
            prop_assert!(picture.png().unwrap().starts_with(b"\x89PNG"));
        }
    }
}
