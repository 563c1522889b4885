//! What batches count for, and how many examples they have.

use burn::module::Module;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::{Linear, LinearConfig, Lstm, LstmConfig};
use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Int, Tensor, TensorData};
use landscape::download;
use landscape::sharpness::sam_sharpness;
use landscape::spectrum::materialize;
use landscape::{
    Batch, DifferenceConfig, Error, Fisher, GaussNewton, Grid, Hessian, LinearOperator, Method,
    Objective, ParameterSpace, Reduction, Risk, Stated, TensorMapper, line, plane,
    random_direction,
};

/// Tokens `[sentences, length]`, 0 is padding, and what they are to become.
type Tokens = (Tensor<2, Int>, Tensor<2, Int>);

#[derive(Module, Debug)]
struct Tagger {
    table: burn::nn::Embedding,
    head: Linear,
}

impl Tagger {
    fn new() -> Self {
        let device = Device::flex();
        Self {
            table: burn::nn::EmbeddingConfig::new(6, 3).init(&device),
            head: LinearConfig::new(3, 4).init(&device),
        }
    }

    fn outputs(&self, (x, _): &Tokens) -> Tensor<2> {
        let [sentences, length] = x.dims();
        let hidden = self.table.forward(x.clone()).tanh();
        self.head.forward(hidden).reshape([sentences * length, 4])
    }
}

/// The cross entropy over the tokens that are no padding, Burn's way.
fn token_loss(outputs: Tensor<2>, (_, y): &Tokens) -> Tensor<1> {
    let labels = y.clone().reshape([-1]);
    CrossEntropyLossConfig::new()
        .with_pad_tokens(Some(vec![0]))
        .init(&outputs.device())
        .forward(outputs, labels)
}

fn count_tokens((_, y): &Tokens) -> f64 {
    let labels = y.to_data();
    labels.iter::<i64>().filter(|&label| label != 0).count() as f64
}

fn tokens(rows: &[[i64; 4]]) -> Tokens {
    let flat: Vec<i64> = rows.concat();
    let x = TensorData::new(
        flat.iter().map(|&y| (y * 3 + 1) % 6).collect(),
        [rows.len(), 4],
    );
    let y = TensorData::new(flat, [rows.len(), 4]);
    let device = Device::flex();
    (Tensor::from_data(x, &device), Tensor::from_data(y, &device))
}

/// Two batches of two sentences, of 8 and of 2 tokens, and all four sentences in one batch.
fn ragged() -> ([Tokens; 2], Tokens) {
    let long = [[1, 2, 3, 1], [3, 3, 2, 1]];
    let short = [[2, 0, 0, 0], [1, 0, 0, 0]];
    let all = [long, short].concat();
    ([tokens(&long), tokens(&short)], tokens(&all))
}

fn apart(batches: &[Tokens]) -> Risk<Tagger, Tokens> {
    Risk::of(
        batches,
        |model: &Tagger, batch: &Tokens| model.outputs(batch),
        token_loss,
        Reduction::Mean,
    )
}

fn assert_near(found: &[f64], expected: &[f64], tolerance: f64) {
    let size = expected.iter().fold(1e-3_f64, |m, x| m.max(x.abs()));
    assert_eq!(found.len(), expected.len());
    for (x, y) in found.iter().zip(expected) {
        assert!((x - y).abs() <= tolerance * size, "{x} for {y}");
    }
}

#[test]
fn a_loss_per_token_weighted_by_tokens_is_that_of_one_batch_of_all() {
    let model = Tagger::new();
    let ([long, short], all) = ragged();
    let own =
        |batch: &Tokens| -> f64 { token_loss(model.outputs(batch), batch).into_scalar::<f64>() };
    let expected = (8.0 * own(&long) + 2.0 * own(&short)) / 10.0;
    let sentences = apart(&[long.clone(), short.clone()]);
    assert!((sentences.value(&model).unwrap() - expected).abs() > 1e-3);
    let risk = sentences.with_weights(count_tokens);
    let whole = apart(&[all]);
    assert_near(&[risk.value(&model).unwrap()], &[expected], 1e-6);
    assert_near(&[whole.value(&model).unwrap()], &[expected], 1e-6);

    let space = ParameterSpace::of(&model).unwrap();
    let d = random_direction(&space, 3);
    let gradient = |risk: &Risk<Tagger, Tokens>| download(&risk.gradient(&model).unwrap().1);
    assert_near(&gradient(&risk), &gradient(&whole), 1e-5);
    let points = [-0.5, 0.0, 0.7];
    let on_line = |risk| line(&model, risk, &d, &points).unwrap().loss;
    assert_near(&on_line(&risk), &on_line(&whole), 1e-5);
    let other = random_direction(&space, 4);
    let grid = Grid::square(-0.5..=0.5, 3);
    let on_plane = |risk| plane(&model, risk, [&d, &other], &grid).unwrap().loss;
    assert_near(&on_plane(&risk), &on_plane(&whole), 1e-5);
    let sharpness = |risk| sam_sharpness(&model, risk, 0.1).unwrap().value;
    assert_near(&[sharpness(&risk)], &[sharpness(&whole)], 1e-4);
    let matrix = |risk| {
        materialize(&Hessian::at(&model, risk).unwrap())
            .unwrap()
            .entries
    };
    assert_near(&matrix(&risk), &matrix(&whole), 1e-5);
    let form = |risk| {
        Hessian::at(&model, risk)
            .unwrap()
            .quadratic_form(&d)
            .unwrap()
    };
    assert_near(&[form(&risk)], &[form(&whole)], 1e-5);
    let matrix = |risk| {
        let config = DifferenceConfig::new();
        let hessian = Hessian::by_differences(&model, risk, &config).unwrap();
        materialize(&hessian).unwrap().entries
    };
    assert_near(&matrix(&risk), &matrix(&whole), 1e-4);
    let matrix = |risk| {
        materialize(&GaussNewton::at(&model, risk).unwrap())
            .unwrap()
            .entries
    };
    assert_near(&matrix(&risk), &matrix(&whole), 1e-5);
}

#[test]
fn a_sum_over_tokens_is_divided_by_the_weights() {
    let model = Tagger::new();
    let ([long, short], all) = ragged();
    let sum = |outputs: Tensor<2>, (_, y): &Tokens| {
        let labels = y.clone().reshape([-1]);
        let mask = labels.clone().not_equal_elem(0).float();
        let picked = log_softmax(outputs, 1).gather(1, labels.unsqueeze_dim(1));
        (picked.squeeze_dim::<1>(1) * mask).sum().neg()
    };
    let risk = Risk::of(
        [long, short],
        |model: &Tagger, batch: &Tokens| model.outputs(batch),
        sum,
        Reduction::Sum,
    )
    .with_weights(count_tokens);
    let whole = apart(&[all]);
    assert_near(
        &[risk.value(&model).unwrap()],
        &[whole.value(&model).unwrap()],
        1e-6,
    );
    let matrix = |risk| {
        materialize(&Hessian::at(&model, risk).unwrap())
            .unwrap()
            .entries
    };
    assert_near(&matrix(&risk), &matrix(&whole), 1e-5);
}

#[test]
fn weighted_batches_are_cut_only_where_that_is_right() {
    let model = Tagger::new();
    // 4,096 sentences each; in the first all have 4 tokens, in the second half of them 1.
    let full = tokens(&[[1, 2, 3, 1], [3, 3, 2, 1]].repeat(2048));
    let mut rows = [[1, 2, 3, 1], [2, 3, 2, 2]].repeat(1024);
    rows.extend([[2, 0, 0, 0], [1, 0, 0, 0]].repeat(1024));
    let half = tokens(&rows);
    for (batch, cut) in [(full.clone(), true), (half.clone(), false)] {
        let risk = apart(&[batch]).with_weights(count_tokens);
        let method = Hessian::at(&model, &risk).unwrap().method();
        let Method::Exact { kept, .. } = method else {
            panic!("{method}")
        };
        assert_eq!(kept > 1, cut, "{kept} parts");
    }
    let risk = apart(&[full.clone(), half.clone()]).with_weights(count_tokens);
    let space = ParameterSpace::of(&model).unwrap();
    let d = random_direction(&space, 3);
    let found = Hessian::at(&model, &risk)
        .unwrap()
        .quadratic_form(&d)
        .unwrap();
    let of = |batch| {
        let risk = apart(&[batch]);
        let config = landscape::ProductConfig::new().with_cut_batches(false);
        let hessian = Hessian::at_with(&model, &risk, &config).unwrap();
        hessian.quadratic_form(&d).unwrap()
    };
    let (w, v) = (count_tokens(&full), count_tokens(&half));
    let expected = (w * of(full) + v * of(half)) / (w + v);
    assert_near(&[found], &[expected], 1e-5);
}

#[test]
fn weights_that_are_not_positive_are_named() {
    let model = Tagger::new();
    let ([long, short], _) = ragged();
    let nothing = tokens(&[[0, 0, 0, 0]]);
    let risk = apart(&[long.clone(), nothing]).with_weights(count_tokens);
    let error = risk.value(&model).unwrap_err();
    assert_eq!(
        error,
        Error::Weight {
            index: 1,
            weight: 0.0
        }
    );
    let risk = apart(&[long, short]).with_weights(|_| f64::NAN);
    assert!(matches!(
        Hessian::at(&model, &risk),
        Err(Error::Weight { index: 0, .. })
    ));
}

#[test]
fn gradients_of_examples_under_weights_have_the_gradient_as_their_weighted_mean() {
    let device = Device::flex();
    let model = LinearConfig::new(1, 1).with_bias(false).init(&device);
    let batch =
        |x: &[f32]| Tensor::<2>::from_data(TensorData::new(x.to_vec(), [x.len(), 1]), &device);
    // The loss terms w x have the gradients x; the batches count 3 and 1.
    let risk = Risk::of(
        [batch(&[1.0, 2.0]), batch(&[5.0])],
        |model: &Linear, x: &Tensor<2>| model.forward(x.clone()),
        |outputs: Tensor<2>, _: &Tensor<2>| outputs.mean(),
        Reduction::Mean,
    )
    .with_weights(|x: &Tensor<2>| if x.dims()[0] == 2 { 3.0 } else { 1.0 });
    let mean = (3.0 * 1.5 + 5.0) / 4.0;
    let second = (3.0 * 2.5 + 25.0) / 4.0;
    assert_near(&download(&risk.gradient(&model).unwrap().1), &[mean], 1e-6);
    let objective = Objective::at(&model, &risk).unwrap();
    let statistics = objective.example_statistics().unwrap();
    assert_near(&statistics.norms, &[1.0, 2.0, 5.0], 1e-6);
    assert_near(&statistics.sum_of_squares, &[3.0 * second], 1e-6);
    let fisher = materialize(&Fisher::at(&model, &risk).unwrap()).unwrap();
    assert_near(&fisher.entries, &[second], 1e-6);
}

/// `[T, B, C]` and a target for each of the B sequences.
type Sequences = (Tensor<3>, Tensor<1>);

#[derive(Module, Debug)]
struct Recurrent {
    lstm: Lstm,
    head: Linear,
}

impl Recurrent {
    fn loss(&self, (x, y): &Sequences) -> Tensor<1> {
        let (_, state) = self.lstm.forward(x.clone(), None);
        let outputs = self.head.forward(state.hidden);
        (outputs.reshape([-1]) - y.clone()).square().mean()
    }
}

fn sequences(count: usize, speed: f32) -> Sequences {
    let wave = |len: usize| -> Vec<f32> {
        (0..len)
            .map(|i| (speed * (i * i) as f32 + 0.4).sin())
            .collect()
    };
    let device = Device::flex();
    (
        Tensor::from_data(TensorData::new(wave(10 * count), [5, count, 2]), &device),
        Tensor::from_data(TensorData::new(wave(count), [count]), &device),
    )
}

#[derive(Clone)]
struct TimeFirst(Sequences);

impl Batch for TimeFirst {
    fn map<F: TensorMapper>(self, f: &mut F) -> Self {
        Self(Batch::map(self.0, f))
    }

    fn stated_examples(&self) -> Option<usize> {
        Some(self.0.1.dims()[0])
    }
}

#[test]
fn batches_with_the_time_first_must_say_how_many_examples_they_have() {
    let device = Device::flex();
    let model = Recurrent {
        lstm: LstmConfig::new(2, 3, true)
            .with_batch_first(false)
            .init(&device),
        head: LinearConfig::new(3, 1).init(&device),
    };
    let batches = [sequences(4, 0.3), sequences(1, 0.9)];
    let own = |batch: &Sequences| model.loss(batch).into_scalar::<f64>();
    let expected = (4.0 * own(&batches[0]) + own(&batches[1])) / 5.0;
    let silent = Risk::mean(&batches, Recurrent::loss);
    let unclear = Error::ExamplesUnclear {
        index: 0,
        first: 5,
        other: 4,
    };
    assert_eq!(silent.value(&model), Err(unclear.clone()));
    assert!(unclear.to_string().contains("`Batch::stated_examples`"));
    assert_eq!(Objective::at(&model, &silent).unwrap_err(), unclear);
    assert_eq!(Hessian::at(&model, &silent).unwrap_err(), unclear);
    let stated = batches.clone().map(|batch| {
        let count = batch.1.dims()[0];
        Stated::new(batch, count)
    });
    let stated = Risk::mean(stated, |m: &Recurrent, b: &Stated<Sequences>| {
        m.loss(&b.batch)
    });
    assert_near(&[stated.value(&model).unwrap()], &[expected], 1e-6);
    let own_type = Risk::mean(batches.map(TimeFirst), |m: &Recurrent, b: &TimeFirst| {
        m.loss(&b.0)
    });
    assert_near(&[own_type.value(&model).unwrap()], &[expected], 1e-6);
    let space = ParameterSpace::of(&model).unwrap();
    let d = random_direction(&space, 3);
    let slice = line(&model, &own_type, &d, &[0.0]).unwrap();
    assert_near(&slice.loss, &[expected], 1e-6);
}

#[test]
fn class_weights_in_the_batch_do_not_count_as_examples() {
    type Weighted = (Tensor<1>, Tensor<2>, Tensor<1, Int>);
    let device = Device::flex();
    let model: Linear = LinearConfig::new(2, 3).init(&device);
    let weights = Tensor::<1>::from_floats([1.0, 2.0, 0.5], &device);
    let batch = |rows: usize| {
        let labels: Vec<i64> = (0..rows as i64).map(|i| i % 3).collect();
        let y = Tensor::<1, Int>::from_data(TensorData::new(labels, [rows]), &device);
        let x = Tensor::<1, Int>::arange(0..2 * rows as i64, &device).float() / 7.0;
        (weights.clone(), x.sin().reshape([rows, 2]), y)
    };
    let loss = |model: &Linear, (weights, x, y): &Weighted| {
        let picked = log_softmax(model.forward(x.clone()), 1).gather(1, y.clone().unsqueeze_dim(1));
        let weights = weights.clone().select(0, y.clone());
        (picked.squeeze_dim::<1>(1) * weights.clone()).sum().neg() / weights.sum()
    };
    let batches = [batch(9), batch(1)];
    let risk = Risk::mean(&batches, loss);
    assert!(matches!(
        risk.value(&model),
        Err(Error::ExamplesUnclear {
            first: 3,
            other: 9,
            ..
        })
    ));
    // One batch that happens to have as many examples as classes is no help to the other.
    let risk = Risk::mean([batch(3), batch(9)], loss);
    assert!(matches!(
        risk.value(&model),
        Err(Error::ExamplesUnclear { index: 1, .. })
    ));
    // Divided by the sum of the weights of all labels: what one batch of all gives.
    let stated = batches.map(|batch| {
        let count = batch.2.dims()[0];
        Stated::new(batch, count)
    });
    let all = batch(10);
    let risk = Risk::mean(stated, move |m: &Linear, b: &Stated<Weighted>| {
        loss(m, &b.batch)
    })
    .with_weights(|b: &Stated<Weighted>| {
        let (weights, _, y) = b.batch.clone();
        weights.select(0, y).sum().into_scalar::<f64>()
    });
    // batch(1) has the first row and the first label of batch(10), so does the closed form.
    let (w9, w1) = (3.0 * 3.5, 1.0);
    let own = |batch: &Weighted| loss(&model, batch).into_scalar::<f64>();
    let expected = (w9 * own(&batch(9)) + w1 * own(&batch(1))) / (w9 + w1);
    assert_near(&[risk.value(&model).unwrap()], &[expected], 1e-6);
    assert!(own(&all).is_finite());
}
