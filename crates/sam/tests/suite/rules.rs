//! A rule that is not of the crate.

use burn::module::{Module, Param};
use burn::optim::{GradientsParams, SgdConfig};
use burn::tensor::{DType, Device, Tensor};
use sam::{Ascent, Direction, Error, InLearner, Pair, Rule, Scale, SharpnessAware, StepContext};

/// Looks for a peak in every second step, along the gradient and twice that of the last such step.
/// There the optimiser gets the mean of the two gradients; between, `g` and a part of what is
/// carried.
#[derive(Debug, Clone)]
struct Late {
    part: f64,
}

impl Rule for Late {
    fn direction<M: Module>(
        &self,
        context: StepContext<'_, M>,
        gradients: &GradientsParams,
    ) -> Direction {
        // There is none in the first step.
        let before = context.carried.clone();
        context.carried.set(context.model, 2.0, gradients);
        if before.is_empty() {
            return Direction::Gradient;
        }
        Direction::Along(before.added_to(context.model, 1.0, gradients))
    }

    fn looks(&self, step: u64) -> bool {
        step.is_multiple_of(2)
    }

    fn combine<M: Module>(&self, context: StepContext<'_, M>, pair: Pair<'_>) -> GradientsParams {
        assert_eq!((context.step % 2, context.rho), (0, 0.5));
        pair.combined(context.model, 0.5, 0.5)
    }

    fn between<M: Module>(
        &self,
        context: StepContext<'_, M>,
        gradients: GradientsParams,
        norm: f64,
    ) -> GradientsParams {
        assert!(norm > 0.0 && !context.carried.is_empty());
        context
            .carried
            .added_to(context.model, self.part, &gradients)
    }

    fn carries(&self) -> bool {
        true
    }

    fn check(&self) -> Result<(), Error> {
        if self.part <= 1.0 {
            return Ok(());
        }
        Err(Error::Setting {
            name: "part",
            value: self.part.to_string(),
            allowed: "at most 1",
        })
    }
}

#[derive(Module, Debug)]
struct Point {
    w: Param<Tensor<1>>,
}

impl Point {
    fn at(w: [f64; 2]) -> Self {
        let w = Tensor::from_data(w, (&Device::flex().autodiff(), DType::F64));
        Self {
            w: Param::from_tensor(w),
        }
    }

    /// ½ ‖w‖², whose gradient is w.
    fn loss(&self) -> Tensor<1> {
        self.w.val().square().sum() / 2.0
    }

    fn values(&self) -> Vec<f64> {
        self.w.val().to_data().iter().collect()
    }
}

fn late() -> SharpnessAware<Late> {
    SharpnessAware::new(Late { part: 0.25 }, Ascent::new(0.5)).expect("settings in range")
}

/// On `½ ‖w‖²` every vector is along w, so that each step is a factor: with ‖w‖ = 5 and ρ = 0.5 the
/// peak is at 1.1 w, the mean of the gradients 1.05 w, and the first step goes to (1 − 0.105) w. Of
/// the step between the carried vector is 2 w of the first.
#[test]
fn rule_of_ones_own_says_where_the_ascent_goes_and_what_the_optimiser_gets() {
    let mut method = late();
    let mut optim = SgdConfig::new().init();
    let mut model = Point::at([3.0, 4.0]);
    let first = 1.0 - 0.1 * 1.05;
    let second = first - 0.1 * (first + 0.25 * 2.0);
    // The peak is ρ further out: ‖w‖ is 5 times the factor there.
    let third = second - 0.1 * (second + 0.05);
    for (step, factor) in [first, second, third].into_iter().enumerate() {
        let taken = method
            .step(&mut optim, 0.1, model, Point::loss)
            .expect("a step");
        assert_eq!(taken.measured.peak.is_some(), step != 1);
        model = taken.model;
        for (w, start) in model.values().iter().zip([3.0, 4.0]) {
            assert!((w - factor * start).abs() < 1e-14, "step {step}: {w}");
        }
    }
}

#[test]
fn what_a_rule_carries_is_kept_by_steps_that_are_taken_and_by_records() {
    let bytes =
        |method: &SharpnessAware<Late>| method.to_record().into_bytes().expect("written").to_vec();
    let mut method = late();
    let mut optim = SgdConfig::new().init();
    let model = Point::at([3.0, 4.0]);
    let step = method
        .step(&mut optim, 0.1, model, Point::loss)
        .expect("a step");
    let second = method
        .clone()
        .step(&mut optim.clone(), 0.1, step.model.clone(), Point::loss);
    let before = bytes(&method);
    let refused = method.step(&mut optim, 0.1, step.model, |m| m.loss() * f64::NAN);
    let model = refused.expect_err("refused").model;
    assert_eq!(bytes(&method), before);
    let mut again = late().load_record(method.to_record());
    let resumed = again
        .step(&mut optim, 0.1, model, Point::loss)
        .expect("a step");
    assert_eq!(
        resumed.model.values(),
        second.expect("a step").model.values()
    );
}

#[test]
fn rule_of_ones_own_works_in_a_learner_as_in_a_loop() {
    let mut method = late();
    let mut optim = SgdConfig::new().init();
    let (mut model, mut learnt) = (Point::at([3.0, 4.0]), Point::at([3.0, 4.0]));
    let part = InLearner::new(late(), &learnt);
    let mut learner = SgdConfig::new().init();
    for _ in 0..3 {
        model = method
            .step(&mut optim, 0.1, model, Point::loss)
            .expect("a step")
            .model;
        let step = part.step(&learnt, |m| (m.loss(), ())).expect("a step");
        learnt = learner.step(0.1, learnt, step.gradients);
        assert_eq!(learnt.values(), model.values());
    }
}

#[test]
fn settings_of_a_rule_and_of_its_ascent_are_checked_when_the_method_is_made() {
    let said = |part, ascent| {
        let method = SharpnessAware::new(Late { part }, ascent);
        method.expect_err("a mistake").to_string()
    };
    assert_eq!(
        said(2.0, Ascent::new(0.1)),
        "part is 2; it must be at most 1"
    );
    let ascent = Ascent::new(0.1).with_scale(Scale::Weights {
        eta: -1.0,
        all: true,
    });
    assert_eq!(
        said(1.0, ascent),
        "eta is -1; it must be finite and not negative"
    );
    let ascent = Ascent::new(0.1).with_steps(0);
    assert_eq!(
        said(1.0, ascent),
        "ascent_steps is 0; it must be at least 1"
    );
}
