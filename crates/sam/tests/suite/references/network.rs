//! Two layers with a tanh between and half the squared error: by hand, and as a Burn module.

use burn::module::{Module, ModuleVisitor, Param};
use burn::nn::Linear;
use burn::tensor::{Tensor, TensorData};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use sam::Rows;

use super::device::{device, float_type};

const INPUTS: usize = 3;
const HIDDEN: usize = 4;
const OUTPUTS: usize = 2;

/// Where each parameter begins in a vector of all, in the order in which Burn visits them.
const BIAS_1: usize = INPUTS * HIDDEN;
const WEIGHT_2: usize = BIAS_1 + HIDDEN;
const BIAS_2: usize = WEIGHT_2 + HIDDEN * OUTPUTS;
pub(crate) const WEIGHTS: usize = BIAS_2 + OUTPUTS;

/// Whether an entry belongs to a matrix, not to a bias.
pub(crate) fn is_matrix(entry: usize) -> bool {
    entry < BIAS_1 || (WEIGHT_2..BIAS_2).contains(&entry)
}

/// Inputs and targets of one batch.
pub(crate) struct Data {
    inputs: Vec<[f64; INPUTS]>,
    targets: Vec<[f64; OUTPUTS]>,
}

impl Data {
    pub(crate) fn new(seed: u64, examples: usize) -> Self {
        let mut generator = Xoshiro256PlusPlus::seed_from_u64(seed);
        let mut number = || generator.random_range(-1.0..1.0);
        Self {
            inputs: (0..examples)
                .map(|_| std::array::from_fn(|_| number()))
                .collect(),
            targets: (0..examples)
                .map(|_| std::array::from_fn(|_| number()))
                .collect(),
        }
    }

    pub(crate) fn all(&self) -> Vec<usize> {
        (0..self.inputs.len()).collect()
    }
}

fn forward(w: &[f64], x: &[f64; INPUTS]) -> ([f64; HIDDEN], [f64; OUTPUTS]) {
    let hidden = std::array::from_fn(|j| {
        let sum: f64 = (0..INPUTS).map(|i| x[i] * w[i * HIDDEN + j]).sum();
        (sum + w[BIAS_1 + j]).tanh()
    });
    let output = std::array::from_fn(|k| {
        let sum: f64 = (0..HIDDEN)
            .map(|j| hidden[j] * w[WEIGHT_2 + j * OUTPUTS + k])
            .sum();
        sum + w[BIAS_2 + k]
    });
    (hidden, output)
}

/// The loss of each of the rows.
pub(crate) fn losses(w: &[f64], data: &Data, rows: &[usize]) -> Vec<f64> {
    rows.iter()
        .map(|&row| {
            let (_, output) = forward(w, &data.inputs[row]);
            let squares = (0..OUTPUTS).map(|k| (output[k] - data.targets[row][k]).powi(2));
            squares.sum::<f64>() / 2.0
        })
        .collect()
}

/// The gradient of the mean loss of the rows.
pub(crate) fn gradient(w: &[f64], data: &Data, rows: &[usize]) -> Vec<f64> {
    let mut gradient = vec![0.0; WEIGHTS];
    let share = 1.0 / rows.len() as f64;
    for &row in rows {
        let x = &data.inputs[row];
        let (hidden, output) = forward(w, x);
        let error: [f64; OUTPUTS] =
            std::array::from_fn(|k| (output[k] - data.targets[row][k]) * share);
        for j in 0..HIDDEN {
            let mut back = 0.0;
            for k in 0..OUTPUTS {
                gradient[WEIGHT_2 + j * OUTPUTS + k] += hidden[j] * error[k];
                back += w[WEIGHT_2 + j * OUTPUTS + k] * error[k];
            }
            back *= 1.0 - hidden[j] * hidden[j];
            for i in 0..INPUTS {
                gradient[i * HIDDEN + j] += x[i] * back;
            }
            gradient[BIAS_1 + j] += back;
        }
        for k in 0..OUTPUTS {
            gradient[BIAS_2 + k] += error[k];
        }
    }
    gradient
}

/// The same network in Burn.
#[derive(Module, Debug)]
pub(crate) struct Twin {
    hidden: Linear,
    out: Linear,
}

impl Twin {
    pub(crate) fn new(seed: u64) -> Self {
        let device = device().autodiff();
        let mut generator = Xoshiro256PlusPlus::seed_from_u64(seed);
        let mut linear = |inputs: usize, outputs: usize| {
            let mut numbers = |count: usize| -> Vec<f64> {
                (0..count)
                    .map(|_| generator.random_range(-1.0..1.0))
                    .collect()
            };
            let weight = TensorData::new(numbers(inputs * outputs), [inputs, outputs]);
            let bias = TensorData::new(numbers(outputs), [outputs]);
            Linear {
                weight: Param::from_tensor(Tensor::from_data(weight, (&device, float_type()))),
                bias: Some(Param::from_tensor(Tensor::from_data(
                    bias,
                    (&device, float_type()),
                ))),
            }
        };
        Self {
            hidden: linear(INPUTS, HIDDEN),
            out: linear(HIDDEN, OUTPUTS),
        }
    }

    /// `[k]`: the losses of the rows.
    pub(crate) fn losses(&self, batch: &Batch, rows: Rows<'_>) -> Tensor<1> {
        self.errors(rows.of(&batch.inputs), rows.of(&batch.targets))
    }

    /// `[B]`: the losses of all examples.
    pub(crate) fn losses_of_all(&self, batch: &Batch) -> Tensor<1> {
        self.errors(batch.inputs.clone(), batch.targets.clone())
    }

    fn errors(&self, inputs: Tensor<2>, targets: Tensor<2>) -> Tensor<1> {
        let error = self.out.forward(self.hidden.forward(inputs).tanh()) - targets;
        let [examples, _] = error.dims();
        (error.square().sum_dim(1) / 2.0).reshape([examples])
    }
}

/// A batch as tensors.
pub(crate) struct Batch {
    inputs: Tensor<2>,
    targets: Tensor<2>,
}

impl Batch {
    pub(crate) fn of(data: &Data) -> Self {
        let device = device().autodiff();
        let examples = data.inputs.len();
        let on = |values: Vec<f64>, width: usize| {
            Tensor::from_data(
                TensorData::new(values, [examples, width]),
                (&device, float_type()),
            )
        };
        Self {
            inputs: on(data.inputs.concat(), INPUTS),
            targets: on(data.targets.concat(), OUTPUTS),
        }
    }
}

/// All weights of a model as one vector.
pub(crate) fn weights<M: Module>(model: &M) -> Vec<f64> {
    struct Flat(Vec<f64>);
    impl ModuleVisitor for Flat {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0.extend(param.base().inner().to_data().iter::<f64>());
        }
    }
    let mut flat = Flat(Vec::new());
    model.visit(&mut flat);
    flat.0
}
