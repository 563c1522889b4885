//! Surfaces in perspective as their pixels and texts.

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
