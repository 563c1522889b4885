//! Curves: anything against anything, and the loss along one direction.

use burn::config::Config;

use super::axis::{Axis, Scale};
use super::canvas::Canvas;
use super::color::{HATCH, MUTED, WHITE, series};
use super::field::increasing;
use super::frame::{Frame, Names};
use super::geometry::{Point, Rect, hatched};
use super::legend::{Entry, Mark};
use super::number::significant;
use super::picture::Picture;
use crate::Error;

/// One curve.
#[derive(Clone, Copy, Debug)]
pub struct Series<'a> {
    /// The name in the legend.
    pub name: &'a str,
    /// `[n]` coordinates, finite and increasing.
    pub x: &'a [f64],
    /// `[n]` values. The curve is interrupted where a value is not finite, and the place is hatched.
    pub y: &'a [f64],
}

/// How [`curves`] draws.
#[derive(Config, Debug)]
pub struct CurvesConfig {
    /// The title.
    pub title: String,
    /// The name of the horizontal axis, with its unit.
    #[config(default = "String::from(\"step\")")]
    pub x_label: String,
    /// The name of the vertical axis, with its unit; "(log scale)" is added when the scale is logarithmic.
    #[config(default = "String::from(\"value\")")]
    pub y_label: String,
    /// The vertical scale.
    #[config(default = "Scale::Auto")]
    pub scale: Scale,
    /// Where a dashed upright line marks the centre, if anywhere.
    #[config(default = "None")]
    pub center: Option<f64>,
    /// Whether the smallest value of each curve is marked and written in the legend.
    #[config(default = false)]
    pub minima: bool,
    /// Width in pixels.
    #[config(default = 640)]
    pub width: u32,
    /// Height in pixels.
    #[config(default = 480)]
    pub height: u32,
}

/// Up to this many points a curve shows each of them as a dot, where there are few curves.
const DOTS: usize = 64;
/// Up to this many curves have dots, and their minima in the legend.
pub(crate) const FEW: usize = 4;

/// Draws the loss along one direction, one curve for each of `series` (training and validation, or two optimisers), with the centre and the minima marked.
///
/// # Errors
///
/// As [`curves`].
///
/// # Examples
///
/// ```
/// use probes::render::{Series, line};
///
/// let series = [Series { name: "train", x: &[-1.0, 0.0, 1.0], y: &[2.0, 0.5, f64::INFINITY] }];
/// assert_eq!(line(&series, "Loss along the first eigenvector")?.width, 640);
/// # Ok::<(), probes::Error>(())
/// ```
pub fn line(series: &[Series<'_>], title: &str) -> Result<Picture, Error> {
    let config = CurvesConfig::new(title.into())
        .with_x_label("multiples of the direction".into())
        .with_y_label("loss".into())
        .with_center(Some(0.0))
        .with_minima(true);
    curves(series, &config)
}

/// Draws curves over a common axis.
///
/// # Errors
///
/// When there is no curve, a length does not match, coordinates are not finite and increasing, the scale is [`Scale::Log`] and a finite value is not
/// positive, or the picture's size is out of range.
pub fn curves(series: &[Series<'_>], config: &CurvesConfig) -> Result<Picture, Error> {
    draw(series, config).map(|(picture, _)| picture)
}

fn draw(curves: &[Series<'_>], config: &CurvesConfig) -> Result<(Picture, Frame), Error> {
    if curves.is_empty() {
        return Err(Error::Empty {
            what: "the list of curves".into(),
        });
    }
    for curve in curves {
        increasing(&format!("the coordinates of {:?}", curve.name), curve.x)?;
        if curve.y.len() != curve.x.len() {
            let (found, expected) = (curve.y.len(), curve.x.len());
            return Err(Error::Length {
                what: format!("the curve {:?}", curve.name),
                found,
                expected,
            });
        }
    }
    let all_y = curves.iter().flat_map(|curve| curve.y.iter().copied());
    let y = Axis::of(all_y.clone(), config.scale).map_err(|value| Error::NotPositive {
        what: "a curve".into(),
        value,
    })?;
    let y = y
        .unwrap_or(Axis {
            low: 0.0,
            high: 1.0,
            log: false,
        })
        .padded(0.04);
    let x = Axis::of(
        curves.iter().flat_map(|curve| curve.x.iter().copied()),
        Scale::Linear,
    )
    .ok()
    .flatten();
    let x = x
        .unwrap_or(Axis {
            low: 0.0,
            high: 1.0,
            log: false,
        })
        .padded(0.02);

    let mut canvas = Canvas::new(config.width, config.height, WHITE)?;
    let y_label = if y.log {
        format!("{} (log scale)", config.y_label)
    } else {
        config.y_label.clone()
    };
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
            Entry::new(Mark::Line(series(index)), format!("{}{text}", curve.name))
        })
        .collect();
    legend.extend(center.map(|_| Entry::new(Mark::Dashes(MUTED), "centre")));
    legend.extend(Entry::not_finite(
        all_y.clone().filter(|v| !v.is_finite()).count(),
        all_y.count(),
    ));
    let frame = Frame::lay_out(&mut canvas, names, &legend, x, y, 0.0)?;

    frame.grid(&mut canvas);
    for curve in curves {
        hatch(&mut canvas, &frame, curve);
    }
    if let Some(center) = center {
        frame.upright(&mut canvas, center, MUTED);
    }
    frame.border(&mut canvas);
    for (index, curve) in curves.iter().enumerate() {
        let points: Vec<Point> = curve
            .x
            .iter()
            .zip(curve.y)
            .map(|(x, y)| frame.point(*x, *y))
            .collect();
        let style = series(index);
        canvas.line(&points, style, 6.0 * frame.unit, frame.unit, frame.plot);
        let alone = |k: usize| {
            let finite = |k: Option<usize>| {
                k.and_then(|k| curve.y.get(k))
                    .is_some_and(|v| v.is_finite())
            };
            !finite(k.checked_sub(1)) && !finite(k.checked_add(1))
        };
        let dots: Vec<[Point; 2]> = points
            .iter()
            .enumerate()
            .filter(|(k, _)| (points.len() <= DOTS && curves.len() <= FEW) || alone(*k))
            .map(|(_, p)| [*p, *p])
            .collect();
        canvas.stroke(&dots, 12.0 * frame.unit, style.color, frame.plot);
    }
    if config.minima {
        for (index, curve) in curves.iter().enumerate() {
            if let Some((x, y)) = minimum(curve) {
                frame.mark(
                    &mut canvas,
                    Mark::Minimum(series(index).color),
                    frame.point(x, y),
                );
            }
        }
    }
    Ok((canvas.into_picture(), frame))
}

/// The first of the smallest finite values, with its coordinate.
fn minimum(curve: &Series<'_>) -> Option<(f64, f64)> {
    let points = curve.x.iter().zip(curve.y).filter(|(_, y)| y.is_finite());
    points
        .min_by(|p, q| p.1.total_cmp(q.1))
        .map(|(x, y)| (*x, *y))
}

/// Hatches the strips that are nearest to a value that is not finite.
fn hatch(canvas: &mut Canvas, frame: &Frame, curve: &Series<'_>) {
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
        canvas.shade(strip, |point| HATCH[usize::from(hatched(point))]);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[expect(clippy::cast_possible_truncation, reason = "a pixel of the picture")]
    fn at((picture, frame): &(Picture, Frame), x: f64, y: f64) -> [u8; 3] {
        let (x, y) = frame.point(x, y);
        picture.pixel(x as u32, y as u32).unwrap()
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
        let picture = draw(&curves, &CurvesConfig::new("two".into())).unwrap();
        assert_eq!(at(&picture, 0.5, 2.0), series(0).color);
        // The second is dashed: somewhere between its points it is drawn, and nothing else but its dots is.
        let dashed = (30..70).map(|k| at(&picture, f64::from(k) / 100.0, 0.0));
        assert!(dashed.into_iter().any(|color| color == series(1).color));
        assert_eq!(at(&picture, 1.0, 1.55), super::super::color::GRID);
    }

    #[test]
    fn a_value_that_is_not_finite_interrupts_the_curve_and_is_hatched() {
        let curve = Series {
            name: "loss",
            x: &[0.0, 1.0, 2.0, 3.0],
            y: &[1.0, f64::NAN, 1.0, 2.0],
        };
        let picture = draw(&[curve], &CurvesConfig::new("gap".into())).unwrap();
        assert!(HATCH.contains(&at(&picture, 1.0, 1.0)) && HATCH.contains(&at(&picture, 1.3, 1.7)));
        assert_eq!(at(&picture, 2.5, 1.5), series(0).color);
    }

    #[test]
    fn mistakes_are_errors() {
        let config = CurvesConfig::new("none".into());
        assert!(matches!(curves(&[], &config), Err(Error::Empty { .. })));
        assert!(matches!(
            curves(
                &[Series {
                    name: "a",
                    x: &[0.0],
                    y: &[]
                }],
                &config
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
                &config
            ),
            Err(Error::NotIncreasing { .. })
        ));
        let flat = Series {
            name: "a",
            x: &[0.0],
            y: &[0.0],
        };
        assert!(matches!(
            curves(&[flat], &config.with_scale(Scale::Log)),
            Err(Error::NotPositive { .. })
        ));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn any_curve_gives_a_picture(y in prop::collection::vec(prop::num::f64::ANY, 1..6), stretch in prop::sample::select(vec![1e-300, 1.0, 1e300]), names in "\\PC{0,300}", count in 1_usize..20) {
            let x: Vec<f64> = (0..y.len()).map(|i| i as f64 * stretch).collect();
            let series = vec![Series { name: &names, x: &x, y: &y }; count];
            prop_assert!(line(&series, &names).is_ok());
        }
    }
}
