//! Gradients, Hessian products, eigenvalues and traces against PyTorch in float64.

use burn::tensor::{DType, Device, Tensor};
use landscape::download;
use landscape::spectrum::{
    LanczosConfig, TraceConfig, dense_spectrum, extremes, hutchinson_trace, top_eigenpairs,
};
use landscape::{DifferenceConfig, DifferenceStep, GaussNewton, Hessian, LinearOperator, Method};
use tests::{Case, CaseVisitor, Net, for_each_case, for_each_case_on, relative_error};

fn hessian<N: Net>(case: &Case<N>, step: DifferenceStep) -> Hessian<N, N::Batch> {
    let config = DifferenceConfig::new().with_step(step);
    Hessian::by_differences(&case.model, &case.risk(), &config).expect("the case can be measured")
}

fn product<N: Net>(hessian: &Hessian<N, N::Batch>, v: &[f64]) -> Vec<f64> {
    let v: Tensor<1> = hessian.domain().upload(v).expect("P entries");
    download(&hessian.apply(&v).expect("a product"))
}

/// Cases 1, 2, 3, 7 and the saddle have as many derivatives as one likes; 4, 5 and 6 have ReLU or
/// max pooling.
fn is_smooth<N: Net>(_: &Case<N>) -> bool {
    !["case4_mlp_relu", "case5_cnn", "case6_cnn_bn"].contains(&N::FIXTURE)
}

struct ValueAndGradient;

impl CaseVisitor for ValueAndGradient {
    fn visit<N: Net>(&mut self, case: &Case<N>) {
        let (value, gradient) = case.risk().gradient(&case.model).expect("a gradient");
        let expected = case.scalar(&["loss"]);
        let loss_error = (value - expected).abs() / expected;
        let gradient_error = relative_error(&download(&gradient), &case.family("grad"));
        println!("{case:28} loss {loss_error:.1e}  gradient {gradient_error:.1e}");
        assert!(loss_error < 1e-12, "{case}");
        // At the saddle itself the gradient is exactly zero in both.
        assert!(gradient_error < 1e-12, "{case}");
        let by_value = case.risk().value(&case.model).expect("a value");
        assert!((by_value - expected).abs() < 1e-12 * expected, "{case}");
    }
}

#[test]
fn loss_and_gradient_agree_with_pytorch_to_1e_12() {
    for_each_case(&mut ValueAndGradient);
}

struct ExactProducts;

impl CaseVisitor for ExactProducts {
    fn visit<N: Net>(&mut self, case: &Case<N>) {
        let hessian = Hessian::at(&case.model, &case.risk()).expect("the case can be measured");
        let dtype = hessian.domain().dtype;
        assert!(matches!(
            hessian.method(),
            Method::Exact { dtype: found, .. } if found == dtype
        ));
        let error = relative_error(&product(&hessian, &case.family("v")), &case.family("hv"));
        // In f32 ten times what the fixture says that PyTorch reaches.
        let limit = match dtype {
            DType::F64 => 1e-11,
            _ => 10.0 * case.scalar(&["float32_torch_rel_err", "hv"]),
        };
        println!("{case:28} exact product in {dtype:?} {error:.1e}, limit {limit:.1e}");
        assert!(error < limit, "{case}: {error:.1e}");
    }
}

#[test]
fn exact_products_agree_with_pytorch_to_1e_11() {
    for_each_case(&mut ExactProducts);
}

#[test]
fn exact_products_in_f32_are_as_good_as_pytorchs() {
    for_each_case_on(&Device::flex().autodiff(), DType::F32, &mut ExactProducts);
}

struct GaussNewtonProducts;

impl CaseVisitor for GaussNewtonProducts {
    fn visit<N: Net>(&mut self, case: &Case<N>) {
        let gauss_newton = GaussNewton::at(&case.model, &case.risk_of_outputs())
            .expect("the case can be measured");
        let v = gauss_newton
            .domain()
            .upload(&case.family("v"))
            .expect("P entries");
        let product = download(&gauss_newton.apply(&v).expect("a product"));
        let error = relative_error(&product, &case.family("ggnv"));
        println!("{case:28} Gauss-Newton product {error:.1e}");
        assert!(error < 1e-11, "{case}: {error:.1e}");
    }
}

#[test]
fn gauss_newton_products_agree_with_pytorch_to_1e_11() {
    for_each_case(&mut GaussNewtonProducts);
}

/// The largest error of the whole spectrum, relative to the largest eigenvalue.
fn worst_eigenvalue<N: Net>(case: &Case<N>, hessian: &Hessian<N, N::Batch>) -> f64 {
    let mut values = dense_spectrum(hessian).expect("a spectrum").values;
    let mut expected = case.values("hess_eigs");
    assert_eq!(values.len(), expected.len(), "{case}");
    expected.sort_by(f64::total_cmp);
    values.sort_by(f64::total_cmp);
    let worst = values
        .iter()
        .zip(&expected)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f64::max);
    let relative = worst / case.scalar(&["lambda_max"]);
    println!(
        "{case:28} P = {:4}, worst eigenvalue {relative:.1e} of lambda_max",
        values.len()
    );
    relative
}

struct ExactSpectra {
    visited: usize,
}

impl CaseVisitor for ExactSpectra {
    fn visit<N: Net>(&mut self, case: &Case<N>) {
        let hessian = Hessian::at(&case.model, &case.risk()).expect("the case can be measured");
        assert!(worst_eigenvalue(case, &hessian) < 1e-10, "{case}");
        self.visited += 1;
    }
}

#[test]
fn whole_spectra_by_exact_products_agree_with_pytorch_to_1e_10() {
    let mut spectra = ExactSpectra { visited: 0 };
    for_each_case(&mut spectra);
    assert_eq!(spectra.visited, 10);
}

struct SmoothProducts;

impl CaseVisitor for SmoothProducts {
    fn visit<N: Net>(&mut self, case: &Case<N>) {
        if !is_smooth(case) {
            return;
        }
        let (v, expected) = (case.family("v"), case.family("hv"));
        let error = relative_error(
            &product(&hessian(case, DifferenceStep::Smooth), &v),
            &expected,
        );
        println!("{case:28} product {error:.1e}");
        assert!(error < 1e-7, "{case}: {error:.1e}");
    }
}

#[test]
fn difference_products_of_smooth_losses_agree_with_pytorch_to_1e_7() {
    for_each_case(&mut SmoothProducts);
}

struct Order;

impl CaseVisitor for Order {
    fn visit<N: Net>(&mut self, case: &Case<N>) {
        // The Hessian of case 1 is constant, so its difference has no truncation error; at the
        // saddle (view zero) the odd derivatives vanish by symmetry.
        if ![
            "case2_softmax_regression",
            "case3_mlp_tanh",
            "case7_attention",
        ]
        .contains(&N::FIXTURE)
        {
            return;
        }
        let (v, expected) = (case.family("v"), case.family("hv"));
        let errors = [4e-3, 2e-3, 1e-3, 5e-4].map(|step| {
            relative_error(
                &product(&hessian(case, DifferenceStep::Relative(step)), &v),
                &expected,
            )
        });
        let orders: Vec<f64> = errors
            .windows(2)
            .map(|pair| (pair[0] / pair[1]).log2())
            .collect();
        println!(
            "{case:28} errors {} orders {orders:.3?}",
            errors.map(|e| format!("{e:.1e}")).join(" ")
        );
        // The next term of the expansion is 4 times smaller at each halving.
        assert!((orders[2] - 2.0).abs() < 0.05, "{case}: {orders:?}");
    }
}

#[test]
fn difference_products_converge_with_order_two() {
    for_each_case(&mut Order);
}

struct KinkedProducts;

impl CaseVisitor for KinkedProducts {
    fn visit<N: Net>(&mut self, case: &Case<N>) {
        if is_smooth(case) {
            return;
        }
        let (v, expected) = (case.family("v"), case.family("hv"));
        let error = |step| relative_error(&product(&hessian(case, step), &v), &expected);
        let (smooth, kinks) = (error(DifferenceStep::Smooth), error(DifferenceStep::Kinks));
        println!(
            "{case:28} product {smooth:.1e} with the smooth step, {kinks:.1e} with the kinks'"
        );
        // The short step crosses no kink of these cases; what is left is rounding, some u / h
        // times the norm of the gradient over that of the product.
        assert!(kinks < 1e-6, "{case}: {kinks:.1e}");
    }
}

#[test]
fn difference_products_with_kinks_agree_with_pytorch_at_a_short_step() {
    for_each_case(&mut KinkedProducts);
}

struct SinglePrecisionModels;

impl CaseVisitor for SinglePrecisionModels {
    fn visit<N: Net>(&mut self, case: &Case<N>) {
        let hessian = Hessian::by_differences(&case.model, &case.risk(), &DifferenceConfig::new())
            .expect("the case can be measured");
        let (v, expected) = (case.family("v"), case.family("hv"));
        let error = relative_error(&product(&hessian, &v), &expected);
        println!("{case:28} product {error:.1e}, {}", hessian.method());
        assert_eq!(hessian.domain().dtype, DType::F64);
        // The weights are those of the fixture rounded to f32, by some 3e-8: what is left is the
        // change of the Hessian with them, the largest where BatchNorm divides by small variances.
        assert!(error < 1e-4, "{case}: {error:.1e}");
    }
}

#[test]
fn difference_products_of_models_in_f32_are_taken_in_f64_by_default() {
    for_each_case_on(
        &Device::flex().autodiff(),
        DType::F32,
        &mut SinglePrecisionModels,
    );
}

struct Eigenvalues;

impl CaseVisitor for Eigenvalues {
    fn visit<N: Net>(&mut self, case: &Case<N>) {
        let step = if is_smooth(case) {
            DifferenceStep::Smooth
        } else {
            DifferenceStep::Kinks
        };
        let hessian = hessian(case, step);
        let lanczos = LanczosConfig::new()
            .with_seed(7)
            .with_tolerance(1e-7)
            .with_max_steps(120);
        let both = extremes(&hessian, &lanczos).expect("eigenvalues");
        let (max, min) = (case.scalar(&["lambda_max"]), case.scalar(&["lambda_min"]));
        let error = (both.max.value - max).abs() / max;
        let error_min = (both.min.value - min).abs() / max;
        println!(
            "{case:28} lambda_max {error:.1e} (residual {:.1e}), lambda_min {error_min:.1e} of lambda_max",
            both.max.residual / max
        );
        // An eigenvalue's error is bounded by the norm of the products' error.
        let limit = if is_smooth(case) { 1e-7 } else { 1e-6 };
        assert!(error < limit, "{case}: {error:.1e}");
        assert!(
            error_min < 1e3 * limit || !both.min.converged,
            "{case}: {error_min:.1e}"
        );
        assert!(
            (both.max.value - max).abs() <= both.max.residual + limit * max,
            "{case}"
        );
    }
}

#[test]
fn extreme_eigenvalues_agree_with_pytorch() {
    for_each_case(&mut Eigenvalues);
}

#[test]
fn top_eigenpairs_agree_with_the_dense_spectrum() {
    struct Top;
    impl CaseVisitor for Top {
        fn visit<N: Net>(&mut self, case: &Case<N>) {
            // One copy of each repeated eigenvalue is found: case 1 has every one three times.
            if !["case3_mlp_tanh", "case4_mlp_relu", "case7_attention"].contains(&N::FIXTURE) {
                return;
            }
            let step = if is_smooth(case) {
                DifferenceStep::Smooth
            } else {
                DifferenceStep::Kinks
            };
            let lanczos = LanczosConfig::new().with_seed(7).with_tolerance(1e-6);
            let hessian = hessian(case, step);
            let pairs = top_eigenpairs(&hessian, 5, &lanczos).expect("eigenpairs");
            let expected = case.values("hess_eigs");
            for (pair, expected) in pairs.iter().zip(&expected) {
                let error = (pair.value - expected).abs() / case.scalar(&["lambda_max"]);
                println!(
                    "{case:28} {:.8} error {error:.1e} of lambda_max",
                    pair.value
                );
                assert!(error < 1e-6, "{case}");
            }
            let vector = download(&pairs[0].vector);
            let golden = case.family("hess_eigvec1");
            let cosine: f64 = vector.iter().zip(&golden).map(|(a, b)| a * b).sum();
            assert!(1.0 - cosine.abs() < 1e-8, "{case}: {cosine}");
        }
    }
    for_each_case(&mut Top);
}

struct Traces;

impl CaseVisitor for Traces {
    fn visit<N: Net>(&mut self, case: &Case<N>) {
        let step = if is_smooth(case) {
            DifferenceStep::Smooth
        } else {
            DifferenceStep::Kinks
        };
        let config = TraceConfig::new()
            .with_seed(3)
            .with_relative_error(0.05)
            .with_max_probes(300);
        let trace = hutchinson_trace(&hessian(case, step), &config).expect("a trace");
        let expected = case.scalar(&["trace"]);
        let deviations = (trace.estimate.mean - expected).abs()
            / trace.estimate.standard_error.max(f64::MIN_POSITIVE);
        println!(
            "{case:28} trace {:.4} +- {:.4}, exactly {expected:.4}: {deviations:.1} standard errors",
            trace.estimate.mean, trace.estimate.standard_error
        );
        // Four standard errors: 6 in 100,000 for one seed.
        assert!(deviations < 4.0, "{case}");
    }
}

#[test]
fn traces_lie_within_their_standard_error_of_pytorch() {
    for_each_case(&mut Traces);
}

struct Dense;

impl CaseVisitor for Dense {
    fn visit<N: Net>(&mut self, case: &Case<N>) {
        if !["case1_linear_mse", "case8_saddle"].contains(&N::FIXTURE) {
            return;
        }
        let worst = worst_eigenvalue(case, &hessian(case, DifferenceStep::Smooth));
        assert!(worst < 1e-7, "{case}");
    }
}

#[test]
fn whole_spectra_by_differences_agree_with_pytorch_to_1e_7() {
    for_each_case(&mut Dense);
}
