//! With a radius of zero the base optimiser is what remains.

use burn::optim::{GradientsAccumulator, GradientsParams};
use proptest::prelude::*;
use sam::{AnyMethod, RhoSchedule};
use serde_json::json;

use crate::methods::{MICRO_BATCH, Settings, every_method};
use crate::properties::cases::{Case, cases};
use crate::properties::nets::{Net, bits, gradient_bits, gradients, scaled};
use crate::properties::training::{Training, optimiser};

const STEPS: usize = 6;

fn is_the_base_optimiser(name: &str, method: AnyMethod, case: &Case, climbs: usize) {
    let parts = if name == "m-SAM" {
        case.examples.div_ceil(MICRO_BATCH)
    } else {
        1
    };
    let mut base = case.model();
    let mut optim = case.optimiser();
    let mut sharp = Training::of(base.clone(), case, method);
    for number in 0..STEPS {
        let expected = if sharp.method.looks() { 1 + climbs } else { 1 };
        let passes = sharp.step(case, number);
        assert_eq!(passes, expected * parts, "{name}");
        let g = if parts == 1 {
            gradients(&base, base.loss(&case.batch(number)))
        } else {
            accumulated(&base, case, number)
        };
        base = optim.step(Case::learning_rate(number), base, g);
        assert_eq!(bits(&sharp.model), bits(&base), "{name}, step {number}");
    }
    assert_eq!(optimiser(&sharp.optim), optimiser(&optim), "{name}");
}

/// The gradients of micro-batches, each times its share of the examples, added up.
fn accumulated(model: &Net, case: &Case, number: usize) -> GradientsParams {
    let batch = case.batch(number);
    let mut accumulated = GradientsAccumulator::new();
    for start in (0..case.examples).step_by(MICRO_BATCH) {
        let count = MICRO_BATCH.min(case.examples - start);
        let g = gradients(model, model.loss(&batch.part(start, count)));
        let share = count as f64 / case.examples as f64;
        accumulated.accumulate(model, scaled(model, &g, share));
    }
    accumulated.grads()
}

/// The gradient at the weights is what the optimiser gets once the schedule has arrived at zero.
fn falls_back_to_the_gradient(name: &str, method: AnyMethod, case: &Case, end: usize) {
    let mut training = Training::new(case, method);
    for number in 0..end + 3 {
        if number >= end && name != "m-SAM" {
            let batch = case.batch(number);
            let model = &training.model;
            let g = gradients(model, model.loss(&batch));
            let mut optim = training.optim.clone();
            let base = optim.step(Case::learning_rate(number), model.clone(), g);
            training.step(case, number);
            assert_eq!(bits(&training.model), bits(&base), "{name}, step {number}");
        } else {
            training.step(case, number);
        }
    }
}

proptest! {
    #![proptest_config(crate::properties::config())]

    #[test]
    fn radius_of_zero_is_the_base_optimiser_bit_for_bit(
        case in cases(),
        ascent_steps in 1_usize..3,
    ) {
        let settings = Settings { ascent_steps, ..Settings::of_radius(0.0) };
        for (name, method) in every_method(&settings) { is_the_base_optimiser(name, method, &case, ascent_steps); }
    }

    #[test]
    fn schedule_that_ends_at_zero_leaves_the_base_optimiser(case in cases(), end in 1_usize..4) {
        let schedule = RhoSchedule::Linear { end: 0.0, steps: end };
        let settings = Settings { schedule, ..Settings::of_radius(0.1) };
        for (name, method) in every_method(&settings) { falls_back_to_the_gradient(name, method, &case, end); }
    }

    #[test]
    fn peak_found_before_the_radius_was_zero_is_not_used_after_it(case in cases()) {
        // LookSAM looks in steps 0 and 2. In the second the radius is zero, and in step 3, which
        // would use what step 2 found, it is not.
        let settings = Settings {
            schedule: RhoSchedule::Proportional { lr_max: 1.0 },
            ..Settings::of_radius(0.1)
        };
        let mut looksam = settings.method(json!({ "method": "looksam", "k": 2 }));
        let model = case.model();
        for (number, rate) in [1.0, 1.0, 0.0, 1.0].into_iter().enumerate() {
            looksam.at_learning_rate(rate);
            let batch = case.batch(number);
            let descent = looksam.gradient(&model, |m: &Net| m.loss(&batch));
            let descent = descent.expect("everything is finite");
            if number == 3 {
                let g = gradients(&model, model.loss(&batch));
                prop_assert_eq!(gradient_bits(&model, &descent.gradients), gradient_bits(&model, &g));
            }
        }
    }
}
