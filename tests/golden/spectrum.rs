//! Moments of spectral densities, and repeated eigenvalues, against PyTorch in float64.

use landscape::Hessian;
use landscape::LinearOperator;
use landscape::spectrum::{
    Density, DensityConfig, Lanczos, LanczosConfig, Quadrature, top_eigenpairs,
};
use tests::{Case, CaseVisitor, Net, for_each_case};

/// Returns the quadrature of a coordinate vector by five Lanczos steps.
fn quadrature<A: LinearOperator>(op: &A, coordinate: usize) -> Quadrature {
    let mut unit = vec![0.0; op.dim()];
    unit[coordinate] = 1.0;
    let start = op.domain().upload(&unit).expect("P entries");
    let mut run = Lanczos::from_start(op, &start, 0).expect("a unit vector");
    run.extend(op, 5).expect("products");
    run.quadrature().expect("a small eigenproblem")
}

struct Moments;

impl CaseVisitor for Moments {
    fn visit<N: Net>(&mut self, case: &Case<N>) {
        let hessian = Hessian::at(&case.model, &case.risk()).expect("the case can be measured");
        // The mean over all coordinates of eᵢᵀ Hᵏ eᵢ is tr(Hᵏ) / P; five steps have the moments up
        // to nine of each.
        let products = 5 * hessian.dim();
        let quadratures = (0..hessian.dim()).map(|i| quadrature(&hessian, i));
        let density =
            Density::of(quadratures.collect(), products, &DensityConfig::new()).expect("a density");
        let expected = case.values("hess_moments");
        assert_eq!(expected.len(), 8);
        let mut worst = 0.0_f64;
        for (k, expected) in (1..).zip(&expected) {
            let found = density.moment(k).mean;
            // Odd moments cancel between the ends; the even one above bounds what there is.
            worst = worst.max((found - expected).abs() / expected.abs());
        }
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
            let single = config.with_block_size(1);
            let pairs = top_eigenpairs(&hessian, 3, &single).expect("eigenpairs");
            println!(
                "{case:28} one vector: {:?}",
                pairs.iter().map(|pair| pair.value).collect::<Vec<_>>()
            );
        }
    }
    for_each_case(&mut Copies);
}
