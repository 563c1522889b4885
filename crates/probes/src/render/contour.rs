//! A surface as a filled colour map with contour lines.

use burn::config::Config;

use super::axis::{Axis, Scale};
use super::canvas::Canvas;
use super::color::WHITE;
use super::color_bar::Bar;
use super::field::{Field, coordinate_axis};
use super::frame::{Frame, Names};
use super::label::unit;
use super::legend::{Entry, Mark};
use super::number::significant;
use super::picture::Picture;
use super::surface::{MINIMUM, paint};
use crate::Error;

/// How [`contour`] draws.
#[derive(Config, Debug)]
pub struct ContourConfig {
    /// The title.
    pub title: String,
    /// The name of the first direction, with its unit.
    #[config(default = "String::from(\"multiples of direction 1\")")]
    pub a_label: String,
    /// The name of the second direction, with its unit.
    #[config(default = "String::from(\"multiples of direction 2\")")]
    pub b_label: String,
    /// The name of the values, with their unit.
    #[config(default = "String::from(\"loss\")")]
    pub value_label: String,
    /// How values are spread over the colours; the label of the colour bar says which was used.
    #[config(default = "Scale::Auto")]
    pub scale: Scale,
    /// About how many contour lines.
    #[config(default = 10)]
    pub levels: usize,
    /// Width in pixels.
    #[config(default = 640)]
    pub width: u32,
    /// Height in pixels.
    #[config(default = 480)]
    pub height: u32,
}

/// Draws a surface: a filled colour map (viridis) with contour lines at the ticks of the colour bar, the point (0, 0) and the smallest value marked.
///
/// Between the grid points colours are interpolated, in the logarithm when the scale is logarithmic. A value that is not finite is hatched in grey over
/// the part of the picture that is nearest to it, and the legend counts how many there are.
///
/// # Errors
///
/// When a length does not match, coordinates are not finite and increasing, the scale is [`Scale::Log`] and a finite value is not positive, or the
/// picture's size is out of range.
///
/// # Examples
///
/// ```
/// use probes::render::{ContourConfig, Field, contour};
///
/// let (a, b) = ([-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0, 4.0]);
/// let values: Vec<f64> = a.iter().flat_map(|x: &f64| b.iter().map(move |y: &f64| x * x + y * y)).collect();
/// let picture = contour(&Field { a: &a, b: &b, values: &values }, &ContourConfig::new("A bowl".into()))?;
/// assert_eq!((picture.width, picture.height), (640, 480));
/// # Ok::<(), probes::Error>(())
/// ```
pub fn contour(field: &Field<'_>, config: &ContourConfig) -> Result<Picture, Error> {
    draw(field, config).map(|(picture, _)| picture)
}

fn draw(field: &Field<'_>, config: &ContourConfig) -> Result<(Picture, Frame), Error> {
    field.validate("")?;
    let values = Axis::of(field.values.iter().copied(), config.scale).map_err(|value| {
        Error::NotPositive {
            what: "the surface".into(),
            value,
        }
    })?;
    let mut canvas = Canvas::new(config.width, config.height, WHITE)?;
    let bar = values
        .map(|axis| {
            let bounds = canvas.bounds();
            Bar::new(0.7 * bounds.height(), unit(bounds), axis, config.levels)
        })
        .transpose()?;

    let (a, b) = (coordinate_axis(field.a), coordinate_axis(field.b));
    let names = Names {
        title: &config.title,
        x: &config.a_label,
        y: &config.b_label,
    };
    let legend = legend(field);
    let frame = Frame::lay_out(
        &mut canvas,
        names,
        &legend,
        a,
        b,
        bar.as_ref().map_or(0.0, |bar| bar.room),
    )?;

    let levels = bar.as_ref().map_or(&[][..], |bar| &bar.ticks.at);
    paint(&mut canvas, &frame, field, values, levels);
    if let Some(bar) = &bar {
        bar.draw(&mut canvas, frame.plot, frame.unit, &config.value_label)?;
    }
    Ok((canvas.into_picture(), frame))
}

fn legend(field: &Field<'_>) -> Vec<Entry> {
    let mut legend = Vec::new();
    if field.holds_zero() {
        let value = field
            .center()
            .map_or_else(String::new, |value| format!(" {}", significant(value, 4)));
        legend.push(Entry::new(Mark::Center, format!("centre{value}")));
    }
    if let Some((a, b, value)) = field.minimum().filter(|_| field.varies()) {
        let text = format!(
            "minimum {} at ({}, {})",
            significant(value, 4),
            significant(a, 3),
            significant(b, 3)
        );
        legend.push(Entry::new(Mark::Minimum(MINIMUM), text));
    }
    legend.extend(Entry::not_finite(field.missing(), field.values.len()));
    legend
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::color::{HATCH, viridis};
    use super::super::color_bar::line_color;
    use super::*;

    fn config() -> ContourConfig {
        ContourConfig::new("surface".into())
    }

    /// Draws f over the product of a and b.
    fn drawn(
        a: &[f64],
        b: &[f64],
        config: &ContourConfig,
        f: impl Fn(f64, f64) -> f64,
    ) -> (Picture, Frame) {
        let values: Vec<f64> = a.iter().flat_map(|x| b.iter().map(|y| f(*x, *y))).collect();
        draw(
            &Field {
                a,
                b,
                values: &values,
            },
            config,
        )
        .unwrap()
    }

    /// The colour at the values (x, y).
    #[expect(clippy::cast_possible_truncation, reason = "a pixel of the picture")]
    fn at((picture, frame): &(Picture, Frame), x: f64, y: f64) -> [u8; 3] {
        let (x, y) = frame.point(x, y);
        picture.pixel(x as u32, y as u32).unwrap()
    }

    fn close(p: [u8; 3], q: [u8; 3]) -> bool {
        p.iter().zip(q).all(|(x, y)| x.abs_diff(y) <= 3)
    }

    #[test]
    fn a_surface_that_rises_along_the_first_direction_gets_lighter_to_the_right() {
        let a = [-1.0, 0.0, 1.0, 2.0, 3.0];
        let b = [10.0, 20.0, 40.0];
        let picture = drawn(&a, &b, &config().with_levels(2), |x, _| x);
        // No marks or level lines lie at these places: levels are multiples of two.
        for y in [15.0, 25.0, 33.0] {
            assert!(
                close(at(&picture, -0.5, y), viridis(0.125)),
                "{:?}",
                at(&picture, -0.5, y)
            );
            assert!(
                close(at(&picture, 2.7, y), viridis(0.925)),
                "{:?}",
                at(&picture, 2.7, y)
            );
        }
        let picture = drawn(&a, &b, &config().with_levels(2), |_, y| y);
        for x in [-0.5, 1.5, 2.7] {
            assert!(close(at(&picture, x, 13.0), viridis(0.1)));
            assert!(close(at(&picture, x, 37.0), viridis(0.9)));
        }
    }

    #[test]
    fn the_line_of_a_known_quadratic_crosses_the_axis_where_it_must() {
        let axis: Vec<f64> = (-50..=50).map(|i| f64::from(i) / 50.0).collect();
        let picture = drawn(
            &axis,
            &axis,
            &config()
                .with_levels(2)
                .with_scale(Scale::Linear)
                .with_width(1800)
                .with_height(1350),
            |x, y| x * x + y * y,
        );
        // So large that a line is several pixels wide. The only levels inside are multiples of one; x^2 + y^2 = 1 passes through (0.8, 0.6) and (0.6, -0.8).
        for (x, y) in [(0.8, 0.6), (0.6, -0.8), (-0.8, 0.6)] {
            assert!(
                close(at(&picture, x, y), line_color(0.5)),
                "{:?}",
                at(&picture, x, y)
            );
            assert!(close(at(&picture, 0.9 * x, 0.9 * y), viridis(0.405)));
        }
    }

    #[test]
    fn values_that_are_not_finite_are_hatched_where_they_are_and_nowhere_else() {
        let axis: Vec<f64> = (0..9).map(f64::from).collect();
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let picture = drawn(&axis, &axis, &config(), |x, y| {
                if (x, y) == (6.0, 2.0) { bad } else { 1.0 + x }
            });
            assert!(
                HATCH.contains(&at(&picture, 6.0, 2.0)) && HATCH.contains(&at(&picture, 6.4, 1.6))
            );
            assert!(
                !HATCH.contains(&at(&picture, 2.0, 6.0))
                    && !HATCH.contains(&at(&picture, 6.6, 2.0))
            );
        }
    }

    #[test]
    fn the_same_numbers_give_the_same_bytes() {
        let a = [-1.0, 0.0, 1.0];
        let bytes = || drawn(&a, &a, &config(), |x, y| x * y).0.png().unwrap();
        assert_eq!(bytes(), bytes());
    }

    #[test]
    fn a_logarithmic_scale_of_a_negative_surface_is_an_error_and_mistaken_shapes_too() {
        let draw = |a: &[f64], values: &[f64], scale| {
            contour(
                &Field {
                    a,
                    b: &[0.0, 1.0],
                    values,
                },
                &config().with_scale(scale),
            )
        };
        assert!(matches!(
            draw(&[0.0], &[1.0, -1.0], Scale::Log),
            Err(Error::NotPositive { value: -1.0, .. })
        ));
        assert!(matches!(
            draw(&[0.0], &[1.0], Scale::Auto),
            Err(Error::Length {
                found: 1,
                expected: 2,
                ..
            })
        ));
        assert!(matches!(
            draw(&[], &[], Scale::Auto),
            Err(Error::Empty { .. })
        ));
        assert!(matches!(
            draw(&[1.0, 0.0], &[1.0; 4], Scale::Auto),
            Err(Error::NotIncreasing { index: 1, .. })
        ));
    }

    #[test]
    fn degenerate_surfaces_are_drawn() {
        for values in [
            [1.0; 4],
            [f64::NAN; 4],
            [f64::MAX, f64::MIN, 0.0, 5e-324],
            [0.1, 0.1, 0.1, 0.1 + 1e-17],
            [0.0, 5e-324, 0.0, 0.0],
        ] {
            assert!(
                contour(
                    &Field {
                        a: &[0.0, 1.0],
                        b: &[0.0, 1.0],
                        values: &values
                    },
                    &config()
                )
                .is_ok()
            );
            assert!(
                contour(
                    &Field {
                        a: &[1e300],
                        b: &[-1e308, 0.0, 1e-300, 1e308],
                        values: &values
                    },
                    &config()
                )
                .is_ok()
            );
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn any_surface_gives_a_picture_or_an_error(
            a in prop::collection::btree_set(-5_i32..5, 1..5),
            stretch in prop::sample::select(vec![1e-300, 1e-3, 1.0, 1e300]),
            values in prop::collection::vec(prop_oneof![prop::num::f64::ANY, Just(1.0), 1e-3..1e3_f64], 20),
            m in 1_usize..5,
            log: bool,
        ) {
            let a: Vec<f64> = a.into_iter().map(|x| f64::from(x) * stretch).collect();
            let b: Vec<f64> = (0..m).map(|j| j as f64).collect();
            let scale = if log { Scale::Log } else { Scale::Auto };
            let config = config().with_scale(scale).with_width(300).with_height(300);
            let _ = contour(&Field { a: &a, b: &b, values: &values[..a.len() * m] }, &config);
        }
    }
}
