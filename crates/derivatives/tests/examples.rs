//! Gradients of single examples and quantities of the outputs.

use crate::device;
use burn::module::{Module, Param, ParamId};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Embedding, EmbeddingConfig, Linear, LinearConfig};
use burn::tensor::activation::{gelu, log_softmax};
use burn::tensor::module::max_pool2d;
use burn::tensor::ops::MaxPoolOptions;
use burn::tensor::{Bool, DType, Device, IndexingUpdateOp, Int, Tensor, TensorData};
use derivatives::{Capture, CapturedLoss, Error, Examples};

fn noise(len: usize, seed: u64) -> Vec<f64> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    (0..len)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            i32::try_from(state >> 33).map_or(0.0, f64::from) / f64::from(1 << 30) - 1.0
        })
        .collect()
}

fn floats<const D: usize>(shape: [usize; D], seed: u64) -> Tensor<D> {
    let values = noise(shape.iter().product(), seed);
    Tensor::from_data(TensorData::new(values, shape), (&device(), DType::F64))
}

fn integers<const D: usize>(shape: [usize; D], below: i64, seed: u64) -> Tensor<D, Int> {
    #[expect(clippy::cast_possible_truncation, reason = "small numbers")]
    let values: Vec<i64> = noise(shape.iter().product(), seed)
        .into_iter()
        .map(|x| ((x + 1.0) * 1e6) as i64 % below)
        .collect();
    Tensor::from_data(TensorData::new(values, shape), (&device(), DType::I64))
}

fn rows(matrix: Tensor<2>) -> Vec<Vec<f64>> {
    let [_, width] = matrix.dims();
    let values: Vec<f64> = matrix.into_data().iter::<f64>().collect();
    values.chunks(width).map(<[f64]>::to_vec).collect()
}

fn entries(vector: Tensor<1>) -> Vec<f64> {
    vector.into_data().iter::<f64>().collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn close(what: &str, ours: &[f64], theirs: &[f64]) {
    assert_eq!(ours.len(), theirs.len(), "{what}");
    let size = dot(theirs, theirs).sqrt().max(1e-3);
    let gap: f64 = ours.iter().zip(theirs).map(|(a, b)| (a - b).powi(2)).sum();
    // The same sums in another order.
    assert!(gap.sqrt() < 1e-13 * size, "{what}: {:e}", gap.sqrt() / size);
}

/// The sum of the vectors of some words, those that a mask leaves out excepted.
#[derive(Module, Debug)]
struct Words {
    embedding: Embedding,
    head: Linear,
}

#[derive(Clone)]
struct Sentences {
    words: Tensor<2, Int>,
    present: Tensor<2, Bool>,
    labels: Tensor<1, Int>,
}

impl Sentences {
    fn part(&self, range: std::ops::Range<usize>) -> Self {
        Self {
            words: self.words.clone().slice_dim(0, range.clone()),
            present: self.present.clone().slice_dim(0, range.clone()),
            labels: self.labels.clone().slice_dim(0, range),
        }
    }

    fn on(&self, device: &Device) -> Self {
        Self {
            words: self.words.clone().to_device(device),
            present: self.present.clone().to_device(device),
            labels: self.labels.clone().to_device(device),
        }
    }

    fn capture(&self, model: &Words) -> CapturedLoss {
        Capture::of(model)
            .marked_loss(|model: &Words, device, marks| {
                let mut batch = self.on(device);
                batch.words = marks.data(batch.words);
                batch.present = marks.data(batch.present);
                batch.labels = marks.data(batch.labels);
                let [examples, _] = batch.words.dims();
                let vectors = model.embedding.forward(batch.words.clone());
                let absent = batch
                    .present
                    .bool_not()
                    .unsqueeze_dim::<3>(2)
                    .expand([examples, 4, 3]);
                let sum: Tensor<2> = vectors.mask_fill(absent, 0.0).sum_dim(1).squeeze_dim(1);
                let outputs = model.head.forward(gelu(sum));
                marks.mark(&outputs);
                let labels = batch.labels.reshape([examples, 1]);
                log_softmax(outputs, 1).gather(1, labels).neg().mean()
            })
            .expect("a capture")
    }
}

fn words() -> (Words, Sentences) {
    let device = device();
    let model = Words {
        embedding: EmbeddingConfig::new(7, 3).init(&device),
        head: LinearConfig::new(3, 5).init(&device),
    };
    let batch = Sentences {
        words: integers([6, 4], 7, 1),
        present: floats([6, 4], 2).greater_elem(-0.4),
        labels: integers([6], 5, 3),
    };
    (model, batch)
}

#[test]
fn integers_and_booleans_may_vary_over_examples() {
    let (model, batch) = words();
    let whole = batch.capture(&model);
    let theta = whole.origin();
    let one = batch.part(2..3).capture(&model);
    let mut examples = Examples::default();
    examples.add(&batch.words);
    examples.add(&batch.present);
    examples.add(&batch.labels);
    let independent = rows(one.gradients_over(&theta, &examples).expect("gradients"));
    let coupled = rows(whole.per_example_gradients(&theta).expect("gradients"));
    for n in 0..6 {
        let (_, alone) = batch
            .part(n..n + 1)
            .capture(&model)
            .gradient(&theta)
            .expect("a gradient");
        let alone = entries(alone);
        close("by itself", &independent[n], &alone);
        close("in the batch", &coupled[n], &alone);
    }
}

/// A convolutional net with max pooling.
#[derive(Module, Debug)]
struct Images {
    conv: Conv2d,
    head: Linear,
}

fn images(model: &Images, x: &Tensor<4>, y: &Tensor<2>) -> CapturedLoss {
    Capture::of(model)
        .marked_loss(|model: &Images, device, marks| {
            let (x, y) = (x.clone().to_device(device), y.clone().to_device(device));
            let x = marks.data(x);
            let y = marks.data(y);
            let [examples, ..] = x.dims();
            let hidden = gelu(model.conv.forward(x));
            let pooled = max_pool2d(hidden, MaxPoolOptions::new([2, 2]));
            let outputs = model.head.forward(pooled.reshape([examples, 12]));
            marks.mark(&outputs);
            (outputs - y).square().sum_dim(1).mean()
        })
        .expect("a capture")
}

fn image_model() -> Images {
    let device = device();
    Images {
        conv: Conv2dConfig::new([2, 3], [3, 2]).init(&device),
        head: LinearConfig::new(12, 4).init(&device),
    }
}

#[test]
fn convolutions_and_pooling_over_examples_are_as_by_themselves() {
    let model = image_model();
    let (x, y) = (floats([5, 2, 6, 5], 4), floats([5, 4], 5));
    let part = |n: usize| {
        (
            x.clone().slice_dim(0, n..n + 1),
            y.clone().slice_dim(0, n..n + 1),
        )
    };
    let (first, target) = part(0);
    let one = images(&model, &first, &target);
    let theta = one.origin();
    let mut examples = Examples::default();
    examples.add(&x);
    examples.add(&y);
    let independent = rows(one.gradients_over(&theta, &examples).expect("gradients"));
    let whole = images(&model, &x, &y);
    let linearized = whole.linearize(&theta).expect("a point");
    let coupled = rows(linearized.per_example_gradients(1..4).expect("gradients"));
    for (n, ours) in independent.iter().enumerate() {
        let (x, y) = part(n);
        let (_, alone) = images(&model, &x, &y).gradient(&theta).expect("a gradient");
        let alone = entries(alone);
        close("by itself", ours, &alone);
        if (1..4).contains(&n) {
            close("in the batch", &coupled[n - 1], &alone);
        }
    }
    let none = linearized.per_example_gradients(2..2).expect("no rows");
    assert_eq!(none.dims(), [0, whole.dim()]);
}

#[test]
fn examples_that_do_not_fit_are_errors() {
    let model = image_model();
    let (x, y) = (floats([1, 2, 6, 5], 4), floats([1, 4], 5));
    let loss = images(&model, &x, &y);
    let of = |examples: &Examples| {
        let gradients = loss.gradients_over(&loss.origin(), examples);
        assert!(
            matches!(gradients, Err(Error::Examples { .. })),
            "{gradients:?}"
        );
    };
    let mut few = Examples::default();
    of(&few);
    few.add(&floats([3, 2, 6, 5], 4));
    of(&few);
    let mut uneven = few.clone();
    uneven.add(&floats([2, 4], 4));
    of(&uneven);
    let mut wide = few.clone();
    wide.add(&floats([3, 5], 4));
    of(&wide);
    few.add(&integers([3, 4], 2, 4));
    of(&few);
}

#[derive(Module, Debug)]
struct Point {
    theta: Param<Tensor<1>>,
}

/// Columns of each example's own data, taken and added up by each example's own indices:
/// `L = Σⱼ θⱼ x[kⱼ] + θ₀ Σᵢ yᵢ²`, with `y[kⱼ] += xⱼ`.
#[test]
fn indices_of_each_example_reach_into_its_own_data() {
    let model = Point {
        theta: Param::initialized(ParamId::new(), floats([3], 1)),
    };
    let (x, k) = (floats([4, 5], 2), integers([4, 3], 5, 3));
    let capture = |n: usize| {
        let x = x.clone().slice_dim(0, n..n + 1);
        let k = k.clone().slice_dim(0, n..n + 1);
        Capture::of(&model)
            .with_parameters([model.theta.id])
            .marked_loss(move |model: &Point, device, marks| {
                let (x, k) = (x.to_device(device), k.to_device(device));
                let x = marks.data(x);
                let k = marks.data(k);
                let theta = model.theta.val();
                let k = k.reshape([3]);
                let picked = x.clone().select(1, k.clone()).reshape([3]);
                let zeros = x.zeros_like();
                let some = x.slice_dim(1, 0..3);
                let added = zeros.select_assign(1, k, some, IndexingUpdateOp::Add);
                let scale = theta.clone().slice_dim(0, 0..1);
                (theta * picked).sum() + added.square().sum() * scale
            })
            .expect("a capture")
    };
    let one = capture(1);
    let mut examples = Examples::default();
    examples.add(&x);
    examples.add(&k);
    let gradients = one.gradients_over(&one.origin(), &examples);
    let gradients = rows(gradients.expect("gradients"));
    let indices: Vec<usize> = k
        .into_data()
        .iter::<i64>()
        .map(|k| usize::try_from(k).expect("an index"))
        .collect();
    let x = rows(x);
    for (n, gradient) in gradients.iter().enumerate() {
        let (x, k) = (&x[n], &indices[3 * n..3 * n + 3]);
        let mut y = [0.0; 5];
        for j in 0..3 {
            y[k[j]] += x[j];
        }
        let mut expected = [x[k[0]], x[k[1]], x[k[2]]];
        expected[0] += dot(&y, &y);
        close("g_n", gradient, &expected);
    }
}

/// `f = A θ` with the loss `1/N Σₙ exp(fₙ)` and a penalty.
#[test]
fn a_penalty_beside_the_outputs_belongs_to_no_example() {
    let model = Point {
        theta: Param::initialized(ParamId::new(), floats([3], 1)),
    };
    let capture = |penalised: bool| {
        Capture::of(&model)
            .with_parameters([model.theta.id])
            .marked_loss(move |model: &Point, _, marks| {
                let theta = model.theta.val();
                let outputs = theta.clone().cumsum(0);
                marks.mark(&outputs);
                let loss = outputs.exp().mean();
                if penalised {
                    loss + theta.square().sum() * 0.1
                } else {
                    loss
                }
            })
            .expect("a capture")
    };
    let penalised = capture(true);
    let theta = penalised.origin();
    let fisher = penalised.fisher_vector(&theta, &theta);
    assert_eq!(fisher.err(), Some(Error::BesideOutputs));
    let gradients = penalised.per_example_gradients(&theta);
    assert_eq!(gradients.err(), Some(Error::BesideOutputs));

    // Without: g_n = e^{f_n} (1, .., 1, 0, ..), with n ones.
    let plain = capture(false);
    let mut f = 0.0;
    let gradients = rows(plain.per_example_gradients(&theta).expect("gradients"));
    for (n, (g, x)) in gradients.iter().zip(entries(theta.clone())).enumerate() {
        f += x;
        let expected: Vec<f64> = (0..3).map(|i| if i <= n { f.exp() } else { 0.0 }).collect();
        close("g_n", g, &expected);
    }
    let v = floats([3], 2);
    let product = entries(plain.fisher_vector(&theta, &v).expect("a product"));
    let v = entries(v);
    let mut expected = vec![0.0; 3];
    for g in &gradients {
        let along = dot(g, &v) / 3.0;
        for (sum, g) in expected.iter_mut().zip(g) {
            *sum += along * g;
        }
    }
    close("F v", &product, &expected);
}

#[test]
fn the_jacobian_of_the_outputs_and_its_transpose_are_adjoint() {
    let model = image_model();
    let (x, y) = (floats([3, 2, 6, 5], 4), floats([3, 4], 5));
    let loss = images(&model, &x, &y);
    let theta = loss.origin();
    let v = floats([loss.dim()], 6);
    let u = floats([12], 7);
    let forward = entries(loss.outputs_jvp(&theta, &v).expect("J v"));
    let back = entries(loss.vjp(&theta, &u).expect("J^T u"));
    let (left, right) = (dot(&entries(u), &forward), dot(&back, &entries(v.clone())));
    assert!((left - right).abs() < 1e-13 * left.abs().max(1.0));

    // J v is the derivative of the outputs, up to the square of the step.
    let h = 1e-5;
    let at = |h: f64| entries(loss.outputs(&(theta.clone() + v.clone() * h)).expect("f"));
    let difference: Vec<f64> = at(h)
        .iter()
        .zip(at(-h))
        .map(|(a, b)| (a - b) / (2.0 * h))
        .collect();
    let size = dot(&forward, &forward).sqrt();
    let gap: f64 = forward
        .iter()
        .zip(&difference)
        .map(|(a, b)| (a - b).powi(2))
        .sum();
    assert!(gap.sqrt() < 1e-8 * size, "{:e}", gap.sqrt() / size);
    let short = loss.vjp(&theta, &floats([11], 7));
    assert_eq!(
        short.err(),
        Some(Error::Length {
            expected: 12,
            found: 11
        })
    );
    let plain = Capture::of(&model)
        .loss(|model: &Images, _| model.head.weight.val().square().sum())
        .expect("a capture");
    assert_eq!(plain.outputs(&theta).err(), Some(Error::NoOutputs));
    assert_eq!(plain.vjp(&theta, &theta).err(), Some(Error::NoOutputs));
}
