//! Measures of sharpness beside PyTorch's and numpy's in float64, and the ascent gain of a step of
//! SAM beside the sharpness that `landscape` measures: two programs, one number.

use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::tensor::{DType, Device, Tensor, TensorData};
use landscape::sharpness::{
    AscentConfig, AverageConfig, Ball, CurvatureConfig, Scale, adaptive_sam_sharpness,
    average_sharpness, curvature_summary, projected_ascent, random_ball_along, sam_peak,
    sam_sharpness,
};
use landscape::{Hessian, LinearOperator, Risk, download, norm};
use proptest::prelude::*;
use sam::SamConfig;
use tests::{Case, CaseVisitor, Fixture, Net, for_each_case, relative_error};

/// As for the gradient at the peak: two orders of the same sums, magnified by the curvature.
const ROUNDING: f64 = 1e-11;

/// The ascent gain and the gradient of a step of SAM, and those that `landscape` measures.
fn agrees<M: Module, B: landscape::Batch>(
    model: &M,
    risk: &Risk<M, B>,
    loss: impl Fn(&M) -> Tensor<1>,
    rho: f64,
) {
    let measured = sam_sharpness(model, risk, rho).expect("a sharpness");
    let mut sam = SamConfig::new().with_rho(rho).init().expect("a method");
    let descent = sam.gradient(model, |m| loss(m)).expect("a descent");
    let descent = descent.measured;
    let peak = descent.peak.expect("a peak");
    let near = |x: f64, y: f64| (x - y).abs() <= ROUNDING * y.abs().max(measured.loss.abs());
    assert!(near(descent.loss, measured.loss));
    assert!(near(descent.gradient_norm, measured.gradient_norm));
    assert!(near(peak.loss, measured.peak_loss));
    assert!(near(peak.loss - descent.loss, measured.value));
}

struct Agreement(usize);

impl CaseVisitor for Agreement {
    fn visit<N: Net>(&mut self, case: &Case<N>) {
        for rho in [0.01, 0.05, 0.5] {
            agrees(&case.model, &case.risk(), |m| case.loss(m), rho);
        }
        self.0 += 1;
    }
}

#[test]
fn ascent_gain_is_the_sharpness_that_landscape_measures() {
    let mut agreement = Agreement(0);
    for_each_case(&mut agreement);
    assert_eq!(agreement.0, 10);
}

/// A layer in two or three fields, and one that is alone.
#[derive(Module, Debug)]
struct Tied {
    layers: Vec<Linear>,
    out: Linear,
}

impl Tied {
    fn loss(&self, x: &Tensor<2>) -> Tensor<1> {
        let through = |x: Tensor<2>, layer: &Linear| layer.forward(x).tanh();
        let hidden = self.layers.iter().fold(x.clone(), through);
        self.out.forward(hidden).square().sum_dim(1).mean()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn ascent_gain_of_a_tied_network_is_the_sharpness_that_landscape_measures(
        numbers in prop::collection::vec(-1.0..1.0_f64, 29),
        places in 1_usize..4,
        rho in 0.01..0.5,
    ) {
        let device = Device::flex().autodiff();
        let mut numbers = numbers.into_iter();
        let mut param = |shape: &[usize]| {
            let count = shape.iter().product();
            let values: Vec<f64> = numbers.by_ref().take(count).collect();
            TensorData::new(values, shape.to_vec())
        };
        let tensor = |data| Tensor::from_data(data, (&device, DType::F64));
        let mut linear = |inputs, outputs| Linear {
            weight: Param::from_tensor(tensor(param(&[inputs, outputs]))),
            bias: None,
        };
        let layer = linear(3, 3);
        let model = Tied { layers: vec![layer; places], out: linear(3, 2) };
        let x: Tensor<2> = tensor(param(&[4, 3]));
        let risk = Risk::mean([x.clone()], |m: &Tied, x: &Tensor<2>| m.loss(x));
        agrees(&model, &risk, |m| m.loss(&x), rho);
    }
}

struct Peaks(usize);

impl CaseVisitor for Peaks {
    fn visit<N: Net>(&mut self, case: &Case<N>) {
        let balls = [
            ("sam_rho0.05", vec!["sam", "0.05"], Ball::l2(0.05)),
            ("sam_rho0.5", vec!["sam", "0.5"], Ball::l2(0.5)),
            ("asam", vec!["asam"], Ball::l2(0.5).with_scale(Scale::ASAM)),
        ];
        for (family, path, ball) in balls {
            let peak = sam_peak(&case.model, &case.risk(), &ball).expect("a peak");
            let scalar = |name| case.scalar(&[&path[..], &[name]].concat());
            let found = peak.sharpness;
            // A difference of two losses is as exact as the losses are.
            let loss = scalar("loss");
            let error = (found.value - scalar("sharpness")).abs() / loss;
            let at_peak = (found.peak_loss - loss).abs() / loss;
            let eps = relative_error(
                &download(&peak.displacement),
                &case.family(&format!("{family}/eps")),
            );
            let expected = case.family(&format!("{family}/grad"));
            let gradient = relative_error(&download(&peak.gradient), &expected);
            // Beside the rounding of the losses, PyTorch's peak is another point than ours by the
            // rounding of e.
            let e = norm(&case.family(&format!("{family}/eps")));
            let moved = eps * e * norm(&expected);
            let claimed = (found.value - scalar("sharpness")).abs() <= found.rounding + moved;
            println!(
                "{case:28} {family:12} sharpness {error:.1e} loss {at_peak:.1e} e {eps:.1e} gradient {gradient:.1e}"
            );
            // The gradient at the peak magnifies the rounding of e by the curvature.
            assert!(error < 1e-11 && at_peak < 1e-11, "{case} {family}");
            assert!(eps < 1e-11 && gradient < 1e-11, "{case} {family}");
            assert!(claimed, "{case} {family}: rounding {:.1e}", found.rounding);
        }
        let adaptive =
            adaptive_sam_sharpness(&case.model, &case.risk(), 0.5, Scale::ASAM).expect("a value");
        let error = (adaptive.value - case.scalar(&["asam", "sharpness"])).abs();
        assert!(error < 1e-11 * adaptive.peak_loss, "{case}");
        self.0 += 1;
    }
}

#[test]
fn peaks_of_sam_and_asam_agree_with_pytorch() {
    let mut peaks = Peaks(0);
    for_each_case(&mut peaks);
    assert_eq!(peaks.0, 10);
}

struct SecondOrders(usize);

impl CaseVisitor for SecondOrders {
    fn visit<N: Net>(&mut self, case: &Case<N>) {
        let hessian = Hessian::at(&case.model, &case.risk()).expect("the case can be measured");
        let dim = hessian.domain().dim;
        for stored in case.scalars()["average_sharpness_second_order"]
            .as_array()
            .expect("an array")
        {
            let number = |name: &str| stored[name].as_f64().expect("a number");
            let config = AverageConfig::new()
                .with_sigma(number("sigma"))
                .with_pairs(1)
                .with_probes(dim);
            let found = average_sharpness(&case.model, &case.risk(), &config).expect("a value");
            let order = found.second_order.expect("it was asked for");
            // Sums of diagonal entries of both signs: relative to their size, as λ_max has it.
            let size = 0.5 * config.sigma.powi(2) * case.scalar(&["lambda_max"]);
            let error = (order.estimate.mean - number("value")).abs() / size;
            println!("{case:28} sigma {} second order {error:.1e}", config.sigma);
            assert!(order.exact && error < 1e-10, "{case}");
            // One is the other times 25.
            if self.0 > 0 {
                break;
            }
        }
        self.0 += 1;
    }
}

#[test]
fn second_order_values_agree_with_pytorch_to_1e_10() {
    let mut orders = SecondOrders(0);
    for_each_case(&mut orders);
    assert_eq!(orders.0, 10);
}

struct Summaries(usize);

impl CaseVisitor for Summaries {
    fn visit<N: Net>(&mut self, case: &Case<N>) {
        // The largest matrices take their time.
        if case.family("grad").len() > 1000 {
            return;
        }
        let hessian = Hessian::at(&case.model, &case.risk()).expect("the case can be measured");
        let config = CurvatureConfig::new().with_dense_up_to(1000);
        let found = curvature_summary(&hessian, &config).expect("a summary");
        assert!(found.exact);
        let top = case.scalar(&["lambda_max"]);
        for (name, value) in [
            ("frobenius", found.frobenius.mean),
            ("trace", found.trace.mean),
            ("lambda_max", found.lambda_max.value),
            ("lambda_min", found.lambda_min.value),
        ] {
            let error = (value - case.scalar(&[name])).abs() / top;
            println!("{case:28} {name:10} {error:.1e} of lambda_max");
            assert!(error < 1e-10, "{case} {name}");
        }
        // Some eigenvalues are so near the threshold that rounding decides.
        let gap = (found.n_negative as f64 - case.scalar(&["n_negative"])).abs();
        assert!(gap <= case.scalar(&["n_ambiguous_sign"]), "{case}: {gap}");
        self.0 += 1;
    }
}

#[test]
fn curvature_beside_sharpness_agrees_with_pytorch_to_1e_10() {
    let mut summaries = Summaries(0);
    for_each_case(&mut summaries);
    assert_eq!(summaries.0, 7);
}

/// x of `[1, P]` as parameter; the batch is the matrix A, `[1, P, P]`.
#[derive(Module, Debug)]
struct Quartic {
    x: Param<Tensor<1>>,
}

/// `½ x'Ax + c Σ x⁴` of the worked examples.
struct Worked {
    fixture: Fixture,
    model: Quartic,
    risk: Risk<Quartic, Tensor<3>>,
}

impl Worked {
    fn read() -> Self {
        let fixture = Fixture::read("fixtures", "worked_examples");
        let device = Device::flex();
        let tensor = |key: &str| {
            let (_, values) = fixture.floats(key);
            let data = TensorData::new(values.to_vec(), [values.len()]);
            Tensor::<1>::from_data(data, (&device, DType::F64))
        };
        let x = tensor("sharpness/x");
        let dim = x.dims()[0];
        let a = tensor("sharpness/A").reshape([1, dim, dim]);
        let c = fixture.manifest["sharpness"]["c"]
            .as_f64()
            .expect("a number");
        let risk = Risk::mean([a], move |model: &Quartic, a: &Tensor<3>| {
            let x = model.x.val();
            let dim = x.dims()[0];
            let ax = (a.clone() * x.clone().reshape([1, 1, dim])).sum_dim(2);
            let quadratic = (x.clone() * ax.reshape([dim])).sum() * 0.5;
            quadratic + x.powi_scalar(4).sum() * c
        })
        .without_reduction_check();
        Self {
            model: Quartic {
                x: Param::from_tensor(x),
            },
            risk,
            fixture,
        }
    }

    fn number(&self, name: &str) -> f64 {
        self.fixture.manifest["sharpness"][name]
            .as_f64()
            .expect("a number")
    }
}

/// Relative error of the worked examples: numpy's float64 beside ours.
fn exactly(what: &str, ours: f64, theirs: f64) {
    let error = (ours - theirs).abs() / theirs.abs();
    println!("{what:22} {ours:.12e} {error:.1e}");
    assert!(error < 1e-12, "{what}: {ours} {theirs}");
}

#[test]
fn sharpness_of_the_worked_example_agrees_with_numpy_to_1e_12() {
    let worked = Worked::read();
    let (shape, directions) = worked.fixture.floats("sharpness/directions");
    let directions: Vec<Vec<f64>> = directions.chunks(shape[1]).map(<[f64]>::to_vec).collect();
    let ball = Ball::l2(worked.number("epsilon"));
    let found = random_ball_along(&worked.model, &worked.risk, &ball, &directions).expect("rises");
    assert_eq!(found.rises.len(), 100);
    exactly("loss", found.loss, worked.number("loss"));
    exactly(
        "worst of directions",
        found.worst,
        worked.number("worst_of_directions"),
    );
    exactly(
        "mean of directions",
        found.mean.mean,
        worked.number("mean_of_directions"),
    );
    let peak = sam_peak(&worked.model, &worked.risk, &Ball::l2(worked.number("rho")));
    let peak = peak.expect("a peak");
    exactly(
        "loss at the peak",
        peak.sharpness.peak_loss,
        worked.number("sam_loss_at_peak"),
    );
    exactly(
        "SAM's sharpness",
        peak.sharpness.value,
        worked.number("sam_sharpness"),
    );
    let (_, gradient) = worked.fixture.floats("sharpness/sam_gradient");
    assert!(relative_error(&download(&peak.gradient), gradient) < 1e-12);
    let hessian = Hessian::at(&worked.model, &worked.risk).expect("a Hessian");
    let found = curvature_summary(&hessian, &CurvatureConfig::new()).expect("a summary");
    exactly(
        "lambda_max",
        found.lambda_max.value,
        worked.number("lambda_max"),
    );
    exactly("trace", found.trace.mean, worked.number("trace"));
    exactly(
        "Frobenius norm",
        found.frobenius.mean,
        worked.number("frobenius"),
    );
    assert_eq!(found.n_negative as f64, worked.number("n_negative"));
    // No random direction rises as much as the worst that there is.
    let ascent = projected_ascent(&worked.model, &worked.risk, &ball, &AscentConfig::new());
    let ascent = ascent.expect("a rise");
    let worst = worked.number("worst_of_directions");
    assert!(ascent.converged && ascent.value > worst, "{}", ascent.value);
}
