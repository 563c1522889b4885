//! Moments of spectral densities, and repeated eigenvalues, against PyTorch in float64.

use landscape::operator::Dense;
use landscape::spectrum::{
    Density, DensityConfig, Lanczos, LanczosConfig, materialize, top_eigenpairs,
};
use landscape::{Hessian, LinearOperator};
use tests::{Case, CaseVisitor, Net, error_of_moments, for_each_case};

/// Moments of the cases below this many parameters; `evidence moments` has all.
const SMALL: usize = 1000;

struct Moments;

impl CaseVisitor for Moments {
    fn visit<N: Net>(&mut self, case: &Case<N>) {
        let hessian = Hessian::at(&case.model, &case.risk()).expect("the case can be measured");
        let dim = hessian.dim();
        if dim >= SMALL {
            return;
        }
        // Five products from each coordinate are more than its matrix takes.
        let domain = hessian.domain();
        let matrix = materialize(&hessian).expect("products").entries;
        let op = Dense::new(&matrix, (&domain.device, domain.dtype)).expect("a symmetric matrix");
        let quadratures = (0..dim).map(|coordinate| {
            let mut unit = vec![0.0; dim];
            unit[coordinate] = 1.0;
            let start = op.domain().upload(&unit).expect("P entries");
            let mut run = Lanczos::from_start(&op, &start, 0).expect("a unit vector");
            run.extend(&op, 5).expect("products");
            run.quadrature().expect("a small eigenproblem")
        });
        // The mean over all coordinates of eᵢᵀ Hᵏ eᵢ is tr(Hᵏ) / P; five steps have the moments up
        // to nine of each.
        let density =
            Density::of(quadratures.collect(), 5 * dim, &DensityConfig::new()).expect("a density");
        let expected = case.values("hess_moments");
        assert_eq!(expected.len(), 8);
        let found: Vec<f64> = (1..=8).map(|k| density.moment(k).mean).collect();
        let worst = error_of_moments(&found, &expected);
        println!("{case:28} moments 1 to 8: {worst:.1e}");
        assert!(worst < 1e-10, "{case}: {worst:e}");
    }
}

#[test]
fn moments_by_quadrature_from_every_coordinate_agree_with_pytorch_to_1e_10() {
    for_each_case(&mut Moments);
}

#[test]
fn block_of_three_finds_every_eigenvalue_of_case_1_three_times() {
    struct Copies;
    impl CaseVisitor for Copies {
        fn visit<N: Net>(&mut self, case: &Case<N>) {
            if N::FIXTURE != "case1_linear_mse" {
                return;
            }
            let hessian = Hessian::at(&case.model, &case.risk()).expect("the case can be measured");
            let config = LanczosConfig::new()
                .with_seed(7)
                .with_tolerance(1e-8)
                .with_max_steps(150)
                .with_block_size(3);
            let expected = case.values("hess_eigs");
            // Three outputs of a linear model: three equal blocks.
            assert!((expected[0] - expected[2]).abs() < 1e-12 * expected[0]);
            for max_vectors in [None, Some(40)] {
                let config = config.clone().with_max_vectors(max_vectors);
                let pairs = top_eigenpairs(&hessian, 6, &config).expect("eigenpairs");
                for (pair, expected) in pairs.iter().zip(&expected) {
                    assert!(pair.converged);
                    let error = (pair.value - expected).abs() / expected;
                    assert!(error < 1e-10, "{error:e}");
                }
            }
        }
    }
    for_each_case(&mut Copies);
}
