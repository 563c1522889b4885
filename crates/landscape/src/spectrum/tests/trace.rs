//! Hutchinson's trace: bias, honesty of the error, stopping.

use super::{Breaking, dense, diagonal, random_symmetric};
use crate::error::Error;
use crate::operator::Counted;
use crate::spectrum::{Estimate, TraceConfig, hutchinson_trace, hutchinson_trace_by_block};

const DIM: usize = 20;

/// Trace, squared Frobenius norm, and variance 2 (||A||^2 - sum a_ii^2) of one probe.
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
        let found = hutchinson_trace(&op, &fixed(30).with_seed(seed)).unwrap();
        let [low, high] = found.interval(0.95);
        covered += u32::from(low <= trace && trace <= high);
        means.push(found.mean);
        variances += found.standard_error.powi(2) * 30.0 / 400.0;
        norms.push(found.squared_frobenius.mean);
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
    // A sample variance from 12,000 values is good to sqrt(2 / 12000) = 1.3 % for normal values;
    // five of these.
    assert!(
        (variances / variance - 1.0).abs() < 0.065,
        "{}",
        variances / variance
    );
    // The means of the runs spread as the formula says: sqrt(2 / 399) = 7 %, four of these.
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
            (320..480).contains(&found.products),
            "{} products",
            found.products
        );
        assert!(found.standard_error <= 0.01 * found.mean);
        assert!((found.mean - trace).abs() < 4.0 * found.standard_error);
    }
}

#[test]
fn diagonal_matrix_is_exact() {
    let values = [3.0, -1.0, 0.5, 4.0];
    let counted = Counted::new(diagonal(&values));
    let found = hutchinson_trace(&counted, &TraceConfig::new()).unwrap();
    assert_eq!(
        (
            found.mean,
            found.standard_error,
            found.products,
            found.converged
        ),
        (6.5, 0.0, 16, true)
    );
    assert_eq!(counted.products(), 16 + 1);
    assert_eq!(
        (found.diagonal, found.diagonal_standard_error),
        (values.to_vec(), vec![0.0; 4])
    );
    assert_eq!(
        (
            found.squared_frobenius.mean,
            found.squared_frobenius.standard_error
        ),
        (26.25, 0.0)
    );
}

#[test]
fn blocks_and_diagonal_come_from_the_same_probes() {
    let rows = random_symmetric(DIM, 3);
    let counted = Counted::new(dense(&rows, DIM));
    let found =
        hutchinson_trace_by_block(&counted, &[0..5, 5..20, 7..7, 3..4], &fixed(500)).unwrap();
    assert_eq!(counted.products(), 500 + 1);
    assert!((found.blocks[0].mean + found.blocks[1].mean - found.mean).abs() < 1e-12);
    assert_eq!(
        (found.blocks[2].mean, found.blocks[2].standard_error),
        (0.0, 0.0)
    );
    assert!((found.blocks[3].mean - found.diagonal[3]).abs() < 1e-14);
    assert!((found.diagonal.iter().sum::<f64>() - found.mean).abs() < 1e-12);
    for i in 0..DIM {
        // The variance of one probe of a diagonal entry is the row's sum of squares beside it.
        let variance: f64 = (0..DIM)
            .filter(|j| *j != i)
            .map(|j| rows[i * DIM + j].powi(2))
            .sum();
        let error = (variance / 500.0).sqrt();
        assert!((found.diagonal_standard_error[i] / error - 1.0).abs() < 0.2);
        assert!((found.diagonal[i] - rows[i * DIM + i]).abs() < 4.5 * error);
    }
}

#[test]
fn trace_near_zero_is_not_called_converged() {
    // The exchange of two coordinates has trace zero and z'Az = +-2.
    let found = hutchinson_trace(
        &dense(&[0.0, 1.0, 1.0, 0.0], 2),
        &TraceConfig::new().with_max_probes(50),
    )
    .unwrap();
    assert!(!found.converged && found.products == 50);
    let zero = hutchinson_trace(&diagonal(&[0.0; 7]), &TraceConfig::new()).unwrap();
    assert_eq!(
        (zero.mean, zero.standard_error, zero.converged),
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
        TraceConfig::new().with_max_probes(3),
    ] {
        assert!(matches!(
            hutchinson_trace(&diagonal(&[1.0]), &bad),
            Err(Error::Setting { .. })
        ));
    }
}

#[test]
#[should_panic(expected = "block 1..9 is not a range of 0..4")]
fn block_beyond_the_space_panics() {
    let _ = hutchinson_trace_by_block(&diagonal(&[1.0; 4]), &[0..2, 1..9], &TraceConfig::new());
}
