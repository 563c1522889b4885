//! Steps that are refused leave no trace.

use burn::tensor::Tensor;
use proptest::prelude::*;
use sam::{AnyMethod, Error, Pass};

use crate::methods::{PERIOD, Settings, every_method};
use crate::properties::cases::{Case, cases};
use crate::properties::nets::{Net, gradients};
use crate::properties::training::{Training, record};

/// What is wrong with a pass.
#[derive(Debug, Clone, Copy)]
enum Poison {
    /// The loss is not a number.
    Loss,
    /// The loss is finite, but the slope of the square root at zero is not.
    Gradient,
}

impl Poison {
    fn added_to(self, losses: Tensor<1>, model: &Net) -> Tensor<1> {
        match self {
            Self::Loss => losses * f64::NAN,
            Self::Gradient => {
                let zero = model.layers[0].weight.val().sum() * 0.0;
                losses + zero.sqrt()
            }
        }
    }
}

/// Some steps, one with a poisoned pass, and some more: as if that one had not been tried.
fn leaves_no_trace(
    name: &str,
    method: AnyMethod,
    case: &Case,
    (poison, pass, good): (Poison, usize, usize),
) {
    // LookSAM has no second pass in a step between, and ESAM's second sees the losses alone.
    let is_between = name == "LookSAM" && !good.is_multiple_of(PERIOD);
    let is_forward_only = name == "ESAM";
    let pass = match poison {
        _ if is_between => 0,
        Poison::Gradient if is_forward_only && pass == 1 => 2,
        _ => pass,
    };
    let mut training = Training::new(case, method);
    for number in 0..good {
        training.step(case, number);
    }
    let before = training.snapshot();
    let seen = training.method.state().learning_rate();
    let batch = case.batch(good);
    let mut passes = 0;
    let refused = training.step_with(case, good + 3, |model, rows| {
        let losses = model.losses(&batch, rows);
        let is_poisoned = passes == pass;
        passes += 1;
        if is_poisoned {
            poison.added_to(losses, model)
        } else {
            losses
        }
    });
    if passes <= pass {
        // There are fewer passes than that.
        assert!(refused.is_ok(), "{name}");
        return;
    }
    let reason = refused.expect_err("a poisoned pass is refused");
    match poison {
        Poison::Loss => assert!(matches!(reason, Error::Loss { value, .. } if value.is_nan())),
        Poison::Gradient => assert!(matches!(reason, Error::Gradient { .. }), "{name}: {reason}"),
    }
    assert_eq!(passes, pass + 1, "{name}: nothing runs after it");
    assert_eq!(training.snapshot(), before, "{name}");
    assert_eq!(training.method.state().learning_rate(), seen, "{name}");
    training.step(case, good);
    assert_eq!(training.method.state().steps(), good as u64 + 1);
}

/// A hand-written loop that ascends along a gradient which is not finite.
fn stays_as_before(name: &str, method: AnyMethod, case: &Case) {
    let mut training = Training::new(case, method);
    training.step(case, 0);
    let before = record(&training.method);
    let model = &training.model;
    let bad = gradients(model, model.loss(&case.batch(1)) * f64::NAN);
    let peak = training.method.ascend(model, &bad).expect("a peak");
    let is_nan = crate::properties::nets::flat(&peak)
        .iter()
        .any(|w| w.is_nan());
    assert!(is_nan, "{name}: the peak shows it");
    assert_eq!(record(&training.method), before, "{name}");
}

/// A closure that takes some layers, or all, from a clone of the model and not from its argument.
fn notices_another_model(
    name: &str,
    method: AnyMethod,
    case: &Case,
    (from, climbs): (usize, usize),
) {
    let mut training = Training::new(case, method);
    let before = training.snapshot();
    let outside = training.model.clone();
    let batch = case.batch(0);
    let mut passes = 0;
    let refused = training.step_with(case, 0, |model, rows| {
        passes += 1;
        let mut mixed = model.clone();
        mixed.layers[from..].clone_from_slice(&outside.layers[from..]);
        mixed.losses(&batch, rows)
    });
    // At the weights a clone is the model; at the first peak it no longer is. ESAM looks at the
    // losses of all examples there before it takes a gradient.
    let forward_only = usize::from(name == "ESAM" && climbs == 1);
    assert_eq!(passes, 2 + forward_only, "{name}");
    match refused.expect_err("refused") {
        Error::OtherModel { pass, path } => {
            assert_eq!(pass, Pass::Peak, "{name}");
            assert_eq!(path, format!("layers.{from}.weight"), "{name}");
        }
        other => panic!("{name}: {other}"),
    }
    assert_eq!(training.snapshot(), before, "{name}");
}

proptest! {
    #![proptest_config(crate::properties::config())]

    #[test]
    fn closure_of_another_model_or_of_a_part_of_it_is_refused_by_every_method(
        case in cases(),
        part in 0_usize..6,
        ascent_steps in 1_usize..3,
    ) {
        let from = part % case.layers();
        let settings = Settings { ascent_steps, ..Settings::of_radius(0.1) };
        for (name, method) in every_method(&settings) { notices_another_model(name, method, &case, (from, ascent_steps)); }
    }

    #[test]
    fn step_with_a_pass_that_is_not_finite_is_refused_and_leaves_no_trace(
        case in cases(),
        poison in prop_oneof![Just(Poison::Loss), Just(Poison::Gradient)],
        pass in 0_usize..4,
        good in 0_usize..4,
    ) {
        let settings = Settings::of_radius(0.1);
        for (name, method) in every_method(&settings) { leaves_no_trace(name, method, &case, (poison, pass, good)); }
    }

    #[test]
    fn gradient_that_is_not_finite_does_not_enter_what_a_method_remembers(case in cases()) {
        let settings = Settings::of_radius(0.1);
        for (name, method) in every_method(&settings) { stays_as_before(name, method, &case); }
    }

    #[test]
    fn method_that_needs_its_examples_apart_says_so_and_stays_as_before(case in cases()) {
        let model = case.model();
        let batch = case.batch(0);
        let mut esam = sam::EsamConfig::new().init().expect("settings in range");
        let mut micro = sam::MicroBatchSamConfig::new(2).init().expect("settings in range");
        let reason = esam.gradient(&model, |m: &Net| m.loss(&batch)).err();
        prop_assert_eq!(reason, Some(Error::ExamplesNotApart));
        let reason = micro.gradient(&model, |m: &Net| m.loss(&batch)).err();
        prop_assert_eq!(reason, Some(Error::ExamplesNotApart));
        prop_assert_eq!((esam.state().steps(), micro.state().steps()), (0, 0));
    }
}

#[test]
fn mean_in_place_of_the_losses_of_single_examples_is_refused() {
    let batch = crate::properties::nets::Batch::new(1, 4, [2, 2], burn::tensor::DType::F64);
    let model = Net::new(1, &[2, 2], true, burn::tensor::DType::F64);
    let mut optim = burn::optim::SgdConfig::new().init();
    let refused = sam::EsamConfig::new()
        .init()
        .expect("settings in range")
        .step_examples(&mut optim, 0.1, model, 4, |m, _rows| m.loss(&batch))
        .expect_err("refused");
    let (given, wanted) = (1, 4);
    assert_eq!(refused.reason, Error::Losses { given, wanted });
}
