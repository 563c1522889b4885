//! LBFGS, which asks a closure for the loss and the gradient of each point that it tries.

use burn::module::Module;
use burn::optim::{LBFGSConfig, LineSearchFn};
use burn::tensor::{DType, Device};
use sam::SamConfig;

use crate::optimisers::by_hand::{RHO, flat_gradient, peak};
use crate::steps::nets::{Batch, Mlp, bits, flat, gradients};

fn config(search: LineSearchFn) -> LBFGSConfig {
    LBFGSConfig::new()
        .with_max_iter(10)
        .with_line_search_fn(search)
}

/// The loss at the peak, which is what SAM descends.
fn sam_loss(model: &Mlp, batch: &Batch) -> f64 {
    let g = gradients(model, model.loss(batch));
    peak(model, &g).loss(batch).into_scalar()
}

/// Each point that is tried has a peak of its own, and the line search compares losses at peaks.
#[test]
fn sam_over_lbfgs_is_what_its_equations_say() {
    let device = Device::flex().autodiff();
    let batch = Batch::new(100, &device, DType::F64);
    let loss = |m: &Mlp| m.loss(&batch);
    let mut sam = SamConfig::new()
        .with_rho(RHO)
        .init()
        .expect("settings in range");
    let mut optim = config(LineSearchFn::StrongWolfe).init();
    let mut model = Mlp::new(1, &device, DType::F64);
    let mut tried = 0;
    let mut before = sam_loss(&model, &batch);
    let start = before;
    for step in 0..5 {
        (model, _) = optim.step(1.0, model, |m: Mlp| {
            let descent = sam.gradient(&m, loss).expect("finite");
            let value = descent.measured.peak.expect("a peak").loss;

            tried += 1;
            let peak = peak(&m, &gradients(&m, loss(&m)));
            let at_peak = flat_gradient(&m, &gradients(&peak, loss(&peak)));
            for (ours, expected) in flat_gradient(&m, &descent.gradients).iter().zip(at_peak) {
                // The order of one sum of squares, as in the other optimisers.
                assert!((ours - expected).abs() < 1e-12, "{ours} {expected}");
            }
            assert!((value - sam_loss(&m, &batch)).abs() < 1e-12);
            (value, descent.gradients)
        });
        let after = sam_loss(&model, &batch);
        assert!(after < before, "step {step}: from {before} to {after}");
        before = after;
    }
    assert!(before < 0.5 * start, "from {start} to {before}");
    assert_eq!(sam.state().steps(), tried, "every point counts as a step");
}

#[test]
fn rho_zero_is_lbfgs_bit_for_bit() {
    let device = Device::flex().autodiff();
    let batch = Batch::new(100, &device, DType::F64);
    for search in [LineSearchFn::None, LineSearchFn::StrongWolfe] {
        let mut sam = SamConfig::new()
            .with_rho(0.0)
            .init()
            .expect("settings in range");
        let (mut optim, mut own_optim) = (config(search).init(), config(search).init());
        let mut alone = Mlp::new(1, &device, DType::F64);
        let mut model = alone.clone();
        for step in 0..3 {
            (model, _) = optim.step(0.1, model, |m: Mlp| {
                let descent = sam.gradient(&m, |m| m.loss(&batch)).expect("finite");
                (
                    descent.measured.peak.expect("a peak").loss,
                    descent.gradients,
                )
            });
            (alone, _) = own_optim.step(0.1, alone, |m: Mlp| {
                let loss = m.loss(&batch);
                (loss.clone().into_scalar(), gradients(&m, loss))
            });
            assert_eq!(bits(&flat(&model)), bits(&flat(&alone)), "step {step}");
        }
        assert!(model.num_params() > 0 && sam.state().steps() > 3);
    }
}
