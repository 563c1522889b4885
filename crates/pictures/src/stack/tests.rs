//! Plots above each other as their pixels.

use proptest::prelude::*;

use super::*;
use crate::drawing::tests::Pixels;

fn panel<'a>(curves: &'a [Series<'a>], bands: &'a [Band<'a>]) -> Panel<'a> {
    Panel {
        y_label: "loss",
        scale: AxisScale::Linear,
        curves,
        bands,
    }
}

fn drawn(panels: &[Panel<'_>]) -> (Pixels, Vec<Frame>) {
    let config = StackedConfig {
        center: None,
        ..StackedConfig::new("stack")
    };
    let (drawing, frames) = draw(panels, &[], &config).unwrap();
    (Pixels::of(&drawing.into_svg("stack")), frames)
}

#[test]
fn plots_lie_above_each_other_with_one_axis_and_each_curve_keeps_its_colour() {
    let x = [0.0, 1.0, 2.0];
    let named = |name, y| Series { name, x: &x, y };
    let loss = [
        named("train", &[0.0, 1.0, 0.0]),
        named("test", &[2.0, 2.0, 2.0]),
    ];
    // Only the second is there, and it is not the first of its plot's colours.
    let accuracy = [named("test", &[0.5, 0.5, 0.9])];
    let (pixels, frames) = drawn(&[panel(&loss, &[]), panel(&accuracy, &[])]);
    assert!(frames[0].plot.bottom < frames[1].plot.top);
    assert_eq!(frames[0].x, frames[1].x);
    assert_eq!(frames[0].plot.left, frames[1].plot.left);
    assert_eq!(frames[0].plot.right, frames[1].plot.right);
    let train = Theme::Light.series(0).color;
    let test = Theme::Light.series(1).color;
    assert_eq!(pixels.at(frames[0].point(0.5, 0.5)), train);
    // The second style is dashed: some place of the level line is drawn.
    let is_drawn =
        |color| (10..90).any(|k| pixels.at(frames[1].point(f64::from(k) / 100.0, 0.5)) == color);
    assert!(is_drawn(test) && !is_drawn(train));
}

#[test]
fn a_band_fills_the_area_between_its_sides_behind_the_curve() {
    let x = [0.0, 1.0, 2.0];
    let curve = [Series {
        name: "mean",
        x: &x,
        y: &[2.0, 2.0, 2.0],
    }];
    let band = [Band {
        name: "mean",
        x: &x,
        low: &[1.0, 1.0, f64::NAN],
        high: &[3.0, 3.0, 3.0],
    }];
    let (pixels, frames) = drawn(&[panel(&curve, &band)]);
    let color = Theme::Light.series(0).color;
    let tone = Theme::Light.tone(color, SHARE);
    for (x, y, expected) in [
        (0.7, 1.2, tone),
        (0.7, 2.8, tone),
        (0.7, 2.0, color),
        (1.3, 2.7, Theme::Light.palette().ground),
    ] {
        assert_eq!(pixels.at(frames[0].point(x, y)), expected, "{x} {y}");
    }
}

#[test]
fn mistakes_are_errors() {
    let x = [0.0, 1.0];
    let curve = Series {
        name: "a",
        x: &x,
        y: &[1.0, -1.0],
    };
    let curves = [curve];
    let short = [Series { y: &[1.0], ..curve }];
    let band = Band {
        name: "a",
        x: &x,
        low: &[0.0, 0.0],
        high: &[1.0, 1.0],
    };
    let stacked = |panel: Panel<'_>| stacked(&[panel], "mistakes").map(|_| ());
    assert!(stacked(panel(&curves, &[band])).is_ok());
    assert!(matches!(
        super::stacked(&[], "none"),
        Err(Error::Empty { .. })
    ));
    assert!(matches!(stacked(panel(&[], &[])), Err(Error::Empty { .. })));
    assert!(matches!(
        stacked(panel(&short, &[])),
        Err(Error::Length { .. })
    ));
    let other = [Band { name: "b", ..band }];
    let message = stacked(panel(&curves, &other)).unwrap_err().to_string();
    assert!(message.contains("\"b\""), "{message}");
    let lacking = [Band {
        low: &[0.0],
        ..band
    }];
    assert!(matches!(
        stacked(panel(&curves, &lacking)),
        Err(Error::Length { .. })
    ));
    let log = Panel {
        scale: AxisScale::Log,
        ..panel(&curves, &[])
    };
    assert!(matches!(
        stacked(log),
        Err(Error::NotPositive { value: -1.0, .. })
    ));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_curves_and_bands_give_a_picture(
        y in prop::collection::vec(prop_oneof![prop::num::f64::ANY, 1e-3..1e3_f64], 1..6),
        stretch in prop::sample::select(vec![1e-300, 1.0, 1e300]),
        names in "\\PC{0,80}",
        panels in 1_usize..4,
    ) {
        let x: Vec<f64> = (0..y.len()).map(|i| i as f64 * stretch).collect();
        let curves = [Series { name: &names, x: &x, y: &y }];
        let bands = [Band { name: &names, x: &x, low: &y, high: &y }];
        let panel = Panel { scale: AxisScale::Auto, y_label: &names, ..panel(&curves, &bands) };
        let picture = stacked(&vec![panel; panels], &*names).unwrap();
        let read = Picture::from_svg(picture.svg()).unwrap();
        prop_assert_eq!((read.width(), read.height()), (640, 480));
        let profile = PathProfile { name: &names, t: &x, loss: &y, accuracy: &y };
        let picture = path_profiles(&vec![profile; panels], &*names).unwrap();
        let read = Picture::from_svg(picture.svg()).unwrap();
        prop_assert_eq!((read.width(), read.height()), (640, 480));
    }
}
