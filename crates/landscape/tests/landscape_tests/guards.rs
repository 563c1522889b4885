//! Closures that a captured loss, or a part of a batch, would get wrong without a word.
#![allow(missing_docs, reason = "a test")]

use burn::module::{Module, Param};
use burn::nn::loss::CrossEntropyLossConfig;
use burn::tensor::activation::{log_softmax, softmax};
use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use landscape::download;
use landscape::slice::Evaluation;
use landscape::{
    Batch, DifferenceConfig, Grid, Hessian, LinearOperator, Method, Objective, ParameterSpace,
    ProductConfig, Reduction, Risk, Stated, plane, random_direction,
};
use rayon::prelude::*;

fn waves<const D: usize>(shape: [usize; D], speed: f64, dtype: DType) -> Tensor<D> {
    let len: usize = shape.iter().product();
    let values: Vec<f64> = (0..len)
        .map(|i| (speed * ((i * i) as f64 + 1.3)).sin())
        .collect();
    let data = TensorData::new(values, shape).convert_dtype(dtype);
    Tensor::from_data(data, (&Device::flex(), dtype))
}

fn labels(len: usize, classes: usize) -> Tensor<1, Int> {
    let values: Vec<i64> = (0..len)
        .map(|i| i64::try_from((i * i + i / 3) % classes).expect("a class"))
        .collect();
    Tensor::from_data(TensorData::new(values, [len]), &Device::flex())
}

#[derive(Module, Debug)]
struct Net {
    first: Param<Tensor<2>>,
    second: Param<Tensor<2>>,
}

impl Net {
    fn new(classes: usize, dtype: DType) -> Self {
        Self {
            first: Param::from_tensor(waves([12, 9], 0.7, dtype)),
            second: Param::from_tensor(waves([9, classes], 1.1, dtype)),
        }
    }

    fn outputs(&self, x: Tensor<2>) -> Tensor<2> {
        x.matmul(self.first.val()).tanh().matmul(self.second.val())
    }
}

type Pairs = (Tensor<2>, Tensor<1, Int>);

/// A Hessian, and how far its product is from that by differences of Burn's gradients.
fn beside_differences<B: Batch>(model: &Net, risk: &Risk<Net, B>) -> (Hessian<Net, B>, f64) {
    let hessian = Hessian::at(model, risk).expect("a Hessian");
    let differences =
        Hessian::by_differences(model, risk, &DifferenceConfig::new()).expect("differences");
    let space = ParameterSpace::of(model).expect("parameters");
    let v = random_direction(&space, 3);
    let ours = download(&hessian.apply(&v).expect("a product"));
    let theirs = download(&differences.apply(&v).expect("a product"));
    let norm = |x: &mut dyn Iterator<Item = f64>| x.map(|x| x * x).sum::<f64>().sqrt();
    let gap = norm(&mut ours.iter().zip(&theirs).map(|(a, b)| a - b));
    (hessian, gap / norm(&mut theirs.iter().copied()))
}

/// With `c = softmax(f)` stopped, the Hessian is that of the loss in which c is a number.
#[test]
fn a_stopped_gradient_in_a_network_is_that_of_a_constant_in_the_batch() {
    type Fixed = (Tensor<2>, Tensor<2>);
    let model = Net::new(4, DType::F64);
    let x = waves([64, 12], 0.3, DType::F64);
    let loss = |fixed: Tensor<2>, outputs: Tensor<2>| {
        (fixed * outputs.clone()).sum_dim(1).mean() + outputs.square().mean()
    };
    let stopped = Risk::mean([x.clone()], move |model: &Net, x: &Tensor<2>| {
        let outputs = model.outputs(x.clone());
        let fixed = derivatives::stop_gradient(softmax(outputs.clone(), 1));
        loss(fixed, outputs)
    });
    let fixed = softmax(model.valid().outputs(x.clone()), 1);
    let constant = Risk::mean([(x, fixed)], move |model: &Net, (x, fixed): &Fixed| {
        loss(fixed.clone(), model.outputs(x.clone()))
    });
    let stopped = Hessian::at(&model, &stopped).expect("a Hessian");
    let constant = Hessian::at(&model, &constant).expect("a Hessian");
    let v = random_direction(stopped.space(), 3);
    let ours = download(&stopped.apply(&v).expect("a product"));
    let theirs = download(&constant.apply(&v).expect("a product"));
    for (a, b) in ours.iter().zip(theirs) {
        assert!((a - b).abs() < 1e-12, "{a} {b}");
    }
    let forms = (stopped.quadratic_form(&v), constant.quadratic_form(&v));
    let (a, b) = (forms.0.expect("a form"), forms.1.expect("a form"));
    assert!((a / b - 1.0).abs() < 1e-12, "{a} {b}");
}

#[test]
fn a_large_constant_does_not_hide_that_a_loss_is_no_mean() {
    let model = Net::new(4, DType::F32);
    for constant in [0.0, 1e4] {
        let batch: Pairs = (waves([2048, 12], 0.3, DType::F32), labels(2048, 4));
        let risk = Risk::mean([batch], move |model: &Net, (x, y): &Pairs| {
            let outputs = model.outputs(x.clone());
            let loss = CrossEntropyLossConfig::new()
                .with_weights(Some(vec![1.0, 3.0, 0.5, 8.0]))
                .init(&outputs.device());
            loss.forward(outputs, y.clone()) + constant
        });
        let cut = Hessian::at(&model, &risk).expect("a Hessian");
        let whole = ProductConfig::new().with_cut_batches(false);
        let whole = Hessian::at_with(&model, &risk, &whole).expect("a Hessian");
        let v = random_direction(cut.space(), 5);
        let [cut, whole] = [cut, whole].map(|hessian| download(&hessian.apply(&v).expect("Hv")));
        assert_eq!(cut, whole, "constant {constant}");
    }
}

#[test]
fn a_mean_is_cut_under_a_constant_too() {
    let model = Net::new(4, DType::F32);
    for constant in [0.0, 100.0] {
        let batch: Pairs = (waves([2048, 12], 0.3, DType::F32), labels(2048, 4));
        let risk = Risk::mean([batch], move |model: &Net, (x, y): &Pairs| {
            let outputs = model.outputs(x.clone());
            let loss = CrossEntropyLossConfig::new().init(&outputs.device());
            loss.forward(outputs, y.clone()) + constant
        });
        let hessian = Hessian::at(&model, &risk).expect("a Hessian");
        let cut = matches!(hessian.method(), Method::Exact { kept: 4, .. });
        assert!(cut, "constant {constant}: {:?}", hessian.method());
    }
}

#[test]
fn a_plane_over_a_large_batch_is_the_loss_of_the_whole_batch_mean_or_not() {
    let model = Net::new(4, DType::F64);
    let space = ParameterSpace::of(&model).expect("parameters");
    let [d1, d2] = [1, 2].map(|seed| random_direction(&space, seed));
    let grid = Grid::rectangle((-0.3..=0.2, 3), (0.1..=0.4, 2));
    for weights in [[1.0; 4], [1.0, 3.0, 0.5, 8.0]] {
        // More than the 4,096 of a part, and the classes one after the other.
        let classes: Vec<i64> = (0..5000).map(|i| i * 4 / 5000).collect();
        let y = Tensor::from_data(TensorData::new(classes, [5000]), &Device::flex());
        let batch: Pairs = (waves([5000, 12], 0.3, DType::F64), y);
        let risk = Risk::mean([batch], move |model: &Net, (x, y): &Pairs| {
            let outputs = model.outputs(x.clone());
            let picked = log_softmax(outputs, 1).gather(1, y.clone().unsqueeze_dim(1));
            let of_class = TensorData::new(weights.to_vec(), [4]);
            let of_class = Tensor::<1>::from_data(of_class, (&picked.device(), DType::F64));
            let weights = of_class.select(0, y.clone());
            (picked.squeeze_dim::<1>(1) * weights.clone()).sum().neg() / weights.sum()
        });
        let surface = plane(&model, &risk, [&d1, &d2], &grid).expect("a plane");
        assert_eq!(surface.evaluation, Evaluation::Captured);
        let objective = Objective::at(&model, &risk).expect("an objective");
        for (index, &loss) in surface.loss.iter().enumerate() {
            let (a, b) = (grid.a[index / 2], grid.b[index % 2]);
            let theta = objective.origin().clone() + d1.clone() * a + d2.clone() * b;
            let moved = objective.value(&theta).expect("a loss");
            assert!((loss / moved - 1.0).abs() < 1e-13, "{loss} for {moved}");
        }
    }
}

#[test]
fn a_tensor_that_is_as_long_as_the_batch_by_chance_is_not_taken_for_examples() {
    type Weighted = Stated<(Tensor<2>, Tensor<1, Int>, Tensor<1>)>;
    let model = Net::new(10, DType::F64);
    for sizes in [vec![64, 10], vec![10]] {
        let batches: Vec<Weighted> = sizes
            .iter()
            .map(|&len| {
                let weights = waves([10], 0.9, DType::F64).abs() + 0.5;
                let batch = (waves([len, 12], 0.3, DType::F64), labels(len, 10), weights);
                Stated::new(batch, len)
            })
            .collect();
        let risk = Risk::of(
            batches,
            |model: &Net, batch: &Weighted| model.outputs(batch.batch.0.clone()),
            |outputs: Tensor<2>, batch: &Weighted| {
                let (_, y, weights) = &batch.batch;
                let rows = outputs.dims()[0];
                let picked = log_softmax(outputs, 1).gather(1, y.clone().reshape([rows, 1]));
                let weights = weights.clone().select(0, y.clone());
                (picked.reshape([rows]) * weights).mean().neg()
            },
            Reduction::Mean,
        )
        .without_reduction_check();
        let (hessian, gap) = beside_differences(&model, &risk);
        assert!(matches!(hessian.method(), Method::Exact { .. }));
        assert!(gap < 1e-6, "{sizes:?}: {gap:.1e}");
        let objective = Objective::at(&model, &risk).expect("an objective");
        let statistics = objective.example_statistics().expect("statistics");
        assert_eq!(statistics.norms.len(), sizes.iter().sum::<usize>());
        assert!(statistics.norms.iter().all(|norm| norm.is_finite()));
    }
}

#[test]
fn products_at_one_point_from_many_threads_of_a_pool_do_not_wait_for_each_other() {
    let model = Net::new(4, DType::F32);
    let batches: Vec<Pairs> = (0..3)
        .map(|_| (waves([512, 12], 0.3, DType::F32), labels(512, 4)))
        .collect();
    let risk = Risk::mean(batches, |model: &Net, (x, y): &Pairs| {
        let outputs = model.outputs(x.clone());
        CrossEntropyLossConfig::new()
            .init(&outputs.device())
            .forward(outputs, y.clone())
    });
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(4)
        .build()
        .expect("a pool");
    for _ in 0..20 {
        let hessian = Hessian::at(&model, &risk).expect("a Hessian");
        let v = random_direction(hessian.space(), 5);
        let products: Vec<Vec<f64>> = pool.install(|| {
            (0..8)
                .into_par_iter()
                .map(|_| download(&hessian.apply(&v).expect("Hv")))
                .collect()
        });
        assert!(products.iter().all(|product| *product == products[0]));
    }
}
