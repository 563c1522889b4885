//! The methods against references in plain float64, written from the equations of their papers.
//!
//! In f64 where the device has it, on burn's default device: that of the workspace, or of
//! `tests/devices`. The network, its gradient by hand, the optimiser and the methods share nothing
//! with Burn or with the crate under test. Run with `--nocapture` to see the figures reached.
#![expect(
    clippy::print_stdout,
    reason = "the figures reached are part of the result"
)]

#[path = "../../../../derivatives/tests/operations/device.rs"]
mod device;
mod esam;
mod methods;
mod network;
mod schedules;
mod steps;

use burn::optim::momentum::MomentumConfig;
use burn::optim::{ModuleOptimizer, SgdConfig};
use burn::tensor::DType;
use sam::{Rows, Rule, SharpnessAware};

use device::float_type;
use network::{Batch, Data, Twin, weights};
use steps::Momentum;

const STEPS: u64 = 20;
const EXAMPLES: usize = 12;

/// Burn keeps the momentum as a float32, which holds this number exactly.
const MOMENTUM: f64 = 0.875;

/// Half an ulp of one, in the float type of the device.
fn rounding() -> f64 {
    match float_type() {
        DType::F32 => f64::from(f32::EPSILON) / 2.0,
        _ => f64::EPSILON / 2.0,
    }
}

/// Both sides add the same numbers in other orders: a rounding or so a step, which twenty steps
/// with a momentum of 7/8 and norms of gradients around 1 magnify by no more than some ten.
fn bound() -> f64 {
    50.0 * rounding()
}

fn burn_sgd() -> ModuleOptimizer {
    let momentum = MomentumConfig::new()
        .with_momentum(MOMENTUM)
        .with_dampening(0.0);
    SgdConfig::new().with_momentum(Some(momentum)).init()
}

/// The learning rate falls, for the radii that follow it.
fn learning_rate(step: u64) -> f64 {
    0.1 * (1.0 - step as f64 / 40.0)
}

/// What a reference knows at the beginning of a step.
struct Start<'a> {
    step: u64,
    weights: &'a [f64],
    data: &'a Data,
}

/// The largest relative difference of the weights over all steps, after printing it.
fn figure<R: Rule>(
    label: &str,
    mut method: SharpnessAware<R>,
    mut reference: impl FnMut(Start<'_>) -> Vec<f64>,
) -> f64 {
    let mut model = Twin::new(1);
    let mut plain = weights(&model);
    let start = plain.clone();
    let mut optim = burn_sgd();
    let mut momentum = Momentum::new(MOMENTUM);
    let mut largest = 0.0_f64;
    for step in 0..STEPS {
        let data = Data::new(100 + step, EXAMPLES);
        let batch = Batch::of(&data);
        let lr = learning_rate(step);
        model = method
            .step_examples(&mut optim, lr, model, EXAMPLES, |m, rows: Rows<'_>| {
                m.losses(&batch, rows)
            })
            .expect("everything is finite")
            .model;
        let descent = reference(Start {
            step,
            weights: &plain,
            data: &data,
        });
        momentum.step(&mut plain, lr, &descent);
        largest = largest.max(steps::relative_difference(&weights(&model), &plain));
    }
    let way = steps::relative_difference(&plain, &start);
    println!("{label:<44} largest difference {largest:.1e} over a way of {way:.2}");
    assert!(way > 0.1, "{label}: the weights hardly move");
    largest
}

fn agrees<R: Rule>(
    label: &str,
    method: SharpnessAware<R>,
    reference: impl FnMut(Start<'_>) -> Vec<f64>,
) {
    let figure = figure(label, method, reference);
    assert!(figure < bound(), "{label}: {figure:.1e}");
}
