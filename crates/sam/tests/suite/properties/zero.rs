//! Gradients of zero.

use proptest::prelude::*;
use sam::AnyMethod;

use crate::methods::{Settings, every_method};
use crate::properties::cases::{Case, cases};
use crate::properties::nets::{bits, flat, gradients};
use crate::properties::training::Training;

fn does_not_move(name: &str, mut method: AnyMethod, case: &Case) {
    let model = case.model();
    let g = gradients(&model, model.loss(&case.batch(0)) * 0.0);
    assert_eq!(
        bits(&method.ascend(&model, &g).expect("a peak")),
        bits(&model),
        "{name}"
    );
}

/// A batch without a gradient, anywhere in a training.
fn goes_on(name: &str, method: AnyMethod, case: &Case, flat_step: usize) {
    let mut training = Training::new(case, method);
    for number in 0..6 {
        if number == flat_step {
            let batch = case.batch(number);
            let step = training.step_with(case, number, |m, rows| m.losses(&batch, rows) * 0.0);
            let step = step.expect("zero is finite");
            assert_eq!(
                (step.measured.loss, step.measured.gradient_norm),
                (0.0, 0.0),
                "{name}"
            );
        } else {
            training.step(case, number);
        }
        let is_finite = flat(&training.model).iter().all(|w| w.is_finite());
        assert!(is_finite, "{name}, step {number}");
    }
}

proptest! {
    #![proptest_config(crate::properties::config())]

    #[test]
    fn gradient_of_zero_moves_nothing_in_the_ascent(case in cases()) {
        for (name, method) in every_method(&Settings::of_radius(0.1)) { does_not_move(name, method, &case); }
    }

    #[test]
    fn training_goes_on_after_a_batch_without_a_gradient(case in cases(), flat_step in 0_usize..5) {
        for (name, method) in every_method(&Settings::of_radius(0.1)) { goes_on(name, method, &case, flat_step); }
    }
}
