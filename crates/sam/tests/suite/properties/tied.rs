//! One parameter in two places of a network counts once, moves once and stays one.

use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::optim::{GradientsParams, ModuleOptimizer, SgdConfig};
use burn::tensor::{DType, Device, Tensor, TensorData};
use proptest::prelude::*;
use sam::{AnyMethod, Peak, Perturbed, SamConfig};
use serde_json::json;

use crate::methods::{Settings, every_config, every_method, method};
use crate::properties::cases::{Case, cases};
use crate::properties::nets::{Numbers, bits, flat};
use crate::properties::training::{optimiser, record};

/// L = first * second^2, which is w^3 where both are one w.
#[derive(Module, Debug)]
struct Cube {
    first: Param<Tensor<1>>,
    second: Param<Tensor<1>>,
}

impl Cube {
    fn at(w: f64) -> Self {
        let device = Device::flex().autodiff();
        let w = Param::from_tensor(Tensor::from_data([w], (&device, DType::F64)));
        Self {
            first: w.clone(),
            second: w,
        }
    }

    fn loss(&self) -> Tensor<1> {
        self.first.val() * self.second.val().square()
    }
}

/// g = 12 at w = 2; the peak of radius 1/2 is at 2.5, where L = 15.625 and its slope is 18.75.
fn is_that_of_w_cubed(name: &str, mut method: AnyMethod, is_torn: bool) {
    let model = Cube::at(2.0);
    // A network that has come back from a file or another device has a leaf for each place.
    let model = if is_torn {
        model.valid().train()
    } else {
        model
    };
    let mut optim = SgdConfig::new().init();
    let step = method
        .step_examples(&mut optim, 0.1, model, 4, |m, rows| {
            let count = rows.indices().map_or(4, <[usize]>::len);
            m.loss().expand([count])
        })
        .expect("a step");
    let near = |x: f64, y: f64| assert!((x - y).abs() < 1e-12, "{name}: {x} for {y}");
    near(step.measured.loss, 8.0);
    near(step.measured.gradient_norm, 12.0);
    let Peak {
        loss,
        gradient_norm,
        cosine,
    } = step.measured.peak.expect("a peak");
    near(loss, 15.625);
    near(gradient_norm, 18.75);
    near(cosine, 1.0);
    for w in flat(&step.model) {
        near(w, 2.0 - 1.875);
    }
}

#[test]
fn step_of_every_method_on_w_cubed_is_that_of_the_closed_form() {
    for is_torn in [false, true] {
        for (name, mut config) in every_config() {
            if name == "ESAM" {
                // Every weight moves.
                config["beta"] = 1.0.into();
            }
            let method = method(config, json!({ "rho": 0.5 }));
            is_that_of_w_cubed(name, method, is_torn);
        }
        let first = burn::module::ParamGroup::from_path("first");
        let settings = Settings {
            perturbed: Perturbed::Group(first),
            ..Settings::of_radius(0.5)
        };
        let method = settings.method(json!({ "method": "sam" }));
        is_that_of_w_cubed("SAM of one of its paths", method, is_torn);
    }
}

/// x -> tanh(tanh(x W) V) out, where W and V are one.
trait Twice: Module {
    fn weights(&self) -> [Tensor<2>; 2];
    fn out(&self) -> &Linear;

    fn losses(&self, x: Tensor<2>) -> Tensor<1> {
        let [first, second] = self.weights();
        let examples = x.dims()[0];
        let x = x.matmul(first).tanh().matmul(second).tanh();
        self.out()
            .forward(x)
            .square()
            .sum_dim(1)
            .reshape([examples])
    }
}

/// The parameter in one field, used twice.
#[derive(Module, Debug)]
struct InOnePlace {
    weight: Param<Tensor<2>>,
    out: Linear,
}

/// The parameter in two fields.
#[derive(Module, Debug)]
struct InTwoPlaces {
    first: Param<Tensor<2>>,
    second: Param<Tensor<2>>,
    out: Linear,
}

impl Twice for InOnePlace {
    fn weights(&self) -> [Tensor<2>; 2] {
        [self.weight.val(), self.weight.val()]
    }
    fn out(&self) -> &Linear {
        &self.out
    }
}

impl Twice for InTwoPlaces {
    fn weights(&self) -> [Tensor<2>; 2] {
        [self.first.val(), self.second.val()]
    }
    fn out(&self) -> &Linear {
        &self.out
    }
}

const WIDTH: usize = 3;

fn pair(case: &Case) -> (InOnePlace, InTwoPlaces) {
    let mut numbers = Numbers::new(7, case.dtype);
    let weight = Param::from_tensor(numbers.tensor([WIDTH, WIDTH]));
    let out = numbers.linear(WIDTH, 2);
    let two = InTwoPlaces {
        first: weight.clone(),
        second: weight.clone(),
        out: out.clone(),
    };
    (InOnePlace { weight, out }, two)
}

/// What steps say and where they end, without the second place.
fn trained<M: Twice>(
    name: &str,
    (mut model, mut method): (M, AnyMethod),
    case: &Case,
) -> (Vec<String>, Vec<f64>, Vec<u8>, String) {
    let mut optim = case.optimiser();
    let mut said = Vec::new();
    for number in 0..5 {
        let x = Numbers::new(100 + number as u64, case.dtype).tensor([case.examples, WIDTH]);
        let lr = Case::learning_rate(number);
        let step = method
            .step_examples(&mut optim, lr, model, case.examples, |m, rows| {
                m.losses(rows.of(&x))
            })
            .unwrap_or_else(|refused| panic!("{name}: {refused}"));
        said.push(format!(
            "{:?} {:?} {:?} {:?}",
            step.measured.loss, step.measured.gradient_norm, step.measured.rho, step.measured.peak
        ));
        model = step.model;
    }
    let memory = format!("{:?}", optimiser(&optim).0);
    (said, flat(&model), record(&method), memory)
}

fn is_that_of_one_place(name: &str, method: AnyMethod, case: &Case, is_torn: bool) {
    let (one, two) = pair(case);
    let two = if is_torn { two.valid().train() } else { two };
    let expected = trained(name, (one, method.clone()), case);
    let given = trained(name, (two, method), case);
    assert_eq!(given.0, expected.0, "{name}");
    let (w, rest) = given.1.split_at(WIDTH * WIDTH);
    let (again, out) = rest.split_at(WIDTH * WIDTH);
    assert_eq!(w, again, "{name}: the two places are one");
    assert_eq!([w, out].concat(), expected.1, "{name}");
    assert_eq!(given.2, expected.2, "{name}: what the method remembers");
    assert_eq!(given.3, expected.3, "{name}: what the optimiser remembers");
}

proptest! {
    #![proptest_config(crate::properties::config())]

    #[test]
    fn parameter_in_two_fields_is_trained_as_one_that_is_used_twice(
        case in cases(),
        is_torn: bool,
        ascent_steps in 1_usize..3,
    ) {
        let settings = Settings { ascent_steps, ..Settings::of_radius(0.1) };
        for (name, method) in every_method(&settings) { is_that_of_one_place(name, method, &case, is_torn); }
    }
}

/// Three layers that were one, `vec![layer; 3]`.
#[derive(Module, Debug)]
struct Stack {
    layers: Vec<Linear>,
}

impl Stack {
    fn new() -> Self {
        let layer = Numbers::new(3, DType::F64).linear(2, 2);
        Self {
            layers: vec![layer; 3],
        }
    }

    fn losses(&self, x: Tensor<2>) -> Tensor<1> {
        let examples = x.dims()[0];
        let through = |x: Tensor<2>, layer: &Linear| layer.forward(x).tanh();
        let x = self.layers.iter().fold(x, through);
        x.square().sum_dim(1).reshape([examples])
    }
}

fn inputs() -> Tensor<2> {
    Numbers::new(4, DType::F64).tensor([4, 2])
}

/// Burn's own optimiser gives the gradient of a parameter to its first place only.
fn torn_by_burn() -> Stack {
    let mut optim: ModuleOptimizer = SgdConfig::new().init();
    let mut model = Stack::new();
    for _ in 0..3 {
        let loss = model.losses(inputs()).mean();
        let gradients = GradientsParams::from_grads(loss.backward(), &model);
        model = optim.step(0.1, model, gradients);
    }
    model
}

fn names_both_places(name: &str, mut method: AnyMethod, model: &Stack) {
    let mut optim = SgdConfig::new().init();
    let before = record(&method);
    let refused = method
        .step_examples(&mut optim, 0.1, model.clone(), 4, |m, rows| {
            m.losses(rows.of(&inputs()))
        })
        .expect_err("places that differ are refused");
    let said = refused.to_string();
    assert!(
        said.contains("layers.0.weight") && said.contains("layers.1.weight"),
        "{name}: {said}"
    );
    assert_eq!(bits(&refused.model), bits(model), "{name}");
    assert_eq!(record(&method), before, "{name}");
    assert!(optim.to_record().is_empty(), "{name}");
}

#[test]
fn places_that_burn_has_torn_apart_are_refused_by_every_method_with_both_paths() {
    let model = torn_by_burn();
    assert_ne!(
        flat(&model.layers[0]),
        flat(&model.layers[1]),
        "Burn's optimiser steps the first place alone"
    );
    for (name, method) in every_method(&Settings::of_radius(0.1)) {
        names_both_places(name, method, &model);
    }
}

#[test]
fn places_with_other_weights_loaded_or_of_another_shape_are_refused() {
    let mut model = Stack::new();
    let other = Numbers::new(9, DType::F64).linear(2, 2);
    model.layers[2].weight = model.layers[2].weight.clone().map(|_| other.weight.val());
    let refusal = |model: &Stack| {
        SamConfig::new()
            .init()
            .expect("settings in range")
            .gradient(model, |m: &Stack| m.losses(inputs()).mean())
            .expect_err("refused")
            .to_string()
    };
    let said = refusal(&model);
    assert!(
        said.contains("layers.0.weight") && said.contains("layers.2.weight"),
        "{said}"
    );

    let mut model = Stack::new();
    let id = model.layers[0].weight.id;
    let narrow: Tensor<2> = Numbers::new(9, DType::F64).tensor([2, 1]);
    model.layers[2].weight = Param::initialized(id, narrow.require_grad());
    model.layers[2].bias = None;
    assert!(refusal(&model).contains("layers.2.weight"));
}

#[test]
fn frozen_copy_of_a_trained_part_is_a_constant() {
    // A teacher: the same identifiers, values of its own. Foret's equations see the student alone.
    #[derive(Module, Debug)]
    struct Distilled {
        student: Param<Tensor<1>>,
        teacher: Param<Tensor<1>>,
    }
    let device = Device::flex().autodiff();
    let data =
        |values: [f64; 2]| Tensor::<1>::from_data(TensorData::from(values), (&device, DType::F64));
    let student = Param::from_tensor(data([3.0, 4.0]));
    let teacher = Param::initialized(student.id, data([1.0, 1.0]));
    let model = Distilled { student, teacher };
    let mut optim = SgdConfig::new().init();
    // L = |s - t|^2 / 2: g = (2, 3), the peak is s + g / sqrt 13 / 2.
    let step = SamConfig::new()
        .with_rho(0.5)
        .init()
        .expect("settings in range")
        .step(&mut optim, 0.1, model, |m| {
            (m.student.val() - m.teacher.val()).square().sum() / 2.0
        })
        .expect("a step");
    let norm = 13.0_f64.sqrt();
    assert!(
        (step.measured.gradient_norm - norm).abs() < 1e-12,
        "{}",
        step.measured.gradient_norm
    );
    let peak = step.measured.peak.expect("a peak");
    assert!((peak.gradient_norm - (norm + 0.5)).abs() < 1e-12);
    let w = flat(&step.model);
    assert_eq!(w[2..], [1.0, 1.0]);
    let factor = 0.1 * (1.0 + 0.5 / norm);
    assert!(
        (w[0] - (3.0 - 2.0 * factor)).abs() < 1e-12 && (w[1] - (4.0 - 3.0 * factor)).abs() < 1e-12
    );
}

#[test]
fn frozen_copy_before_the_trained_part_is_refused_for_burn_would_step_it_instead() {
    #[derive(Module, Debug)]
    struct Distilled {
        teacher: Param<Tensor<1>>,
        student: Param<Tensor<1>>,
    }
    let device = Device::flex().autodiff();
    let student = Param::from_tensor(Tensor::from_data([3.0], (&device, DType::F64)));
    let teacher = student.clone().set_require_grad(false);
    let model = Distilled { teacher, student };
    let mut optim = SgdConfig::new().init();
    let refused = SamConfig::new()
        .init()
        .expect("settings in range")
        .step(&mut optim, 0.1, model, |m| {
            (m.student.val() - m.teacher.val() + 1.0).square()
        })
        .expect_err("the teacher would be stepped");
    let said = refused.to_string();
    assert!(
        said.contains("teacher") && said.contains("student"),
        "{said}"
    );
}

#[test]
fn halves_of_a_step_refuse_what_a_step_refuses() {
    let x = inputs();
    let gradients_of = |model: &Stack| {
        let loss = model.losses(x.clone()).mean();
        GradientsParams::from_grads(loss.backward(), model)
    };
    let mut sam = SamConfig::new().init().expect("settings in range");
    let said = |refused: Result<(), sam::Error>| refused.expect_err("refused").to_string();

    let torn = torn_by_burn();
    let g = gradients_of(&torn);
    let refused = said(sam.ascend(&torn, &g).map(|_| ()));
    assert!(
        refused.contains("layers.0.weight` and `layers.1.weight"),
        "{refused}"
    );
    let refused = said(
        sam.descend(&torn, &g, Some(gradients_of(&torn)))
            .map(|_| ()),
    );
    assert!(
        refused.contains("layers.0.weight` and `layers.1.weight"),
        "{refused}"
    );

    // Equal places that are leaves apart: Burn's gradient is that of the last alone.
    let apart = Stack::new().valid().train();
    let g = gradients_of(&apart);
    let refused = said(sam.ascend(&apart, &g).map(|_| ()));
    assert!(refused.contains("sam::tie"), "{refused}");

    // By hand and in one go.
    let model = sam::tie(apart);
    let g = gradients_of(&model);
    let peak = sam.ascend(&model, &g).expect("a peak");
    let descent = sam
        .descend(&model, &g, Some(gradients_of(&peak)))
        .expect("gradients");
    let mut optim: ModuleOptimizer = SgdConfig::new().init();
    let by_hand = sam::tie(optim.step(0.1, model.clone(), descent));
    let step = SamConfig::new().init().expect("settings in range").step(
        &mut optim,
        0.1,
        model.clone(),
        |m| m.losses(x.clone()).mean(),
    );
    assert_eq!(bits(&by_hand), bits(&step.expect("a step").model));

    // Gradients of another model, none at all, and none at the peak.
    let other = gradients_of(&torn_by_burn());
    let refused = said(sam.ascend(&model, &other).map(|_| ()));
    assert!(refused.contains("at the weights"), "{refused}");
    let refused = said(sam.ascend(&model, &GradientsParams::new()).map(|_| ()));
    assert!(refused.contains("at the weights"), "{refused}");
    let refused = said(sam.descend(&model, &g, Some(other)).map(|_| ()));
    assert!(refused.contains("at the peak"), "{refused}");
    let snapshot = GradientsParams::from_grads(model.losses(x).mean().backward(), &peak);
    let refused = said(sam.descend(&model, &g, Some(snapshot)).map(|_| ()));
    assert!(refused.contains("at the peak"), "{refused}");
    assert_eq!(sam.state().steps(), 1);
}

/// Batch normalisation in clones of one block: statistics with equal identifiers.
#[derive(Module, Debug)]
struct Normed {
    norms: Vec<burn::nn::BatchNorm>,
    out: Linear,
}

#[test]
fn refused_step_puts_back_the_statistics_of_every_clone_of_a_norm_layer() {
    let device = Device::flex().autodiff();
    let norm = burn::nn::BatchNormConfig::new(3).init(&device);
    let mut model = Normed {
        norms: vec![norm; 3],
        out: Numbers::new(1, DType::F32).linear(3, 1),
    };
    // Statistics of their own, as after a file has been read, and a part that is in evaluation.
    model = model.valid().train();
    model.norms[2] = model.norms[2].valid();
    model = sam::tie(model);
    let run = |m: &Normed, x: Tensor<2>| {
        let through = |x: Tensor<2>, norm: &burn::nn::BatchNorm| (norm.forward(x) + 1.0) * 3.0;
        m.out
            .forward(m.norms.iter().fold(x, through))
            .square()
            .mean()
    };
    let x: Tensor<2> = Numbers::new(2, DType::F32).tensor([8, 3]);
    let mut method = SamConfig::new().init().expect("settings in range");
    let mut optim: ModuleOptimizer = SgdConfig::new().init();
    model.norms[2].gamma = model.norms[2].gamma.clone().set_require_grad(false);
    model.norms[2].beta = model.norms[2].beta.clone().set_require_grad(false);
    let step = method.step(&mut optim, 0.0, model, |m| run(m, x.clone()));
    let model = step.expect("a step").model;
    let statistics = |m: &Normed| {
        let of = |norm: &burn::nn::BatchNorm| {
            [&norm.running_mean, &norm.running_var].map(|state| {
                state
                    .value_sync()
                    .into_data()
                    .iter::<f64>()
                    .collect::<Vec<_>>()
            })
        };
        m.norms.iter().map(of).collect::<Vec<_>>()
    };
    let before = statistics(&model);
    assert_ne!(before[0], before[1], "the clones see other inputs");
    let sam = sam::InLearner::new(method.clone(), &model);
    let step = sam.step(&model, |m| (run(m, x.clone()) * f64::NAN, ()));
    assert!(step.expect("a batch").measured.is_err());
    assert_eq!(statistics(&model), before);
    let refused = method.step(&mut optim, 0.1, model, |m| run(m, x.clone()) * f64::NAN);
    assert_eq!(statistics(&refused.expect_err("a NaN").model), before);
}
