//! Models aligned by weight matching.

use std::collections::HashMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Device, FloatDType, Tensor, TensorData};
use landscape::alignment::{AlignConfig, Alignment, align, symmetries};
use landscape::{Error, ParameterSpace, Risk, cast, download};

use super::models::{
    Cnn, Dense, Embedded, Grouped, Mlp, Network, ResNet, Stream, filled, linear, outputs, risk,
    waves,
};

/// All float tensors by path, as bits.
#[derive(Default, PartialEq, Debug)]
struct Tensors {
    path: Vec<String>,
    found: HashMap<String, Vec<u64>>,
}

impl ModuleVisitor for Tensors {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let values = param.val().into_data();
        let bits = values.iter::<f64>().map(f64::to_bits).collect();
        self.found.insert(self.path.join("."), bits);
    }

    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }
}

fn tensors<M: Module>(model: &M) -> HashMap<String, Vec<u64>> {
    let mut tensors = Tensors::default();
    model.visit(&mut tensors);
    tensors.found
}

/// Changes the tensor at one path, or all.
struct Change<'a, F> {
    path: Vec<String>,
    only: Option<&'a str>,
    change: F,
}

impl<F: Fn(&str, Vec<f64>) -> Vec<f64>> ModuleMapper for Change<'_, F> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let path = self.path.join(".");
        if self.only.is_some_and(|only| only != path) {
            return param;
        }
        param.map(|tensor| {
            let values = tensor.to_data().iter::<f64>().collect();
            let data = TensorData::new((self.change)(&path, values), tensor.shape());
            Tensor::from_data(
                data.convert_dtype(tensor.dtype()),
                (&tensor.device(), tensor.dtype()),
            )
        })
    }

    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }
}

fn changed<M: Module>(
    model: &M,
    only: Option<&str>,
    change: impl Fn(&str, Vec<f64>) -> Vec<f64>,
) -> M {
    model.valid().map(&mut Change {
        path: Vec::new(),
        only,
        change,
    })
}

/// Returns `model` with one tensor of another.
pub(super) fn with_tensor_of<M: Module>(model: &M, other: &M, path: &str) -> M {
    let there = tensors(other);
    changed(model, Some(path), |path, _| {
        there[path].iter().copied().map(f64::from_bits).collect()
    })
}

/// Running statistics as after training: no two channels alike.
fn with_statistics<M: Module>(model: &M) -> M {
    changed(model, None, |path, values| {
        let moved = |(i, value): (usize, f64)| value + 0.3 + 0.1 * (1.7 * i as f64).sin();
        if path.contains("running") {
            values.into_iter().enumerate().map(moved).collect()
        } else {
            values
        }
    })
}

/// A permutation that looks random: steps of a length without common factor.
fn scattered(n: usize, seed: usize) -> Vec<usize> {
    let step = (2..n).find(|step| gcd(*step, n) == 1).unwrap_or(1);
    (0..n).map(|i| (i * step + seed) % n).collect()
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

fn composed(first: &[usize], second: &[usize]) -> Vec<usize> {
    second.iter().map(|&unit| first[unit]).collect()
}

fn recovers_a_permuted_copy<N: Network>() {
    let a = with_statistics(&filled(&N::new(), 0.9));
    let risk = risk::<N>();
    let found = symmetries(&a, &risk).expect("a network");
    let units = found.groups.iter().map(|group| group.units);
    let permutations: Vec<_> = units
        .enumerate()
        .map(|(i, n)| scattered(n, i + 1))
        .collect();
    let b = found.permute(&a, &permutations).expect("permutations");
    assert_ne!(tensors(&a), tensors(&b));
    let aligned = align(&a, &b, &risk, &AlignConfig::new()).expect("two networks");
    // Bit for bit, buffers included.
    assert_eq!(tensors(&aligned.model), tensors(&a));
    assert!(aligned.squared_distance_before > 0.0);
    assert_eq!(aligned.squared_distance_after, 0.0);
    for (forth, back) in permutations.iter().zip(&aligned.permutations) {
        assert!(composed(forth, back).into_iter().eq(0..forth.len()));
    }
    assert!(aligned.converged);
    assert!(
        aligned.output_difference < 1e-12,
        "{:.1e}",
        aligned.output_difference
    );
}

#[test]
fn a_permuted_copy_is_recovered_exactly() {
    recovers_a_permuted_copy::<Mlp>();
    recovers_a_permuted_copy::<Cnn>();
    recovers_a_permuted_copy::<ResNet>();
    recovers_a_permuted_copy::<Dense>();
    recovers_a_permuted_copy::<Grouped>();
    recovers_a_permuted_copy::<Stream>();
    recovers_a_permuted_copy::<Embedded>();
}

fn distance<M: Module>(a: &M, b: &M) -> f64 {
    let space = ParameterSpace::of(a).expect("a space");
    let difference = space.flatten(a).expect("a") - space.flatten(b).expect("b");
    download(&difference).iter().map(|x| x * x).sum()
}

fn is_near<N: Network>(
    a: &N,
    b: &N,
    aligned: &Alignment<N>,
    risk: &Risk<N, (Tensor<4>, Tensor<2>)>,
) {
    let close = |x: f64, y: f64| (x - y).abs() < 1e-12 * (x.abs() + y.abs() + 1.0);
    assert!(close(aligned.squared_distance_before, distance(a, b)));
    assert!(close(
        aligned.squared_distance_after,
        distance(a, &aligned.model)
    ));
    // ‖a − b‖² = ‖a‖² + ‖b‖² − 2 ⟨a, b⟩, and permuting keeps the norms.
    let gained = aligned.inner_product_after - aligned.inner_product_before;
    let nearer = aligned.squared_distance_before - aligned.squared_distance_after;
    assert!(close(2.0 * gained, nearer), "{gained} {nearer}");
    assert!(aligned.converged && gained >= 0.0);
    // No exchange of two units of one group brings b nearer.
    let found = symmetries(b, risk).expect("a network");
    for group in 0..found.groups.len() {
        for i in 0..found.groups[group].units {
            for j in 0..i {
                let mut permutations = aligned.permutations.clone();
                permutations[group].swap(i, j);
                let other = found.permute(b, &permutations).expect("permutations");
                assert!(distance(a, &other) >= aligned.squared_distance_after - 1e-10);
            }
        }
    }
}

#[test]
fn other_models_come_nearer_until_no_exchange_helps() {
    fn check<N: Network>() {
        let (a, b) = (filled(&N::new(), 0.9), filled(&N::new(), 0.53));
        let risk = risk::<N>();
        let config = AlignConfig::new();
        let aligned = align(&a, &b, &risk, &config).expect("two networks");
        is_near(&a, &b, &aligned, &risk);
        assert!(aligned.squared_distance_after < aligned.squared_distance_before);
        let before = outputs(&b);
        let after = outputs(&aligned.model);
        assert!(
            before
                .iter()
                .zip(&after)
                .all(|(x, y)| (x - y).abs() < 1e-12 * (1.0 + x.abs()))
        );
        // The same again, and no worse with more starts.
        let again = align(&a, &b, &risk, &config).expect("two networks");
        assert_eq!(again.permutations, aligned.permutations);
        let more = align(&a, &b, &risk, &config.with_restarts(3)).expect("two networks");
        assert!(more.inner_product_after >= aligned.inner_product_after);
    }
    check::<Mlp>();
    check::<Cnn>();
    check::<ResNet>();
    check::<Stream>();
}

#[test]
fn aligning_changes_neither_model_and_keeps_what_training_needs() {
    let autodiff = Device::flex().autodiff();
    let make = |speed| filled(&ResNet::new(), speed).train();
    let (a, b) = (make(0.9), make(0.53));
    let x = waves([6, 1, 4, 4], 0.7).to_device(&autodiff);
    // Running statistics one update behind, as between two training steps.
    b.outputs(x.clone());
    let before = (tensors(&a.valid()), tensors(&b.valid()));
    let aligned = align(&a, &b, &risk::<ResNet>(), &AlignConfig::new()).expect("two networks");
    assert_eq!((tensors(&a.valid()), tensors(&b.valid())), before);
    let loss = aligned.model.outputs(x).square().mean();
    let gradients = loss.backward();
    let gradients = burn::optim::GradientsParams::from_grads(gradients, &aligned.model);
    let trainable = ParameterSpace::of(&b).expect("a space");
    assert_eq!(gradients.len(), trainable.blocks.len());
    // The layers of b are its own: the pass above moved the statistics of the aligned model only.
    assert_eq!(tensors(&b.valid()), before.1);
}

#[test]
fn models_in_single_precision_and_of_other_ids_are_aligned() {
    let narrow = |model: &Cnn| cast(model, FloatDType::F32).expect("f32");
    let a = narrow(&filled(&Cnn::new(), 0.9));
    let risk = risk::<Cnn>();
    let found = symmetries(&a, &risk).expect("a network");
    // Made separately: the same values under other ids.
    let b = narrow(&filled(&Cnn::new(), 0.9));
    let permutations: Vec<_> = found
        .groups
        .iter()
        .map(|group| scattered(group.units, 1))
        .collect();
    let b = found
        .permute(&b, &permutations)
        .expect("the same architecture");
    let aligned = align(&a, &b, &risk, &AlignConfig::new()).expect("two networks");
    assert_eq!(aligned.squared_distance_after, 0.0);
    assert_eq!(tensors(&aligned.model), tensors(&a));
}

#[test]
fn bad_input_is_named() {
    let config = AlignConfig::new();
    let mlp = |speed| filled(&Mlp::new(), speed);
    let (a, b) = (mlp(0.9), mlp(0.53));
    let risk_of_mlp = risk::<Mlp>();
    let says = |result: Result<Alignment<Mlp>, Error>| result.expect_err("bad input").to_string();

    let wide: Mlp = {
        let mut model = Mlp::new();
        model.set_hidden(linear(16, 8), linear(8, 5));
        filled(&model, 0.9)
    };
    let error = says(align(&a, &wide, &risk_of_mlp, &config));
    assert!(
        error.contains("`fc1.weight` of shape [16, 7]") && error.contains("[16, 8]"),
        "{error}"
    );

    let nan = |_: &str, values: Vec<f64>| vec![f64::NAN; values.len()];
    let broken = changed(&b, Some("fc2.bias"), nan);
    let error = says(align(&a, &broken, &risk_of_mlp, &config));
    assert!(
        error.contains("`fc2.bias` of the second model has a NaN"),
        "{error}"
    );
    let error = says(align(&broken, &a, &risk_of_mlp, &config));
    assert!(
        error.contains("`fc2.bias` of the first model has a NaN"),
        "{error}"
    );

    // Finite weights, of which the loss is not.
    let huge = |_: &str, values: Vec<f64>| vec![1e200; values.len()];
    let huge = changed(&b, Some("fc3.weight"), huge);
    let error = says(align(&a, &huge, &risk_of_mlp, &config));
    assert!(
        error.contains("the loss is inf at the second model"),
        "{error}"
    );

    let error = says(align(&a, &b, &risk_of_mlp, &config.with_sweeps(0)));
    assert!(
        error.contains("sweeps is 0; it must be at least 1"),
        "{error}"
    );

    let model = filled(&linear(4, 3), 0.9);
    let loss = |model: &burn::nn::Linear, x: &Tensor<2>| model.forward(x.clone()).tanh().mean();
    let risk = Risk::of(
        [waves([5, 4], 0.7)],
        |model: &burn::nn::Linear, x: &Tensor<2>| model.forward(x.clone()),
        |outputs: Tensor<2>, _: &Tensor<2>| outputs.tanh().mean(),
        landscape::Reduction::Mean,
    );
    let error = align(&model, &model, &risk, &AlignConfig::new()).expect_err("no group");
    assert!(matches!(error, Error::NoSymmetry { .. }), "{error}");
    // Where only the loss is seen, its outputs may be permuted if the loss does not tell them
    // apart.
    let seen = symmetries(&model, &Risk::mean([waves([5, 4], 0.7)], loss)).expect("a model");
    assert_eq!(seen.groups.len(), 1);
}

#[test]
fn what_is_no_tensor_is_noticed() {
    #[derive(Module, Debug)]
    struct Scaled {
        first: burn::nn::Linear,
        second: burn::nn::Linear,
        slope: f64,
    }
    let made = |slope| {
        let model = Scaled {
            first: linear(4, 5),
            second: linear(5, 2),
            slope,
        };
        filled(&model, 0.9)
    };
    let risk = Risk::mean([waves([5, 4], 0.7)], |model: &Scaled, x: &Tensor<2>| {
        let hidden = (model.first.forward(x.clone()) * model.slope).tanh();
        model.second.forward(hidden).square().mean()
    });
    let error = align(&made(1.0), &made(2.0), &risk, &AlignConfig::new()).expect_err("they differ");
    assert!(matches!(error, Error::OtherFunction { .. }), "{error}");
}
