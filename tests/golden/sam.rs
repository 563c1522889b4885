//! SAM, ASAM and GSAM against PyTorch: perturbations, sharpness, and weights after 1, 5 and 20
//! steps.
//!
//! Run with `--nocapture` to see the figures reached.

use super::sam_torch::{TorchAdam, TorchSgd};
use burn::optim::momentum::MomentumConfig;
use burn::optim::{AdamConfig, ModuleOptimizer, SgdConfig};
use burn::tensor::{DType, Device};
use sam::{AsamConfig, GsamConfig, Rule, SamConfig, SharpnessAware};
use tests::models::{Cnn, MlpTanh};
use tests::{Case, CaseVisitor, Net, flatten, for_each_case, gradients, relative_error};

/// w + e - w loses the bits of e below an ulp of w, some 1e-16 of weights of norm 10 beside
/// perturbations of norm 0.05; the gradient itself is good to 1e-12 (the fixtures' README).
const PERTURBATION: f64 = 1e-12;

/// The curvature of the sharpest case (6 at view `eval`, norms of gradients up to 150) magnifies
/// the rounding of the peak.
const AT_THE_PEAK: f64 = 1e-11;

struct Perturbations {
    visited: usize,
}

impl Perturbations {
    fn compare<N: Net, R: Rule>(
        case: &Case<N>,
        method: &mut SharpnessAware<R>,
        family: &str,
        scalars: &[&str],
    ) {
        let g = gradients(&case.model, case.loss(&case.model));
        let peak = method.ascend(&case.model, &g).expect("a peak");
        let eps: Vec<f64> = flatten(&peak)
            .iter()
            .zip(flatten(&case.model))
            .map(|(p, w)| p - w)
            .collect();
        let eps_error = relative_error(&eps, &case.family(&format!("{family}/eps")));
        let (loss, gradient) = case.gradient(&peak);
        let gradient_error = relative_error(&gradient, &case.family(&format!("{family}/grad")));
        let at = |name| case.scalar(&[scalars, &[name]].concat());
        let base: f64 = case.loss(&case.model).into_scalar();
        let sharpness_error = ((loss - base) - at("sharpness")).abs() / at("loss");
        println!(
            "{:<28} {family:<12} eps {eps_error:.1e}   gradient at the peak {gradient_error:.1e}   \
             sharpness {sharpness_error:.1e}",
            case.to_string()
        );
        assert!(
            eps_error < PERTURBATION,
            "{case} {family}: eps {eps_error:.1e}"
        );
        assert!(
            gradient_error < AT_THE_PEAK,
            "{case} {family}: gradient {gradient_error:.1e}"
        );
        assert!(
            sharpness_error < AT_THE_PEAK,
            "{case} {family}: sharpness {sharpness_error:.1e}"
        );
    }
}

impl CaseVisitor for Perturbations {
    fn visit<N: Net>(&mut self, case: &Case<N>) {
        for rho in ["0.05", "0.5"] {
            let sam = SamConfig::new()
                .with_rho(rho.parse().expect("a number"))
                .init()
                .expect("a method");
            Self::compare(
                case,
                &mut sam.clone(),
                &format!("sam_rho{rho}"),
                &["sam", rho],
            );
        }
        Self::compare(
            case,
            &mut AsamConfig::new().init().expect("a method"),
            "asam",
            &["asam"],
        );
        self.visited += 1;
    }
}

#[test]
fn perturbations_and_sharpness_agree_with_pytorch() {
    let mut visitor = Perturbations { visited: 0 };
    for_each_case(&mut visitor);
    assert_eq!(visitor.visited, 10);
}

/// The largest relative error of the weights after 1, 5 and 20 steps, and the last weights.
fn trajectory<N: Net, R: Rule>(
    method: &mut SharpnessAware<R>,
    mut optim: ModuleOptimizer,
    lr: f64,
    algorithm: &str,
    label: &str,
    dtype: DType,
) -> (f64, Vec<f64>) {
    let case = Case::<N>::load_on("", &Device::flex().autodiff(), dtype);
    let losses = case.values(&format!("opt/{algorithm}/loss"));
    let mut model = case.model.clone();
    let mut errors = Vec::new();
    let mut loss_error = 0.0_f64;
    for k in 1..=20 {
        let step = method
            .step(&mut optim, lr, model, |m| case.loss(m))
            .expect("everything is finite");
        loss_error = loss_error.max((step.measured.loss / losses[k - 1] - 1.0).abs());
        model = step.model;
        if [1, 5, 20].contains(&k) {
            let expected = case.family(&format!("opt/{algorithm}/step{k}"));
            errors.push(relative_error(&flatten(&model), &expected));
        }
    }
    println!(
        "{:<16} {algorithm:<9} {label:<22} step 1 {:.1e}   step 5 {:.1e}   step 20 {:.1e}   \
         loss {loss_error:.1e}",
        N::FIXTURE,
        errors[0],
        errors[1],
        errors[2]
    );
    (errors.into_iter().fold(0.0, f64::max), flatten(&model))
}

/// Both cases and all four algorithms, over the given SGD and Adam; the bound for each.
fn trajectories(
    label: &str,
    dtype: DType,
    sgd: impl Fn() -> ModuleOptimizer,
    adam: impl Fn() -> ModuleOptimizer,
    bound: impl Fn(&str, &str) -> f64,
) {
    fn all<N: Net>(
        label: &str,
        dtype: DType,
        sgd: &impl Fn() -> ModuleOptimizer,
        adam: &impl Fn() -> ModuleOptimizer,
        bound: &impl Fn(&str, &str) -> f64,
    ) {
        let sam = SamConfig::new().with_rho(0.05).init().expect("a method");
        let asam = AsamConfig::new().init().expect("a method");
        let gsam = GsamConfig::new().with_rho(0.05).with_alpha(0.4);
        let gsam = gsam.init().expect("a method");
        for (algorithm, (error, _)) in [
            (
                "sam_sgd",
                trajectory::<N, _>(&mut sam.clone(), sgd(), 0.1, "sam_sgd", label, dtype),
            ),
            (
                "asam_sgd",
                trajectory::<N, _>(&mut asam.clone(), sgd(), 0.1, "asam_sgd", label, dtype),
            ),
            (
                "gsam_sgd",
                trajectory::<N, _>(&mut gsam.clone(), sgd(), 0.1, "gsam_sgd", label, dtype),
            ),
            (
                "sam_adam",
                trajectory::<N, _>(&mut sam.clone(), adam(), 1e-3, "sam_adam", label, dtype),
            ),
        ] {
            let bound = bound(N::FIXTURE, algorithm);
            assert!(
                error < bound,
                "{} {algorithm} {label}: {error:.1e}",
                N::FIXTURE
            );
        }
    }
    all::<MlpTanh>(label, dtype, &sgd, &adam, &bound);
    all::<Cnn>(label, dtype, &sgd, &adam, &bound);
}

#[test]
fn weights_after_twenty_steps_agree_with_pytorch_over_its_own_optimisers() {
    trajectories(
        "torch's, in float64",
        DType::F64,
        || TorchSgd { momentum: 0.9 }.into(),
        || TorchAdam::default().into(),
        |_, _| 1e-12,
    );
}

fn burn_sgd() -> ModuleOptimizer {
    let momentum = MomentumConfig::new().with_momentum(0.9).with_dampening(0.0);
    SgdConfig::new().with_momentum(Some(momentum)).init()
}

fn burn_adam() -> ModuleOptimizer {
    AdamConfig::new().with_epsilon(1e-8).init()
}

/// Burn's momentum of 0.9 is a float32, 2.4e-8 smaller than the float64: the effect of that
/// stays below 1e-7. Adam does not, for a reason that the next test isolates.
fn burns_own(_fixture: &str, algorithm: &str) -> f64 {
    if algorithm == "sam_adam" { 1e-6 } else { 1e-7 }
}

#[test]
fn weights_after_twenty_steps_agree_with_pytorch_over_burns_optimisers() {
    trajectories("burn's", DType::F64, burn_sgd, burn_adam, burns_own);
}

/// Adam divides by 1 - 0.999^k. In float32 the power has a rounding error of some 3e-8, and the
/// difference, about k / 1000, keeps it: up to 3e-5 / k of the correction, half of that in its
/// root. The float32 betas themselves matter a hundred times less, for the moments and their
/// correction are computed with the same ones.
#[test]
fn burns_adam_differs_from_pytorchs_by_its_float32_bias_correction() {
    fn compare<N: Net>() {
        let sam = SamConfig::new().with_rho(0.05).init().expect("a method");
        let run = |optim, label| {
            trajectory::<N, _>(&mut sam.clone(), optim, 1e-3, "sam_adam", label, DType::F64)
        };
        let (error, burns) = run(burn_adam(), "burn's");
        let (betas_only, _) = run(TorchAdam::with_float32_betas().into(), "float32 betas");
        let both = TorchAdam::with_float32_betas_and_correction().into();
        let (_, imitated) = run(both, "and correction");
        let unexplained = relative_error(&imitated, &burns);
        println!(
            "{:<16} not explained by the correction: {unexplained:.1e}",
            N::FIXTURE
        );
        assert!(betas_only < 1e-8, "{betas_only:.1e}");
        assert!(
            unexplained < 0.1 * error,
            "{unexplained:.1e} of {error:.1e}"
        );
    }
    compare::<MlpTanh>();
    compare::<Cnn>();
}
