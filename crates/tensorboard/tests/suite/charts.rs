//! Layouts of charts, and precision-recall curves.

use proptest::prelude::*;
use tensorboard::{
    Chart, Error, EventWriter, Layout, Margin, PrCurve, PrCurveConfig, SummaryValue, read_events,
};

fn layout() -> Layout {
    let bands = [
        Margin::new("trace", "trace_lower", "trace_upper"),
        Margin::new("λ", "λ_lower", "λ_upper"),
    ];
    let mut layout = Layout::new()
        .with(
            "curvature",
            Chart::lines("eigenvalues", ["lambda_[0-9]+$", "threshold$"]),
        )
        .with("curvature", Chart::margins("within errors", bands))
        .with("loss", Chart::lines("both", ["loss/"]));
    layout.categories[1].closed = true;
    layout
}

#[test]
fn last_layout_is_read_back_as_it_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = EventWriter::create(folder.path()).unwrap();
    writer.layout(&Layout::new()).unwrap();
    writer.scalar("loss/train", 8, 0.5).unwrap();
    writer.layout(&layout()).unwrap();
    writer.layout(&layout()).unwrap();
    let read = read_events(writer.path()).unwrap();
    let layouts: Vec<_> = read
        .points
        .iter()
        .filter(|point| point.tag == "custom_scalars__config__")
        .collect();
    let steps: Vec<i64> = layouts.iter().map(|point| point.step).collect();
    // Steps increase, and never go before what is there.
    assert_eq!(steps, [0, 8, 9]);
    assert_eq!(layouts[2].value, SummaryValue::Layout(layout()));
}

#[test]
fn layout_that_the_page_would_pass_over_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = EventWriter::create(folder.path()).unwrap();
    for (category, chart, part) in [
        ("", Chart::lines("a", ["b"]), "a category has no title"),
        ("c", Chart::lines("", ["b"]), "a chart of `c` has no title"),
        ("c", Chart::lines("a", [""; 0]), "`a` has no tags"),
        ("c", Chart::lines("a", [""]), "`a` has no tags"),
        ("c", Chart::margins("a", []), "`a` has no tags"),
        (
            "c",
            Chart::margins("a", [Margin::new("v", "l", "")]),
            "`a` has no tags",
        ),
    ] {
        let error = writer
            .layout(&Layout::new().with(category, chart))
            .unwrap_err();
        assert!(error.to_string().contains(part), "{error}");
    }
    assert_eq!(writer.finish().unwrap().values, 0);
}

#[test]
fn curve_has_the_numbers_of_tensorboards_own_computation() {
    // `pb` of TensorBoard 2.21's plugins/pr_curve/summary.py gives these for the arguments below,
    // with and without the weights.
    let scores = [0.0, 0.1, 0.25, 0.5, 0.5, 0.62, 0.75, 0.99, 1.0];
    let labels = [false, true, false, true, false, true, true, false, true];
    let weights = [1.0, 2.0, 0.5, 1.0, 3.0, 0.0, 1.5, 1.0, 2.0];
    let plain = PrCurveConfig {
        thresholds: 5,
        weights: None,
    };
    let curve = PrCurve::of(&scores, &labels, &plain).unwrap();
    assert_eq!(curve.true_positives, [5.0, 4.0, 4.0, 2.0, 1.0]);
    assert_eq!(curve.false_positives, [4.0, 3.0, 2.0, 1.0, 0.0]);
    assert_eq!(curve.true_negatives, [0.0, 1.0, 2.0, 3.0, 4.0]);
    assert_eq!(curve.false_negatives, [0.0, 1.0, 1.0, 3.0, 4.0]);
    assert_eq!(
        curve.precision,
        [5.0 / 9.0, 4.0 / 7.0, 4.0 / 6.0, 2.0 / 3.0, 1.0]
    );
    assert_eq!(curve.recall, [1.0, 0.8, 0.8, 0.4, 0.2]);
    let weighted = PrCurveConfig {
        weights: Some(&weights),
        ..plain
    };
    let curve = PrCurve::of(&scores, &labels, &weighted).unwrap();
    assert_eq!(curve.true_positives, [6.5, 4.5, 4.5, 3.5, 2.0]);
    assert_eq!(curve.false_positives, [5.5, 4.5, 4.0, 1.0, 0.0]);

    let folder = tempfile::tempdir().unwrap();
    let mut writer = EventWriter::create(folder.path()).unwrap();
    writer.pr_curve("seven", 3, &curve).unwrap();
    let SummaryValue::PrCurve(read) = &read_events(writer.path()).unwrap().points[0].value.clone()
    else {
        panic!("no curve");
    };
    assert_eq!(read.true_positives, curve.true_positives);
    for (read, written) in read.recall.iter().zip(&curve.recall) {
        // The file has the nearest f32.
        assert!((read - written).abs() <= written * 2.0_f64.powi(-24));
    }
}

#[test]
fn scores_that_have_no_curve_are_refused_with_the_number() {
    let config = PrCurveConfig::default();
    let told = |scores: &[f64], labels: &[bool], config: &PrCurveConfig<'_>| match PrCurve::of(
        scores, labels, config,
    ) {
        Err(Error::PrCurve { rule }) => rule,
        other => panic!("{other:?}"),
    };
    let one = PrCurveConfig {
        thresholds: 1,
        weights: None,
    };
    let negative = PrCurveConfig {
        weights: Some(&[-1.0]),
        ..config
    };
    for (told, part) in [
        (told(&[], &[], &config), "at least one score"),
        (told(&[0.5], &[], &config), "1 scores have 0 labels"),
        (told(&[0.5, 1.5], &[true; 2], &config), "score 1 is 1.5"),
        (told(&[f64::NAN], &[true], &config), "score 0 is NaN"),
        (told(&[0.5], &[true], &one), "not 1"),
        (told(&[0.5], &[true], &negative), "weight 0 is -1"),
    ] {
        assert!(told.contains(part), "{told}");
    }
}

proptest! {
    /// The definition, counted example by example.
    #[test]
    fn curve_counts_the_scores_at_or_above_each_threshold(
        examples in proptest::collection::vec((0.0..=1.0_f64, any::<bool>(), 0..8_u8), 1..60),
        thresholds in 2..40_usize,
    ) {
        let scores: Vec<f64> = examples.iter().map(|e| e.0).collect();
        let labels: Vec<bool> = examples.iter().map(|e| e.1).collect();
        let weights: Vec<f64> = examples.iter().map(|e| f64::from(e.2)).collect();
        let config = PrCurveConfig { thresholds, weights: Some(&weights) };
        let curve = PrCurve::of(&scores, &labels, &config).unwrap();
        let steps = (thresholds - 1) as f64;
        for k in 0..thresholds {
            let sum = |label: bool, above: bool| -> f64 {
                let counts = |e: &&(f64, bool, u8)| e.1 == label && ((e.0 * steps).floor() >= k as f64) == above;
                examples.iter().filter(counts).map(|e| f64::from(e.2)).sum()
            };
            // Sums of small integers are exact.
            prop_assert_eq!(curve.true_positives[k], sum(true, true));
            prop_assert_eq!(curve.false_positives[k], sum(false, true));
            prop_assert_eq!(curve.true_negatives[k], sum(false, false));
            prop_assert_eq!(curve.false_negatives[k], sum(true, false));
        }
    }
}
