//! The noise of the gradient beside its definitions, computed by plain loops from gradients that
//! Burn takes of one loss term at a time, and from the sums over them that PyTorch has stored.

use burn::tensor::Tensor;
use landscape::Batch;
use landscape::per_example::{
    GradientStatistics, gradient_histogram, gradients_and_weights, statistics,
};
use tests::{Case, CaseVisitor, Net, flatten, flatten_gradients, for_each_case, gradients};

/// What is asked of every quantity. Sums of some hundred squares in another order are off by some
/// 1e-15, and a variance that is a thousandth of the mean square loses three digits of it.
const TOLERANCE: f64 = 1e-9;

/// The learning rate of the batch size that is coupled to it.
const LEARNING_RATE: f64 = 0.07;

#[track_caller]
fn compare(case: &str, what: &str, ours: f64, definition: f64) {
    let error = (ours - definition).abs() / definition.abs();
    println!("{case:30} {what:34} {ours:+.6e} {error:.1e}");
    assert!(error < TOLERANCE, "{case}: {what} {ours} {definition}");
}

/// Returns the gradients of the loss terms, one row for each: of examples by themselves, and in
/// the batch where it couples them.
fn example_gradients<N: Net>(case: &Case<N>) -> Vec<Vec<f64>> {
    let gradient = |loss: Tensor<1>| {
        let found = gradients(&case.model, loss);
        flatten_gradients(&case.model, &found)
    };
    (0..case.batch.examples())
        .map(|n| {
            if case.view == "batch" {
                let terms = N::loss_terms(case.model.outputs(&case.batch), &case.batch);
                gradient(terms.slice_dim(0, n..n + 1))
            } else {
                let example = case.batch.clone().narrow(n..n + 1);
                gradient(case.model.loss(&example))
            }
        })
        .collect()
}

/// The definitions, from the rows.
struct Definitions {
    mean: Vec<f64>,
    /// With one over N − 1.
    variance: Vec<f64>,
    mean_square: Vec<f64>,
}

#[expect(clippy::cast_precision_loss, reason = "some hundred examples")]
fn definitions(rows: &[Vec<f64>]) -> Definitions {
    let (count, dim) = (rows.len() as f64, rows[0].len());
    let mut mean = vec![0.0; dim];
    let mut mean_square = vec![0.0; dim];
    let mut variance = vec![0.0; dim];
    for i in 0..dim {
        for row in rows {
            mean[i] += row[i] / count;
            mean_square[i] += row[i] * row[i] / count;
        }
        for row in rows {
            variance[i] += (row[i] - mean[i]) * (row[i] - mean[i]) / (count - 1.0);
        }
    }
    Definitions {
        mean,
        variance,
        mean_square,
    }
}

/// Returns which coordinates are zero but for rounding, by PyTorch's sums: those of dead units, and
/// those that vanish by symmetry (biases before BatchNorm, of the keys of attention). They are
/// below 4e-16 of the whole gradient, and no other coordinate is below 4e-15 of it.
fn zeros<N: Net>(case: &Case<N>) -> Vec<bool> {
    let squares = case.family("grad_sumsq");
    let whole: f64 = squares.iter().sum();
    let is_zero = |square: &f64| square.sqrt() <= 1e-15 * whole.sqrt();
    squares.iter().map(is_zero).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Compares what the sums of the rows say: everything but what needs the rows themselves.
#[expect(clippy::cast_precision_loss, reason = "some hundred examples")]
fn compare_sums<N: Net>(case: &Case<N>, found: &GradientStatistics, defined: &Definitions) {
    let name = case.to_string();
    let count = found.examples as f64;
    let trace: f64 = defined.variance.iter().sum();
    let squared_norm = dot(&defined.mean, &defined.mean);
    compare(&name, "tr Sigma", found.total_variance(), trace);
    let some = |value: Option<f64>| value.expect("a value");
    compare(
        &name,
        "noise scale",
        some(found.noise_scale()),
        trace / squared_norm,
    );
    let unbiased = squared_norm - trace / count;
    if unbiased.abs() > 1e-6 * squared_norm {
        compare(
            &name,
            "|G|^2, unbiased",
            found.squared_norm_unbiased(),
            unbiased,
        );
        let scale = (unbiased > 0.0).then(|| trace / unbiased);
        assert_eq!(found.noise_scale_unbiased().is_some(), scale.is_some());
        if let (Some(ours), Some(scale)) = (found.noise_scale_unbiased(), scale) {
            compare(&name, "noise scale, unbiased", ours, scale);
        }
    }
    let zeros = zeros(case);
    let (mut sum, mut coordinates) = (0.0, 0.0);
    let ratios = found.signal_to_noise();
    for (i, ours) in ratios.values.iter().enumerate() {
        if zeros[i] {
            assert_eq!(*ours, None, "{name}: coordinate {i}");
            continue;
        }
        let ratio = defined.mean[i] * defined.mean[i] / defined.variance[i];
        // The gradient of a coordinate may all but cancel among the examples.
        let size = defined.mean_square[i] / defined.variance[i];
        assert!((some(*ours) - ratio).abs() < TOLERANCE * size, "{name} {i}");
        sum += ratio;
        coordinates += 1.0;
    }
    assert_eq!(
        (ratios.coordinates as f64, ratios.constant),
        (coordinates, 0)
    );
    let unresolved = zeros.iter().filter(|is_zero| **is_zero).count();
    assert_eq!(ratios.unresolved, unresolved, "{name}");
    compare(
        &name,
        "mean signal to noise",
        some(ratios.mean),
        sum / coordinates,
    );
    let evidence = 1.0 - count / coordinates * sum;
    compare(
        &name,
        "early stopping",
        some(found.early_stopping()),
        evidence,
    );
    let cabs = found
        .cabs_batch_size(LEARNING_RATE)
        .expect("a positive rate");
    let expected = LEARNING_RATE * trace / case.scalar(&["loss"]);
    compare(&name, "CABS", some(cabs), expected);
    for batch in [1, 32, found.examples] {
        let tests = found.batch_tests(batch).expect("a positive size");
        let expected = (trace / batch as f64 / squared_norm).sqrt();
        compare(
            &name,
            "norm test",
            tests.expect("a gradient").norm,
            expected,
        );
    }
    let moment: f64 = defined.mean_square.iter().sum();
    for (of, trace, diagonal) in [("H", "trace", "hess_diag"), ("G", "ggn_trace", "ggn_diag")] {
        let trace = case.scalar(&[trace]);
        if trace > 0.0 {
            let what = format!("TIC, trace of {of}");
            compare(&name, &what, some(found.tic_trace(trace)), moment / trace);
        }
        let diagonal = case.family(diagonal);
        for damping in [0.0, 1e-3] {
            let ours = found.tic_diagonal(&diagonal, damping).expect("P entries");
            let (mut value, mut left_out) = (0.0, 0);
            for i in 0..zeros.len() {
                let curvature = diagonal[i] + damping;
                if curvature > 0.0 && !zeros[i] {
                    value += defined.mean_square[i] / curvature;
                } else {
                    left_out += 1;
                }
            }
            let what = format!("TIC, diagonal of {of} + {damping}");
            compare(&name, &what, ours.value, value);
            assert_eq!(ours.left_out, left_out, "{name}");
        }
    }
}

struct Rows {
    visited: usize,
}

impl CaseVisitor for Rows {
    #[expect(clippy::cast_precision_loss, reason = "some hundred examples")]
    fn visit<N: Net>(&mut self, case: &Case<N>) {
        let name = case.to_string();
        let found = statistics(&case.model, &case.risk_of_outputs()).expect("statistics");
        let rows = example_gradients(case);
        assert_eq!(
            (found.examples, found.coupled),
            (rows.len(), case.view == "batch")
        );
        self.visited += 1;
        if case.view == "zero" {
            // At the saddle itself every example's gradient is zero.
            assert!(
                rows.iter().flatten().all(|entry| *entry == 0.0) && found.total_variance() == 0.0
            );
            assert_eq!((found.noise_scale(), found.early_stopping()), (None, None));
            assert_eq!(found.batch_tests(1), Ok(None));
            assert_eq!(found.signal_to_noise().unresolved, found.gradient.len());
            return;
        }
        let defined = definitions(&rows);
        compare_sums(case, &found, &defined);
        let (g, count) = (&defined.mean, rows.len() as f64);
        let squared_norm = dot(g, g);
        let (mut along, mut orthogonal) = (0.0, 0.0);
        for (n, row) in rows.iter().enumerate() {
            let projection = dot(row, g);
            let norm = dot(row, row).sqrt();
            assert!(
                (found.norms[n] - norm).abs() < TOLERANCE * norm,
                "{name}: {n}"
            );
            let gap = (found.projections[n] - projection).abs();
            assert!(gap < TOLERANCE * norm * squared_norm.sqrt(), "{name}: {n}");
            along += (projection - squared_norm).powi(2) / (count - 1.0);
            let mut square = 0.0;
            for i in 0..g.len() {
                square += (row[i] - projection / squared_norm * g[i]).powi(2);
            }
            orthogonal += square / (count - 1.0);
        }
        for batch in [1, 32, rows.len()] {
            let tests = found.batch_tests(batch).expect("a positive size");
            let tests = tests.expect("the gradient is not zero");
            let inner_product = (along / batch as f64 / squared_norm.powi(2)).sqrt();
            compare(
                &name,
                "inner-product test",
                tests.inner_product,
                inner_product,
            );
            let expected = (orthogonal / batch as f64 / squared_norm).sqrt();
            compare(&name, "orthogonality test", tests.orthogonality, expected);
        }
    }
}

#[test]
fn the_noise_of_the_gradient_is_its_definition_on_example_gradients_to_1e_9() {
    let mut rows = Rows { visited: 0 };
    for_each_case(&mut rows);
    assert_eq!(rows.visited, 10);
}

struct Sums {
    visited: usize,
}

impl CaseVisitor for Sums {
    #[expect(clippy::cast_precision_loss, reason = "some hundred examples")]
    fn visit<N: Net>(&mut self, case: &Case<N>) {
        if case.view == "zero" {
            return;
        }
        let found = statistics(&case.model, &case.risk_of_outputs()).expect("statistics");
        let count = case.values("example_loss").len() as f64;
        let mean = case.family("grad");
        let squares = case.family("grad_sumsq");
        let mean_square: Vec<f64> = squares.iter().map(|square| square / count).collect();
        let variance = mean_square.iter().zip(&mean);
        let variance =
            variance.map(|(square, mean)| (square - mean * mean) * count / (count - 1.0));
        let defined = Definitions {
            variance: variance.collect(),
            mean,
            mean_square,
        };
        compare_sums(case, &found, &defined);
        for (ours, theirs) in found.norms.iter().zip(case.values("example_grad_norm")) {
            assert!((ours - theirs).abs() < TOLERANCE * theirs, "{case}");
        }
        self.visited += 1;
    }
}

#[test]
fn the_noise_of_the_gradient_agrees_with_the_sums_that_pytorch_has_stored_to_1e_9() {
    let mut sums = Sums { visited: 0 };
    for_each_case(&mut sums);
    assert_eq!(sums.visited, 9);
}

/// Returns how many entries lie between each two edges, and how many of them so near to an edge
/// that rounding decides. Of what is zero but for rounding, rounding alone decides.
fn counted<'a>(entries: impl Iterator<Item = &'a f64>, edges: &[f64]) -> (Vec<u64>, Vec<u64>) {
    let bins = edges.len() - 1;
    let (mut inside, mut doubtful) = (vec![0; bins], vec![0; bins]);
    for entry in entries {
        let bin = edges.partition_point(|edge| edge <= entry) - 1;
        inside[bin.min(bins - 1)] += 1;
        for (bin, ends) in edges.windows(2).enumerate() {
            let is_near = |end: f64| (entry - end).abs() <= 1e-9 * end.abs() + 1e-14;
            doubtful[bin] += u64::from(is_near(ends[0]) || is_near(ends[1]));
        }
    }
    (inside, doubtful)
}

struct Histograms;

impl CaseVisitor for Histograms {
    fn visit<N: Net>(&mut self, case: &Case<N>) {
        // Some cases, each of another kind.
        if !["case2_softmax_regression", "case6_cnn_bn"].contains(&N::FIXTURE) {
            return;
        }
        let (rows, risk) = (example_gradients(case), case.risk_of_outputs());
        let found = gradient_histogram(&case.model, &risk).expect("a histogram");
        let parameters = rows[0].len();
        assert_eq!((found.examples, found.parameters), (rows.len(), parameters));
        // Bins without an entry are left out: one between each two of the others, at most.
        let mut edges = vec![found.bins[0].left];
        let mut expected = Vec::new();
        for bin in &found.bins {
            if bin.left > *edges.last().expect("the first") {
                edges.push(bin.left);
                expected.push(0);
            }
            edges.push(bin.right);
            expected.push(bin.count);
        }
        let (inside, doubtful) = counted(rows.iter().flatten(), &edges);
        assert_eq!(
            expected.iter().sum::<u64>(),
            (rows.len() * parameters) as u64
        );
        for (bin, expected) in expected.iter().enumerate() {
            assert!(
                expected.abs_diff(inside[bin]) <= doubtful[bin],
                "{case}: {bin}"
            );
        }
        let all: u64 = doubtful.iter().sum();
        println!(
            "{case:30} {} bins, {all} entries on an edge",
            expected.len()
        );

        let found = gradients_and_weights(&case.model, &risk).expect("counts");
        let theta = flatten(&case.model);
        let columns = found.weights.len() - 1;
        let mut of_column: Vec<Vec<f64>> = vec![Vec::new(); columns];
        for (i, weight) in theta.iter().enumerate() {
            let column = found.weights.partition_point(|edge| edge <= weight) - 1;
            of_column[column.min(columns - 1)].extend(rows.iter().map(|row| row[i]));
        }
        for (j, entries) in of_column.iter().enumerate() {
            let (inside, doubtful) = counted(entries.iter(), &found.gradients);
            for i in 0..inside.len() {
                let count = found.counts[i * columns + j];
                assert!(count.abs_diff(inside[i]) <= doubtful[i], "{case}: {i} {j}");
            }
        }
    }
}

#[test]
fn histograms_count_the_entries_of_example_gradients() {
    for_each_case(&mut Histograms);
}
