//! The exact trace and diagonal beside PyTorch's full matrices, and the claim of exactness.

use burn::tensor::{DType, Device};
use landscape::curvature::{exact_diagonal, exact_diagonal_with, exact_trace_with};
use landscape::spectrum::{TraceConfig, hutchinson_trace};
use landscape::{GaussNewton, Hessian};
use tests::{Case, CaseVisitor, Net, for_each_case, for_each_case_on, relative_error};

/// Parameters in which the outputs of a case are not affine, by hand: what comes before GELU, tanh,
/// softmax or a variance of the batch.
fn curved<N: Net>(case: &Case<N>) -> &'static [&'static str] {
    match (N::FIXTURE, case.view) {
        ("case3_mlp_tanh", _) => &["fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"],
        ("case5_cnn", _) => &["conv1.weight", "conv1.bias"],
        // All that a variance of the batch is taken of; bn2 and fc come after the last.
        ("case6_cnn_bn", "batch") => &[
            "conv1.weight",
            "conv1.bias",
            "bn1.gamma",
            "bn1.beta",
            "conv2.weight",
            "conv2.bias",
        ],
        ("case7_attention", _) => &[
            "embed.weight",
            "embed.bias",
            "norm1.gamma",
            "norm1.beta",
            "q.weight",
            "q.bias",
            "k.weight",
            "k.bias",
            "v.weight",
            "v.bias",
            "o.weight",
            "o.bias",
        ],
        _ => &[],
    }
}

#[derive(Default)]
struct ExactDiagonals {
    visited: usize,
}

impl CaseVisitor for ExactDiagonals {
    fn visit<N: Net>(&mut self, case: &Case<N>) {
        let diagonal =
            exact_diagonal(&case.model, &case.risk_of_outputs()).expect("an exact diagonal");
        let (of_hessian, of_gauss_newton) = (case.family("hess_diag"), case.family("ggn_diag"));
        let error = relative_error(&diagonal.gauss_newton, &of_gauss_newton);
        let size = of_hessian.iter().map(|x| x * x).sum::<f64>().sqrt();
        // At the saddle both diagonals are zero.
        let size = size.max(1e-12);
        println!(
            "{:24} diag G {error:.1e} in {} passes",
            case.to_string(),
            diagonal.passes
        );
        assert!(error < 1e-11, "{case}: {error:.1e}");
        let trace: f64 = diagonal.gauss_newton.iter().sum();
        let expected = case.scalar(&["ggn_trace"]);
        assert!((trace - expected).abs() <= 1e-11 * expected, "{case}");
        let curved = curved(case);
        for block in &diagonal.blocks {
            let range = block.range.clone();
            let gap = |a: &[f64], b: &[f64]| {
                let pairs = a[range.clone()].iter().zip(&b[range.clone()]);
                pairs.map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt() / size
            };
            let exact = gap(&diagonal.values, &of_hessian);
            let apart = gap(&of_gauss_newton, &of_hessian);
            println!(
                "  {:14} {} H {exact:.1e}, H - G {apart:.1e}",
                block.path, block.is_exact
            );
            assert_eq!(
                !block.is_exact,
                curved.contains(&block.path.as_str()),
                "{case}: {}",
                block.path
            );
            if block.is_exact {
                assert!(exact < 1e-11, "{case}: {} {exact:.1e}", block.path);
            } else {
                // At most ten standard errors off, where there are 16 probes or more.
                for i in range.clone() {
                    let error = (diagonal.values[i] - of_hessian[i]).abs();
                    let allowed = 10.0 * diagonal.standard_errors[i] + 1e-11 * size;
                    assert!(error < allowed, "{case}: {} {i}", block.path);
                }
            }
        }
        self.visited += 1;
    }
}

#[test]
fn exact_diagonals_agree_with_pytorch_to_1e_11_where_they_are_claimed() {
    let mut visitor = ExactDiagonals::default();
    for_each_case(&mut visitor);
    assert_eq!(visitor.visited, 10);
}

struct ExactTraces {
    limit: f64,
}

impl CaseVisitor for ExactTraces {
    fn visit<N: Net>(&mut self, case: &Case<N>) {
        let config = TraceConfig::new()
            .with_relative_error(0.0)
            .with_max_probes(100);
        let trace = exact_trace_with(&case.model, &case.risk_of_outputs(), &config)
            .expect("an exact trace");
        let expected = case.scalar(&["trace"]);
        let error = trace.value - expected;
        let standard_error = trace.exactness.standard_error();
        let hessian = Hessian::at(&case.model, &case.risk()).expect("the case can be measured");
        let plain = hutchinson_trace(&hessian, &config)
            .expect("a trace")
            .estimate;
        println!(
            "{:24} tr H {expected:10.5}: error {error:9.1e} ± {standard_error:.1e} ({} passes, {} probes); plain {:9.1e} ± {:.1e} ({} probes), tr G {:.5}",
            case.to_string(),
            trace.passes,
            trace.products,
            plain.mean - expected,
            plain.standard_error,
            plain.count,
            trace.gauss_newton,
        );
        let of_blocks: f64 = trace.blocks.iter().map(|block| block.value).sum();
        assert!((of_blocks - trace.value).abs() < 1e-5 * (1.0 + trace.value.abs()));
        // Four standard errors: of ten fixed seeds none is expected beyond.
        let allowed = 4.0 * standard_error + self.limit * trace.gauss_newton.abs();
        assert!(error.abs() <= allowed, "{case}: {error:.1e}");
        assert!(
            standard_error <= plain.standard_error + self.limit,
            "{case}: {standard_error:.1e} and {:.1e}",
            plain.standard_error
        );
    }
}

#[test]
fn traces_agree_with_pytorch_and_vary_less_than_plain_probes() {
    for_each_case(&mut ExactTraces { limit: 1e-11 });
}

#[test]
fn traces_in_f32_are_exact_to_its_rounding() {
    for_each_case_on(
        &Device::flex().autodiff(),
        DType::F32,
        &mut ExactTraces { limit: 2e-6 },
    );
}

struct Forms;

impl CaseVisitor for Forms {
    fn visit<N: Net>(&mut self, case: &Case<N>) {
        use landscape::{Fisher, LinearOperator, ProductConfig};
        let v = case.family("v");
        let (gv, fv) = (case.scalar(&["vGv"]), case.scalar(&["vFv"]));
        for limit in [None, Some(0)] {
            let config = ProductConfig::new().with_memory_limit(limit);
            let risk = case.risk_of_outputs();
            let gauss_newton = GaussNewton::at_with(&case.model, &risk, &config).expect("G");
            let fisher = Fisher::at_with(&case.model, &risk, &config).expect("F");
            let v = gauss_newton.domain().upload(&v).expect("P entries");
            let form = gauss_newton.quadratic_form(&v).expect("a form");
            let other = fisher.quadratic_form(&v).expect("a form");
            println!(
                "{:24} v'Gv {:.1e}, v'Fv {:.1e}",
                case.to_string(),
                form - gv,
                other - fv
            );
            assert!((form - gv).abs() <= 1e-11 * gv.abs(), "{case}: {form} {gv}");
            assert!(
                (other - fv).abs() <= 1e-11 * fv.abs(),
                "{case}: {other} {fv}"
            );
        }
    }
}

#[test]
fn quadratic_forms_of_gauss_newton_and_fisher_agree_with_pytorch_to_1e_11() {
    for_each_case(&mut Forms);
}

/// The estimate of single entries is no worse for the exact part.
#[test]
fn more_probes_make_the_estimated_entries_better() {
    let case = Case::<tests::models::MlpTanh>::load("");
    let expected = case.family("hess_diag");
    let error = |probes: usize| {
        let config = TraceConfig::new()
            .with_relative_error(0.0)
            .with_min_probes(probes)
            .with_max_probes(probes);
        let risk = case.risk_of_outputs();
        let diagonal = exact_diagonal_with(&case.model, &risk, &config).expect("a diagonal");
        relative_error(&diagonal.values, &expected)
    };
    let (few, many) = (error(10), error(160));
    println!("diagonal of case 3: {few:.2e} with 10 probes, {many:.2e} with 160");
    // A quarter on average; a third leaves room for one seed.
    assert!(many < few / 3.0, "{few} {many}");
}
