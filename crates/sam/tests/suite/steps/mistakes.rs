//! What would train nothing, or another model than meant, is refused with a sentence that says why.

use burn::module::{Module, Param, ParamGroup};
use burn::nn::{BatchNorm, BatchNormConfig, Linear};
use burn::optim::{AdamConfig, ModuleOptimizer};
use burn::tensor::{DType, Device, Tensor, TensorData};
use sam::{
    BatchUse, LookSamConfig, MicroBatchSamConfig, Perturbed, Rejected, RhoSchedule, Rule,
    SamConfig, SharpnessAware,
};

use crate::methods::{Settings, every_method};
use crate::steps::nets::{Batch, Host, Mlp, Normalised, bits, flat};

fn device() -> Device {
    Device::flex().autodiff()
}

fn mlp() -> Mlp {
    Mlp::new(1, &device(), DType::F64)
}

fn batch() -> Batch {
    Batch::new(2, &device(), DType::F64)
}

/// The sentence of a refusal, after checking that nothing was touched.
fn refusal<M: Module, R: Rule>(
    mut method: SharpnessAware<R>,
    model: &M,
    loss: impl FnMut(&M) -> Tensor<1>,
) -> String {
    let mut optim: ModuleOptimizer = AdamConfig::new().init();
    let refused = method.step(&mut optim, 0.1, model.clone(), loss);
    let Rejected {
        model: left,
        reason,
    } = refused.map(|_| ()).expect_err("refused");
    assert_eq!(bits(&flat(&left)), bits(&flat(model)));
    assert!(optim.to_record().is_empty(), "the optimiser was not called");
    assert_eq!(method.state().steps(), 0);
    reason.to_string()
}

fn sam() -> sam::Sam {
    SamConfig::new().init().expect("settings in range")
}

#[track_caller]
fn says(sentence: &str, words: &[&str]) {
    for word in words {
        assert!(sentence.contains(word), "`{word}` in: {sentence}");
    }
}

#[test]
fn closure_of_another_model_is_refused_in_the_pass_where_that_is_seen() {
    let (model, batch) = (mlp(), batch());
    // A clone is the model itself at the weights, and another one at the peak.
    let snapshot = model.clone();
    let said = refusal(sam(), &model, |_| snapshot.loss(&batch));
    says(&said, &["at the peak", "argument"]);
    // A network apart is another one at once.
    let apart = Mlp::new(5, &device(), DType::F64);
    let said = refusal(sam(), &model, |_| apart.loss(&batch));
    says(&said, &["at the weights", "argument"]);
    // And so is the model of the step before.
    let mut optim = AdamConfig::new().init();
    let step = sam().step(&mut optim, 0.1, model.clone(), |m| m.loss(&batch));
    let next = step.expect("a step").model;
    let said = refusal(sam(), &next, |_| model.loss(&batch));
    says(&said, &["at the weights", "argument"]);
}

#[test]
fn closure_that_changes_over_to_another_model_in_the_second_pass_is_refused() {
    let (model, batch) = (mlp(), batch());
    let snapshot = model.clone();
    for steps in [1, 2] {
        let mut passes = 0;
        let sam = SamConfig::new()
            .with_ascent_steps(steps)
            .init()
            .expect("settings in range");
        let said = refusal(sam, &model, |m| {
            passes += 1;
            if passes == 1 {
                m.loss(&batch)
            } else {
                snapshot.loss(&batch)
            }
        });
        says(&said, &["at the peak", "argument"]);
    }
    let mut passes = 0;
    let said = refusal(
        LookSamConfig::new().init().expect("settings in range"),
        &model,
        |m| {
            passes += 1;
            if passes == 1 {
                m.loss(&batch)
            } else {
                snapshot.loss(&batch)
            }
        },
    );
    says(&said, &["at the peak", "argument"]);
}

#[test]
fn part_of_another_model_is_refused_with_the_path_of_a_weight_in_it() {
    // The head of the argument on the encoder of the model outside: that encoder would never learn.
    let (model, batch) = (mlp(), batch());
    let outside = model.clone();
    let said = refusal(sam(), &model, |m| {
        let mixed = Mlp {
            hidden: outside.hidden.clone(),
            out: m.out.clone(),
        };
        mixed.loss(&batch)
    });
    says(&said, &["at the peak", "hidden.weight", "argument"]);
}

#[test]
fn perturbed_part_that_the_peak_does_not_see_is_refused() {
    // Only the head moves; the encoder is the same leaf at both places.
    let (model, batch) = (mlp(), batch());
    let snapshot = model.clone();
    let group = ParamGroup::from_path("out.weight");
    let sam = SamConfig::new()
        .with_perturbed(Perturbed::Group(group))
        .init()
        .expect("settings in range");
    let said = refusal(sam, &model, |_| snapshot.loss(&batch));
    says(&said, &["at the peak", "out.weight"]);
}

#[test]
fn closure_of_another_model_is_refused_with_running_statistics_too() {
    let model = Normalised::new(1, &device(), DType::F64);
    let batch = batch();
    let snapshot = model.clone();
    for policy in [
        sam::BatchNormStatistics::FirstPass,
        sam::BatchNormStatistics::BothPasses,
        sam::BatchNormStatistics::Recomputed,
    ] {
        let before = model.statistics();
        let sam = SamConfig::new()
            .with_batch_norm(policy)
            .init()
            .expect("settings in range");
        let mut optim = AdamConfig::new().init();
        let mut method = sam;
        let refused = method
            .step(&mut optim, 0.1, model.clone(), |_| snapshot.loss(&batch))
            .map(|_| ())
            .expect_err("refused");
        says(&refused.to_string(), &["argument"]);
        assert_eq!(refused.model.statistics(), before);
        // The snapshot shares its cells with the model, whose statistics it has moved.
        if model.statistics() != before {
            return;
        }
    }
}

#[test]
fn loss_without_a_way_back_to_the_weights_is_refused() {
    let (model, batch) = (mlp(), batch());
    let constant = Tensor::<1>::from_data([1.0], (&device(), DType::F64));
    let said = refusal(sam(), &model, |_| constant.clone());
    says(&said, &["at the weights", "does not depend"]);
    let said = refusal(sam(), &model, |m| m.loss(&batch).detach());
    says(&said, &["at the weights", "does not depend"]);
    let said = refusal(sam(), &model, |m| m.loss(&batch).inner());
    says(&said, &["at the weights", "does not depend"]);
    let mut passes = 0;
    let said = refusal(sam(), &model, |m| {
        passes += 1;
        if passes == 1 {
            m.loss(&batch)
        } else {
            m.loss(&batch).detach()
        }
    });
    says(&said, &["at the peak", "does not depend"]);
}

#[test]
fn model_that_cannot_have_a_gradient_is_refused_with_the_reason() {
    let batch = batch();
    let frozen = mlp().no_grad();
    let said = refusal(sam(), &frozen, |m| m.loss(&batch));
    says(&said, &["no parameter", "requires a gradient"]);
    let plain = Mlp::new(1, &Device::flex(), DType::F64);
    let on_plain = Batch::new(2, &Device::flex(), DType::F64);
    let said = refusal(sam(), &plain, |m| m.loss(&on_plain));
    says(&said, &["without autodiff", "autodiff()"]);
    let said = refusal(sam(), &mlp().valid(), |m| m.loss(&on_plain));
    says(&said, &["without autodiff"]);
}

#[test]
fn loss_of_several_numbers_is_refused() {
    let (model, batch) = (mlp(), batch());
    let said = refusal(sam(), &model, |m| m.loss(&batch).expand([3]));
    says(&said, &["one number", "3"]);
    let said = refusal(sam(), &model, |m| m.loss(&batch).slice(0..0));
    says(&said, &["one number", "0"]);
}

#[test]
fn what_was_computed_before_the_closure_is_refused_at_its_second_use() {
    let batch = batch();
    let (encoder, head) = (mlp().hidden, mlp().out);
    let features = encoder.forward(batch.inputs.clone());
    let loss = |head: &Linear, features: &Tensor<2>| {
        crate::steps::nets::cross_entropy(head.forward(features.clone()), &batch.labels)
    };
    let said = refusal(sam(), &head, |head| loss(head, &features));
    says(&said, &["at the peak", "detach"]);
    // In the first pass, where an earlier backward has used it.
    let said = refusal(sam(), &head, |head| loss(head, &features));
    says(&said, &["at the weights", "detach"]);
    let features = features.detach();
    let mut optim = AdamConfig::new().init();
    assert!(
        sam()
            .step(&mut optim, 0.1, head, |head| loss(head, &features))
            .is_ok()
    );
    // A state that is carried from one pass to the next.
    let model = mlp();
    let mut carried: Option<Tensor<1>> = None;
    let said = refusal(sam(), &model, |m| {
        let own = m.loss(&batch);
        let loss = match carried.take() {
            Some(before) => before * 0.5 + own,
            None => own,
        };
        carried = Some(loss.clone());
        loss
    });
    says(&said, &["at the peak", "detach"]);
}

#[test]
fn selection_that_chooses_nothing_is_refused_by_its_name() {
    let (model, batch) = (mlp(), batch());
    let with = |perturbed| {
        SamConfig::new()
            .with_perturbed(perturbed)
            .init()
            .expect("settings in range")
    };
    let misspelt = Perturbed::Group(ParamGroup::from_path("out.weights"));
    let said = refusal(with(misspelt), &model, |m| m.loss(&batch));
    says(&said, &["out.weights", "chooses no", "out.weight"]);
    let said = refusal(with(Perturbed::NormLayers), &model, |m| m.loss(&batch));
    says(&said, &["NormLayers", "chooses no"]);
    let mut without_biases = model.clone();
    without_biases.hidden.bias = None;
    without_biases.out.bias = None;
    let biases = Perturbed::Group(ParamGroup::from_predicate("bias"));
    let said = refusal(with(biases.clone()), &without_biases, |m| m.loss(&batch));
    says(&said, &["bias", "chooses no"]);
    let mut frozen = model.clone();
    frozen.hidden = frozen.hidden.no_grad();
    let hidden = Perturbed::Group(ParamGroup::from_path("hidden.weight"));
    let said = refusal(with(hidden), &frozen, |m| m.loss(&batch));
    says(&said, &["hidden.weight", "chooses no"]);
    // The identifiers of another network.
    let other = ParamGroup::ids_from_module(Mlp::new(3, &device(), DType::F64));
    let said = refusal(with(Perturbed::Group(other)), &model, |m| m.loss(&batch));
    says(&said, &["chooses no"]);
    // A step of LookSAM without a peak, and m-SAM.
    let misspelt = Perturbed::Group(ParamGroup::from_path("out.weights"));
    let micro = MicroBatchSamConfig::new(2)
        .with_perturbed(misspelt)
        .init()
        .expect("settings in range");
    let mut optim = AdamConfig::new().init();
    let mut micro = micro;
    let refused = micro.step_examples(&mut optim, 0.1, model, 4, |m, _| m.loss(&batch).expand([2]));
    says(
        &refused.map(|_| ()).expect_err("refused").to_string(),
        &["out.weights"],
    );
}

#[test]
fn norm_layer_that_has_nothing_but_running_statistics_is_no_choice() {
    #[derive(Module, Debug)]
    struct Statistics {
        linear: Linear,
        norm: BatchNorm,
    }
    let mut norm = BatchNormConfig::new(3).init(&device());
    norm.gamma = norm.gamma.set_require_grad(false);
    norm.beta = norm.beta.set_require_grad(false);
    let model = Statistics {
        linear: Host(1).linear([6, 3], &device(), DType::F32),
        norm,
    };
    let x: Tensor<2> = Host(2).tensor([8, 6], &device(), DType::F32);
    let sam = SamConfig::new()
        .with_perturbed(Perturbed::NormLayers)
        .init()
        .expect("settings in range");
    let said = refusal(sam, &model, |m| {
        m.norm
            .forward(m.linear.forward(x.clone()))
            .powi_scalar(4)
            .mean()
    });
    says(&said, &["NormLayers", "chooses no"]);
}

#[test]
fn selection_without_a_gradient_is_refused_by_its_name() {
    #[derive(Module, Debug)]
    struct WithUnused {
        used: Mlp,
        unused: Linear,
    }
    let model = WithUnused {
        used: mlp(),
        unused: Host(9).linear([3, 3], &device(), DType::F64),
    };
    let batch = batch();
    let unused = Perturbed::Group(ParamGroup::from_predicate("unused"));
    let sam = SamConfig::new()
        .with_perturbed(unused)
        .init()
        .expect("settings in range");
    let said = refusal(sam, &model, |m| m.used.loss(&batch));
    says(&said, &["at the weights", "unused"]);
}

#[test]
fn gradient_that_is_truly_zero_is_a_step_like_any() {
    let (model, batch) = (mlp(), batch());
    let mut optim: ModuleOptimizer = burn::optim::SgdConfig::new().init();
    let step = sam()
        .step(&mut optim, 0.1, model.clone(), |m| m.loss(&batch) * 0.0)
        .expect("a zero is a gradient");
    assert_eq!(step.measured.gradient_norm, 0.0);
    assert_eq!(step.measured.peak.map(|peak| peak.gradient_norm), Some(0.0));
    assert_eq!(bits(&flat(&step.model)), bits(&flat(&model)));
    // One of two layers, and the chosen one.
    let group = Perturbed::Group(ParamGroup::from_predicate("hidden"));
    for perturbed in [Perturbed::All, group] {
        let sam = SamConfig::new().with_perturbed(perturbed);
        let mut sam = sam.init().expect("settings in range");
        let step = sam.step(&mut optim, 0.1, model.clone(), |m| {
            let zero = m.hidden.weight.val().sum() * 0.0;
            m.out.weight.val().square().sum() + zero
        });
        assert!(step.is_ok());
    }
}

#[test]
fn radius_that_is_no_radius_is_refused() {
    let (model, batch) = (mlp(), batch());
    let schedule = RhoSchedule::Proportional { lr_max: 0.1 };
    for rate in [f64::NAN, f64::INFINITY, -0.1] {
        let mut optim: ModuleOptimizer = AdamConfig::new().init();
        let mut sam = SamConfig::new()
            .with_schedule(schedule)
            .init()
            .expect("settings in range");
        let refused = sam.step(&mut optim, rate, model.clone(), |m| m.loss(&batch));
        let refused = refused.map(|_| ()).expect_err("refused");
        says(&refused.to_string(), &["rho", "learning rate"]);
    }
}

#[test]
fn losses_of_examples_that_are_not_as_many_are_refused() {
    #[derive(Module, Debug)]
    struct Line {
        w: Param<Tensor<1>>,
    }
    let model = Line {
        w: Param::from_tensor(Tensor::from_data([3.0], (&device(), DType::F64))),
    };
    let x = Tensor::<1>::from_data(
        TensorData::from([1.0, 2.0, 3.0, 4.0]),
        (&device(), DType::F64),
    );
    let mut optim: ModuleOptimizer = AdamConfig::new().init();
    let mut refusal = |examples: usize, wanted: &dyn Fn(&Line) -> Tensor<1>| {
        let mut said = Vec::new();
        for (_, mut method) in every_method(&Settings::of_radius(0.05)) {
            let refused =
                method.step_examples(&mut optim, 0.1, model.clone(), examples, |m, _| wanted(m));
            said.push(refused.map(|_| ()).expect_err("refused").to_string());
        }
        said
    };
    for said in refusal(4, &|m| (m.w.val() * x.clone()).square().mean()) {
        says(&said, &["one loss for each", "gave 1"]);
    }
    for said in refusal(5, &|m| (m.w.val() * x.clone()).square()) {
        says(&said, &["one loss for each", "gave 4"]);
    }
    for said in refusal(0, &|m| (m.w.val() * x.clone()).square().slice(0..0)) {
        says(&said, &["no examples"]);
    }
}

#[test]
fn weight_that_is_not_finite_is_named() {
    let mut model = mlp();
    let batch = batch();
    let weight = model.out.weight.clone();
    model.out.weight = weight.map(|w| Tensor::from_inner(w.inner() * f64::NAN).require_grad());
    let said = refusal(sam(), &model, |m| m.loss(&batch));
    says(&said, &["out.weight", "not finite"]);
}

#[test]
fn refused_model_on_a_plain_device_stays_there() {
    let plain = Normalised::new(1, &Device::flex(), DType::F64);
    let batch = Batch::new(2, &Device::flex(), DType::F64);
    let mut optim: ModuleOptimizer = AdamConfig::new().init();
    let refused = sam()
        .step(&mut optim, 0.1, plain, |m| m.loss(&batch))
        .map(|_| ())
        .expect_err("refused");
    says(&refused.reason.to_string(), &["without autodiff"]);
    assert!(!refused.model.hidden.weight.is_autodiff());
}

#[test]
fn frozen_part_on_a_plain_device_is_a_constant() {
    let mut model = mlp();
    model.hidden = model.hidden.no_grad().valid();
    let batch = batch();
    let mut optim: ModuleOptimizer = AdamConfig::new().init();
    let step = sam()
        .step(&mut optim, 0.1, model.clone(), |m| m.loss(&batch))
        .expect("the head is trained");
    assert!(!step.model.hidden.weight.is_autodiff());
    assert_eq!(flat(&step.model.hidden), flat(&model.hidden));
    assert_ne!(flat(&step.model.out), flat(&model.out));
}

/// float32 with float64, half precision, and integers and quantised weights beside them.
#[derive(Module, Debug)]
struct Mixed {
    a: Param<Tensor<1>>,
    b: Param<Tensor<1>>,
    count: Param<Tensor<1, burn::tensor::Int>>,
}

impl Mixed {
    fn new(a: DType, b: DType) -> Self {
        let tensor = |values: [f64; 2], dtype| {
            Param::from_tensor(Tensor::from_data(
                TensorData::from(values),
                (&device(), dtype),
            ))
        };
        Self {
            a: tensor([3.0, 0.0], a),
            b: tensor([0.0, 4.0], b),
            count: Param::initialized(
                burn::module::ParamId::new(),
                Tensor::from_data([7], &device()),
            ),
        }
    }

    /// |w|^2 / 2 with the gradient w, whatever the types are.
    fn loss(&self) -> Tensor<1> {
        let half =
            |w: &Param<Tensor<1>>| w.val().cast(burn::tensor::FloatDType::F64).square().sum() / 2.0;
        half(&self.a) + half(&self.b)
    }
}

#[test]
fn parameters_of_several_types_have_one_norm_and_one_peak() {
    // w = (3, 0; 0, 4): the peak is 1.1 w, and a step of 0.1 goes to 0.89 w.
    let types = [
        (DType::F32, DType::F64, 1e-6),
        (DType::F64, DType::F64, 1e-14),
        (DType::F16, DType::F32, 2e-3),
        (DType::F16, DType::F16, 2e-3),
    ];
    for (a, b, rounding) in types {
        for (_, mut method) in every_method(&Settings::of_radius(0.5)) {
            if method.batches() != BatchUse::Whole {
                continue;
            }
            let mut optim: ModuleOptimizer = burn::optim::SgdConfig::new().init();
            let step = method.step(&mut optim, 0.1, Mixed::new(a, b), Mixed::loss);
            let step = step.expect("a step");
            assert!((step.measured.gradient_norm / 5.0 - 1.0).abs() < rounding);
            let peak = step.measured.peak.expect("a peak");
            assert!(
                (peak.loss / (12.5 * 1.21) - 1.0).abs() < 2.0 * rounding,
                "{a:?} {b:?}"
            );
            assert!((peak.gradient_norm / 5.5 - 1.0).abs() < rounding);
            for (w, wanted) in flat(&step.model).into_iter().zip([2.67, 0.0, 0.0, 3.56]) {
                assert!((w - wanted).abs() < 4.0 * rounding, "{a:?} {b:?}: {w}");
            }
            assert_eq!((step.model.a.dtype(), step.model.b.dtype()), (a, b));
        }
    }
}

#[test]
fn tiny_gradient_of_half_precision_has_a_peak() {
    // rho / |g| = 5e5 is beyond the range of float16.
    let mut optim: ModuleOptimizer = burn::optim::SgdConfig::new().init();
    let mut sam = SamConfig::new()
        .with_rho(0.5)
        .init()
        .expect("settings in range");
    let model = Mixed::new(DType::F16, DType::F16);
    let step = sam
        .step(&mut optim, 0.1, model, |m| m.loss() * 2e-7)
        .expect("a step");
    let gain = step.measured.peak.expect("a peak").loss / step.measured.loss;
    assert!((gain - 1.21).abs() < 0.02, "{gain}");
}

#[test]
fn quantised_weights_are_constants() {
    use burn::tensor::quantization::{Calibration, QuantValue};
    #[derive(Module, Debug)]
    struct Quantised {
        base: Linear,
        norm: BatchNorm,
        out: Linear,
    }
    impl Quantised {
        fn loss(&self, batch: &Batch) -> Tensor<1> {
            let weight = self.base.weight.val().dequantize();
            let hidden = self.norm.forward(batch.inputs.clone().matmul(weight));
            crate::steps::nets::cross_entropy(self.out.forward(hidden), &batch.labels)
        }
    }
    let device = device();
    let scheme = device.settings().quantization.scheme;
    let scheme = scheme.with_value(QuantValue::Q8S);
    let mut base = Host(1).linear([6, 8], &device, DType::F32).no_grad();
    base.bias = None;
    let mut quantizer = burn::module::Quantizer::new(Calibration::MinMax, scheme);
    let base = base.quantize_weights(&mut quantizer);
    assert!(!base.weight.dtype().is_float());
    let model = Quantised {
        base,
        norm: BatchNormConfig::new(8).init(&device),
        out: Host(2).linear([8, 3], &device, DType::F32),
    };
    let batch = Batch::new(2, &device, DType::F32);
    let data = |m: &Quantised| m.base.weight.base().inner().to_data();
    let before = data(&model);
    let mut optim: ModuleOptimizer = AdamConfig::new().init();
    let mut method = sam();
    let step = method.step(&mut optim, 0.1, model, |m| m.loss(&batch));
    let model = step.expect("a step").model;
    assert_eq!(data(&model), before);
    let in_learner = sam::InLearner::new(method.clone(), &model);
    let step = in_learner.step(&model, |m| (m.loss(&batch) * f64::NAN, ()));
    assert!(step.expect("a batch").measured.is_err());
    assert_eq!(data(&model), before);
    let refused = method.step(&mut optim, 0.1, model, |m| m.loss(&batch) * f64::NAN);
    assert_eq!(data(&refused.expect_err("a NaN").model), before);
}
