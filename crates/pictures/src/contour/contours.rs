//! Several surfaces side by side, on one scale.

use super::contours_config::ContoursConfig;
use super::named_field::NamedField;
use super::sheet::Sheet;
use super::surface::{Over, draw_surface};
use super::track::check_tracks;
use crate::axis::{Axis, Ticks};
use crate::drawing::geometry::Rect;
use crate::drawing::{Align, Drawing, Lettering};
use crate::layout::{Frame, NAME, Names, SMALL, fitted, write_head};
use crate::number::significant;
use crate::{Error, Picture};

/// Draws several surfaces side by side, with the usual settings of [`contours_with`].
///
/// # Errors
/// As [`contours_with`].
///
/// # Examples
/// ```
/// use pictures::{NamedField, contours};
///
/// let axis = [-1.0, 0.0, 1.0];
/// let bowl = |height: f64| {
///     axis.iter()
///         .flat_map(|x: &f64| axis.map(|y| height * (x * x + y * y)))
///         .collect::<Vec<f64>>()
/// };
/// let (sgd, sam) = (bowl(2.0), bowl(1.0));
/// let panels = [("sgd", &sgd), ("sam", &sam)];
/// let panels = panels.map(|(name, loss)| NamedField {
///     name,
///     field: (&axis[..], &axis[..], &loss[..]).into(),
/// });
/// let picture = contours(&panels, "Loss around the minima")?;
/// assert!(picture.width() > picture.height());
/// # Ok::<(), pictures::Error>(())
/// ```
pub fn contours(panels: &[NamedField<'_>], title: impl Into<String>) -> Result<Picture, Error> {
    contours_with(panels, &ContoursConfig::new(title))
}

/// Draws several surfaces side by side, in rows of at most four: one scale of values with one
/// colour bar, and contour lines at the same values.
///
/// [`AxisScale::Auto`](crate::AxisScale::Auto) looks at the values of all surfaces together. Where
/// all grids have the same ends, all panels have the same axes and only the outer ones are
/// labelled; otherwise each panel has axes of its own. Above each panel stand its name and its
/// smallest and largest finite value; the point (0, 0) and the smallest value are marked as in
/// [`contour`](super::contour()).
///
/// # Errors
/// When there is no surface, and as [`contour_with`](super::contour_with) for each of them; the
/// message names the surface. Also when the side of a surface is below 100 pixels or the picture
/// would be too large.
pub fn contours_with(panels: &[NamedField<'_>], config: &ContoursConfig) -> Result<Picture, Error> {
    draw(panels, config).map(|(picture, _)| picture)
}

fn draw(
    panels: &[NamedField<'_>],
    config: &ContoursConfig,
) -> Result<(Picture, Vec<Frame>), Error> {
    if panels.is_empty() {
        return Err(Error::Empty {
            what: "the list of surfaces".into(),
        });
    }
    for panel in panels {
        panel.field.check(&format!(" of {:?}", panel.name))?;
    }
    if config.tracks.len() > panels.len() {
        return Err(Error::Length {
            what: "the list of tracks".into(),
            found: config.tracks.len(),
            expected: panels.len(),
        });
    }
    for tracks in &config.tracks {
        check_tracks(tracks)?;
    }
    let values = panels.iter().flat_map(|p| p.field.values.iter().copied());
    let values = Axis::of(values, config.scale).map_err(|value| Error::NotPositive {
        what: "one of the surfaces".into(),
        value,
    })?;

    let sheet = Sheet::of(panels, values, config)?;
    let mut drawing = Drawing::new(sheet.width, sheet.height, config.theme)?;
    write_head(&mut drawing, &config.title, &sheet.legend, sheet.unit);
    let nothing = Ticks::default();
    let ticks = sheet.bar.as_ref().map_or(&nothing, |bar| &bar.ticks);
    for (index, (panel, frame)) in panels.iter().zip(&sheet.frames).enumerate() {
        let over = Over {
            ticks,
            labels: config.labels,
            marks: true,
            tracks: config.tracks.get(index).map_or(&[][..], Vec::as_slice),
            points: &[],
        };
        draw_surface(&mut drawing, frame, &panel.field, values, &over);
        write_panel_head(&mut drawing, panel, frame.plot, frame.unit);
        if !sheet.shared || index % sheet.columns == 0 {
            frame.write_y_labels(&mut drawing);
        }
        // The lowest of its column.
        if !sheet.shared || index + sheet.columns >= panels.len() {
            frame.write_x_labels(&mut drawing);
        }
    }
    let names = Names {
        title: &config.title,
        x: &config.a_label,
        y: &config.b_label,
    };
    sheet.frames[0].write_names(&mut drawing, names, sheet.area);
    if let Some(bar) = &sheet.bar {
        bar.draw(&mut drawing, sheet.area, sheet.unit, &config.value_label);
    }
    Ok((Picture::of(drawing, &config.title), sheet.frames))
}

/// Writes the name and the range of a surface above its plot.
pub(crate) fn write_panel_head(
    drawing: &mut Drawing,
    panel: &NamedField<'_>,
    plot: Rect,
    unit: f64,
) {
    let middle = f64::midpoint(plot.left, plot.right);
    let range = panel.field.range().map_or_else(
        || "no finite value".into(),
        |(low, high)| format!("{} to {}", significant(low, 3), significant(high, 3)),
    );
    let name = fitted(panel.name, NAME * unit, plot.width());
    let range = fitted(&range, SMALL * unit, plot.width());
    let style = |size| Lettering::new(size, Align::Middle, Align::End);
    drawing.text(&name.0, (middle, plot.top - 54.0 * unit), style(name.1));
    let style = style(range.1).color(drawing.theme().palette().muted);
    drawing.text(&range.0, (middle, plot.top - 15.0 * unit), style);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::sheet::columns;
    use super::*;
    use crate::axis::AxisScale;
    use crate::color::viridis;
    use crate::drawing::tests::Pixels;
    use crate::field::Field;

    fn config() -> ContoursConfig {
        ContoursConfig::new("surfaces")
    }

    /// The values of f over the square of an axis.
    fn grid(axis: &[f64], f: impl Fn(f64, f64) -> f64) -> Vec<f64> {
        axis.iter()
            .flat_map(|x| axis.iter().map(|y| f(*x, *y)))
            .collect()
    }

    fn at(pixels: &Pixels, frame: &Frame, x: f64, y: f64) -> [u8; 3] {
        pixels.at(frame.point(x, y))
    }

    fn close(p: [u8; 3], q: [u8; 3]) -> bool {
        p.iter().zip(q).all(|(x, y)| x.abs_diff(y) <= 4)
    }

    #[test]
    fn equal_values_have_equal_colours_and_contour_lines_in_every_panel() {
        let axis: Vec<f64> = (-40..=40).map(|i| f64::from(i) / 20.0).collect();
        // x² + y² reaches 8, a quarter of it reaches 2: the scale of both is 0 to 8.
        let steep = grid(&axis, |x, y| x * x + y * y);
        let flat = grid(&axis, |x, y| (x * x + y * y) / 4.0);
        let panels = [("steep", &steep), ("flat", &flat)].map(|(name, values)| NamedField {
            name,
            field: Field {
                a: &axis,
                b: &axis,
                values,
            },
        });
        let config = ContoursConfig {
            scale: AxisScale::Linear,
            levels: 8,
            ..config()
        };
        let (picture, frames) = draw(&panels, &config).unwrap();
        let picture = Pixels::of(picture.svg());
        // The value 1.5 lies between two contour lines at whole numbers.
        let radius = 1.5_f64.sqrt() / 2.0_f64.sqrt();
        assert!(close(
            at(&picture, &frames[0], radius, -radius),
            viridis(1.5 / 8.0)
        ));
        assert!(close(
            at(&picture, &frames[1], 2.0 * radius, -2.0 * radius),
            viridis(1.5 / 8.0)
        ));
        // The line of the value 1 is a circle of radius 1 there and of radius 2 here: light, on the
        // dark fifth of the map.
        assert!(viridis(0.2).iter().all(|channel| *channel < 140));
        let on_a_line = |frame: &Frame, x: f64, y: f64| {
            let pixel = 4.0 / frame.plot.width();
            let around = [-1.0, 0.0, 1.0].map(|k| at(&picture, frame, x + k * pixel, y));
            around.iter().any(|color| color.iter().all(|c| *c > 160))
        };
        for (x, y) in [(0.8, 0.6), (-0.6, 0.8)] {
            assert!(on_a_line(&frames[0], x, y) && !on_a_line(&frames[0], 1.1 * x, 1.1 * y));
            assert!(on_a_line(&frames[1], 2.0 * x, 2.0 * y) && !on_a_line(&frames[1], x, y));
        }
        // Side by side, equally large, on the same axes.
        let plots = [&frames[0].plot, &frames[1].plot];
        assert_eq!(plots[0].top, plots[1].top);
        assert_eq!(plots[0].width(), plots[1].width());
        assert!(plots[0].right < plots[1].left);
    }

    #[test]
    fn a_scale_is_logarithmic_when_all_values_together_span_two_decades() {
        let axis = [0.0, 1.0];
        let (low, high) = ([0.01, 0.02, 0.02, 0.04], [1.0, 2.0, 2.0, 4.0]);
        let panels = [("low", &low), ("high", &high)].map(|(name, values)| NamedField {
            name,
            field: Field {
                a: &axis,
                b: &axis,
                values,
            },
        });
        let config = ContoursConfig {
            levels: 2,
            ..config()
        };
        let (picture, frames) = draw(&panels, &config).unwrap();
        let picture = Pixels::of(picture.svg());
        // On a linear scale all of the first panel would be within a hundredth of the bottom.
        let unit = (0.02_f64 / 0.01).ln() / 400.0_f64.ln();
        assert!(
            close(at(&picture, &frames[0], 0.03, 0.97), viridis(unit)),
            "{unit}"
        );
    }

    #[test]
    fn panels_are_wrapped_into_rows_and_none_overlaps_another() {
        for (count, wanted) in [
            (1, 1),
            (2, 2),
            (3, 3),
            (4, 2),
            (5, 3),
            (6, 3),
            (7, 4),
            (9, 3),
            (12, 4),
        ] {
            assert_eq!(columns(count), wanted);
            let values = [0.0, 1.0, 2.0, 3.0];
            let axes = [[0.0, 1.0], [0.0, 2.0]];
            for mixed in [0, 1] {
                let panels: Vec<NamedField<'_>> = (0..count)
                    .map(|k| NamedField {
                        name: "run",
                        field: Field {
                            a: &axes[(k * mixed) % 2],
                            b: &axes[0],
                            values: &values,
                        },
                    })
                    .collect();
                let (picture, frames) = draw(&panels, &config()).unwrap();
                for (i, p) in frames.iter().enumerate() {
                    let p = p.plot;
                    assert!(p.left > 0.0 && p.right < f64::from(picture.width()));
                    assert!(p.top > 0.0 && p.bottom < f64::from(picture.height()));
                    for q in &frames[..i] {
                        let q = q.plot;
                        assert!(
                            p.left >= q.right
                                || p.right <= q.left
                                || p.top >= q.bottom
                                || p.bottom <= q.top
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn mistakes_are_errors_that_name_the_surface() {
        assert!(matches!(contours(&[], "none"), Err(Error::Empty { .. })));
        let good = NamedField {
            name: "good",
            field: Field {
                a: &[0.0, 1.0],
                b: &[0.0],
                values: &[1.0, 2.0],
            },
        };
        let mut bad = NamedField {
            name: "short",
            ..good
        };
        bad.field.values = &[1.0];
        let message = contours(&[good, bad], "short").unwrap_err().to_string();
        assert!(message.contains("short"), "{message}");
        let log = ContoursConfig {
            scale: AxisScale::Log,
            ..config()
        };
        let of_side = |side| ContoursConfig { side, ..config() };
        let negative = NamedField {
            field: Field {
                values: &[1.0, -2.0],
                ..good.field
            },
            ..good
        };
        assert!(matches!(
            contours_with(&[good, negative], &log),
            Err(Error::NotPositive { value: -2.0, .. })
        ));
        assert!(matches!(
            contours_with(&[good], &of_side(99)),
            Err(Error::PictureSize { .. })
        ));
        assert!(matches!(
            contours_with(&[good; 3], &of_side(4000)),
            Err(Error::PictureSize { .. })
        ));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn any_surfaces_give_a_picture(
            values in prop::collection::vec(prop_oneof![prop::num::f64::ANY, Just(1.0), 1e-3..1e3_f64], 9),
            stretch in prop::sample::select(vec![1e-300, 1.0, 1e300]),
            name in "\\PC{0,80}",
            count in 1_usize..8,
        ) {
            let axis = [-stretch, 0.0, stretch];
            let field = Field { a: &axis, b: &axis, values: &values };
            let panels = vec![NamedField { name: &name, field }; count];
            let config = ContoursConfig { side: 200, ..config() };
            let picture = contours_with(&panels, &config).unwrap();
            // What is drawn can be read by any reader of SVG, and has the stated size.
            let read = Picture::from_svg(picture.svg()).unwrap();
            prop_assert_eq!((read.width(), read.height()), (picture.width(), picture.height()));
            // There is room for the surfaces of the asked side.
            let columns = columns(count);
            prop_assert!(f64::from(picture.width()) > 200.0 * columns as f64);
            prop_assert!(f64::from(picture.height()) > 200.0 * count.div_ceil(columns) as f64);
        }
    }
}
