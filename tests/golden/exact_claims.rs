//! A hunt for false claims of exactness: random graphs of operations, whose Hessian is known from
//! differences of Burn's own gradients.

use burn::module::{Module, Param};
use burn::tensor::{Device, Int, Tensor, TensorData, activation, module};
use derivatives::stop_gradient;
use landscape::curvature::exact_diagonal_with;
use landscape::spectrum::{TraceConfig, materialize};
use landscape::{
    DifferenceConfig, Error, GaussNewton, Hessian, LinearOperator, Reduction, Risk, Statistics,
};

use crate::numbers::Numbers;

const WIDTH: usize = 3;
const ROWS: usize = 4;

/// Square matrices and rows, used in any order and as often as the graph says.
#[derive(Module, Debug)]
struct Weights {
    matrices: Vec<Param<Tensor<2>>>,
    rows: Vec<Param<Tensor<2>>>,
}

type Batch = (Tensor<2>, Tensor<2>, Tensor<1, Int>);

/// Between -1.5 and 1.5.
fn entry(part: f64) -> f64 {
    part * 3.0 - 1.5
}

/// One operation of a graph, and which weights it takes.
#[derive(Debug, Clone, Copy)]
struct Step {
    operation: usize,
    first: usize,
    second: usize,
}

const OPERATIONS: usize = 34;

/// Returns the number of graphs: the suite's share, or as many as `EXACT_CLAIMS_GRAPHS` says. 3,000
/// take half a minute.
fn graphs() -> u64 {
    let asked = std::env::var("EXACT_CLAIMS_GRAPHS").ok();
    asked.map_or(60, |count| count.parse().expect("a number of graphs"))
}

fn apply(x: Tensor<2>, step: Step, weights: &Weights, labels: &Tensor<1, Int>) -> Tensor<2> {
    let matrix = |index: usize| weights.matrices[index % weights.matrices.len()].val();
    let row = |index: usize| weights.rows[index % weights.rows.len()].val();
    let (w, v) = (matrix(step.first), matrix(step.second));
    let (r, s) = (row(step.first), row(step.second));
    let [count, width] = x.dims();
    match step.operation {
        0 | 1 => x.matmul(w),
        2 => x + r,
        3 | 4 => activation::relu(x),
        5 => x.abs(),
        6 => x.tanh(),
        7 => activation::gelu(x),
        8 => activation::softmax(x, 1),
        9 => x * r,
        // A division by a parameter.
        10 => x / (r.square() + 1.0),
        11 => x.clamp(-1.0, 1.0),
        // A gate.
        12 => activation::sigmoid(x.clone().matmul(w)) * x,
        13 => x.clone() + stop_gradient(x) * r,
        // A parameter is part of a mask.
        14 => {
            let mask = x.clone().greater(r.expand([count, width]));
            x.mask_fill(mask, 0.25)
        }
        15 => {
            let centred = x.clone() - x.mean_dim(1);
            centred.clone() / (centred.square().mean_dim(1) + 0.1).sqrt()
        }
        // Examples brought together, linearly and not.
        16 => x.clone() - x.mean_dim(0) * 0.5,
        17 => {
            let centred = x.clone() - x.mean_dim(0);
            centred.clone() / (centred.square().mean_dim(0) + 0.1).sqrt() * r + s
        }
        // Two parameters in one factor, perhaps the same twice.
        18 => x.matmul(w.matmul(v)),
        19 => {
            let length = w.clone().square().sum().sqrt().reshape([1, 1]);
            x.matmul(w / (length + 0.1))
        }
        20 => x + w.select(0, labels.clone()),
        21 => x.cumsum(1),
        22 => {
            let wide = Tensor::cat(vec![x.clone(), x.matmul(w)], 1);
            wide.slice_dim(1, 2..2 + width)
        }
        23 => x.matmul(w.transpose()),
        24 => {
            let kernel = w.slice_dim(0, 0..1).reshape([1, 1, width]);
            let options = burn::tensor::ops::ConvOptions::new([1], [1], [1], 1);
            module::conv1d(x.reshape([count, 1, width]), kernel, None, options)
                .reshape([count, width])
        }
        25 => (x * 0.5).exp(),
        // Attention over the examples.
        26 => {
            let scores = x.clone().matmul(w).matmul(x.clone().transpose());
            activation::softmax(scores, 1).matmul(x)
        }
        27 => x.flip([0]),
        28 => x.clone().max_dim(1) + x,
        29 => {
            let pairs = Tensor::cat(vec![x.clone(), x], 1).reshape([count, 1, 2 * width]);
            module::max_pool1d(pairs, burn::tensor::ops::MaxPoolOptions::new([2]))
                .reshape([count, width])
        }
        30 => x.square(),
        31 => x * w.clone().slice_dim(0, 0..1) + w.slice_dim(0, 1..2),
        32 => x.sort(1),
        33 => x.clone().mask_where(x.clone().lower_elem(0.0), x * r),
        other => unreachable!("operation {other}"),
    }
}

/// The losses on the outputs; the last brings their rows together.
fn loss_of(kind: usize, f: Tensor<2>, (_, y, labels): &Batch) -> Tensor<1> {
    match kind {
        0 => (f - y.clone()).square().mean(),
        1 => {
            let [count, _] = f.dims();
            let terms = activation::log_softmax(f, 1);
            terms
                .gather(1, labels.clone().reshape([count, 1]))
                .mean()
                .neg()
        }
        // Not convex.
        2 => (f - y.clone()).sin().mean(),
        3 => ((f - y.clone()).square().sum_dim(1) + 1.0).log().mean(),
        _ => {
            let others = f.clone().flip([0]);
            (f * others).mean()
        }
    }
}

struct Trial {
    model: Weights,
    risk: Risk<Weights, Batch>,
    graph: Vec<Step>,
    loss: usize,
}

fn trial(seed: u64) -> Trial {
    let mut numbers = Numbers::new(seed, entry);
    let model = Weights {
        matrices: (0..3)
            .map(|_| Param::from_tensor(numbers.tensor([WIDTH, WIDTH])))
            .collect(),
        rows: (0..2)
            .map(|_| Param::from_tensor(numbers.tensor([1, WIDTH])))
            .collect(),
    };
    let length = 2 + numbers.below(5);
    let mut graph: Vec<Step> = (0..length)
        .map(|_| Step {
            operation: numbers.below(OPERATIONS),
            first: numbers.below(6),
            second: numbers.below(6),
        })
        .collect();
    // A parameter at least.
    graph.push(Step {
        operation: 0,
        first: numbers.below(6),
        second: 0,
    });
    let last = graph.len() - 1;
    let at = numbers.below(last + 1);
    graph.swap(at, last);
    let loss = numbers.below(5);
    let labels: Vec<i64> = (0..ROWS)
        .map(|_| i64::try_from(numbers.below(WIDTH)).expect("a label"))
        .collect();
    let batch: Batch = (
        numbers.tensor([ROWS, WIDTH]),
        numbers.tensor([ROWS, WIDTH]),
        Tensor::from_data(TensorData::new(labels, [ROWS]), &Device::flex()),
    );
    let steps = graph.clone();
    let risk = Risk::of(
        [batch],
        move |model: &Weights, (x, _, labels): &Batch| {
            steps
                .iter()
                .fold(x.clone(), |x, step| apply(x, *step, model, labels))
        },
        move |f: Tensor<2>, batch: &Batch| loss_of(loss, f, batch),
        Reduction::Mean,
    )
    .with_statistics(Statistics::Running)
    .without_reduction_check();
    Trial {
        model,
        risk,
        graph,
        loss,
    }
}

fn dense<A: LinearOperator>(op: &A) -> Vec<f64> {
    materialize(op).expect("a matrix").entries.clone()
}

/// What came of a graph.
#[derive(Debug, Default)]
struct Found {
    claimed: usize,
    estimated: usize,
    /// Blocks that could have been claimed.
    missed: usize,
    coupled: usize,
    /// Graphs without differences.
    refused: usize,
    worst: f64,
    by_differences: f64,
}

fn check(seed: u64, found: &mut Found) {
    let Trial {
        model,
        risk,
        graph,
        loss,
    } = trial(seed);
    let name = || format!("graph {seed}: {graph:?}, loss {loss}");
    let hessian = Hessian::at(&model, &risk).unwrap_or_else(|error| panic!("{}: {error}", name()));
    // A recording whose gradient is not the closure's is refused: no claim is made of it.
    let gauss_newton = match GaussNewton::at(&model, &risk) {
        Ok(gauss_newton) => gauss_newton,
        Err(Error::Derivatives(derivatives::Error::Differs { what, .. })) => {
            println!("{}: the recorded {what} is another", name());
            found.refused += 1;
            return;
        }
        Err(error) => panic!("{}: {error}", name()),
    };
    let config = TraceConfig::new().with_max_probes(16);
    let diagonal = match exact_diagonal_with(&model, &risk, &config) {
        Ok(diagonal) => diagonal,
        Err(Error::CoupledOutputs) => {
            assert_eq!(loss, 4, "{}", name());
            found.coupled += 1;
            return;
        }
        Err(error) => panic!("{}: {error}", name()),
    };
    assert_ne!(loss, 4, "{}", name());
    let dim = hessian.dim();
    let (h, g) = (dense(&hessian), dense(&gauss_newton));
    let size = h
        .iter()
        .chain(&g)
        .map(|x| x * x)
        .sum::<f64>()
        .sqrt()
        .max(1e-9);
    for i in 0..dim {
        let error = (diagonal.gauss_newton[i] - g[i * dim + i]).abs() / size;
        assert!(error < 1e-11, "{}: G at {i}, {error:.1e}", name());
        found.worst = found.worst.max(error);
    }
    // Not by the rules that made the claim: by Burn's gradients. They are refused where they are
    // not the derivative of the value, as of a stopped gradient, and sometimes across a kink.
    let differences = match Hessian::by_differences(&model, &risk, &DifferenceConfig::new()) {
        Ok(differences) => Some(differences),
        Err(Error::GradientIsNotOfValue { .. }) => None,
        Err(error) => panic!("{}: {error}", name()),
    };
    found.refused += usize::from(differences.is_none());
    for block in &diagonal.blocks {
        let mut apart = 0.0_f64;
        for i in block.range.clone() {
            for j in block.range.clone() {
                apart = apart.max((h[i * dim + j] - g[i * dim + j]).abs() / size);
            }
        }
        if !block.is_exact {
            found.estimated += 1;
            found.missed += usize::from(apart < 1e-12);
            continue;
        }
        found.claimed += 1;
        assert!(apart < 1e-11, "{}: {} {apart:.1e}", name(), block.path);
        for i in block.range.clone() {
            let error = (diagonal.values[i] - h[i * dim + i]).abs() / size;
            assert!(error < 1e-11, "{}: H at {i}, {error:.1e}", name());
            let Some(differences) = &differences else {
                continue;
            };
            let mut unit = vec![0.0; dim];
            unit[i] = 1.0;
            let unit = differences.domain().upload(&unit).expect("P entries");
            let entry = differences.quadratic_form(&unit).expect("a form");
            let error = (diagonal.values[i] - entry).abs() / size;
            found.by_differences = found.by_differences.max(error);
            // Differences are off by their truncation, of relative order 1e-7 here.
            assert!(
                error < 1e-4,
                "{}: H by differences at {i}, {error:.1e}",
                name()
            );
        }
    }
}

#[test]
fn random_graphs_are_claimed_exact_only_where_they_are() {
    let mut found = Found::default();
    for seed in 0..graphs() {
        check(seed, &mut found);
    }
    println!("{found:?}");
    // A quarter in the suite, where few are drawn; some per cent of many.
    assert!((found.refused as u64) < graphs() / 4, "{found:?}");
    // Both kinds of block and the losses that are refused do occur.
    assert!(
        found.claimed > 50 && found.estimated > 50 && found.coupled > 5,
        "{found:?}"
    );
}
