//! The ball of ASAM.

use burn::module::Param;
use burn::tensor::{DType, Device};
use proptest::prelude::*;
use sam::{Asam, AsamConfig, Rule, Sam, SamConfig, SharpnessAware};

use crate::steps::nets::{Batch, DTYPES, Mlp, difference, flat, gradients, norm};

/// Which entries of a flattened [`Mlp`] belong to weights of rank 2.
fn is_matrix() -> Vec<bool> {
    [(6 * 8, true), (8, false), (8 * 3, true), (3, false)]
        .into_iter()
        .flat_map(|(n, matrix)| std::iter::repeat_n(matrix, n))
        .collect()
}

#[test]
fn asam_perturbation_has_norm_rho_in_units_of_the_weights() {
    let device = Device::flex().autodiff();
    for (dtype, tolerance) in DTYPES.into_iter().zip([1e-4, 1e-12]) {
        for scale_all in [false, true] {
            let (rho, eta) = (0.5, 0.01);
            let mut asam = AsamConfig::new()
                .with_rho(rho)
                .with_eta(eta)
                .with_scale_all(scale_all)
                .init()
                .expect("settings in range");
            let (model, batch) = (Mlp::new(1, &device, dtype), Batch::new(2, &device, dtype));
            let g = gradients(&model, model.loss(&batch));
            let w = flat(&model);
            let e = difference(&flat(&asam.ascend(&model, &g).expect("a peak")), &w);
            let unscaled: Vec<f64> = is_matrix()
                .into_iter()
                .zip(e.iter().zip(&w))
                .map(|(matrix, (e, w))| {
                    if matrix || scale_all {
                        e / (w.abs() + eta)
                    } else {
                        *e
                    }
                })
                .collect();
            let size = norm(&unscaled);
            // Rounding of w + e, magnified where |w| + eta is small, at least 0.01.
            assert!(
                (size / rho - 1.0).abs() < tolerance,
                "{dtype:?} {scale_all}: {size}"
            );
        }
    }
}

/// The same function with the factor `a` moved from the second layer into the first.
fn rescaled(model: &Mlp, a: f64) -> Mlp {
    let mut model = model.clone();
    let scale = |param: Param<burn::Tensor<2>>, a: f64| {
        param.map(|w| burn::Tensor::from_inner(w.inner() * a).require_grad())
    };
    model.hidden.weight = scale(model.hidden.weight, a);
    model.hidden.bias = model
        .hidden
        .bias
        .map(|b| b.map(|b| burn::Tensor::from_inner(b.inner() * a).require_grad()));
    model.out.weight = scale(model.out.weight, 1.0 / a);
    model
}

fn peak_loss<R: Rule>(method: &mut SharpnessAware<R>, model: &Mlp, batch: &Batch) -> f64 {
    let g = gradients(model, model.loss(batch));
    method
        .ascend(model, &g)
        .expect("a peak")
        .loss(batch)
        .into_scalar()
}

fn invariant_asam() -> Asam {
    AsamConfig::new()
        .with_rho(0.3)
        .with_eta(0.0)
        .with_scale_all(true)
        .init()
        .expect("settings in range")
}

fn plain_sam() -> Sam {
    SamConfig::new()
        .with_rho(0.3)
        .init()
        .expect("settings in range")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn asam_with_eta_zero_is_invariant_to_rescaling_relu_layers(
        seed in 0_u64..1000,
        logarithm in -3.0_f64..3.0,
    ) {
        let device = Device::flex().autodiff();
        let model = Mlp::new(seed, &device, DType::F64);
        let batch = Batch::new(seed + 1, &device, DType::F64);
        let other = rescaled(&model, logarithm.exp());
        let here = peak_loss(&mut invariant_asam(), &model, &batch);
        let there = peak_loss(&mut invariant_asam(), &other, &batch);
        // Rounding only: both compute the same function at the same relative perturbation.
        prop_assert!((here / there - 1.0).abs() < 1e-11, "{here} and {there}");
    }
}

#[test]
fn sam_is_not_invariant_to_rescaling_relu_layers() {
    // The control of the property above: the same comparison tells SAM apart.
    let device = Device::flex().autodiff();
    let (model, batch) = (
        Mlp::new(1, &device, DType::F64),
        Batch::new(2, &device, DType::F64),
    );
    let here = peak_loss(&mut plain_sam(), &model, &batch);
    let there = peak_loss(&mut plain_sam(), &rescaled(&model, 5.0), &batch);
    assert!((here / there - 1.0).abs() > 1e-3, "{here} and {there}");
}
