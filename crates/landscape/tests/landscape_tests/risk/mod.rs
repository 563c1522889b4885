//! The risk: weighting, reductions, bad data, and that measuring changes nothing.

mod batches;
mod changing;
mod weights;

use burn::module::{Module, Param};
use burn::nn::{BatchNorm, BatchNormConfig, Dropout, DropoutConfig, Linear, LinearConfig};
use burn::tensor::{DType, Device, Tensor, TensorData};
use landscape::download;
use landscape::{
    Batch, DifferenceConfig, Error, Hessian, LinearOperator, Objective, ParameterSpace, Reduction,
    Risk, Statistics,
};

type Pair = (Tensor<2>, Tensor<2>);

/// y = w x with one weight, in f64.
fn line_model(device: &Device, weight: f64) -> Linear {
    let mut linear = LinearConfig::new(1, 1).with_bias(false).init(device);
    let value = Tensor::from_data(TensorData::from([[weight]]), (device, DType::F64));
    linear.weight = Param::from_tensor(value);
    linear
}

fn column(device: &Device, values: &[f64]) -> Tensor<2> {
    Tensor::from_data(
        TensorData::new(values.to_vec(), [values.len(), 1]),
        (device, DType::F64),
    )
}

fn pair(device: &Device, x: &[f64]) -> Pair {
    (column(device, x), column(device, &vec![0.0; x.len()]))
}

fn squares(model: &Linear, (x, y): &Pair) -> Tensor<2> {
    (model.forward(x.clone()) - y.clone()).powi_scalar(2)
}

fn mean_square(model: &Linear, batch: &Pair) -> Tensor<1> {
    squares(model, batch).mean()
}

#[test]
fn ragged_last_batch_counts_for_its_examples() {
    let device = Device::flex();
    let model = line_model(&device, 2.0);
    // The squares of 1, 2, 3 and of 5: the mean over examples is 39 / 4, of batch means 44.5 / 3.
    let batches = [pair(&device, &[1.0, 2.0, 3.0]), pair(&device, &[5.0])];
    let risk = Risk::mean(batches, mean_square);
    let (value, gradient) = risk.gradient(&model).unwrap();
    assert!((risk.value(&model).unwrap() - 4.0 * 39.0 / 4.0).abs() < 1e-14);
    assert!((value - 39.0).abs() < 1e-14);
    assert!((download(&gradient)[0] - 2.0 * 2.0 * 39.0 / 4.0).abs() < 1e-13);
}

#[test]
fn value_does_not_depend_on_how_examples_are_batched() {
    let device = Device::flex().autodiff();
    let model = line_model(&device, 0.5);
    let whole = Risk::mean([pair(&device, &[1.0, 2.0, 3.0, 4.0, 5.0])], mean_square);
    let parts = Risk::mean(
        vec![
            pair(&device, &[1.0, 2.0]),
            pair(&device, &[3.0, 4.0]),
            pair(&device, &[5.0]),
        ],
        mean_square,
    );
    assert!((whole.value(&model).unwrap() - parts.value(&model).unwrap()).abs() < 1e-15);
}

#[test]
fn sum_in_place_of_mean_is_noticed_and_named() {
    let device = Device::flex();
    let model = line_model(&device, 2.0);
    let risk = Risk::mean(
        [pair(&device, &[1.0, 2.0, 3.0])],
        |model: &Linear, batch: &Pair| squares(model, batch).sum(),
    );
    let error = risk.value(&model).unwrap_err();
    assert!(matches!(error, Error::LossIsNotMean { ratio, .. } if (ratio - 2.0).abs() < 1e-9));
    assert!(error.to_string().contains("not a mean"), "{error}");
}

#[test]
fn declared_sum_is_divided_by_the_number_of_examples() {
    let device = Device::flex();
    let model = line_model(&device, 2.0);
    let batches = [pair(&device, &[1.0, 2.0, 3.0]), pair(&device, &[5.0])];
    let risk = Risk::of(
        batches.clone(),
        |model: &Linear, (x, _): &Pair| model.forward(x.clone()),
        |outputs: Tensor<2>, (_, y): &Pair| (outputs - y.clone()).powi_scalar(2).sum(),
        Reduction::Sum,
    );
    assert!((risk.value(&model).unwrap() - 39.0).abs() < 1e-14);
    let wrong = Risk::of(
        batches,
        |model: &Linear, (x, _): &Pair| model.forward(x.clone()),
        |outputs: Tensor<2>, (_, y): &Pair| (outputs - y.clone()).powi_scalar(2).mean(),
        Reduction::Sum,
    );
    assert!(matches!(
        wrong.value(&model),
        Err(Error::LossIsNotMean { .. })
    ));
}

#[test]
fn bad_data_and_bad_losses_are_named() {
    let device = Device::flex();
    let model = line_model(&device, 2.0);
    let none = Risk::<Linear, Pair>::mean(Vec::new(), mean_square);
    assert_eq!(none.value(&model), Err(Error::NoData));
    let empty = Risk::mean([pair(&device, &[1.0]), pair(&device, &[])], mean_square);
    assert_eq!(empty.value(&model), Err(Error::EmptyBatch { index: 1 }));
    let vector = Risk::mean(
        [pair(&device, &[1.0, 2.0])],
        |model: &Linear, batch: &Pair| squares(model, batch).reshape([-1]),
    );
    assert!(matches!(
        vector.value(&model),
        Err(Error::LossNotScalar { index: 0, .. })
    ));
    let constant = Risk::mean([pair(&device, &[1.0])], |_: &Linear, (x, _): &Pair| {
        x.clone().mean()
    });
    assert!(constant.value(&model).is_ok());
    assert_eq!(
        constant.gradient(&model).unwrap_err(),
        Error::Disconnected { index: 0 }
    );
}

#[test]
fn infinite_loss_is_a_value_but_no_gradient() {
    let device = Device::flex();
    let model = line_model(&device, 2.0);
    let risk = Risk::mean([pair(&device, &[1.0, f64::INFINITY])], mean_square);
    assert_eq!(risk.value(&model), Ok(f64::INFINITY));
    assert!(matches!(
        risk.gradient(&model),
        Err(Error::NonFiniteLoss { .. })
    ));
    assert!(matches!(
        Hessian::at(&model, &risk),
        Err(Error::NonFiniteLoss { .. })
    ));
}

#[test]
fn frozen_model_is_an_error() {
    let device = Device::flex().autodiff();
    let model = line_model(&device, 2.0).no_grad();
    let risk = Risk::mean([pair(&device, &[1.0])], mean_square);
    assert_eq!(
        risk.gradient(&model).unwrap_err(),
        Error::NoTrainableParameter { frozen: 1 }
    );
}

#[test]
fn streamed_batches_equal_held_ones() {
    use burn::data::dataloader::{DataLoaderBuilder, batcher::Batcher};
    use burn::data::dataset::InMemDataset;

    struct Columns;
    impl Batcher<f64, Pair> for Columns {
        fn batch(&self, items: Vec<f64>, device: &Device) -> Pair {
            pair(device, &items)
        }
    }
    let device = Device::flex();
    let model = line_model(&device, 2.0);
    let items = vec![1.0, 2.0, 3.0, 5.0];
    let loader = DataLoaderBuilder::new(Columns)
        .batch_size(3)
        .set_device(device.clone())
        .build(InMemDataset::new(items));
    let streamed = Risk::mean(loader, mean_square);
    assert_eq!(streamed.value(&model), Ok(39.0));
    assert!((streamed.gradient(&model).unwrap().0 - 39.0).abs() < 1e-14);
}

/// Five ragged batches are read once by an evaluation, after a look at the first of them.
#[test]
fn an_evaluation_reads_streamed_batches_once() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use burn::data::dataloader::{DataLoaderBuilder, batcher::Batcher};
    use burn::data::dataset::InMemDataset;

    struct Noting(Arc<AtomicUsize>);
    impl Batcher<f64, Pair> for Noting {
        fn batch(&self, items: Vec<f64>, device: &Device) -> Pair {
            self.0.fetch_add(1, Ordering::Relaxed);
            pair(device, &items)
        }
    }
    let device = Device::flex();
    let model = line_model(&device, 2.0);
    let read = Arc::new(AtomicUsize::new(0));
    let loader = DataLoaderBuilder::new(Noting(Arc::clone(&read)))
        .batch_size(2)
        .set_device(device.clone())
        .build(InMemDataset::new((1..10).map(f64::from).collect()));
    let reads = |evaluate: &dyn Fn()| {
        let before = read.load(Ordering::Relaxed);
        evaluate();
        read.load(Ordering::Relaxed) - before
    };
    let risk = Risk::mean(loader, mean_square);
    // 4 times the mean of the squares from 1 to 9.
    let value = 4.0 * 285.0 / 9.0;
    let found = reads(&|| assert!((risk.value(&model).unwrap() / value - 1.0).abs() < 1e-14));
    assert_eq!(found, 5 + 1);
    let objective = Objective::at(&model, &risk).unwrap();
    let gradient = || {
        let (loss, gradient) = objective.gradient_here().unwrap();
        assert!((loss / value - 1.0).abs() < 1e-14);
        // The derivatives of mean (w x + b)^2 at b = 0.
        let expected = [2.0 * 2.0 * 285.0 / 9.0, 2.0 * 2.0 * 45.0 / 9.0];
        for (found, expected) in download(&gradient).iter().zip(expected) {
            assert!((found / expected - 1.0).abs() < 1e-14);
        }
    };
    // The first gradient of a risk looks at its first batch once more.
    assert!(reads(&gradient) <= 5 + 1);
    assert_eq!(reads(&gradient), 5);
    assert_eq!(reads(&|| assert_eq!(objective.examples(), Ok(9))), 0);
    let fresh = Objective::at(&model, &risk).unwrap();
    assert_eq!(reads(&|| assert_eq!(fresh.examples(), Ok(9))), 5);
}

#[derive(Module, Debug)]
struct Regularised {
    first: Linear,
    norm: BatchNorm,
    dropout: Dropout,
    second: Linear,
}

impl Regularised {
    fn new(device: &Device) -> Self {
        let model = Self {
            first: LinearConfig::new(3, 4).init(device),
            norm: BatchNormConfig::new(4).init(device),
            dropout: DropoutConfig::new(0.5).init(),
            second: LinearConfig::new(4, 1).init(device),
        };
        // A first pass in training mode gives statistics that are not their initial values.
        let x = Tensor::from_data(
            TensorData::from([[0.1f32, 0.2, 0.9], [1.0, -1.0, 0.3], [0.4, 0.0, -0.7]]),
            device,
        );
        let _ = model.forward(x);
        model
    }

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        self.second.forward(
            self.dropout
                .forward(self.norm.forward(self.first.forward(x))),
        )
    }

    fn loss(&self, (x, y): &Pair) -> Tensor<1> {
        (self.forward(x.clone()) - y.clone()).powi_scalar(2).mean()
    }
}

fn bits(model: &Regularised) -> Vec<u32> {
    let model = model.valid();
    let tensors = [
        model.norm.running_mean.value(),
        model.norm.running_var.value(),
        model.norm.gamma.val(),
        model.first.weight.val().reshape([-1]),
        model.second.weight.val().reshape([-1]),
    ];
    tensors
        .iter()
        .flat_map(|t| {
            t.to_data()
                .iter::<f32>()
                .map(f32::to_bits)
                .collect::<Vec<_>>()
        })
        .collect()
}

fn small_batch(device: &Device) -> Pair {
    let x = TensorData::from([
        [0.5f32, -0.2, 0.1],
        [0.3, 0.8, -0.6],
        [-1.0, 0.4, 0.2],
        [0.0, 0.1, 1.0],
    ]);
    let y = TensorData::from([[1.0f32], [0.0], [-1.0], [0.5]]);
    (Tensor::from_data(x, device), Tensor::from_data(y, device))
}

#[test]
fn probe_leaves_weights_and_batch_norm_statistics_unchanged() {
    let device = Device::flex().autodiff();
    for statistics in [Statistics::Running, Statistics::Batch] {
        let model = Regularised::new(&device);
        let before = bits(&model);
        let risk =
            Risk::mean([small_batch(&device)], Regularised::loss).with_statistics(statistics);
        let hessian = Hessian::at(&model, &risk).unwrap();
        let v = hessian.domain().upload(&vec![1.0; hessian.dim()]).unwrap();
        hessian.apply(&v).unwrap();
        risk.value(&model).unwrap();
        let space = ParameterSpace::of(&model).unwrap();
        let moved = space.displace(&model, &v).unwrap();
        let _ = moved.loss(&small_batch(&device)).backward();
        assert_eq!(bits(&model), before, "{statistics:?}");
    }
}

#[test]
fn statistics_choose_what_batch_norm_normalises_with() {
    let device = Device::flex().autodiff();
    let model = Regularised::new(&device);
    let batch = small_batch(&device);
    let risk = Risk::mean([batch.clone()], Regularised::loss);
    let running = risk.value(&model).unwrap();
    let by_batch = risk
        .clone()
        .with_statistics(Statistics::Batch)
        .value(&model)
        .unwrap();
    // Dropout is off in both, so the deployed model says what the first must be.
    let inner = batch.on_device(&Device::flex());
    let deployed: f32 = model.valid().loss(&inner).into_scalar();
    assert!((running - f64::from(deployed)).abs() < 1e-6);
    assert!((running - by_batch).abs() > 1e-3);
    assert_eq!(risk.value(&model), Ok(running), "no random mask takes part");
}

#[test]
fn batches_may_stand_on_a_device_with_gradient_checkpointing() {
    let plain = Device::flex();
    let checkpointing = Device::flex().autodiff().gradient_checkpointing();
    let expected = Risk::mean([small_batch(&plain)], Regularised::loss);
    let model = Regularised::new(&checkpointing);
    let risk = Risk::mean([small_batch(&checkpointing)], Regularised::loss);
    let (value, gradient) = risk.gradient(&model).unwrap();
    let (same_value, same_gradient) = expected.gradient(&model).unwrap();
    assert_eq!(value, same_value);
    assert_eq!(download(&gradient), download(&same_gradient));
    assert!(Hessian::at(&model, &risk).is_ok());
}

#[test]
fn closure_that_holds_constants_in_f32_is_measured_in_f32() {
    let device = Device::flex();
    let model: Linear = LinearConfig::new(1, 1).init(&device);
    let pair = (
        Tensor::<2>::ones([3, 1], &device),
        Tensor::<2>::zeros([3, 1], &device),
    );
    let offset = Tensor::<2>::ones([1, 1], &device);
    let risk = Risk::mean([pair], move |model: &Linear, (x, y): &Pair| {
        let offset = offset.clone().to_device(&x.device());
        (model.forward(x.clone()) - y.clone() + offset)
            .powi_scalar(2)
            .mean()
    });
    let hessian = Hessian::by_differences(&model, &risk, &DifferenceConfig::new()).unwrap();
    assert_eq!(hessian.domain().dtype, DType::F32);
    let product = hessian
        .apply(&hessian.domain().upload(&[1.0, 0.0]).unwrap())
        .unwrap();
    // (w + b + 1)^2 has the second derivative 2, up to differences in f32.
    assert!((download(&product)[0] - 2.0).abs() < 1e-2);
}

#[test]
fn batches_in_f32_are_cast_to_a_model_in_f64() {
    let device = Device::flex();
    let model = line_model(&device, 2.0);
    let pair = (
        Tensor::<2>::ones([3, 1], &device),
        Tensor::<2>::zeros([3, 1], &device),
    );
    assert!((Risk::mean([pair], mean_square).value(&model).unwrap() - 4.0).abs() < 1e-15);
}

#[test]
fn mean_of_terms_that_cancel_is_not_taken_for_a_sum() {
    let device = Device::flex();
    let model: Linear = LinearConfig::new(1, 1).init(&device);
    for seed in 0..200_u8 {
        let x: Vec<f32> = (0..8)
            .map(|i| f32::from(seed * 3 + i * 5 % 7).sin())
            .collect();
        let mean = x.iter().sum::<f32>() / 8.0;
        let centred: Vec<f32> = x.iter().map(|x| x - mean).collect();
        let batch = Tensor::<2>::from_data(TensorData::new(centred, [8, 1]), &device);
        let risk = Risk::mean([batch], |model: &Linear, x: &Tensor<2>| {
            (model.forward(x.clone()) - model.bias.as_ref().unwrap().val().unsqueeze()).mean()
        });
        assert!(risk.value(&model).is_ok(), "seed {seed}");
    }
}

#[test]
fn closure_for_one_batch_size_only_is_measured() {
    let device = Device::flex();
    let model = line_model(&device, 2.0);
    let risk = Risk::mean(
        [pair(&device, &[1.0, 2.0, 3.0])],
        |model: &Linear, (x, _): &Pair| {
            let offset = Tensor::<2>::zeros([3, 1], (&x.device(), DType::F64));
            (model.forward(x.clone()) - offset).powi_scalar(2).mean()
        },
    );
    assert!((risk.value(&model).unwrap() - 4.0 * 14.0 / 3.0).abs() < 1e-14);
}

/// An ordinary first layer: BatchNorm right on the data, which no layer has made autodiff before.
/// By the batch's mean and biased variance, `L = mean sin x̂` and `∂L/∂γ = mean cos(x̂) x̂` per
/// column.
#[test]
fn batch_norm_on_the_data_itself_uses_the_statistics_of_the_batch() {
    let columns = [[3.0_f64, 5.0, 4.5, 7.0], [-1.0, 0.5, 2.0, -0.3]];
    let mut value = 0.0;
    let mut slopes = [0.0; 2];
    for (column, slope) in columns.iter().zip(&mut slopes) {
        let mean = column.iter().sum::<f64>() / 4.0;
        let variance = column.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 4.0;
        for x in column {
            let normed = (x - mean) / (variance + 1e-5).sqrt();
            value += normed.sin() / 8.0;
            *slope += normed.cos() * normed / 8.0;
        }
    }
    for device in [Device::flex(), Device::flex().autodiff()] {
        let model: BatchNorm = BatchNormConfig::new(2).init(&device);
        let rows: Vec<f64> = (0..4)
            .flat_map(|n| columns.map(|column| column[n]))
            .collect();
        let x = Tensor::<2>::from_data(TensorData::new(rows, [4, 2]), (&device, DType::F32));
        let risk = Risk::mean([x], |norm: &BatchNorm, x: &Tensor<2>| {
            norm.forward(x.clone()).sin().mean()
        })
        .with_statistics(Statistics::Batch);
        assert!((risk.value(&model).unwrap() - value).abs() < 1e-6);
        let gradient = download(&risk.gradient(&model).unwrap().1);
        for (found, right) in gradient.iter().zip(slopes) {
            assert!((found - right).abs() < 1e-6, "{gradient:?} {slopes:?}");
        }
        let hessian = Hessian::at(&model, &risk).unwrap();
        assert!(
            hessian.method().to_string().starts_with("exact"),
            "{}",
            hessian.method()
        );
    }
}
