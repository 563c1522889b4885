//! Fisher matrix and gradients of single examples, in closed form.

use burn::module::{Module, Param};
use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use landscape::download;
use landscape::{Error, Fisher, LinearOperator, Objective, Reduction, Risk, Stated};
use proptest::prelude::*;

/// f(x) = <w, x>
#[derive(Module, Debug)]
struct Line {
    w: Param<Tensor<1>>,
}

impl Line {
    fn at(w: &[f64]) -> Self {
        Self {
            w: Param::from_tensor(vector(w)),
        }
    }

    /// `[N, 1]` of `[N, D]`.
    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let [_, width] = x.dims();
        x.matmul(self.w.val().reshape([width, 1]))
    }
}

fn vector(values: &[f64]) -> Tensor<1> {
    let data = TensorData::new(values.to_vec(), [values.len()]);
    Tensor::from_data(data, (&Device::flex(), DType::F64))
}

fn inputs(rows: &[[f64; 2]]) -> Tensor<2> {
    vector(rows.as_flattened()).reshape([rows.len(), 2])
}

const X: [[f64; 2]; 5] = [[1.0, 0.5], [-2.0, 1.0], [0.3, 0.7], [1.5, -1.0], [0.2, 2.0]];
const W: [f64; 2] = [0.4, -0.3];

/// The loss terms <w, x>^2, whose gradients are 2 <w, x> x.
fn squares(batches: Vec<Tensor<2>>, reduction: Reduction) -> Risk<Line, Tensor<2>> {
    Risk::of(
        batches,
        |model: &Line, x: &Tensor<2>| model.forward(x.clone()),
        move |outputs: Tensor<2>, _| match reduction {
            Reduction::Mean => outputs.square().mean(),
            Reduction::Sum => outputs.square().sum(),
        },
        reduction,
    )
}

fn gradients_of_squares() -> Vec<[f64; 2]> {
    X.iter()
        .map(|x| {
            let slope = 2.0 * (W[0] * x[0] + W[1] * x[1]);
            [slope * x[0], slope * x[1]]
        })
        .collect()
}

fn close(ours: &[f64], theirs: &[f64]) {
    assert_eq!(ours.len(), theirs.len());
    for (a, b) in ours.iter().zip(theirs) {
        // A few roundings of numbers near 10.
        assert!((a - b).abs() < 1e-14 * 10.0, "{ours:?} {theirs:?}");
    }
}

#[test]
fn batches_count_by_their_examples_whatever_the_reduction() {
    let g = gradients_of_squares();
    let v = [0.7, 1.1];
    let mut expected = [0.0, 0.0];
    for g in &g {
        let along = (g[0] * v[0] + g[1] * v[1]) / 5.0;
        expected[0] += along * g[0];
        expected[1] += along * g[1];
    }
    for reduction in [Reduction::Mean, Reduction::Sum] {
        for cut in [0..5, 0..2, 0..1] {
            let mut batches = vec![inputs(&X[cut.clone()])];
            if cut.end < 5 {
                batches.push(inputs(&X[cut.end..]));
            }
            let risk = squares(batches, reduction);
            let fisher = Fisher::at(&Line::at(&W), &risk).expect("a matrix");
            close(
                &download(&fisher.apply(&vector(&v)).expect("a product")),
                &expected,
            );
            let objective = Objective::at(&Line::at(&W), &risk).expect("an objective");
            let mut rows = Vec::new();
            objective
                .example_gradients(|batch| {
                    assert!(!batch.coupled);
                    rows.extend(batch.rows.into_data().iter::<f64>());
                    Ok(())
                })
                .expect("gradients");
            close(&rows, g.as_flattened());
        }
    }
}

#[test]
fn statistics_are_norms_and_sums_of_squares() {
    let g = gradients_of_squares();
    let risk = squares(vec![inputs(&X[..3]), inputs(&X[3..])], Reduction::Mean);
    let statistics = Objective::at(&Line::at(&W), &risk)
        .and_then(|objective| objective.example_statistics())
        .expect("statistics");
    let norms: Vec<f64> = g.iter().map(|g| g[0].hypot(g[1])).collect();
    let sums = [0, 1].map(|i| g.iter().map(|g| g[i] * g[i]).sum());
    close(&statistics.norms, &norms);
    close(&statistics.sum_of_squares, &sums);
}

/// With the outputs less their mean over the batch, `dₙ = fₙ − f̄`, the term `dₙ²` has the
/// gradient `2 dₙ (xₙ − x̄)` when the mean moves with the weights; an example by itself has
/// none at all.
#[test]
fn examples_coupled_by_a_mean_are_noticed_and_differentiated_through_it() {
    // The outputs are the deviations: coupling before the outputs is what is allowed.
    let risk = Risk::of(
        [inputs(&X)],
        |model: &Line, x: &Tensor<2>| {
            let outputs = model.forward(x.clone());
            outputs.clone() - outputs.mean_dim(0)
        },
        |deviations: Tensor<2>, _| deviations.square().mean(),
        Reduction::Mean,
    )
    .without_reduction_check();
    let mean = [0, 1].map(|i| X.iter().map(|x| x[i]).sum::<f64>() / 5.0);
    let expected: Vec<f64> = X
        .iter()
        .flat_map(|x| {
            let d = [x[0] - mean[0], x[1] - mean[1]];
            let slope = 2.0 * (W[0] * d[0] + W[1] * d[1]);
            [slope * d[0], slope * d[1]]
        })
        .collect();
    let objective = Objective::at(&Line::at(&W), &risk).expect("an objective");
    let mut rows = Vec::new();
    objective
        .example_gradients(|batch| {
            assert!(batch.coupled);
            rows.extend(batch.rows.into_data().iter::<f64>());
            Ok(())
        })
        .expect("gradients");
    close(&rows, &expected);
}

/// The loss terms are <w, x>^2 over the largest |x| of the batch, which the closure reads from the
/// batch it is given.
#[test]
fn a_number_taken_from_the_whole_batch_is_noticed() {
    let loss = |outputs: Tensor<2>, x: &Tensor<2>| outputs.square().mean() / x.clone().abs().max();
    let outputs = |model: &Line, x: &Tensor<2>| model.forward(x.clone());
    let apart = Risk::of([inputs(&X)], outputs, loss, Reduction::Mean).without_reduction_check();
    let objective = Objective::at(&Line::at(&W), &apart).expect("an objective");
    let statistics = objective.example_statistics().expect("statistics");
    assert!(statistics.coupled);
    let norms: Vec<f64> = gradients_of_squares()
        .iter()
        .map(|g| g[0].hypot(g[1]) / 2.0)
        .collect();
    close(&statistics.norms, &norms);

    // Without the outputs apart there is no other way.
    let joint = Risk::mean([inputs(&X)], move |model: &Line, x: &Tensor<2>| {
        loss(outputs(model, x), x)
    })
    .without_reduction_check();
    let objective = Objective::at(&Line::at(&W), &joint).expect("an objective");
    assert_eq!(
        objective.example_statistics().err(),
        Some(Error::OutputsNotApart)
    );
}

/// Class weights, whose first axis does not count the examples, are the same for every example.
#[test]
fn tensors_that_do_not_count_examples_stay_whole() {
    let labels = |values: &[i64]| -> Tensor<1, Int> {
        let data = TensorData::new(values.to_vec(), [values.len()]);
        Tensor::from_data(data, (&Device::flex(), DType::I64))
    };
    type Weighted = Stated<(Tensor<2>, Tensor<1, Int>, Tensor<1>)>;
    let batch = (inputs(&X), labels(&[0, 1, 1, 0, 1]), vector(&[3.0, 0.5]));
    let batch = Stated::new(batch, 5);
    // Outputs and loss at once: examples that do not touch each other need no more.
    let risk = Risk::mean([batch], |model: &Line, batch: &Weighted| {
        let (x, labels, weights) = &batch.batch;
        let outputs = model.forward(x.clone()).square();
        let weights = weights.clone().select(0, labels.clone());
        (outputs * weights.unsqueeze_dim(1)).mean()
    });
    let objective = Objective::at(&Line::at(&W), &risk).expect("an objective");
    let statistics = objective.example_statistics().expect("statistics");
    assert!(!statistics.coupled);
    let norms: Vec<f64> = gradients_of_squares()
        .iter()
        .zip([3.0, 0.5, 0.5, 3.0, 0.5])
        .map(|(g, weight)| weight * g[0].hypot(g[1]))
        .collect();
    close(&statistics.norms, &norms);
}

#[test]
fn losses_without_a_row_of_outputs_for_each_example_are_errors() {
    let joint = Risk::mean([inputs(&X)], |model: &Line, x: &Tensor<2>| {
        model.forward(x.clone()).square().mean()
    });
    let error = Fisher::at(&Line::at(&W), &joint).err();
    assert_eq!(error, Some(Error::OutputsNotApart));
    let transposed = Risk::of(
        [inputs(&X)],
        |model: &Line, x: &Tensor<2>| model.forward(x.clone()).transpose(),
        |outputs: Tensor<2>, _| outputs.square().mean(),
        Reduction::Mean,
    );
    let error = Fisher::at(&Line::at(&W), &transposed).err();
    let expected = Error::OutputRows {
        rows: 1,
        examples: 5,
    };
    assert_eq!(error, Some(expected));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn fisher_products_are_symmetric_and_positive(
        u in prop::array::uniform2(-2.0..2.0f64),
        v in prop::array::uniform2(-2.0..2.0f64),
        w in prop::array::uniform2(-2.0..2.0f64),
        cut in 1_usize..5,
    ) {
        let batches = vec![inputs(&X[..cut]), inputs(&X[cut..])];
        let fisher = Fisher::at(&Line::at(&w), &squares(batches, Reduction::Mean)).unwrap();
        let product = |x: &[f64; 2]| download(&fisher.apply(&vector(x)).unwrap());
        let dot = |a: &[f64], b: &[f64]| a[0] * b[0] + a[1] * b[1];
        let (of_u, of_v) = (product(&u), product(&v));
        let size = 1.0 + dot(&of_v, &of_v).sqrt() + dot(&of_u, &of_u).sqrt();
        prop_assert!((dot(&u, &of_v) - dot(&v, &of_u)).abs() < 1e-13 * size);
        prop_assert!(dot(&v, &of_v) > -1e-13 * size);
    }
}

/// Sequences with the time first: `x` is `[T, B, 1]`, and the loss term of sequence b is
/// `(w Σₜ x_tb)²`, whose gradient is `2 w (Σₜ x_tb)²`.
#[test]
fn gradients_of_sequences_with_the_time_first_are_their_own() {
    for times in [3, 4] {
        let entries: Vec<f64> = (0..times * 4).map(|i| (1.3 * f64::from(i)).sin()).collect();
        let len = usize::try_from(times).expect("few");
        let x = vector(&entries).reshape([len, 4, 1]);
        let model = Line::at(&[0.7]);
        let sums: Vec<f64> = (0..4)
            .map(|b| (0..len).map(|t| entries[4 * t + b]).sum())
            .collect();
        let risk = Risk::of(
            [Stated::new(x, 4)],
            |model: &Line, x: &Stated<Tensor<3>>| {
                x.batch.clone().sum_dim(0).reshape([4, 1]) * model.w.val().reshape([1, 1])
            },
            |outputs: Tensor<2>, _: &Stated<Tensor<3>>| outputs.square().mean(),
            Reduction::Mean,
        );
        let objective = Objective::at(&model, &risk).expect("an objective");
        let found = objective.example_statistics().expect("norms");
        for (norm, sum) in found.norms.iter().zip(&sums) {
            let right = (2.0 * 0.7 * sum * sum).abs();
            assert!((norm - right).abs() < 1e-13, "T = {times}: {norm} {right}");
        }
    }
}
