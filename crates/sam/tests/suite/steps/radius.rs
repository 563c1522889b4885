//! How far away the peak is, and in which direction.

use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::{DType, Device, Tensor};
use sam::SamConfig;

use crate::steps::nets::{Batch, DTYPES, Mlp, bits, difference, flat, gradients, norm};

/// Rounding of w + e, an error of half an ulp of each weight, relative to a perturbation of 0.05:
/// the weights are below 1 and there are fewer than 100 of them.
fn rounding(dtype: DType) -> f64 {
    if dtype == DType::F32 { 1e-5 } else { 1e-14 }
}

#[test]
fn peak_is_rho_away_along_the_gradient() {
    let device = Device::flex().autodiff();
    for dtype in DTYPES {
        let (model, batch) = (Mlp::new(1, &device, dtype), Batch::new(2, &device, dtype));
        let g = gradients(&model, model.loss(&batch));
        let peak = SamConfig::new()
            .with_rho(0.05)
            .init()
            .expect("settings in range")
            .ascend(&model, &g)
            .expect("a peak");
        let e = difference(&flat(&peak), &flat(&model));
        assert!(
            (norm(&e) / 0.05 - 1.0).abs() < rounding(dtype),
            "{dtype:?}: {}",
            norm(&e)
        );

        // Along the gradient: applying the gradient as a plain step moves the weights by -g.
        let base = burn::optim::SgdConfig::new()
            .init()
            .step(1.0, model.clone(), g);
        let g = difference(&flat(&model), &flat(&base));
        let dot: f64 = e.iter().zip(&g).map(|(e, g)| e * g).sum();
        let cosine = dot / (norm(&e) * norm(&g));
        assert!(
            (cosine - 1.0).abs() < rounding(dtype),
            "{dtype:?}: cosine {cosine}"
        );
    }
}

#[derive(Module, Debug)]
struct Point {
    w: Param<Tensor<1>>,
    b: Param<Tensor<1>>,
}

impl Point {
    fn at_origin(dtype: DType) -> Self {
        let device = Device::flex().autodiff();
        let zeros = |n: usize| Param::from_tensor(Tensor::zeros([n], (&device, dtype)));
        Self {
            w: zeros(2),
            b: zeros(1),
        }
    }

    /// A gradient of (3, 4, 12) in units of `scale`: its norm is 13.
    fn gradients(&self, scale: f64, dtype: DType) -> GradientsParams {
        let device = Device::flex();
        let mut g = GradientsParams::new();
        let on = |values: &[f64]| {
            let values: Vec<f64> = values.iter().map(|value| value * scale).collect();
            Tensor::<1>::from_data(values.as_slice(), (&device, dtype))
        };
        g.register(self.w.id, on(&[3.0, 4.0]));
        g.register(self.b.id, on(&[12.0]));
        g
    }
}

#[test]
fn squares_that_leave_float_range_do_not_change_the_peak() {
    // 1e-39 is subnormal in float32, and 1 / (13 * 1e-39) is beyond its largest number.
    let scales = [
        (DType::F32, [1e-39, 1e-30, 1.0, 1e30, 2e37]),
        (DType::F64, [1e-310, 1e-200, 1.0, 1e200, 1e307]),
    ];
    for (dtype, scales) in scales {
        for scale in scales {
            let point = Point::at_origin(dtype);
            let peak = SamConfig::new()
                .with_rho(1.0)
                .init()
                .expect("settings in range")
                .ascend(&point, &point.gradients(scale, dtype))
                .expect("a peak");
            for (e, expected) in flat(&peak).iter().zip([3.0, 4.0, 12.0]) {
                // A subnormal float32 around 1e-39 has some 20 bits, as has a float64 at 1e-310
                // some 45.
                assert!(
                    (e * 13.0 / expected - 1.0).abs() < 2e-6,
                    "{dtype:?} {scale:e}: {e}"
                );
            }
        }
    }
}

/// A layer of width zero, say, whose gradient is there and has no entry.
#[test]
fn parameter_without_entries_changes_nothing_at_any_size_of_the_gradient() {
    let device = Device::flex().autodiff();
    let data =
        |values: &[f64]| Param::from_tensor(Tensor::from_data(values, (&device, DType::F32)));
    for scale in [0.0_f64, 1e-30, 1.0, 1e30] {
        let steps = [vec![], vec![0.0]].map(|b| {
            let point = Point {
                w: data(&[3.0, 4.0]),
                b: data(&b),
            };
            let mut optim = burn::optim::SgdConfig::new().init();
            let mut sam = SamConfig::new()
                .with_rho(0.5)
                .init()
                .expect("settings in range");
            let loss = |m: &Point| (m.w.val().square().sum() + m.b.val().sum() * 0.0) * scale;
            sam.step(&mut optim, 0.1, point, loss).expect("finite")
        });
        let [empty, zero] = &steps;
        assert_eq!(
            empty.measured.gradient_norm, zero.measured.gradient_norm,
            "{scale:e}"
        );
        let cosine = |step: &sam::Step<Point>| step.measured.peak.expect("a peak").cosine;
        assert_eq!(cosine(empty), cosine(zero), "{scale:e}");
        assert_eq!(flat(&empty.model), flat(&zero.model)[..2], "{scale:e}");
    }
}

#[test]
fn zero_gradient_gives_no_perturbation() {
    let device = Device::flex().autodiff();
    for dtype in DTYPES {
        let (model, batch) = (Mlp::new(1, &device, dtype), Batch::new(2, &device, dtype));
        let mut sam = SamConfig::new().init().expect("settings in range");
        let g = gradients(&model, model.loss(&batch) * 0.0);
        assert_eq!(
            bits(&flat(&sam.ascend(&model, &g).expect("a peak"))),
            bits(&flat(&model))
        );

        let mut asam = sam::AsamConfig::new().init().expect("settings in range");
        assert_eq!(
            bits(&flat(&asam.ascend(&model, &g).expect("a peak"))),
            bits(&flat(&model))
        );

        let before = flat(&model);
        let mut optim = burn::optim::SgdConfig::new().init();
        let step = sam
            .step(&mut optim, 0.1, model, |m| m.loss(&batch) * 0.0)
            .unwrap();
        assert_eq!(
            (
                step.measured.gradient_norm,
                step.measured.peak.expect("a peak").gradient_norm
            ),
            (0.0, 0.0)
        );
        assert_eq!(flat(&step.model), before);
    }
}

/// A step with rho = 0.5 from (3, 4), where L(w) = |w|^2 / 2: g = w, and the peak is at 1.1 w.
fn step_of_a_parabola() -> sam::Step<Point> {
    let device = Device::flex().autodiff();
    let point = Point {
        w: Param::from_tensor(Tensor::from_data([3.0, 4.0], (&device, DType::F64))),
        b: Param::from_tensor(Tensor::zeros([1], (&device, DType::F64))),
    };
    let mut optim = burn::optim::SgdConfig::new().init();
    let loss = |p: &Point| p.w.val().square().sum() / 2.0;
    let mut sam = SamConfig::new()
        .with_rho(0.5)
        .init()
        .expect("settings in range");
    sam.step(&mut optim, 0.1, point, loss)
        .expect("everything is finite")
}

#[test]
fn step_reports_losses_and_gradient_norms() {
    let step = step_of_a_parabola();
    for (value, expected) in [
        (step.measured.loss, 12.5),
        (step.measured.peak.expect("a peak").loss, 15.125),
        (step.measured.gradient_norm, 5.0),
        (step.measured.peak.expect("a peak").gradient_norm, 5.5),
    ] {
        assert!(
            (value - expected).abs() < 1e-14 * expected,
            "{value} instead of {expected}"
        );
    }
}

#[test]
fn figures_of_a_step_have_tags() {
    let step = step_of_a_parabola();
    let figures: Vec<(&str, f64)> = step.measured.scalars().collect();
    let expected = [
        ("sam/gradient_norm", 5.0),
        ("sam/rho", 0.5),
        ("sam/ascent_gain", 2.625),
        ("sam/cosine", 1.0),
    ];
    assert_eq!(figures.len(), expected.len());
    for ((tag, value), (name, number)) in figures.into_iter().zip(expected) {
        assert_eq!(tag, name);
        assert!((value - number).abs() < 1e-14, "{tag}: {value}");
    }
}
