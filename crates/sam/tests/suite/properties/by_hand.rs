//! Loops that keep their own shape.

use burn::optim::GradientsAccumulator;
use burn::optim::SgdConfig;
use burn::tensor::DType;
use proptest::prelude::*;
use sam::{AnyMethod, SamConfig};
use serde_json::json;

use crate::methods::{PERIOD, Settings};
use crate::properties::cases::{Case, cases};
use crate::properties::nets::{Net, bits, flat, gradients};
use crate::properties::training::Training;

const STEPS: usize = 6;

fn equals_step(name: &str, method: AnyMethod, case: &Case, climbs: usize) {
    let model = case.model();
    let mut taken = Training::of(model.clone(), case, method.clone());
    let mut by_hand = Training::of(model, case, method);
    for number in 0..STEPS {
        taken.step(case, number);

        let lr = Case::learning_rate(number);
        let batch = case.batch(number);
        let Training {
            model,
            optim,
            method,
        } = &mut by_hand;
        method.at_learning_rate(lr);
        let g = gradients(model, model.loss(&batch));
        let at_peak = method.looks().then(|| {
            let mut peak = method.ascend(model, &g).expect("a peak");
            for _ in 1..climbs {
                let there = gradients(&peak, peak.loss(&batch));
                peak = method.ascend(&peak, &there).expect("a peak");
            }
            gradients(&peak, peak.loss(&batch))
        });
        let descent = method.descend(model, &g, at_peak).expect("gradients");
        *model = optim.step(lr, model.clone(), descent);
        assert_eq!(
            taken.snapshot(),
            by_hand.snapshot(),
            "{name}, step {number}"
        );
    }
}

/// `gradient` steps nothing, and gives what `step` gives to its optimiser.
fn gives_the_gradient_of_a_step(name: &str, method: AnyMethod, case: &Case) {
    let model = case.model();
    let mut taken = Training::of(model.clone(), case, method.clone());
    let mut by_hand = Training::of(model, case, method);
    for number in 0..STEPS {
        taken.step(case, number);

        let lr = Case::learning_rate(number);
        let batch = case.batch(number);
        let before = bits(&by_hand.model);
        by_hand.method.at_learning_rate(lr);
        let descent = by_hand
            .method
            .gradient(&by_hand.model, |m: &Net| m.loss(&batch));
        assert_eq!(bits(&by_hand.model), before, "{name}");
        assert_eq!(by_hand.method.state().steps(), number as u64 + 1, "{name}");
        let descent = descent.expect("everything is finite").gradients;
        by_hand.model = by_hand.optim.step(lr, by_hand.model.clone(), descent);
        assert_eq!(
            taken.snapshot(),
            by_hand.snapshot(),
            "{name}, step {number}"
        );
    }
}

proptest! {
    #![proptest_config(crate::properties::config())]

    #[test]
    fn ascending_and_descending_by_hand_is_a_step_bit_for_bit(
        case in cases(),
        rho in 0.0..0.5,
        ascent_steps in 1_usize..3,
    ) {
        let several = Settings { ascent_steps, ..Settings::of_radius(rho) };
        equals_step("SAM", several.method(json!({ "method": "sam" })), &case, ascent_steps);
        equals_step("ASAM", several.method(json!({ "method": "asam" })), &case, ascent_steps);
        equals_step("GSAM", several.method(json!({ "method": "gsam" })), &case, ascent_steps);
        let looksam = json!({ "method": "looksam", "k": PERIOD });
        equals_step("LookSAM", several.method(looksam), &case, ascent_steps);
        let one = Settings::of_radius(rho);
        equals_step("Friendly-SAM", one.method(json!({ "method": "friendly-sam" })), &case, 1);
    }

    #[test]
    fn gradient_of_a_method_steps_nothing_and_is_what_a_step_descends(case in cases()) {
        let settings = Settings::of_radius(0.1);
        gives_the_gradient_of_a_step("SAM", settings.method(json!({ "method": "sam" })), &case);
        gives_the_gradient_of_a_step("ASAM", settings.method(json!({ "method": "asam" })), &case);
        gives_the_gradient_of_a_step("GSAM", settings.method(json!({ "method": "gsam" })), &case);
        let looksam = json!({ "method": "looksam", "k": PERIOD });
        gives_the_gradient_of_a_step("LookSAM", settings.method(looksam), &case);
        let friendly = json!({ "method": "friendly-sam" });
        gives_the_gradient_of_a_step("Friendly-SAM", settings.method(friendly), &case);
    }

    #[test]
    fn one_ascent_along_accumulated_gradients_is_sam_on_the_whole_batch(
        case in cases(),
        size in 1_usize..5,
    ) {
        // In float64: an ascent along a gradient that nearly cancels would show float32's
        // roundings.
        let mut case = case;
        case.dtype = DType::F64;
        let model = case.model();
        let batch = case.batch(0);
        let mut sam = SamConfig::new().init().expect("settings in range");
        let accumulated = |at: &Net| {
            let mut sum = GradientsAccumulator::new();
            for start in (0..case.examples).step_by(size) {
                let count = size.min(case.examples - start);
                let share = count as f64 / case.examples as f64;
                sum.accumulate(at, gradients(at, at.loss(&batch.part(start, count)) * share));
            }
            sum.grads()
        };
        let g = accumulated(&model);
        let peak = sam.ascend(&model, &g).expect("a peak");
        let descent = sam.descend(&model, &g, Some(accumulated(&peak))).expect("gradients");
        let by_hand = SgdConfig::new().init().step(0.1, model.clone(), descent);

        let mut optim = SgdConfig::new().init();
        let step = SamConfig::new()
            .init().expect("settings in range")
            .step(&mut optim, 0.1, model, |m| m.loss(&batch));
        let whole = step.expect("everything is finite").model;
        for (x, y) in flat(&by_hand).iter().zip(&flat(&whole)) {
            // Sums in another order, and losses below a hundred.
            prop_assert!((x - y).abs() < 1e-11, "{} and {}", x, y);
        }
    }
}
