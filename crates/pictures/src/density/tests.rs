//! Densities as their pixels.

use proptest::prelude::*;

use super::*;
use crate::color::WHITE;
use crate::drawing::tests::Pixels;

fn at((pixels, frame): &(Pixels, Frame), x: f64, y: f64) -> [u8; 3] {
    pixels.at(frame.point(x, y))
}

fn with_floor(floor: f64) -> SpectrumConfig {
    SpectrumConfig {
        floor,
        ..SpectrumConfig::new("spectrum")
    }
}

#[test]
fn density_is_filled_below_the_curve_and_white_above_it() {
    let spectrum = Spectrum {
        grid: &[0.0, 1.0, 2.0],
        density: &[1e-2, 1.0, 0.0],
        nodes: &[1.3],
        standard_error: &[],
    };
    let (picture, frame) = draw(&spectrum, &with_floor(1e-4)).unwrap();
    let picture = (Pixels::of(picture.svg()), frame);
    assert_eq!(at(&picture, 1.0, 1.0), Theme::Light.series(0).color);
    // Half-way between 1e-2 and 1 on a logarithmic axis lies 1e-1.
    assert_eq!(at(&picture, 0.5, 0.1), Theme::Light.series(0).color);
    assert_eq!(at(&picture, 0.53, 0.04), [204, 226, 240]);
    assert_eq!(at(&picture, 0.53, 0.4), WHITE);
    assert_eq!(at(&picture, 1.3, 1.3e-4), Theme::Light.series(1).color);
}

#[test]
fn band_reaches_one_standard_error_to_either_side() {
    let spectrum = Spectrum {
        grid: &[0.0, 1.0, 2.0, 3.0],
        density: &[1e-2; 4],
        nodes: &[],
        standard_error: &[9e-3, 9e-3, 9e-3, f64::INFINITY],
    };
    let (picture, frame) = draw(&spectrum, &with_floor(1e-3)).unwrap();
    assert!(picture.svg().contains(ONE_ERROR));
    let picture = (Pixels::of(picture.svg()), frame);
    // From 1e-3 to 1.9e-2, as far as the standard error is known.
    for (density, color) in [
        (1.5e-2, Theme::Light.palette().band),
        (2e-3, Theme::Light.palette().band),
        (5e-4, [204, 226, 240]),
    ] {
        assert_eq!(at(&picture, 1.0, density), color, "{density}");
    }
    assert_eq!(at(&picture, 2.5, 1.5e-2), WHITE);
    assert_eq!(at(&picture, 2.5, 2e-3), [204, 226, 240]);
}

#[test]
fn mistakes_are_errors() {
    let config = SpectrumConfig::new("spectrum");
    let draw = |density: &[f64], nodes: &[f64]| density_of(density, nodes, &config);
    assert!(matches!(
        draw(&[0.0, f64::NAN], &[]),
        Err(Error::NotPositive { .. })
    ));
    assert!(matches!(draw(&[1.0], &[]), Err(Error::Length { .. })));
    assert!(matches!(
        draw(&[1.0, 1.0], &[f64::NAN]),
        Err(Error::NotIncreasing { .. })
    ));
    for floor in [0.0, 1.0, f64::NAN] {
        let refused = density_of(&[1.0, 1.0], &[], &with_floor(floor));
        assert!(matches!(refused, Err(Error::Floor { .. })));
    }
}

fn density_of(values: &[f64], nodes: &[f64], config: &SpectrumConfig) -> Result<Picture, Error> {
    density_with(
        &Spectrum {
            grid: &[0.0, 1.0],
            density: values,
            nodes,
            standard_error: &[],
        },
        config,
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn any_density_with_a_peak_gives_a_picture_and_no_other_does(
        values in prop::collection::vec(prop::num::f64::ANY, 1..6),
        nodes in prop::collection::vec(prop::num::f64::NORMAL, 0..4),
    ) {
        let grid: Vec<f64> = (0..values.len()).map(|i| i as f64).collect();
        let spectrum = Spectrum { grid: &grid, density: &values, nodes: &nodes, standard_error: &values };
        let has_peak = values.iter().any(|v| v.is_finite() && *v > 0.0);
        let drawn = density(&spectrum, "any");
        prop_assert_eq!(drawn.is_ok(), has_peak);
        if let Ok(picture) = drawn {
            let read = Picture::from_svg(picture.svg()).unwrap();
            prop_assert_eq!((read.width(), read.height()), (640, 480));
            prop_assert!(picture.png().unwrap().starts_with(b"\x89PNG"));
        }
    }
}
