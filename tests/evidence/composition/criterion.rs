//! Random losses on a model's outputs.

use std::sync::Arc;

use burn::nn::loss::{
    CrossEntropyLossConfig, HuberLossConfig, KLDivLossConfig, MseLoss, Reduction,
    SmoothL1LossConfig,
};
use burn::tensor::{FloatDType, Tensor, activation};

use super::generator::Build;
use super::scene::Criterion;
use super::value::Value;

impl Build {
    /// A mean over the batch of what comes out, of classes where there are three columns.
    pub(super) fn criterion(&mut self, output: usize) -> (String, Criterion) {
        let classes = self
            .batches
            .iter()
            .zip(&self.values)
            .all(|(data, values)| values[output].dims() == [data.rows(), 3]);
        let choice = self.random.below(if classes { 16 } else { 6 });
        let named = |label: &str, f: Criterion| (label.to_owned(), f);
        match choice {
            0 => named("mean square", Arc::new(|_, x| x.flat().square().mean())),
            1 => named("log mean exp", Arc::new(|_, x| x.flat().exp().mean().log())),
            2 => named("mean of sin", Arc::new(|_, x| x.flat().sin().mean())),
            3 => named(
                "mean of log cosh",
                Arc::new(|_, x| x.flat().cosh().log().mean()),
            ),
            4 => named(
                "mean of the means' squares",
                Arc::new(|data, x| {
                    let len = x.len();
                    let rows = if len % data.rows() == 0 {
                        data.rows()
                    } else {
                        1
                    };
                    x.flat()
                        .reshape([rows, len / rows])
                        .mean_dim(1)
                        .square()
                        .mean()
                }),
            ),
            5 => named("var", Arc::new(|_, x| x.flat().var_bias(0))),
            6..9 => named(
                "cross entropy",
                Arc::new(|data, x| {
                    CrossEntropyLossConfig::new()
                        .init(&data.labels.device())
                        .forward(two(x), data.labels.clone())
                }),
            ),
            9 => named(
                "weighted cross entropy",
                Arc::new(|data, x| {
                    let x = two(x);
                    let weights = Value::of(vec![0.5, 1.0, 2.0], &[1, 3], &x.device());
                    let (Value::Two(weights), rows) = (weights, x.dims()[0]) else {
                        panic!("a matrix")
                    };
                    let labels = data.labels.clone().reshape([rows, 1]);
                    let picked = activation::log_softmax(x, 1).gather(1, labels.clone());
                    let weights = weights.repeat_dim(0, rows).gather(1, labels);
                    (picked.neg() * weights.clone()).sum() / weights.sum()
                }),
            ),
            10 => named(
                "mse",
                Arc::new(|data, x| {
                    MseLoss::new().forward(two(x), data.targets.clone(), Reduction::Mean)
                }),
            ),
            11 => named(
                "huber",
                Arc::new(|data, x| {
                    HuberLossConfig::new(0.7).init().forward(
                        two(x),
                        data.targets.clone(),
                        Reduction::Mean,
                    )
                }),
            ),
            12 => named(
                "smooth l1",
                Arc::new(|data, x| {
                    SmoothL1LossConfig::new().init().forward_with_reduction(
                        two(x),
                        data.targets.clone(),
                        Reduction::Mean,
                    )
                }),
            ),
            13 => named(
                "kl divergence",
                Arc::new(|data, x| {
                    let target = activation::softmax(data.targets.clone(), 1);
                    KLDivLossConfig::new().init().forward(
                        activation::log_softmax(two(x), 1),
                        target,
                        Reduction::Mean,
                    )
                }),
            ),
            14 => named(
                "one against all",
                Arc::new(|data, x| {
                    let x = two(x);
                    let classes: Tensor<2, burn::tensor::Int> =
                        Tensor::<1, burn::tensor::Int>::arange(0..3, &x.device()).unsqueeze();
                    let rows = x.dims()[0];
                    let hit = data
                        .labels
                        .clone()
                        .reshape([rows, 1])
                        .repeat_dim(1, 3)
                        .equal(classes.repeat_dim(0, rows))
                        .float()
                        .cast(FloatDType::F64);
                    (activation::softplus(x.clone(), 1.0) - x * hit).mean()
                }),
            ),
            _ => named(
                "triplet-like",
                Arc::new(|data, x| {
                    let x = two(x);
                    let gap = (x.clone() - data.targets.clone()).square().sum_dim(1);
                    let other = (x + data.targets.clone()).square().sum_dim(1);
                    activation::softplus(gap - other, 1.0).mean()
                }),
            ),
        }
    }
}

fn two(value: Value) -> Tensor<2> {
    match value {
        Value::Two(x) => x,
        other => panic!("a matrix, not {:?}", other.dims()),
    }
}
