//! Densities over the magnitude as their pixels.

use proptest::prelude::*;

use super::*;
use crate::Theme;

fn spectrum<'a>(grid: &'a [f64], positive: &'a [f64], negative: &'a [f64]) -> LogSpectrum<'a> {
    LogSpectrum {
        name: "run",
        grid,
        positive,
        negative,
        positive_error: &[],
        negative_error: &[],
        unresolved: None,
    }
}

fn frames(spectra: &[LogSpectrum<'_>], shown: &[bool]) -> Vec<Frame> {
    let drawing = Drawing::new(640, 480, Theme::Light).unwrap();
    let y = density_axis(1.0, 1e-4);
    lay_out(&drawing, 50.0, (spectra, shown), y)
}

#[test]
fn negative_eigenvalues_lie_at_the_left_with_the_largest_outside() {
    let grid = [-3.0, -2.0, -1.0, 0.0, 1.0];
    let density = [1.0; 5];
    let frames = frames(&[spectrum(&grid, &density, &density)], &[true, false]);
    assert!(frames[0].plot.right < frames[1].plot.left);
    // −10 lies at the outer left, −10⁻³ towards the middle; 10⁻³ and 10 mirror them.
    let [x_neg, x_pos] = [&frames[0], &frames[1]].map(|f| move |x: f64| f.point(x, 1.0).0);
    assert!(x_neg(-1.0) < x_neg(3.0) && x_pos(-3.0) < x_pos(1.0));
    let gaps = [
        x_neg(-1.0) - frames[0].plot.left,
        frames[1].plot.right - x_pos(1.0),
    ];
    assert!((gaps[0] - gaps[1]).abs() < 1.0, "{gaps:?}");
    let labels = decades(frames[0].x, true, 20.0).labels;
    assert_eq!(labels, ["−10¹", "−10⁰", "−10⁻¹", "−10⁻²"]);
}

#[test]
fn a_sign_without_eigenvalues_is_left_out() {
    let grid = [0.0, 1.0];
    let one = |positive: &[f64], negative: &[f64]| {
        log_density(&[spectrum(&grid, positive, negative)], "one").map(|p| p.svg().to_owned())
    };
    let svg = one(&[1.0, 0.5], &[0.0, 0.0]).unwrap();
    assert!(svg.contains("λ &gt; 0") && !svg.contains("λ &lt; 0"));
    let svg = one(&[0.0, 0.0], &[0.0, 0.3]).unwrap();
    assert!(!svg.contains("λ &gt; 0") && svg.contains("λ &lt; 0"));
    assert!(one(&[5e-324, 0.0], &[0.0, 0.0]).is_ok());
    assert!(matches!(
        one(&[0.0, f64::NAN], &[0.0, 0.0]),
        Err(Error::NotPositive { .. })
    ));
    assert!(matches!(
        one(&[1.0], &[0.0, 0.0]),
        Err(Error::Length { .. })
    ));
    assert!(matches!(log_density(&[], "none"), Err(Error::Empty { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_densities_give_a_picture_or_an_error(
        values in prop::collection::vec(prop_oneof![prop::num::f64::ANY, 1e-3..1e3_f64], 1..6),
        stretch in prop::sample::select(vec![1e-300, 1e-3, 1.0, 1e300]),
        count in 1_usize..9,
    ) {
        let grid: Vec<f64> = (0..values.len()).map(|i| i as f64 * stretch).collect();
        let mut one = spectrum(&grid, &values, &values);
        one.negative_error = &values;
        let has_peak = values.iter().any(|v| v.is_finite() && *v > 0.0);
        let drawn = log_density(&vec![one; count], "any");
        prop_assert_eq!(drawn.is_ok(), has_peak);
        if let Ok(picture) = drawn {
            let read = Picture::from_svg(picture.svg()).unwrap();
            prop_assert_eq!((read.width(), read.height()), (640, 480));
        }
    }
}
