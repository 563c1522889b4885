//! What a recording cannot show: numbers read on the host, stopped gradients, inner derivatives,
//! tensors from elsewhere. Each is a right number or an error.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

use burn::module::{Module, Param};
use burn::tensor::{DType, Device, Tensor, TensorData};
use derivatives::{input_gradient, stop_gradient};
use landscape::download;
use landscape::{Error, GaussNewton, Grid, Hessian, LinearOperator, Method, Objective};
use landscape::{LanczosConfig, ParameterSpace, Reduction, Risk, line, plane};
use landscape::{random_direction, top_eigenpairs};

type Batch = (Tensor<2>, Tensor<2>);

/// `tanh(x A) B` with two inputs, three hidden units and one output, in f64.
#[derive(Module, Debug)]
struct Two {
    a: Param<Tensor<2>>,
    b: Param<Tensor<2>>,
}

fn tensor<const D: usize>(data: impl Into<TensorData>) -> Tensor<D> {
    Tensor::from_data(data.into(), (&Device::flex(), DType::F64))
}

fn model() -> Two {
    Two {
        a: Param::from_tensor(tensor([[0.7, -0.4, 0.05], [0.3, 0.9, -0.6]])),
        b: Param::from_tensor(tensor([[0.8], [-0.03], [0.5]])),
    }
}

fn batch() -> Batch {
    let x = [
        [0.1, -0.4],
        [1.0, 0.3],
        [-0.7, 0.5],
        [0.2, 0.9],
        [0.6, -0.8],
    ];
    (tensor(x), tensor([[0.3], [-0.2], [0.5], [0.1], [0.9]]))
}

impl Two {
    fn forward(&self, x: &Tensor<2>, a: Tensor<2>) -> Tensor<2> {
        x.clone().matmul(a).tanh().matmul(self.b.val())
    }

    fn residual(&self, (x, y): &Batch, a: Tensor<2>) -> Tensor<1> {
        (self.forward(x, a) - y.clone()).square().mean()
    }
}

type Loss = fn(&Two, &Batch) -> Tensor<1>;

/// Entries of `A` below 0.1 are pruned, by a mask made on the host.
fn pruned(model: &Two, batch: &Batch) -> Tensor<1> {
    let weights = model.a.val().into_data();
    let mask: Vec<f64> = weights
        .iter::<f64>()
        .map(|w| f64::from(w.abs() > 0.1))
        .collect();
    let device = batch.0.device();
    let mask = Tensor::<2>::from_data(TensorData::new(mask, [2, 3]), (&device, DType::F64));
    model.residual(batch, model.a.val() * mask)
}

/// `A` is divided by its largest entry, read on the host.
fn scaled(model: &Two, batch: &Batch) -> Tensor<1> {
    let weights = model.a.val().into_data();
    let largest = weights.iter::<f64>().fold(0.0, |m: f64, w| m.max(w.abs()));
    model.residual(batch, model.a.val() * largest.recip())
}

/// Another function where the first weight is above 0.75.
fn branched(model: &Two, batch: &Batch) -> Tensor<1> {
    let first: f64 = model.a.val().slice([0..1, 0..1]).into_scalar();
    let factor = if first > 0.75 { 3.0 } else { 1.0 };
    model.residual(batch, model.a.val()) * factor
}

/// The same, of a parameter read as it stands.
fn branched_on_all(model: &Two, batch: &Batch) -> Tensor<1> {
    let first = model.a.val().to_data().iter::<f64>().next().unwrap_or(0.0);
    let factor = if first > 0.75 { 3.0 } else { 1.0 };
    model.residual(batch, model.a.val()) * factor
}

/// A read that fails while the loss is recorded, and nobody is told.
fn swallowed(model: &Two, batch: &Batch) -> Tensor<1> {
    let loss = model.residual(batch, model.a.val());
    let large = loss
        .clone()
        .try_into_scalar::<f64>()
        .is_ok_and(|loss| loss > 0.6);
    if large { loss * 1.5 } else { loss }
}

/// The same with a default value, which is far from the value at the weights.
fn swallowed_value(model: &Two, batch: &Batch) -> Tensor<1> {
    let sum = model.a.val().square().sum();
    let values: Vec<f64> = sum.try_into_vec_as().unwrap_or_default();
    model.residual(batch, model.a.val()) * (1.0 + values.first().copied().unwrap_or(0.0))
}

/// A parameter whose read is swallowed.
fn swallowed_parameter(model: &Two, batch: &Batch) -> Tensor<1> {
    let data = model.b.val().try_into_data();
    let sum: f64 = data.map_or(0.0, |data| data.iter::<f64>().sum());
    model.residual(batch, model.a.val()) * (2.0 + sum)
}

const READING: [(&str, Loss); 7] = [
    ("pruned", pruned),
    ("scaled", scaled),
    ("branched", branched),
    ("branched on all", branched_on_all),
    ("swallowed", swallowed),
    ("swallowed value", swallowed_value),
    ("swallowed parameter", swallowed_parameter),
];

#[test]
fn slices_of_a_loss_that_reads_on_the_host_are_those_of_the_model() {
    let model = model();
    let space = ParameterSpace::of(&model).expect("parameters");
    let [d1, d2] = [1, 2].map(|seed| random_direction(&space, seed));
    for (name, loss) in READING {
        let risk = Risk::mean([batch()], loss);
        let objective = Objective::at(&model, &risk).expect("an objective");
        let truth = |a: f64, b: f64| {
            let theta = objective.origin().clone() + d1.clone() * a + d2.clone() * b;
            objective.value(&theta).expect("a loss")
        };
        let coordinates = [-0.5, -0.2, 0.0, 0.1, 0.3, 0.6];
        let measured = line(&model, &risk, &d1, &coordinates).expect("a line");
        for (&a, &loss) in coordinates.iter().zip(&measured.loss) {
            let theirs = truth(a, 0.0);
            let by = &measured.evaluation;
            assert!(
                (loss / theirs - 1.0).abs() < 1e-12,
                "{name} at {a}: {loss} {theirs} {by}"
            );
        }
        let grid = Grid::rectangle((-0.4..=0.4, 3), (-0.6..=0.2, 4));
        let surface = plane(&model, &risk, [&d1, &d2], &grid).expect("a plane");
        let mut losses = surface.loss.iter();
        for &a in &grid.a {
            for &b in &grid.b {
                let (loss, theirs) = (*losses.next().expect("a point"), truth(a, b));
                assert!(
                    (loss / theirs - 1.0).abs() < 1e-12,
                    "{name} at {a}, {b}: {loss} {theirs}"
                );
            }
        }
    }
}

/// `H v` by differences of the value alone: a mixed difference for each entry.
fn by_values(objective: &Objective<Two, Batch>, v: &[f64]) -> Vec<f64> {
    let origin = download(objective.origin());
    let domain = &objective.space().domain;
    let h = 1e-4;
    let at = |i: usize, s: f64, t: f64| {
        let mut theta: Vec<f64> = origin.iter().zip(v).map(|(x, v)| x + t * h * v).collect();
        theta[i] += s * h;
        objective
            .value(&domain.upload(&theta).expect("theta"))
            .expect("a loss")
    };
    (0..origin.len())
        .map(|i| {
            (at(i, 1.0, 1.0) - at(i, 1.0, -1.0) - at(i, -1.0, 1.0) + at(i, -1.0, -1.0))
                / (4.0 * h * h)
        })
        .collect()
}

const V: [f64; 9] = [0.5, -1.0, 0.3, 0.8, -0.2, 0.6, 1.0, -0.7, 0.4];

#[test]
fn products_of_a_loss_that_reads_on_the_host_are_those_of_its_value() {
    for (name, loss) in READING {
        // Its second derivative by values sees the numbers that are read change with the weights,
        // which no gradient of Burn's does.
        let follows = matches!(name, "scaled" | "swallowed value" | "swallowed parameter");
        let risk = Risk::mean([batch()], loss);
        let hessian = Hessian::at(&model(), &risk);
        if follows {
            let error = hessian.expect_err(name);
            assert!(
                matches!(error, Error::GradientIsNotOfValue { .. }),
                "{name}: {error}"
            );
            continue;
        }
        let hessian = hessian.expect(name);
        let v = hessian.domain().upload(&V).expect("nine entries");
        let ours = download(&hessian.apply(&v).expect("a product"));
        let theirs = by_values(hessian.objective(), &V);
        let form = hessian.quadratic_form(&v).expect("a form");
        let of_values: f64 = V.iter().zip(&theirs).map(|(v, h)| v * h).sum();
        assert!(
            (form - of_values).abs() < 1e-5,
            "{name}: {form} {of_values}"
        );
        for (a, b) in ours.iter().zip(&theirs) {
            // A mixed difference of values at 1e-4 keeps seven digits.
            assert!((a - b).abs() < 1e-6, "{name}: {ours:?} {theirs:?}");
        }
    }
}

type Pair = fn(Tensor<1>, Tensor<1>) -> Tensor<1>;

/// The Hessian of a loss of two numbers (a, b), row by row.
fn matrix(loss: Pair, at: [f64; 2]) -> Result<Vec<f64>, Error> {
    let w = Param::from_tensor(tensor::<1>(at));
    let risk = Risk::mean(
        [tensor::<1>([0.0])],
        move |w: &Param<Tensor<1>>, _: &Tensor<1>| {
            loss(w.val().slice_dim(0, 0..1), w.val().slice_dim(0, 1..2))
        },
    );
    let hessian = Hessian::at(&w, &risk)?;
    assert!(
        matches!(hessian.method(), Method::Exact { .. }),
        "{}",
        hessian.method()
    );
    let mut rows = Vec::new();
    for unit in [[1.0, 0.0], [0.0, 1.0]] {
        let unit = hessian.domain().upload(&unit)?;
        rows.extend(download(&hessian.apply(&unit)?));
    }
    Ok(rows)
}

/// What PyTorch gives (double backward through `detach`): the stopped tensor is a constant.
#[test]
fn a_stopped_gradient_is_a_constant_at_every_order() {
    let stopped: [(Pair, [f64; 4]); 5] = [
        // d2/da2 = 2; b moves only in its own term.
        (
            |a, b| (a - stop_gradient(b.clone())).square() + (b - 1.0).square() * 0.5,
            [2.0, 0.0, 0.0, 1.0],
        ),
        // At b = a too, where the gradient through the stopped tensor is zero.
        (
            |a, b| (a.clone() - stop_gradient(a)).square() + b.square(),
            [2.0, 0.0, 0.0, 2.0],
        ),
        // A weight of its own loss.
        (
            |a, b| a.square() * stop_gradient(b.clone().square()) + b * 0.0,
            [18.0, 0.0, 0.0, 0.0],
        ),
        // Straight through: b + sg(round(b) - b) has the derivative 1, and its square that of b.
        (
            |a, b| (b.clone() + stop_gradient(b.clone().round() - b)).square() + a * 0.0,
            [0.0, 0.0, 0.0, 2.0],
        ),
        // Stopped twice over, and inside an exponential.
        (
            |a, b| stop_gradient(stop_gradient(a.clone()) * b.clone()) * (a * b),
            [0.0, 6.0, 6.0, 0.0],
        ),
    ];
    for (case, (loss, expected)) in stopped.into_iter().enumerate() {
        let found = matrix(loss, [2.0, 3.0]).expect("a Hessian");
        let gap = found
            .iter()
            .zip(expected)
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f64::max);
        assert!(gap < 1e-14, "case {case}: {found:?} {expected:?}");
    }
}

/// `detach` leaves no trace in a recording, so its second derivative is refused, by name.
#[test]
fn a_detached_tensor_is_refused_with_the_remedy() {
    let detached: [Pair; 5] = [
        |a, b| (a - b.clone().detach()).square() + (b - 1.0).square() * 0.5,
        |a, b| a.square() * b.clone().square().detach() + b * 0.0,
        |a, b| (b.clone() + (b.clone().round() - b).detach()).square() + a * 0.0,
        // Through a leaf that is made anew.
        |a, b| {
            let data = b.clone().detach().into_data();
            let fixed = Tensor::from_data(data, (&a.device(), DType::F64));
            (a * fixed).square() + b * 0.0
        },
        // Small beside the rest.
        |a, b| a.clone().square() + b.clone().square() + a * b.detach() * 1e-3,
    ];
    for (case, loss) in detached.into_iter().enumerate() {
        let error = matrix(loss, [2.0, 3.0]).expect_err("no Hessian");
        let message = error.to_string();
        assert!(
            matches!(error, Error::GradientIsNotOfValue { .. }),
            "case {case}: {message}"
        );
        assert!(message.contains("stop_gradient"), "{message}");
    }
}

/// In f32 the check runs in f64, so that a small part is seen.
#[test]
fn a_small_detached_part_is_refused_in_f32_too() {
    let model = Two {
        a: Param::from_tensor(model().a.val().cast(burn::tensor::FloatDType::F32)),
        b: Param::from_tensor(model().b.val().cast(burn::tensor::FloatDType::F32)),
    };
    let (x, y) = batch();
    let batch = [x, y].map(|t| t.cast(burn::tensor::FloatDType::F32));
    let [x, y] = batch;
    let risk = Risk::mean([(x, y)], |model: &Two, batch: &Batch| {
        let target = model.b.val().detach().sum();
        model.residual(batch, model.a.val()) + model.b.val().sum() * target * 1e-3
    });
    let error = Hessian::at(&model, &risk).expect_err("no Hessian");
    assert!(
        matches!(error, Error::GradientIsNotOfValue { .. }),
        "{error}"
    );
}

/// What is detached and does not matter stays exact: data, and the largest logit of a softmax.
#[test]
fn detaching_what_no_derivative_goes_through_changes_nothing() {
    let risk = Risk::mean([batch()], |model: &Two, (x, y): &Batch| {
        let x = x.clone().detach();
        let hidden = model.forward(&x, model.a.val());
        let logits = Tensor::cat(vec![hidden.clone(), hidden.neg()], 1);
        let largest = logits.clone().max_dim(1).detach();
        let normaliser = (logits - largest.clone()).exp().sum_dim(1).log() + largest;
        (normaliser * y.clone()).mean()
    });
    let hessian = Hessian::at(&model(), &risk).expect("a Hessian");
    assert!(
        matches!(hessian.method(), Method::Exact { .. }),
        "{}",
        hessian.method()
    );
    let v = hessian.domain().upload(&V).expect("nine entries");
    let ours = download(&hessian.apply(&v).expect("a product"));
    for (a, b) in ours.iter().zip(by_values(hessian.objective(), &V)) {
        assert!((a - b).abs() < 1e-6, "{a} {b}");
    }
}

/// A physics-informed loss on 12 points: `u = tanh(x A) B`, `mean (u' - cos x)² + 0.01 mean u²`.
#[derive(Module, Debug)]
struct Physics {
    a: Param<Tensor<2>>,
    b: Param<Tensor<2>>,
}

fn physics() -> Physics {
    Physics {
        a: Param::from_tensor(tensor([[0.9, -1.3, 0.4, 2.0]])),
        b: Param::from_tensor(tensor([[0.7], [0.2], [-1.1], [0.3]])),
    }
}

impl Physics {
    fn u(&self, x: Tensor<2>) -> Tensor<2> {
        x.matmul(self.a.val()).tanh().matmul(self.b.val())
    }
}

fn points() -> Tensor<2> {
    let x: Vec<f64> = (0..12).map(|i| f64::from(i) / 6.0 - 1.0).collect();
    tensor(TensorData::new(x, [12, 1]))
}

fn of_slope(u: Tensor<2>, slope: Tensor<2>, x: &Tensor<2>) -> Tensor<1> {
    (slope - x.clone().cos()).square().mean() + u.square().mean() * 0.01
}

/// The derivative by the input, written out.
fn written_out(m: &Physics, x: &Tensor<2>) -> Tensor<1> {
    let h = x.clone().matmul(m.a.val()).tanh();
    let slope = ((h.clone().square().neg() + 1.0) * m.a.val()).matmul(m.b.val());
    of_slope(h.matmul(m.b.val()), slope, x)
}

#[test]
fn a_derivative_inside_a_loss_is_exact_through_input_gradient() {
    let inside = Risk::mean([points()], |m: &Physics, x: &Tensor<2>| {
        let (u, slope) = input_gradient(m, x.clone(), |m, x| m.u(x));
        of_slope(u, slope, x)
    });
    let twin = Risk::mean([points()], written_out);
    let model = physics();
    let (ours, theirs) = (Hessian::at(&model, &inside), Hessian::at(&model, &twin));
    let (ours, theirs) = (ours.expect("a Hessian"), theirs.expect("a Hessian"));
    assert!(
        matches!(ours.method(), Method::Exact { .. }),
        "{}",
        ours.method()
    );
    let v = ours.domain().upload(&V[..8]).expect("eight entries");
    let (a, b) = (ours.apply(&v).expect("Hv"), theirs.apply(&v).expect("Hv"));
    for (a, b) in download(&a).iter().zip(download(&b)) {
        assert!((a - b).abs() < 1e-13, "{a} {b}");
    }
    let (fa, fb) = (
        ours.quadratic_form(&v).expect("a form"),
        theirs.quadratic_form(&v).expect("a form"),
    );
    assert!((fa / fb - 1.0).abs() < 1e-13, "{fa} {fb}");
    // Value and gradient, of which Burn has only a part.
    let (value, gradient) = inside.gradient(&model).expect("a gradient");
    let (right, of_twin) = twin.gradient(&model).expect("a gradient");
    assert!((value / right - 1.0).abs() < 1e-14, "{value} {right}");
    for (a, b) in download(&gradient).iter().zip(download(&of_twin)) {
        assert!((a - b).abs() < 1e-13, "{a} {b}");
    }
    // Slices and the largest eigenvalue.
    let d = random_direction(ours.space(), 4);
    let [a, b] =
        [&inside, &twin].map(|risk| line(&model, risk, &d, &[-0.5, 0.0, 0.7]).expect("a line"));
    assert_eq!(a.evaluation, landscape::slice::Evaluation::Captured);
    for (a, b) in a.loss.iter().zip(b.loss) {
        assert!((a / b - 1.0).abs() < 1e-13, "{a} {b}");
    }
    let config = LanczosConfig::new();
    let [a, b] = [&ours, &theirs].map(|h| top_eigenpairs(h, 1, &config).expect("a pair")[0].value);
    assert!((a / b - 1.0).abs() < 1e-9, "{a} {b}");
}

/// The second derivative by the input, nested: `u'' = Σ (tanh)''(a x) a² b`.
#[test]
fn second_derivatives_inside_a_loss_are_exact() {
    let inside = Risk::mean([points()], |m: &Physics, x: &Tensor<2>| {
        let slope = |m: &Physics, x| input_gradient(m, x, |m: &Physics, x| m.u(x)).1;
        let (_, bend) = input_gradient(m, x.clone(), slope);
        (bend + x.clone().sin()).square().mean()
    });
    let twin = Risk::mean([points()], |m: &Physics, x: &Tensor<2>| {
        let h = x.clone().matmul(m.a.val()).tanh();
        let second = h.clone() * (h.square() - 1.0) * 2.0;
        let bend = (second * m.a.val().square()).matmul(m.b.val());
        (bend + x.clone().sin()).square().mean()
    });
    let model = physics();
    let [a, b] = [&inside, &twin].map(|risk| risk.value(&model).expect("a value"));
    assert!((a / b - 1.0).abs() < 1e-13, "{a} {b}");
    let [a, b] = [inside, twin].map(|risk| {
        let hessian = Hessian::at(&model, &risk).expect("a Hessian");
        assert!(
            matches!(hessian.method(), Method::Exact { .. }),
            "{}",
            hessian.method()
        );
        let v = hessian.domain().upload(&V[..8]).expect("eight entries");
        download(&hessian.apply(&v).expect("a product"))
    });
    for (a, b) in a.iter().zip(b) {
        assert!((a - b).abs() < 1e-12, "{a} {b}");
    }
}

/// A loss that differentiates by Burn inside: its value holds what Burn's gradient lacks.
#[test]
fn a_backward_pass_inside_a_loss_is_refused_with_the_remedy() {
    fn leaf(x: &Tensor<2>) -> Tensor<2> {
        if x.is_autodiff() {
            x.clone().detach().require_grad()
        } else {
            Tensor::from_inner(x.clone()).require_grad()
        }
    }
    fn slope(of: Tensor<1>, x: &Tensor<2>) -> Tensor<2> {
        Tensor::from_inner(x.grad(&of.backward()).expect("a gradient"))
    }
    type Closure = fn(&Physics, &Tensor<2>) -> Tensor<1>;
    // Two forward passes; one for both, which uses up the graph; a gradient penalty by itself.
    let closures: [Closure; 3] = [
        |m, x| {
            let x = leaf(x);
            let slope = slope(m.u(x.clone()).sum(), &x);
            of_slope(m.u(x.clone()), slope, &x.detach())
        },
        |m, x| {
            let x = leaf(x);
            let u = m.u(x.clone());
            let slope = slope(u.clone().sum(), &x);
            of_slope(u, slope, &x.detach())
        },
        |m, x| {
            let x = leaf(x);
            let penalty = slope(m.u(x.clone()).square().sum(), &x).square().mean();
            m.u(x).square().mean() + penalty
        },
    ];
    for closure in closures {
        let risk = Risk::mean([points()], closure);
        for error in [
            risk.gradient(&physics()).expect_err("no gradient"),
            landscape::sharpness::sam_sharpness(&physics(), &risk, 0.1).expect_err("no sharpness"),
        ] {
            assert!(error.to_string().contains("input_gradient"), "{error}");
        }
        // The value is right, and so are slices.
        let error = Hessian::at(&physics(), &risk).expect_err("no Hessian");
        let message = error.to_string();
        assert!(message.contains("input_gradient"), "{message}");
        assert!(!message.contains('\n'), "{message}");
    }
}

/// Under Burn's autodiff an input gradient is a constant, which would train another function.
#[test]
fn training_through_an_input_gradient_is_refused() {
    let model = physics().train();
    let x = Tensor::<2>::from_inner(points());
    let trial = || input_gradient(&model, x.clone(), |m: &Physics, x| m.u(x));
    let payload = catch_unwind(AssertUnwindSafe(trial)).expect_err("a panic");
    let message = payload.downcast_ref::<&str>().expect("a message");
    assert!(
        message.contains("constant to Burn's `backward`"),
        "{message}"
    );
}

/// Gauss-Newton of a loss whose outputs read data, and of one that detaches.
#[test]
fn gauss_newton_is_refused_where_the_recording_is_another_function() {
    let read = Risk::of(
        [batch()],
        |model: &Two, (x, _): &Batch| {
            let norm = model.a.val().square().sum();
            let values: Vec<f64> = norm.try_into_vec_as().unwrap_or_default();
            model.forward(x, model.a.val()) * (1.0 + values.first().copied().unwrap_or(0.0))
        },
        |f: Tensor<2>, (_, y): &Batch| (f - y.clone()).square().mean(),
        Reduction::Mean,
    );
    let error = GaussNewton::at(&model(), &read).expect_err("no matrix");
    assert!(
        matches!(
            error,
            Error::GradientIsNotOfValue { .. }
                | Error::Derivatives(derivatives::Error::Differs { .. })
        ),
        "{error}"
    );
    let detached = Risk::of(
        [batch()],
        |model: &Two, (x, _): &Batch| model.forward(x, model.a.val().detach()),
        |f: Tensor<2>, (_, y): &Batch| (f - y.clone()).square().mean(),
        Reduction::Mean,
    );
    let error = GaussNewton::at(&model(), &detached).expect_err("no matrix");
    assert!(
        matches!(error, Error::GradientIsNotOfValue { .. }),
        "{error}"
    );
}

/// Class weights made outside the closure and moved in: one line that says what to do.
#[test]
fn a_tensor_from_elsewhere_is_named_in_one_line_without_burns_words() {
    let weights = tensor::<2>([[2.0], [1.0], [0.5], [1.0], [3.0]]);
    let risk = Risk::mean([batch()], move |model: &Two, (x, y): &Batch| {
        let weights = if x.is_autodiff() {
            Tensor::from_inner(weights.clone())
        } else {
            weights.clone()
        };
        ((model.forward(x, model.a.val()) - y.clone()).square() * weights).mean()
    });
    let hessian = Hessian::at(&model(), &risk).expect("differences");
    let method = hessian.method().to_string();
    assert!(method.starts_with("central difference"), "{method}");
    assert!(
        method.contains("class weights") && !method.contains('\n'),
        "{method}"
    );
    assert!(
        !method.contains("wrong backend") && !method.contains("TensorId"),
        "{method}"
    );
}

/// A closure that panics in every evaluation is an error at once, and of every consumer.
#[test]
fn a_closure_that_always_panics_is_an_error_of_each_consumer() {
    let risk = Risk::mean([batch()], |model: &Two, (x, _): &Batch| {
        assert!(x.dims()[0] == 77, "77 examples are needed");
        model.a.val().sum()
    });
    let model = model();
    let space = ParameterSpace::of(&model).expect("parameters");
    let d = random_direction(&space, 1);
    let panicked = |error: Error| {
        assert!(matches!(error, Error::LossPanicked { .. }), "{error}");
        assert!(
            error.to_string().contains("77 examples are needed"),
            "{error}"
        );
    };
    panicked(Hessian::at(&model, &risk).expect_err("no Hessian"));
    panicked(risk.value(&model).expect_err("no value"));
    panicked(risk.gradient(&model).expect_err("no gradient"));
    panicked(line(&model, &risk, &d, &[0.0, 1.0]).expect_err("no line"));
    panicked(landscape::sharpness::sam_sharpness(&model, &risk, 0.1).expect_err("no sharpness"));
}

/// A lock that the closure holds while it reads is poisoned by the panic that a read is; what
/// follows is an error of ours, not a panic, and the reason is the read.
#[test]
fn a_read_under_a_lock_is_recognised_as_a_read() {
    static LOG: Mutex<Vec<f64>> = Mutex::new(Vec::new());
    let risk = Risk::mean([batch()], |model: &Two, batch: &Batch| {
        let mut log = LOG
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let loss = model.residual(batch, model.a.val());
        log.push(loss.clone().into_scalar());
        loss
    });
    let hessian = Hessian::at(&model(), &risk).expect("differences");
    let method = hessian.method().to_string();
    assert!(method.contains("reads data"), "{method}");
}

/// What a closure computes and does not use is no reason to fail, whatever the number of batches.
#[test]
fn something_computed_and_not_used_leaves_gradients_over_several_batches_right() {
    let loss = |unused: bool| {
        move |model: &Two, (x, y): &Batch| {
            let hidden = x.clone().matmul(model.a.val()).tanh();
            if unused {
                let _ = hidden.clone().matmul(model.b.val()).exp();
            }
            (hidden.matmul(model.b.val()) - y.clone()).square().mean()
        }
    };
    let batches = vec![batch(), batch(), batch()];
    let [ours, plain] = [true, false].map(|unused| {
        let risk = Risk::mean(batches.clone(), loss(unused));
        download(&risk.gradient(&model()).expect("a gradient").1)
    });
    assert_eq!(ours, plain);
}

/// A network that fits its data to the rounding of f32: the recorded loss is a few roundings of a
/// logarithm away from Burn's, which is no reason to doubt it.
#[test]
fn a_loss_of_some_roundings_is_recorded_all_the_same() {
    use burn::tensor::activation::log_softmax;
    let device = Device::flex();
    for logit in [6.0, 9.0, 12.0, 15.0, 17.0, 20.0] {
        let weights = [[logit, -logit * 0.3], [-logit * 0.7, logit * 0.9]];
        let w = Param::from_tensor(Tensor::<2>::from_floats(weights, &device));
        let x = Tensor::<2>::from_floats([[1.0, 0.1], [0.05, 1.0], [0.9, 0.2]], &device);
        let risk = Risk::mean([x], |w: &Param<Tensor<2>>, x: &Tensor<2>| {
            let right = Tensor::<2>::from_floats([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]], &x.device());
            let right = right.cast(x.dtype());
            (log_softmax(x.clone().matmul(w.val()), 1) * right)
                .sum_dim(1)
                .mean()
                .neg()
        });
        let hessian = Hessian::at(&w, &risk).expect("a Hessian");
        assert!(
            matches!(hessian.method(), Method::Exact { .. }),
            "{logit}: {}",
            hessian.method()
        );
        let d = hessian
            .domain()
            .upload(&[1e-3, 2e-3, -1e-3, 1e-3])
            .expect("four entries");
        let found = line(&w, &risk, &d, &[-1.0, 0.0, 1.0]).expect("a line");
        assert_eq!(
            found.evaluation,
            landscape::slice::Evaluation::Captured,
            "{logit}"
        );
    }
}
