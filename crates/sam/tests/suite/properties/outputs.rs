//! What a closure gives beside the loss comes back from the pass at the weights, and changes
//! nothing.

use burn::tensor::Tensor;
use proptest::prelude::*;
use sam::{AnyMethod, Step};

use crate::methods::{MICRO_BATCH, Settings, every_method};
use crate::properties::cases::{Case, cases};
use crate::properties::config;
use crate::properties::nets::{Net, bits};
use crate::properties::training::{Training, optimiser, record};

/// The weights that a pass has seen, and the losses there.
type Seen = (Vec<u64>, Vec<u64>);

fn seen(model: &Net, losses: &Tensor<1>) -> Seen {
    let losses = losses.to_data().iter::<f64>().map(f64::to_bits).collect();
    (bits(model), losses)
}

fn gives_the_output_of_the_weights(name: &str, method: AnyMethod, case: &Case) {
    let mut without = Training::new(case, method.clone());
    let mut with = Training::of(without.model.clone(), case, method);
    for number in 0..3 {
        let batch = case.batch(number);
        let expected = seen(&without.model, &without.model.all_losses(&batch));
        let passes = without.step(case, number);

        let mut passes_with = 0;
        let lr = Case::learning_rate(number);
        let (optim, model) = (&mut with.optim, with.model.clone());
        let step = with
            .method
            .step_examples(optim, lr, model, case.examples, |model, rows| {
                passes_with += 1;
                let losses = model.losses(&batch, rows);
                (losses.clone(), seen(model, &losses))
            });
        let Step { model, output, .. } = step.expect("a step");
        with.model = model;
        assert_eq!(output, expected, "{name}, step {number}");
        assert_eq!(with.snapshot(), without.snapshot(), "{name}, step {number}");
        let is_in_parts = name == "m-SAM" && case.examples > MICRO_BATCH;
        assert_eq!(passes_with, passes + usize::from(is_in_parts), "{name}");
    }
}

fn step_is_that_of_the_loss_alone(name: &str, mut method: AnyMethod, case: &Case) {
    if matches!(name, "ESAM" | "m-SAM") {
        return;
    }
    let mut alone = method.clone();
    let (mut optim, mut optim_alone) = (case.optimiser(), case.optimiser());
    let mut model = case.model();
    let mut model_alone = model.clone();
    for number in 0..3 {
        let batch = case.batch(number);
        let lr = Case::learning_rate(number);
        let before = bits(&model);
        let step = method.step(&mut optim, lr, model, |m| (m.loss(&batch), bits(m)));
        let step = step.expect("a step");
        assert_eq!(step.output, before, "{name}, step {number}");
        let taken = alone.step(&mut optim_alone, lr, model_alone, |m| m.loss(&batch));
        let taken = taken.expect("a step");
        assert_eq!(step.measured.loss.to_bits(), taken.measured.loss.to_bits());
        (model, model_alone) = (step.model, taken.model);
        assert_eq!(bits(&model), bits(&model_alone), "{name}, step {number}");
        assert_eq!(record(&method), record(&alone), "{name}");
        assert_eq!(optimiser(&optim), optimiser(&optim_alone), "{name}");
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn output_is_that_of_the_weights_and_the_step_that_without(case in cases()) {
        let settings = Settings::of_radius(0.05);
        for (name, method) in every_method(&settings) { gives_the_output_of_the_weights(name, method, &case); }
        for (name, method) in every_method(&settings) { step_is_that_of_the_loss_alone(name, method, &case); }
    }
}
