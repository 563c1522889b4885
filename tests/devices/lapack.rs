//! LAPACK beside faer: two programs that know nothing of each other.

use landscape::norm;
use landscape::spectrum::{DenseSolver, SymmetricMatrix};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// Relative to the largest eigenvalue: both are backward stable, to some `P ε`, which is 1e-13
/// here.
const AGREEMENT: f64 = 1e-10;

fn uniform(seed: u64, count: usize) -> Vec<f64> {
    let mut generator = Xoshiro256PlusPlus::seed_from_u64(seed);
    (0..count)
        .map(|_| generator.random_range(-1.0..1.0))
        .collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Returns the rows of Q diag(values) Qᵀ with Q a reflection `I − 2uuᵀ`.
fn rotated(values: &[f64], seed: u64) -> Vec<f64> {
    let dim = values.len();
    let mut u = uniform(seed, dim);
    let length = norm(&u);
    u.iter_mut().for_each(|x| *x /= length);
    let reflection = |i: usize, j: usize| f64::from(u8::from(i == j)) - 2.0 * u[i] * u[j];
    let mut rows = vec![0.0; dim * dim];
    for i in 0..dim {
        for j in 0..dim {
            let terms = (0..dim).map(|k| reflection(i, k) * values[k] * reflection(j, k));
            rows[i * dim + j] = terms.sum();
        }
    }
    rows
}

fn matrices() -> Vec<(&'static str, SymmetricMatrix)> {
    // The symmetric part of whatever it is.
    let of = |rows: Vec<f64>| {
        let dim = rows.len().isqrt();
        SymmetricMatrix::from_rows(rows, dim).unwrap()
    };
    let graded: Vec<f64> = (0..60)
        .map(|i| 10.0_f64.powf(-f64::from(i) / 5.0))
        .collect();
    let clustered: Vec<f64> = (0..60)
        .map(|i| f64::from(i % 3) + 1e-9 * f64::from(i))
        .collect();
    let repeated: Vec<f64> = (0..60).map(|i| f64::from(i / 20) - 1.0).collect();
    vec![
        ("random", of(uniform(5, 300 * 300))),
        ("graded", of(rotated(&graded, 1))),
        ("clustered", of(rotated(&clustered, 2))),
        ("repeated", of(rotated(&repeated, 3))),
        ("one", of(vec![-2.5])),
        ("none", of(Vec::new())),
        ("tiny", of(rotated(&[1e-300, 3e-300], 4))),
    ]
}

#[test]
fn lapack_is_the_default_where_it_is_chosen() {
    assert_eq!(DenseSolver::default(), DenseSolver::Lapack);
}

#[test]
fn lapack_and_faer_find_the_same_eigenvalues() {
    for (name, matrix) in matrices() {
        let lapack = matrix.eigenvalues_by(DenseSolver::Lapack).unwrap();
        let faer = matrix.eigenvalues_by(DenseSolver::Faer).unwrap();
        assert_eq!(lapack.len(), matrix.dim, "{name}");
        let largest = faer.iter().fold(0.0, |top: f64, x| top.max(x.abs()));
        for (a, b) in lapack.iter().zip(&faer) {
            assert!((a - b).abs() <= AGREEMENT * largest, "{name}: {a} and {b}");
        }
    }
}

#[test]
fn lapack_gives_orthonormal_eigenvectors_of_its_eigenvalues() {
    for (name, matrix) in matrices() {
        let eigen = matrix.eigen_by(DenseSolver::Lapack).unwrap();
        let faer = matrix.eigen_by(DenseSolver::Faer).unwrap();
        let largest = faer.values.iter().fold(0.0, |top: f64, x| top.max(x.abs()));
        assert_eq!(eigen.vectors.len(), matrix.dim, "{name}");
        for (i, (value, vector)) in eigen.values.iter().zip(&eigen.vectors).enumerate() {
            assert!(
                (value - faer.values[i]).abs() <= AGREEMENT * largest,
                "{name}"
            );
            let rows = matrix.entries.chunks(matrix.dim);
            let residual: Vec<f64> = rows
                .zip(vector)
                .map(|(row, x)| dot(row, vector) - value * x)
                .collect();
            assert!(norm(&residual) <= AGREEMENT * largest, "{name}");
            for other in &eigen.vectors[..i] {
                assert!(dot(vector, other).abs() < AGREEMENT, "{name}");
            }
            assert!((norm(vector) - 1.0).abs() < AGREEMENT, "{name}");
        }
    }
}
