//! Hutchinson's trace: bias, honesty of the error, stopping.

use std::cell::RefCell;

use burn::tensor::Tensor;

use super::{Breaking, dense, diagonal, random_symmetric};
use crate::error::Error;
use crate::operator::{Counted, LinearOperator};
use crate::spectrum::{Estimate, TraceConfig, hutchinson_trace, hutchinson_trace_by_block};
use crate::vector::Domain;
use crate::vector::random::{Purpose, rademacher};

const DIM: usize = 20;

/// Trace, squared Frobenius norm, and variance 2 (‖A‖² − Σ aᵢᵢ²) of one probe.
fn closed_form(rows: &[f64]) -> (f64, f64, f64) {
    let frobenius: f64 = rows.iter().map(|a| a * a).sum();
    let diagonal: Vec<f64> = (0..DIM).map(|i| rows[i * DIM + i]).collect();
    let squares: f64 = diagonal.iter().map(|a| a * a).sum();
    (
        diagonal.iter().sum(),
        frobenius,
        2.0 * (frobenius - squares),
    )
}

/// Exactly `probes` probes.
fn fixed(probes: usize) -> TraceConfig {
    TraceConfig::new()
        .with_relative_error(0.0)
        .with_min_probes(2)
        .with_max_probes(probes)
}

#[test]
fn intervals_cover_the_trace_as_often_as_they_promise() {
    let rows = random_symmetric(DIM, 1);
    let (trace, frobenius, variance) = closed_form(&rows);
    let op = dense(&rows, DIM);
    let (mut covered, mut means, mut variances, mut norms) = (0, Vec::new(), 0.0, Vec::new());
    for seed in 0..400 {
        let config = fixed(30).with_seed(seed).with_frobenius(true);
        let found = hutchinson_trace(&op, &config).unwrap();
        let [low, high] = found.estimate.interval(0.95).unwrap();
        covered += u32::from(low <= trace && trace <= high);
        means.push(found.estimate.mean);
        variances += found.estimate.standard_error.powi(2) * 30.0 / 400.0;
        norms.push(found.squared_frobenius.expect("it was asked for").mean);
    }
    // 400 trials at 0.95: 380 with a standard deviation of 4.36; four of them.
    assert!((363..=397).contains(&covered), "{covered} of 400");
    let mean = Estimate::of(means);
    assert!(
        (mean.mean - trace).abs() < 4.0 * (variance / 12_000.0).sqrt(),
        "the estimate is biased"
    );
    let norm = Estimate::of(norms);
    assert!((norm.mean - frobenius).abs() < 4.0 * norm.standard_error);
    // A sample variance from 12,000 values is good to √(2 / 12000) = 1.3 % for normal values;
    // five of these.
    assert!(
        (variances / variance - 1.0).abs() < 0.065,
        "{}",
        variances / variance
    );
    // The means of the runs spread as the formula says: √(2 / 399) = 7 %, four of these.
    let spread = mean.standard_error.powi(2) * 400.0;
    assert!((spread * 30.0 / variance - 1.0).abs() < 0.28);
}

#[test]
fn trace_is_not_stopped_before_the_error_is_reached() {
    // One probe's standard deviation is a fifth of the trace, so one per cent takes 400 probes; a
    // rule that watches the running mean move by 1e-3 stops after about 14 to 42.
    let mut rows = random_symmetric(DIM, 2);
    let (_, _, variance) = closed_form(&rows);
    for i in 0..DIM {
        rows[i * DIM + i] = 5.0 * variance.sqrt() / 20.0;
    }
    let trace = 5.0 * variance.sqrt();
    for seed in 0..5 {
        let config = TraceConfig::new().with_relative_error(0.01).with_seed(seed);
        let found = hutchinson_trace(&dense(&rows, DIM), &config).unwrap();
        assert!(found.converged);
        assert!(
            (320..480).contains(&found.estimate.count),
            "{} probes",
            found.estimate.count
        );
        assert!(found.estimate.standard_error <= 0.01 * found.estimate.mean);
        assert!((found.estimate.mean - trace).abs() < 4.0 * found.estimate.standard_error);
    }
}

#[test]
fn diagonal_matrix_is_exact() {
    let values = [3.0, -1.0, 0.5, 4.0];
    let counted = Counted::new(diagonal(&values));
    let config = TraceConfig::new()
        .with_diagonal(true)
        .with_frobenius(true);
    let found = hutchinson_trace(&counted, &config).unwrap();
    assert_eq!(
        (
            found.estimate.mean,
            found.estimate.standard_error,
            found.products,
            found.converged
        ),
        (6.5, 0.0, 16, true)
    );
    assert_eq!(counted.products(), 16 + 1);
    let diagonal = found.diagonal.expect("it was asked for");
    for (entry, value) in diagonal.iter().zip(values) {
        assert_eq!((entry.mean, entry.standard_error), (value, 0.0));
    }
    let plain = hutchinson_trace(&counted, &TraceConfig::new()).unwrap();
    assert_eq!((plain.diagonal, plain.estimate), (None, found.estimate));
    assert_eq!(plain.squared_frobenius, None);
    let squared = found.squared_frobenius.expect("it was asked for");
    assert_eq!((squared.mean, squared.standard_error), (26.25, 0.0));
}

#[test]
fn blocks_and_diagonal_come_from_the_same_probes() {
    let rows = random_symmetric(DIM, 3);
    let counted = Counted::new(dense(&rows, DIM));
    let config = fixed(500).with_diagonal(true);
    let found = hutchinson_trace_by_block(&counted, &[0..5, 5..20, 7..7, 3..4], &config).unwrap();
    let diagonal = found.diagonal.expect("it was asked for");
    assert_eq!(counted.products(), 500 + 1);
    assert!(
        (found.blocks[0].estimate.mean + found.blocks[1].estimate.mean - found.estimate.mean).abs()
            < 1e-12
    );
    assert_eq!(
        (
            found.blocks[2].estimate.mean,
            found.blocks[2].estimate.standard_error
        ),
        (0.0, 0.0)
    );
    assert!((found.blocks[3].estimate.mean - diagonal[3].mean).abs() < 1e-14);
    assert!(
        (diagonal.iter().map(|entry| entry.mean).sum::<f64>() - found.estimate.mean).abs() < 1e-12
    );
    for i in 0..DIM {
        // The variance of one probe of a diagonal entry is the row's sum of squares beside it.
        let variance: f64 = (0..DIM)
            .filter(|j| *j != i)
            .map(|j| rows[i * DIM + j].powi(2))
            .sum();
        let error = (variance / 500.0).sqrt();
        assert!((diagonal[i].standard_error / error - 1.0).abs() < 0.2);
        assert!((diagonal[i].mean - rows[i * DIM + i]).abs() < 4.5 * error);
    }
}

#[test]
fn trace_near_zero_is_not_called_converged() {
    // The exchange of two coordinates has trace zero and zᵀAz = ±2.
    let found = hutchinson_trace(
        &dense(&[0.0, 1.0, 1.0, 0.0], 2),
        &TraceConfig::new().with_max_probes(50),
    )
    .unwrap();
    assert!(!found.converged && found.products == 50);
    let zero = hutchinson_trace(&diagonal(&[0.0; 7]), &TraceConfig::new()).unwrap();
    assert_eq!(
        (
            zero.estimate.mean,
            zero.estimate.standard_error,
            zero.converged
        ),
        (0.0, 0.0, true)
    );
}

#[test]
fn failures_reach_the_caller() {
    assert!(matches!(
        hutchinson_trace(&Breaking::new(5), &TraceConfig::new()),
        Err(Error::NonFiniteVector { .. })
    ));
    for bad in [
        TraceConfig::new().with_relative_error(-0.1),
        TraceConfig::new().with_relative_error(f64::NAN),
        TraceConfig::new().with_min_probes(1),
        TraceConfig::new().with_min_probes(0).with_max_probes(0),
        TraceConfig::new().with_max_probes(3),
    ] {
        assert!(matches!(
            hutchinson_trace(&diagonal(&[1.0]), &bad),
            Err(Error::Setting { .. })
        ));
    }
}

#[test]
fn block_beyond_the_space_is_an_error() {
    for block in [1..9, 5..5, std::ops::Range { start: 3, end: 2 }] {
        let blocks = [0..2, block];
        let found = hutchinson_trace_by_block(&diagonal(&[1.0; 4]), &blocks, &TraceConfig::new());
        assert!(
            matches!(found, Err(Error::Setting { name: "block", .. })),
            "{blocks:?}"
        );
    }
}

/// Notes how many products, and how many quadratic forms, are asked for at once.
struct Blocks<A> {
    operator: A,
    lengths: RefCell<Vec<usize>>,
    forms: RefCell<Vec<usize>>,
}

impl<A: LinearOperator> LinearOperator for Blocks<A> {
    fn domain(&self) -> &Domain {
        self.operator.domain()
    }

    fn apply(&self, v: &Tensor<1>) -> Result<Tensor<1>, Error> {
        self.operator.apply(v)
    }

    fn apply_many(&self, vectors: &[Tensor<1>]) -> Result<Vec<Tensor<1>>, Error> {
        self.lengths.borrow_mut().push(vectors.len());
        self.operator.apply_many(vectors)
    }

    fn quadratic_forms(&self, vectors: &[Tensor<1>]) -> Result<Vec<f64>, Error> {
        self.forms.borrow_mut().push(vectors.len());
        self.operator.quadratic_forms(vectors)
    }
}

#[test]
fn products_made_together_change_neither_the_estimate_nor_where_it_stops() {
    let mut rows = random_symmetric(DIM, 5);
    for i in 0..DIM {
        rows[i * DIM + i] += 8.0;
    }
    for (seed, error) in [(0, 0.05), (1, 0.02), (2, 0.01), (3, 0.3)] {
        let config = TraceConfig::new()
            .with_seed(seed)
            .with_relative_error(error);
        let blocks = || Blocks {
            operator: dense(&rows, DIM),
            lengths: RefCell::default(),
            forms: RefCell::default(),
        };
        let op = blocks();
        let found = hutchinson_trace(&op, &config.clone().with_frobenius(true)).unwrap();
        // Where forms suffice, it is the same, from two products and forms.
        let by_forms = blocks();
        let plain = hutchinson_trace(&by_forms, &config).unwrap();
        assert_eq!(plain.estimate.count, found.estimate.count);
        assert!((plain.estimate.mean / found.estimate.mean - 1.0).abs() < 1e-14);
        assert_eq!(by_forms.lengths.into_inner(), [2]);
        let forms = by_forms.forms.into_inner();
        assert_eq!(forms[0], 14, "the first probes but two at once");
        assert_eq!(plain.products, 2 + forms.iter().sum::<usize>());
        // One probe after the other, by the definition.
        let mut forms = Vec::new();
        let expected = loop {
            let z = rademacher(seed, Purpose::Trace.stream(forms.len() as u64), DIM);
            let row = |row: &[f64]| -> f64 { row.iter().zip(&z).map(|(a, z)| a * z).sum() };
            let image = rows.chunks(DIM).map(row);
            forms.push(image.zip(&z).map(|(image, z)| image * z).sum());
            let estimate = Estimate::of(forms.iter().copied());
            if forms.len() >= 16 && estimate.standard_error <= error * estimate.mean {
                break estimate;
            }
        };
        assert_eq!(found.estimate.count, expected.count);
        assert!((found.estimate.mean / expected.mean - 1.0).abs() < 1e-13);
        assert!((found.estimate.standard_error / expected.standard_error - 1.0).abs() < 1e-10);
        let lengths = op.lengths.into_inner();
        assert_eq!(lengths[0], 16, "the first probes at once");
        assert_eq!(found.products, lengths.iter().sum::<usize>());
        // Half of what seems to be missing: what is made in vain is a small part.
        let vain = found.products - found.estimate.count;
        assert!(vain <= 2 + expected.count / 10, "{vain} of {lengths:?}");
    }
}
