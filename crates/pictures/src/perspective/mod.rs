//! Surfaces in perspective.

mod config;
mod mesh;
mod view;
mod walls;

pub use config::{Camera, PerspectiveConfig};

use crate::axis::{Axis, Ticks};
use crate::color::{BLACK, WHITE, viridis};
use crate::contour::{NamedField, columns, write_panel_head};
use crate::drawing::geometry::{Point, Rect};
use crate::drawing::{Drawing, Ends, Path};
use crate::field::level::isolines;
use crate::field::{Field, UnitField, coordinate_axis};
use crate::layout::{Bar, Entry, Legend, MARGIN, Mark, head_height, pixels, unit, write_head};
use crate::number::significant;
use crate::theme::mixed;
use crate::{Error, Picture, Theme};
use mesh::Mesh;
use view::View;
use walls::Walls;

/// Draws a surface in perspective, with the usual settings of [`perspective_with`].
///
/// # Errors
/// As [`perspective_with`].
///
/// # Examples
/// ```
/// use pictures::perspective;
///
/// let axis = [-1.0, 0.0, 1.0];
/// let values: Vec<f64> = axis
///     .iter()
///     .flat_map(|x: &f64| axis.map(|y| x * x + y * y))
///     .collect();
/// let picture = perspective((&axis[..], &axis[..], &values[..]), "A bowl")?;
/// assert_eq!((picture.width(), picture.height()), (640, 480));
/// # Ok::<(), pictures::Error>(())
/// ```
pub fn perspective<'a>(
    field: impl Into<Field<'a>>,
    title: impl Into<String>,
) -> Result<Picture, Error> {
    perspective_with(field, &PerspectiveConfig::new(title))
}

/// Draws a surface in perspective: in a box with ticks and grid on its far walls, coloured by its
/// values (viridis) and shaded by its slope, with thin lines along both directions and contour
/// lines on the floor.
///
/// Between the grid points values are interpolated, in the logarithm when the scale is
/// logarithmic. Of more than 101 points along a direction some are left out. The cells around a
/// value that is not finite are left open, the floor below them is hatched, and the legend counts
/// such values. What lies behind other parts of the surface is hidden.
///
/// # Errors
/// When a length does not match, coordinates are not finite and increasing, the scale is
/// [`AxisScale::Log`](crate::AxisScale::Log) and a finite value is not positive, the camera is out
/// of range, all values lie above [`clip`](PerspectiveConfig::clip), or the picture's size is out
/// of range.
pub fn perspective_with<'a>(
    field: impl Into<Field<'a>>,
    config: &PerspectiveConfig,
) -> Result<Picture, Error> {
    let field = field.into();
    field.check("")?;
    config.check()?;
    let values = value_axis(&[field], config)?;
    let mut drawing = Drawing::new(config.width, config.height, config.theme)?;
    let bounds = drawing.bounds();
    let unit = unit(bounds);
    let bar = values.map(|axis| Bar::new(0.7 * bounds.height(), unit, axis, config.levels));
    let legend = Legend::arrange(
        &legend(&[field], config),
        bounds.width() - 30.0 * unit,
        unit,
    );
    let top = write_head(&mut drawing, &config.title, &legend, unit) + 10.0 * unit;
    let margin = MARGIN * unit;
    let room = Rect {
        left: margin,
        top,
        right: bounds.right - bar.as_ref().map_or(margin, |bar| bar.room + 26.0 * unit),
        bottom: bounds.bottom - margin,
    };
    let scene = Scene {
        field,
        values,
        levels: bar.as_ref().map_or(&[][..], |bar| &bar.ticks.at),
        names: [&config.a_label, &config.b_label, &config.value_label],
    };
    scene.draw(&mut drawing, room, unit, config);
    if let Some(bar) = &bar {
        let beside = Rect {
            top: top + 24.0 * unit,
            bottom: bounds.bottom - 60.0 * unit,
            ..room
        };
        bar.draw(&mut drawing, beside, unit, &config.value_label);
    }
    Ok(Picture::of(drawing, &config.title))
}

/// Draws several surfaces in perspective side by side, with the usual settings of
/// [`perspectives_with`].
///
/// # Errors
/// As [`perspectives_with`].
///
/// # Examples
/// ```
/// use pictures::{NamedField, perspectives};
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
/// let picture = perspectives(&panels, "Loss around the minima")?;
/// assert!(picture.width() > picture.height());
/// # Ok::<(), pictures::Error>(())
/// ```
pub fn perspectives(panels: &[NamedField<'_>], title: impl Into<String>) -> Result<Picture, Error> {
    perspectives_with(panels, &PerspectiveConfig::several(title))
}

/// Draws several surfaces in perspective side by side, in rows of at most four: one scale of
/// heights and of colours, one camera, one colour bar. Above each stand its name and its smallest
/// and largest finite value.
///
/// # Errors
/// When there is no surface, and as [`perspective_with`] for each of them; the message names the
/// surface.
pub fn perspectives_with(
    panels: &[NamedField<'_>],
    config: &PerspectiveConfig,
) -> Result<Picture, Error> {
    if panels.is_empty() {
        return Err(Error::Empty {
            what: "the list of surfaces".into(),
        });
    }
    for panel in panels {
        panel.field.check(&format!(" of {:?}", panel.name))?;
    }
    config.check()?;
    let fields: Vec<Field<'_>> = panels.iter().map(|panel| panel.field).collect();
    let values = value_axis(&fields, config)?;

    let columns = columns(panels.len());
    let rows = panels.len().div_ceil(columns);
    let (width, height) = (f64::from(config.width), f64::from(config.height));
    // Lettering grows with the picture, more slowly when there are many panels.
    let unit =
        1.3 * unit(Rect::of_size(width, height)) * [0.8, 1.0, 1.05, 1.1][columns.clamp(1, 4) - 1];
    let (head, gap) = (90.0 * unit, 20.0 * unit);
    let area_height = rows as f64 * (head + height);
    let bar = values.map(|axis| Bar::new(0.8 * area_height, unit, axis, config.levels));
    let margin = MARGIN * unit;
    let room = bar.as_ref().map_or(margin, |bar| bar.room);
    let all = margin + columns as f64 * (width + gap) + room;
    let legend = Legend::arrange(&legend(&fields, config), all - 30.0 * unit, unit);
    let top = head_height(&config.title, &legend, unit);
    let mut drawing = Drawing::new(
        pixels(all),
        pixels(top + area_height + margin),
        config.theme,
    )?;
    write_head(&mut drawing, &config.title, &legend, unit);

    let levels = bar.as_ref().map_or(&[][..], |bar| &bar.ticks.at);
    for (index, panel) in panels.iter().enumerate() {
        let left = (margin + (index % columns) as f64 * (width + gap)).round();
        let top = (top + head + (index / columns) as f64 * (head + height)).round();
        let plot = Rect {
            left,
            top,
            right: left + width,
            bottom: top + height,
        };
        let scene = Scene {
            field: panel.field,
            values,
            levels,
            names: [&config.a_label, &config.b_label, ""],
        };
        scene.draw(&mut drawing, plot, unit, config);
        write_panel_head(&mut drawing, panel, plot, unit);
    }
    if let Some(bar) = &bar {
        let beside = Rect {
            left: 0.0,
            top: top + head,
            right: all - room,
            bottom: top + area_height - 30.0 * unit,
        };
        bar.draw(&mut drawing, beside, unit, &config.value_label);
    }
    Ok(Picture::of(drawing, &config.title))
}

/// Returns the axis of heights and colours, up to where the surfaces are cut.
fn value_axis(fields: &[Field<'_>], config: &PerspectiveConfig) -> Result<Option<Axis>, Error> {
    let values = || fields.iter().flat_map(|field| field.values.iter().copied());
    let clip = config.clip.unwrap_or(f64::INFINITY);
    let axis = Axis::of(values().filter(|v| *v <= clip), config.scale).map_err(|value| {
        Error::NotPositive {
            what: "the surface".into(),
            value,
        }
    })?;
    let is_cut = values().any(|v| v > clip && v.is_finite());
    match axis {
        None if is_cut => Err(Error::Setting {
            name: "the largest value drawn",
            value: clip,
            allowed: "all values lie above it, choose a larger one",
        }),
        Some(axis) if is_cut => Ok(Some(Axis { high: clip, ..axis })),
        axis => Ok(axis),
    }
}

fn legend(fields: &[Field<'_>], config: &PerspectiveConfig) -> Vec<Entry> {
    let values = || fields.iter().flat_map(|field| field.values.iter().copied());
    let mut legend = Vec::new();
    if let Some(clip) = config.clip {
        let above = values().filter(|v| *v > clip && v.is_finite()).count();
        if above > 0 {
            let text = format!(
                "cut off above {}: {above} of {} points",
                significant(clip, 4),
                values().count()
            );
            legend.push(Entry::new(Mark::Cut, text));
        }
    }
    legend.extend(Entry::not_finite(
        fields.iter().map(Field::missing).sum(),
        values().count(),
    ));
    legend
}

/// A surface in its box.
struct Scene<'a> {
    field: Field<'a>,
    values: Option<Axis>,
    levels: &'a [f64],
    names: [&'a str; 3],
}

/// The height in the box of the least value above the floor, where there are contour lines.
const LIFT: f64 = 0.28;

impl Scene<'_> {
    /// Draws everything into `room`.
    fn draw(&self, drawing: &mut Drawing, room: Rect, unit: f64, config: &PerspectiveConfig) {
        let values = self.values.unwrap_or(Axis::UNIT);
        let axes = [
            coordinate_axis(self.field.a),
            coordinate_axis(self.field.b),
            values,
        ];
        let low = if config.floor { LIFT } else { 0.0 };
        let walls = Walls {
            axes,
            ticks: [
                axes[0].ticks(4),
                axes[1].ticks(4),
                if self.values.is_some() {
                    values.ticks(4)
                } else {
                    Ticks::default()
                },
            ],
            names: self.names,
            low,
            unit,
        };
        let mut view = View::new(config.camera);
        walls.fit(&mut view, room);
        walls.draw(drawing, &view);
        let units = UnitField::new(&self.field, axes[0], axes[1], values);
        self.floor(drawing, &view, &units, values, (unit, config));
        let mesh = Mesh::new(&units, low, config.mesh);
        mesh.draw(drawing, &view, unit);
        walls.write(drawing, &view);
    }

    /// Draws what lies on the floor: hatching where there is no value, and contour lines.
    fn floor(
        &self,
        drawing: &mut Drawing,
        view: &View,
        units: &UnitField,
        values: Axis,
        (unit, config): (f64, &PerspectiveConfig),
    ) {
        let on_floor = |(u, v): Point| view.pixel([2.0 * u - 1.0, 2.0 * v - 1.0, 0.0]);
        for (i, j) in units.squares().filter(|square| !units.is_whole(*square)) {
            let corners = [(i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1)];
            let mut path = Path::coarse();
            path.area(&corners.map(|corner| on_floor(units.point(corner))));
            drawing.hatch_area(path);
        }
        if !config.floor {
            return;
        }
        for level in self.levels {
            let level = values.unit(*level);
            let mut path = Path::coarse();
            for line in isolines(units, level) {
                let line: Vec<Point> = line.into_iter().map(on_floor).collect();
                path.line(&line);
            }
            // The light end of the map would be lost on white, and the dark end on black.
            let color = match config.theme {
                Theme::Light => mixed(viridis(level), BLACK, 0.8),
                Theme::Dark => mixed(viridis(level), WHITE, 0.75),
            };
            drawing.stroke(path, 3.0 * unit, color, Ends::Round);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::AxisScale;
    use crate::drawing::tests::Pixels;

    fn grid(n: i32, f: impl Fn(f64, f64) -> f64) -> (Vec<f64>, Vec<f64>) {
        let axis: Vec<f64> = (-n..=n).map(|i| f64::from(i) / f64::from(n)).collect();
        let values = axis
            .iter()
            .flat_map(|x| axis.iter().map(|y| f(*x, *y)).collect::<Vec<f64>>());
        let values = values.collect();
        (axis, values)
    }

    fn field<'a>((axis, values): &'a (Vec<f64>, Vec<f64>)) -> Field<'a> {
        (&axis[..], &axis[..], &values[..]).into()
    }

    fn config() -> PerspectiveConfig {
        PerspectiveConfig::new("surface")
    }

    #[test]
    fn the_same_numbers_give_the_same_bytes_below_a_megabyte() {
        let bowl = grid(25, |x, y| x * x + y * y + (9.0 * x).sin() * (9.0 * y).sin());
        let picture = || perspective(field(&bowl), "bowl").unwrap();
        assert_eq!(picture().svg(), picture().svg());
        assert_eq!(picture().png().unwrap(), picture().png().unwrap());
        // 51 x 51 points, and many more.
        assert!(picture().svg().len() < 500_000, "{}", picture().svg().len());
        let large = grid(150, |x, y| x * y);
        let large = perspective(field(&large), "large").unwrap();
        assert!(large.svg().len() < 1_200_000, "{}", large.svg().len());
    }

    #[test]
    fn a_surface_that_rises_to_the_right_gets_lighter_to_the_right() {
        // From the front, without lines: the middle row of pixels crosses the surface.
        let ramp = grid(20, |x, _| x);
        for theme in [Theme::Light, Theme::Dark] {
            let config = PerspectiveConfig {
                camera: Camera {
                    azimuth: -90.0,
                    elevation: 40.0,
                },
                mesh: 0,
                theme,
                ..config()
            };
            let picture = perspective_with(field(&ramp), &config).unwrap();
            let pixels = Pixels::of(picture.svg());
            // The value at a place is that of the hue: green over red falls along the map.
            let green = [150.0, 250.0, 330.0].map(|x| {
                let column = (100..460).map(|y| pixels.at((x, f64::from(y))));
                let colored = column.filter(|[r, g, b]| r.abs_diff(*g).max(g.abs_diff(*b)) > 40);
                let greens: Vec<u8> = colored.map(|color| color[1]).collect();
                greens.iter().map(|g| f64::from(*g)).sum::<f64>() / greens.len() as f64
            });
            assert!(green[0] < green[1] && green[1] < green[2], "{green:?}");
        }
    }

    #[test]
    fn several_surfaces_share_one_scale_and_one_camera() {
        // A quarter of the bowl lies below the whole one: on one scale it is drawn flatter.
        let (steep, flat) = (
            grid(10, |x, y| x * x + y * y),
            grid(10, |x, y| (x * x + y * y) / 4.0),
        );
        let fields = [field(&steep), field(&flat)];
        let axis = value_axis(&fields, &config()).unwrap().unwrap();
        assert_eq!((axis.low, axis.high), (0.0, 2.0));
        let panels = [("steep", fields[0]), ("flat", fields[1])];
        let panels = panels.map(|(name, field)| NamedField { name, field });
        let picture = perspectives(&panels, "two").unwrap();
        // One colour bar; the range of each is written above it.
        assert_eq!(picture.svg().matches("url(#pictures-viridis)").count(), 1);
        assert!(picture.svg().contains("0 to 2<") && picture.svg().contains("0 to 0.5<"));
    }

    #[test]
    fn what_is_cut_off_is_said_and_the_scale_ends_there() {
        let steep = grid(5, |x, y| 100.0 * (x * x + y * y));
        let config = PerspectiveConfig {
            clip: Some(50.0),
            scale: AxisScale::Linear,
            ..config()
        };
        let picture = perspective_with(field(&steep), &config).unwrap();
        // x² + y² > 1/2 on the grid of fifths: squares i² + j² > 12.5.
        let above = (-5_i32..=5)
            .flat_map(|i| (-5_i32..=5).map(move |j| i * i + j * j))
            .filter(|square| *square > 12)
            .count();
        let text = format!("cut off above 50: {above} of 121 points");
        assert!(picture.svg().contains(&text), "{text}");
        let axis = value_axis(&[field(&steep)], &config).unwrap().unwrap();
        assert_eq!(axis.high, 50.0);
        // Nothing to cut: nothing is said.
        let config = PerspectiveConfig {
            clip: Some(1e9),
            ..config
        };
        let picture = perspective_with(field(&steep), &config).unwrap();
        assert!(!picture.svg().contains("cut off"));
    }

    #[test]
    fn values_that_are_not_finite_are_hatched_on_the_floor_and_counted() {
        let hole = grid(10, |x, y| if x.hypot(y) < 0.35 { f64::NAN } else { x });
        let picture = perspective(field(&hole), "hole").unwrap();
        let count = hole.1.iter().filter(|v| v.is_nan()).count();
        let text = format!("not finite: {count} of 441 points");
        assert!(picture.svg().contains(&text));
        assert!(picture.svg().matches("url(#pictures-hatching)").count() > count);
    }

    #[test]
    fn mistakes_are_errors() {
        let bowl = grid(3, |x, y| x * x + y * y);
        let with = |change: fn(&mut PerspectiveConfig)| {
            let mut config = config();
            change(&mut config);
            perspective_with(field(&bowl), &config)
                .err()
                .map(|e| e.to_string())
        };
        assert_eq!(with(|_| ()), None);
        for (change, part) in [
            (
                (|c| c.camera.azimuth = f64::NAN) as fn(&mut PerspectiveConfig),
                "azimuth is NaN",
            ),
            (|c| c.camera.elevation = 90.0, "elevation is 90"),
            (
                |c| c.clip = Some(f64::INFINITY),
                "largest value drawn is inf",
            ),
            (|c| c.clip = Some(-1.0), "all values lie above it"),
            (|c| c.scale = AxisScale::Log, "logarithmic scale"),
            (|c| c.width = 20, "20 x 480 pixels"),
        ] {
            let message = with(change).unwrap();
            assert!(message.contains(part), "{message}");
        }
        assert!(matches!(
            perspectives(&[], "none"),
            Err(Error::Empty { .. })
        ));
        let mut bad = field(&bowl);
        bad.values = &[1.0];
        let panel = NamedField {
            name: "short",
            field: bad,
        };
        let message = perspectives(&[panel], "bad").unwrap_err().to_string();
        assert!(message.contains("short"), "{message}");
    }

    #[test]
    fn degenerate_surfaces_are_drawn() {
        let plain = [0.0, 1.0];
        for values in [
            [1.0; 4],
            [f64::NAN; 4],
            [f64::MAX, f64::MIN, 0.0, 5e-324],
            [0.1, 0.1, 0.1, 0.1 + 1e-17],
            [f64::INFINITY, 1.0, 2.0, 3.0],
        ] {
            for (a, b) in [
                (&plain[..], &plain[..]),
                (&[1e300][..], &[-1e308, 0.0, 1e-300, 1e308][..]),
            ] {
                let picture = perspective((a, b, &values[..]), "degenerate").unwrap();
                assert!(Picture::from_svg(picture.svg()).is_ok());
                assert!(!picture.svg().contains("NaN\""));
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn any_surface_gives_a_picture_or_an_error(
            values in prop::collection::vec(prop_oneof![prop::num::f64::ANY, Just(1.0), 1e-3..1e3_f64], 12),
            stretch in prop::sample::select(vec![1e-300, 1e-3, 1.0, 1e300]),
            azimuth in -1e3..1e3_f64,
            elevation in 5.0..85.0_f64,
            clip in prop::option::of(prop::num::f64::NORMAL),
            log: bool,
            floor: bool,
            names in "\\PC{0,80}",
        ) {
            let a: Vec<f64> = (0..4).map(|i| f64::from(i) * stretch).collect();
            let config = PerspectiveConfig {
                camera: Camera { azimuth, elevation },
                clip,
                scale: if log { AxisScale::Log } else { AxisScale::Auto },
                floor,
                a_label: names.clone(),
                width: 320,
                height: 300,
                ..PerspectiveConfig::new(names)
            };
            let drawn = perspective_with((&a[..], &[0.0, 1.0, 2.0][..], &values[..]), &config);
            let kept = || values.iter().filter(|v| v.is_finite() && clip.is_none_or(|c| **v <= c));
            let is_cut = values.iter().any(|v| v.is_finite()) && kept().next().is_none();
            let positive = kept().all(|v| *v > 0.0);
            prop_assert_eq!(drawn.is_ok(), !is_cut && (positive || !log));
            if let Ok(picture) = drawn {
                let read = Picture::from_svg(picture.svg()).unwrap();
                prop_assert_eq!((read.width(), read.height()), (320, 300));
                prop_assert!(picture.png().unwrap().starts_with(b"\x89PNG"));
            }
        }
    }
}
