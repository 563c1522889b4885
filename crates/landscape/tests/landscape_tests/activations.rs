//! Dead units, saturation and the spread of activations, on models whose activations are known.

use burn::module::{Module, ModuleVisitor, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::gru::{Gru, GruConfig};
use burn::nn::transformer::{
    TransformerEncoder, TransformerEncoderConfig, TransformerEncoderInput,
};
use burn::nn::{BatchNorm, BatchNormConfig, Dropout, DropoutConfig, Linear, LinearConfig};
use burn::tensor::activation::{
    gelu, gelu_approximate, hard_swish, mish, relu, sigmoid, silu, tanh,
};
use burn::tensor::{DType, Device, Tensor, TensorData};
use landscape::activations::{
    ActivationConfig, Activations, NonlinearityKind, activations, activations_with,
};
use landscape::{Error, ParameterSpace, Reduction, Risk, Statistics, download};

type Pair = (Tensor<2>, Tensor<2>);

fn tensor<const D: usize>(values: &[f64], shape: [usize; D]) -> Tensor<D> {
    Tensor::from_data(
        TensorData::new(values.to_vec(), shape),
        (&Device::flex(), DType::F64),
    )
}

/// Numbers between -1 and 1 that no pattern of the tests knows.
fn noise(count: usize, seed: u64) -> Vec<f64> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    };
    std::iter::repeat_with(next).take(count).collect()
}

fn linear(weight: &[f64], bias: &[f64]) -> Linear {
    let (from, to) = (weight.len() / bias.len(), bias.len());
    let mut layer = LinearConfig::new(from, to).init(&Device::flex());
    layer.weight = Param::from_tensor(tensor(weight, [from, to]));
    layer.bias = Some(Param::from_tensor(tensor(bias, [to])));
    layer
}

/// One hidden layer of any nonlinearity.
#[derive(Module, Debug)]
struct Mlp {
    first: Linear,
    last: Linear,
}

impl Mlp {
    fn random(seed: u64, bias: [f64; 5]) -> Self {
        Self {
            first: linear(&noise(15, seed), &bias),
            last: linear(&noise(5, seed + 1), &[0.1]),
        }
    }
}

fn risk(batches: Vec<Tensor<2>>, hidden: fn(Tensor<2>) -> Tensor<2>) -> Risk<Mlp, Tensor<2>> {
    Risk::mean(batches, move |model: &Mlp, x: &Tensor<2>| {
        let outputs = model.last.forward(hidden(model.first.forward(x.clone())));
        (outputs - 1.0).square().mean()
    })
}

fn inputs(examples: usize) -> Tensor<2> {
    tensor(&noise(3 * examples, 77), [examples, 3])
}

/// All but the moments, which are sums in another order.
fn counts(found: &Activations) -> Vec<impl PartialEq + std::fmt::Debug> {
    let layers = found.layers.iter();
    layers
        .map(|layer| {
            let shares = (layer.zeros.clone(), layer.saturation.clone());
            (
                layer.name.clone(),
                layer.dead.clone(),
                layer.saturated.clone(),
                shares,
                layer.entries,
            )
        })
        .collect()
}

#[test]
fn units_with_a_bias_of_minus_a_hundred_are_dead_and_have_no_gradient() {
    let model = Mlp::random(1, [0.5, -100.0, 0.3, -100.0, 0.2]);
    let risk = risk(vec![inputs(12)], relu);
    let found = activations(&model, &risk).unwrap();
    assert_eq!(found.examples, 12);
    let [layer] = &found.layers[..] else {
        panic!("{found:?}")
    };
    assert_eq!(layer.name, "layer_1_relu");
    assert_eq!(layer.module.as_deref(), Some("first"));
    assert_eq!((layer.units, layer.entries), (5, 12));
    assert_eq!(layer.dead, Some(vec![1, 3]));
    assert_eq!(
        (found.dead_share(), found.saturated_share()),
        (Some(0.4), None)
    );
    // The same from the weights by hand.
    let (w, x) = (noise(15, 1), noise(36, 77));
    let hidden = |n: usize, unit: usize| {
        let dot: f64 = (0..3).map(|i| x[3 * n + i] * w[5 * i + unit]).sum();
        (dot + [0.5, -100.0, 0.3, -100.0, 0.2][unit]).max(0.0)
    };
    let all: Vec<f64> = (0..60).map(|entry| hidden(entry / 5, entry % 5)).collect();
    for unit in 0..5 {
        let zeros = (0..12).filter(|&n| hidden(n, unit) == 0.0).count();
        assert_eq!(layer.zeros[unit], zeros as f64 / 12.0);
    }
    let mean = all.iter().sum::<f64>() / 60.0;
    let std = (all.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / 60.0).sqrt();
    assert!((layer.mean - mean).abs() < 1e-15 && (layer.std - std).abs() < 1e-15);
    // Columns of the first weight, entries of its bias, rows of the second weight.
    let gradient = download(&risk.gradient(&model).unwrap().1);
    for unit in [1, 3] {
        let places = [unit, 5 + unit, 10 + unit, 15 + unit, 20 + unit];
        assert!(
            places.iter().all(|&place| gradient[place] == 0.0),
            "{gradient:?}"
        );
    }
}

#[test]
fn whatever_the_weights_a_dead_unit_has_no_gradient() {
    let mut dead = 0;
    for seed in 0..30 {
        let model = Mlp::random(seed, noise(5, seed + 100).try_into().unwrap());
        let risk = risk(vec![inputs(6)], relu);
        let found = activations(&model, &risk).unwrap();
        let gradient = download(&risk.gradient(&model).unwrap().1);
        for &unit in found.layers[0].dead.as_ref().unwrap() {
            dead += 1;
            let places = [unit, 5 + unit, 10 + unit, 15 + unit, 20 + unit];
            assert!(
                places.iter().all(|&place| gradient[place] == 0.0),
                "seed {seed}"
            );
        }
    }
    // Of 150 units some are dead without being made so.
    assert!(dead > 5, "{dead}");
}

#[test]
fn counts_do_not_depend_on_how_examples_are_cut_into_batches() {
    let x = inputs(12);
    let cut = |lengths: &[usize]| {
        let mut start = 0;
        let parts = lengths.iter().map(|&length| {
            start += length;
            x.clone().slice([start - length..start])
        });
        parts.collect::<Vec<_>>()
    };
    for hidden in [relu, tanh, gelu, silu] {
        let model = Mlp::random(3, [0.1, -9.0, 0.4, 30.0, -0.2]);
        let whole = activations(&model, &risk(vec![x.clone()], hidden)).unwrap();
        for lengths in [&[5, 5, 2][..], &[1; 12], &[11, 1]] {
            let parts = activations(&model, &risk(cut(lengths), hidden)).unwrap();
            assert_eq!(counts(&parts), counts(&whole));
            assert_eq!(parts.examples, 12);
            let (a, b) = (&parts.layers[0], &whole.layers[0]);
            // Sums of sixty terms in another order.
            assert!((a.mean - b.mean).abs() < 1e-14 * b.std.max(1.0));
            assert!((a.std - b.std).abs() < 1e-14 * b.std.max(1.0));
            assert!((a.std_within_units - b.std_within_units).abs() < 1e-14 * b.std.max(1.0));
        }
    }
}

#[derive(Module, Debug)]
struct Cnn {
    first: Conv2d,
    second: Conv2d,
    last: Linear,
}

#[test]
fn a_unit_of_a_convolution_is_a_channel_over_examples_and_positions() {
    let device = Device::flex();
    let mut model = Cnn {
        first: Conv2dConfig::new([1, 3], [3, 3]).init(&device),
        second: Conv2dConfig::new([3, 2], [2, 2]).init(&device),
        last: linear(&noise(18, 5), &[0.0]),
    };
    model.first.weight = Param::from_tensor(tensor(&noise(27, 6), [3, 1, 3, 3]));
    model.first.bias = Some(Param::from_tensor(tensor(&[0.1, -100.0, 0.2], [3])));
    model.second.weight = Param::from_tensor(tensor(&noise(24, 7), [2, 3, 2, 2]));
    model.second.bias = Some(Param::from_tensor(tensor(&[-100.0, 0.5], [2])));
    let x = tensor(&noise(4 * 36, 8), [4, 1, 6, 6]);
    let risk = Risk::mean([x], |model: &Cnn, x: &Tensor<4>| {
        let hidden = relu(model.first.forward(x.clone()));
        // Channels last for a while: the axis of features goes along.
        let hidden = relu(model.second.forward(hidden).permute([0, 2, 3, 1]));
        let hidden = hidden.permute([0, 3, 1, 2]).flatten::<2>(1, 3);
        model.last.forward(hidden).square().mean()
    });
    let found = activations(&model, &risk).unwrap();
    let [first, second] = &found.layers[..] else {
        panic!("{found:?}")
    };
    assert_eq!(
        (first.units, first.entries, first.dead.clone()),
        (3, 4 * 16, Some(vec![1]))
    );
    assert_eq!(
        (second.units, second.entries, second.dead.clone()),
        (2, 4 * 9, Some(vec![0]))
    );
    assert_eq!(second.module.as_deref(), Some("second"));
    assert_eq!(found.dead_share(), Some(0.4));
    let space = ParameterSpace::of(&model).unwrap();
    let gradient = download(&risk.gradient(&model).unwrap().1);
    let filter = |path: &str, channel: usize| {
        let block = space
            .blocks
            .iter()
            .find(|block| block.path == path)
            .unwrap();
        let ranges = block.filters().nth(channel).unwrap();
        let entries = ranges
            .into_iter()
            .flatten()
            .map(|entry| gradient[block.offset + entry]);
        entries.collect::<Vec<f64>>()
    };
    assert!(filter("first.weight", 1).iter().all(|&g| g == 0.0));
    assert!(filter("second.weight", 0).iter().all(|&g| g == 0.0));
    assert!(filter("second.weight", 1).iter().any(|&g| g != 0.0));
}

#[derive(Module, Debug)]
struct One {
    layer: Linear,
}

#[test]
fn more_than_95_in_100_saturated_examples_make_a_tanh_unit_saturated() {
    // tanh(w x): saturated where |w x| > 2.993. Units with w = 10, 1 and 3.
    let model = One {
        layer: linear(&[10.0, 1.0, 3.0], &[0.0; 3]),
    };
    let measured = |x: Vec<f64>| {
        let count = x.len();
        let risk = Risk::mean([tensor(&x, [count, 1])], |model: &One, x: &Tensor<2>| {
            tanh(model.layer.forward(x.clone())).mean()
        });
        activations(&model, &risk).unwrap()
    };
    let mut x = vec![1.0; 20];
    x[7] = 0.0;
    let found = measured(x.clone());
    // 19 of 20 are 95 %, and not more.
    assert_eq!(found.layers[0].saturated, Some(vec![]));
    assert_eq!(found.layers[0].saturation, Some(vec![0.95, 0.0, 0.95]));
    assert_eq!(
        (found.dead_share(), found.saturated_share()),
        (None, Some(0.0))
    );
    x.push(-1.0);
    let found = measured(x);
    assert_eq!(found.layers[0].saturated, Some(vec![0, 2]));
    assert_eq!(found.saturated_share(), Some(2.0 / 3.0));
    // One example beside the threshold on either side: 1 - tanh² = 0.01 at 2.99322.
    let found = measured(vec![2.9932]);
    assert_eq!(found.layers[0].saturated, Some(vec![0, 2]));
    let found = measured(vec![2.9933]);
    assert_eq!(found.layers[0].saturated, Some(vec![0, 1, 2]));
}

#[test]
fn thresholds_are_settings() {
    let model = One {
        layer: linear(&[1.0], &[0.0]),
    };
    let risk = Risk::mean(
        [tensor(&[2.0, 0.0], [2, 1])],
        |model: &One, x: &Tensor<2>| sigmoid(model.layer.forward(x.clone())).mean(),
    );
    // 4 s (1 - s) at 2 is 0.42.
    let with = |slope, share| {
        let config = ActivationConfig::new().with_slope(slope).with_share(share);
        activations_with(&model, &risk, &config)
    };
    assert_eq!(with(0.43, 0.4).unwrap().saturated_share(), Some(1.0));
    assert_eq!(with(0.41, 0.4).unwrap().saturated_share(), Some(0.0));
    assert_eq!(with(0.43, 0.5).unwrap().saturated_share(), Some(0.0));
    for (slope, share) in [(-0.1, 0.5), (1.0, 0.5), (f64::NAN, 0.5), (0.1, 1.0)] {
        let error = with(slope, share).unwrap_err();
        assert!(matches!(error, Error::Setting { .. }), "{error}");
    }
}

#[test]
fn kinds_are_told_apart_and_functions_in_parts_put_together() {
    type Function = fn(Tensor<2>) -> Tensor<2>;
    let cases: [(Function, Option<NonlinearityKind>); 16] = [
        (relu, Some(NonlinearityKind::Relu)),
        (|x| x.clamp_min(0.0), Some(NonlinearityKind::Relu)),
        (|x| x.clamp(0.0, 6.0), Some(NonlinearityKind::ClippedRelu)),
        (
            |x| burn::tensor::activation::leaky_relu(x, 0.1),
            Some(NonlinearityKind::LeakyRelu),
        ),
        (gelu, Some(NonlinearityKind::Gelu)),
        (gelu_approximate, Some(NonlinearityKind::Gelu)),
        (silu, Some(NonlinearityKind::Silu)),
        (sigmoid, Some(NonlinearityKind::Sigmoid)),
        (tanh, Some(NonlinearityKind::Tanh)),
        (
            |x| burn::tensor::activation::hard_sigmoid(x, 0.2, 0.5),
            Some(NonlinearityKind::HardSigmoid),
        ),
        (mish, None),
        (hard_swish, None),
        (|x| x * 2.0, None),
        (|x| silu(x * 2.0), Some(NonlinearityKind::Silu)),
        (|x| gelu_approximate(x * 2.0), Some(NonlinearityKind::Gelu)),
        (|x| x.clone() * (tanh(x) + 1.0), None),
    ];
    let model = Mlp::random(3, [0.1, -9.0, 0.4, 30.0, -0.2]);
    for (number, (function, kind)) in cases.into_iter().enumerate() {
        let found = activations(&model, &risk(vec![inputs(7)], function)).unwrap();
        let kinds: Vec<_> = found.layers.iter().map(|layer| layer.kind).collect();
        assert_eq!(kinds, kind.into_iter().collect::<Vec<_>>(), "case {number}");
        let Some(layer) = found.layers.first() else {
            continue;
        };
        assert_eq!((layer.units, layer.entries), (5, 7), "case {number}");
        // The values are the function's, whatever it was recorded as.
        let hidden = function(model.first.forward(inputs(7))).reshape([35]);
        let hidden = download(&hidden);
        let mean = hidden.iter().sum::<f64>() / 35.0;
        let variance = hidden.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / 35.0;
        assert!((layer.mean - mean).abs() < 1e-14, "case {number}");
        assert!((layer.std - variance.sqrt()).abs() < 1e-13, "case {number}");
        // A unit with a bias of -9 is on the flat side of what has one.
        let is_flat = match layer.kind {
            NonlinearityKind::Relu | NonlinearityKind::ClippedRelu => &layer.dead,
            NonlinearityKind::LeakyRelu => &None,
            _ => &layer.saturated,
        };
        let expected = layer.kind != NonlinearityKind::LeakyRelu;
        assert_eq!(
            is_flat.as_ref().is_some_and(|units| units.contains(&1)),
            expected
        );
    }
}

#[test]
fn with_outputs_apart_the_sigmoid_of_the_loss_is_no_layer() {
    let model = Mlp::random(3, [0.1; 5]);
    let outputs =
        |model: &Mlp, (x, _): &Pair| model.last.forward(tanh(model.first.forward(x.clone())));
    let loss = |outputs: Tensor<2>, (_, y): &Pair| (sigmoid(outputs) - y.clone()).square().mean();
    let batch = (inputs(4), tensor(&[1.0, 0.0, 1.0, 1.0], [4, 1]));
    let apart = Risk::of([batch.clone()], outputs, loss, Reduction::Mean);
    let joint = Risk::mean([batch], move |model: &Mlp, batch: &Pair| {
        loss(outputs(model, batch), batch)
    });
    let names = |risk: &Risk<Mlp, Pair>| {
        let found = activations(&model, risk).unwrap();
        found
            .layers
            .into_iter()
            .map(|layer| layer.name)
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&apart), ["layer_1_tanh"]);
    assert_eq!(names(&joint), ["layer_1_tanh", "layer_2_sigmoid"]);
}

#[derive(Module, Debug)]
struct Normed {
    first: Linear,
    norm: BatchNorm,
    dropout: Dropout,
    last: Linear,
}

/// The bits of every float tensor, running statistics included.
#[derive(Default)]
struct Bits(Vec<u64>);

impl ModuleVisitor for Bits {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let values = param.val().into_data();
        self.0.extend(values.iter::<f64>().map(f64::to_bits));
    }
}

#[test]
fn dropout_is_off_and_normalisation_is_the_risks_and_nothing_moves() {
    let device = Device::flex().autodiff();
    let wide = |layer: Linear| layer.fork(&device);
    let model = Normed {
        first: wide(linear(&noise(6, 1), &[0.0, 0.0])),
        norm: landscape::cast(
            &BatchNormConfig::new(2).init(&device),
            burn::tensor::FloatDType::F64,
        )
        .unwrap(),
        dropout: DropoutConfig::new(0.9).init(),
        last: wide(linear(&[1.0, -1.0], &[0.0])),
    };
    let risk = Risk::mean([inputs(8)], |model: &Normed, x: &Tensor<2>| {
        let normed = model.norm.forward(model.first.forward(x.clone()));
        let hidden = sigmoid(model.dropout.forward(normed));
        model.last.forward(hidden).square().mean()
    });
    let bits = |model: &Normed| {
        let mut bits = Bits::default();
        model.visit(&mut bits);
        bits.0
    };
    let before = bits(&model);
    let running = activations(&model, &risk).unwrap();
    let batch = activations(&model, &risk.clone().with_statistics(Statistics::Batch)).unwrap();
    assert_eq!(bits(&model), before);
    // Fresh running statistics are mean 0 and variance 1: the layer is the identity but for
    // epsilon. A dropped entry would be sigmoid(0), here nine in ten.
    let by_hand = |normalised: bool| {
        let (w, x) = (noise(6, 1), noise(24, 77));
        let mut all = Vec::new();
        for unit in 0..2 {
            let pre = |n: usize| (0..3).map(|i| x[3 * n + i] * w[2 * i + unit]).sum::<f64>();
            let pre: Vec<f64> = (0..8).map(pre).collect();
            let (mut mean, mut variance) = (0.0, 1.0);
            if normalised {
                mean = pre.iter().sum::<f64>() / 8.0;
                variance = pre.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / 8.0;
            }
            let scale = 1.0 / (variance + 1e-5_f64).sqrt();
            all.extend(
                pre.iter()
                    .map(|y| 1.0 / (1.0 + (-(y - mean) * scale).exp())),
            );
        }
        let mean = all.iter().sum::<f64>() / 16.0;
        (all.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / 16.0).sqrt()
    };
    for (found, normalised) in [(running, false), (batch, true)] {
        let layer = &found.layers[0];
        assert_eq!(layer.module.as_deref(), Some("norm"));
        // Burn has the epsilon of the layer in f32.
        assert!(
            (layer.std - by_hand(normalised)).abs() < 1e-9,
            "{normalised}"
        );
    }
}

#[derive(Module, Debug)]
struct Recurrent {
    gru: Gru,
    last: Linear,
}

#[test]
fn a_recurrent_layer_is_one_layer_over_all_its_steps() {
    let device = Device::flex();
    let model = Recurrent {
        gru: GruConfig::new(2, 3, true).init(&device),
        last: LinearConfig::new(3, 1).init(&device),
    };
    let x = Tensor::<3>::from_data(TensorData::new(noise(40, 9), [4, 5, 2]), &device);
    let risk = Risk::mean([x], |model: &Recurrent, x: &Tensor<3>| {
        model
            .last
            .forward(model.gru.forward(x.clone(), None))
            .square()
            .mean()
    });
    let found = activations(&model, &risk).unwrap();
    let layers: Vec<_> = found
        .layers
        .iter()
        .map(|layer| (layer.kind, layer.units, layer.entries))
        .collect();
    // Update gate, reset gate and candidate, each at five steps of four examples.
    let expected = [
        NonlinearityKind::Sigmoid,
        NonlinearityKind::Sigmoid,
        NonlinearityKind::Tanh,
    ];
    assert_eq!(layers, expected.map(|kind| (kind, 3, 20)));
    let modules: Vec<_> = found
        .layers
        .iter()
        .filter_map(|layer| layer.module.clone())
        .collect();
    for (module, gate) in modules
        .iter()
        .zip(["update_gate", "reset_gate", "new_gate"])
    {
        assert!(module.starts_with(&format!("gru.{gate}")), "{module}");
    }
}

#[test]
fn features_of_a_sequence_are_the_last_axis() {
    let device = Device::flex();
    let encoder: TransformerEncoder = TransformerEncoderConfig::new(4, 6, 2, 2).init(&device);
    let x = Tensor::<3>::from_data(TensorData::new(noise(60, 10), [3, 5, 4]), &device);
    let risk = Risk::mean([x], |model: &TransformerEncoder, x: &Tensor<3>| {
        model
            .forward(TransformerEncoderInput::new(x.clone()))
            .square()
            .mean()
    });
    let found = activations(&encoder, &risk).unwrap();
    let layers: Vec<_> = found
        .layers
        .iter()
        .map(|layer| (layer.kind, layer.units, layer.entries))
        .collect();
    assert_eq!(layers, [(NonlinearityKind::Gelu, 6, 15); 2]);
    assert_ne!(found.layers[0].module, found.layers[1].module);
}

#[test]
fn what_cannot_be_measured_is_one_sentence() {
    let model = Mlp::random(3, [0.1; 5]);
    let reads = Risk::mean([inputs(4)], |model: &Mlp, x: &Tensor<2>| {
        let hidden = relu(model.first.forward(x.clone()));
        let size: f64 = hidden.clone().mean().into_scalar();
        (model.last.forward(hidden) * size).square().mean()
    });
    let error = activations(&model, &reads).unwrap_err();
    assert!(matches!(error, Error::NotRecorded { .. }), "{error}");
    let text = error.to_string();
    assert!(
        text.starts_with("the activations are read from the recorded loss"),
        "{text}"
    );
    assert!(!text.contains('\n'), "{text}");
    let nan = Mlp::random(3, [f64::NAN; 5]);
    let error = activations(&nan, &risk(vec![inputs(4)], tanh)).unwrap_err();
    assert!(
        matches!(error, Error::NonFiniteVector { what: "activation" }),
        "{error}"
    );
    let none = activations(&model, &risk(vec![inputs(4)], |x| x)).unwrap();
    assert!(none.layers.is_empty() && none.std_range().is_none());
    assert_eq!((none.dead_share(), none.saturated_share()), (None, None));
}
