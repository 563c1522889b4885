//! Measurements of a case beside the reference. Only this folder knows the crates that measure.

mod risk;
mod sam;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{DType, Device, Tensor, TensorData};
use landscape::download;
use landscape::sharpness::sam_sharpness;
use landscape::slice::Evaluation;
use landscape::{
    Fisher, GaussNewton, Grid, Hessian, LinearOperator, Method, Objective, ParameterSpace,
    ProductConfig, Risk, line, plane,
};

use crate::composition::case::{Case, Feature, Form};
use crate::composition::finding::{Finding, Findings, Outcome, measured};
use crate::composition::node::Net;
use crate::composition::random::Random;
use crate::composition::scene::Data;
use crate::composition::truth::{Estimate, Truth, combined, norm, scaled};

use risk::risk_of;

pub(super) use derivatives::attempt as quietly;

/// All float tensors of a module, bit for bit.
#[derive(Default, PartialEq)]
struct Bits(Vec<u64>);

impl ModuleVisitor for Bits {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let data = param.base().to_data();
        self.0.extend(data.iter::<f64>().map(f64::to_bits));
    }
}

fn bits(net: &Net) -> Bits {
    let mut bits = Bits::default();
    net.visit(&mut bits);
    bits
}

fn upload(values: &[f64]) -> Tensor<1> {
    Tensor::from_data(
        TensorData::new(values.to_vec(), [values.len()]),
        (&Device::flex(), DType::F64),
    )
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Everything there is to measure of a case.
pub(super) fn findings(case: &Case) -> Vec<Finding> {
    let mut found = Findings::default();
    let truth = Truth::of(case, case.normalising(), &case.batches);
    let mut random = Random::new(case.seed ^ 0x5EED);
    let on_autodiff = random.once_in(2);
    let model = if on_autodiff {
        case.net.clone()
    } else {
        case.net.valid()
    };
    let before = bits(&model);
    let dim = truth.layout.dim;
    let [u, v] = [(); 2].map(|()| {
        let v = random.normals(dim);
        let length = norm(&v).max(1e-9);
        scaled(&v, 1.0 / length)
    });
    let here = truth.conditioned(&vec![0.0; dim]);

    let space = match measured(|| ParameterSpace::of(&model)) {
        Ok(Ok(space)) => space,
        other => {
            if dim == 0 {
                return found.all;
            }
            found.usable("coordinates", other);
            return found.all;
        }
    };
    let ours: Vec<_> = space
        .blocks
        .iter()
        .map(|block| (block.id, block.len()))
        .collect();
    if ours != truth.layout.order {
        let (given, expected) = (space.dim() as f64, dim as f64);
        let outcome = Outcome::Differs {
            given,
            expected,
            error: 0.0,
        };
        found.push("coordinates", outcome, None);
        return found.all;
    }
    let flat = download(&space.flatten(&model).expect("its own model"));
    let gap: Vec<f64> = combined(&flat, 1.0, &truth.layout.origin, -1.0);
    found.compare(
        "flat parameters",
        norm(&gap),
        Estimate::exact(0.0),
        norm(&flat),
        0.0,
        None,
    );

    let risk = risk_of(case);
    if let Some(value) = found.usable("value", measured(|| risk.value(&model))) {
        found.compare("value", value, here, 1e-3, 1e-7, None);
    }
    let slopes = [&u, &v].map(|w| truth.slope(w));
    let mut gradient = None;
    if let Some((_, g)) = found.usable("gradient", measured(|| risk.gradient(&model))) {
        let g = download(&g);
        let mut right = true;
        for (w, slope) in [&u, &v].into_iter().zip(slopes) {
            let scale = norm(&g) * 0.1 + 1e-4;
            right &= found.compare("gradient", dot(&g, w), slope, scale, 1e-6, None);
        }
        if right {
            gradient = Some(g);
        }
    }
    hessian(&risk, &model, &truth, [&u, &v], &mut random, &mut found);
    if case.form == Form::Apart {
        gauss_newton(&risk, &model, &truth, [&u, &v], &mut found);
    }
    slices(&risk, &model, &truth, [&u, &v], &mut random, &mut found);
    let rho = 0.05 + random.unit();
    if let Some(g) = &gradient {
        let length = norm(g);
        if length > 1e-8 {
            let peak = truth.moved(&scaled(g, rho / length));
            let sharpness = measured(|| sam_sharpness(&model, &risk, rho));
            if let Some(sharpness) = found.usable("sharpness", sharpness) {
                let expected = peak.value();
                let scale = here.value.abs().max(1e-2);
                found.compare(
                    "sharpness",
                    sharpness.peak_loss,
                    expected,
                    scale,
                    1e-5,
                    None,
                );
            }
        }
    }
    if random.once_in(3) && !case.has(Feature::Large) {
        examples(case, &risk, &model, &truth, [&u, &v], &mut found);
    }
    if before != bits(&model) {
        let outcome = Outcome::Differs {
            given: 1.0,
            expected: 0.0,
            error: 0.0,
        };
        found.push("the model is unchanged", outcome, None);
    }
    sam::measure(case, rho, &v, &mut found);
    found.forgive_kinks(|| truth.kink(&u).abs().max(truth.kink(&v).abs()));
    found.all
}

fn hessian(
    risk: &Risk<Net, Data>,
    model: &Net,
    truth: &Truth<'_>,
    [u, v]: [&Vec<f64>; 2],
    random: &mut Random,
    found: &mut Findings,
) {
    let mut config = ProductConfig::new();
    if random.once_in(3) {
        config.memory_limit = Some(0);
    }
    let hessian = measured(|| Hessian::at_with(model, risk, &config));
    let Some(hessian) = found.usable("hessian", hessian) else {
        return;
    };
    let method = hessian.method();
    let (way, tolerance) = match &method {
        Method::CentralDifference { because, .. } => (
            Some(format!(
                "differences: {}",
                because.clone().unwrap_or_default()
            )),
            1e-3,
        ),
        _ => (None, 2e-6),
    };
    // Of hundreds of examples some are at a kink at every step, and a difference has its share of
    // each.
    let crowded = truth.rows() > 100.0;
    let tolerance: f64 = if crowded { 5e-3 } else { tolerance };
    let way = way.as_deref();
    let products = measured(|| {
        if random.once_in(2) {
            hessian.apply_many(&[upload(v), upload(u)])
        } else {
            Ok(vec![hessian.apply(&upload(v))?, hessian.apply(&upload(u))?])
        }
    });
    let Some(products) = found.usable("product", products) else {
        return;
    };
    let [hv, hu] = [download(&products[0]), download(&products[1])];
    let scale = norm(&hv).max(norm(&hu)) * 0.1 + 1e-4;
    // Products by differences say how far off they may be.
    let tolerance = match way {
        Some(_) => tolerance.max(3.0 * hessian.relative_error()),
        None => tolerance,
    };
    let (mixed, form) = (truth.curvature(u, v), truth.curvature(v, v));
    let start = found.all.len();
    found.compare("product", dot(u, &hv), mixed, scale, tolerance, way);
    found.compare(
        "product, other side",
        dot(v, &hu),
        mixed,
        scale,
        tolerance,
        way,
    );
    found.compare("product, itself", dot(v, &hv), form, scale, tolerance, way);
    if let Some(given) = found.usable(
        "quadratic form",
        measured(|| hessian.quadratic_form(&upload(v))),
    ) {
        found.compare("quadratic form", given, form, scale, tolerance, way);
    }
    if hessian.unresolved() > 0 {
        for finding in &mut found.all[start..] {
            if matches!(finding.outcome, Outcome::Differs { .. }) {
                finding.outcome = Outcome::InDoubt;
            }
        }
    }
}

fn gauss_newton(
    risk: &Risk<Net, Data>,
    model: &Net,
    truth: &Truth<'_>,
    [u, v]: [&Vec<f64>; 2],
    found: &mut Findings,
) {
    let product = measured(|| GaussNewton::at(model, risk)?.apply(&upload(v)));
    let Some(product) = found.usable("gauss-newton", product) else {
        return;
    };
    let gv = download(&product);
    let scale = norm(&gv) * 0.1 + 1e-4;
    let expected = truth.gauss_newton(u, v);
    found.compare("gauss-newton", dot(u, &gv), expected, scale, 2e-6, None);
}

fn slices(
    risk: &Risk<Net, Data>,
    model: &Net,
    truth: &Truth<'_>,
    [u, v]: [&Vec<f64>; 2],
    random: &mut Random,
    found: &mut Findings,
) {
    // Units are the length of the parameters themselves.
    let length = norm(&truth.layout.origin).max(1e-3);
    let [u, v] = [u, v].map(|w| scaled(w, length));
    let a = [
        0.0,
        0.1 + random.unit(),
        -1.0 - 4.0 * random.unit(),
        20.0 * random.unit(),
    ];
    let evaluation = |evaluation: &Evaluation| match evaluation {
        Evaluation::Model { because } => Some(format!("model: {because}")),
        _ => None,
    };
    let values: Vec<Estimate> = a
        .iter()
        .map(|&a| truth.conditioned(&scaled(&u, a)))
        .collect();
    let scale = values
        .iter()
        .filter(|estimate| estimate.value.is_finite())
        .fold(1e-3, |most: f64, estimate| most.max(estimate.value.abs()));
    if let Some(line) = found.usable("line", measured(|| line(model, risk, &upload(&u), &a))) {
        let way = evaluation(&line.evaluation);
        for (given, expected) in line.loss.iter().zip(values) {
            found.compare("line", *given, expected, scale, 1e-7, way.as_deref());
        }
    }
    let grid = Grid {
        a: vec![a[1], a[2]],
        b: vec![-a[1], a[3] * 0.5],
    };
    let surface = measured(|| plane(model, risk, [&upload(&u), &upload(&v)], &grid));
    if let Some(surface) = found.usable("plane", surface) {
        let way = evaluation(&surface.evaluation);
        let points = grid
            .a
            .iter()
            .flat_map(|&a| grid.b.iter().map(move |&b| (a, b)));
        for (given, (a, b)) in surface.loss.iter().zip(points) {
            let expected = truth.conditioned(&combined(&u, a, &v, b));
            found.compare("plane", *given, expected, scale, 1e-7, way.as_deref());
        }
    }
}

/// The gradients of single examples, and their second moment, where each example has a loss of its
/// own.
fn examples(
    case: &Case,
    risk: &Risk<Net, Data>,
    model: &Net,
    truth: &Truth<'_>,
    [u, v]: [&Vec<f64>; 2],
    found: &mut Findings,
) {
    let rows: Vec<Data> = case
        .batches
        .iter()
        .flat_map(|data| (0..data.rows()).map(|row| data.row(row)))
        .collect();
    let alone = |displacement: &[f64]| -> Option<f64> {
        quietly(|| truth.over(&rows).value(displacement)).ok()
    };
    let separable = [0.0, 0.3].iter().all(|&h| {
        let displacement = scaled(u, h);
        let whole = truth.value(&displacement);
        alone(&displacement).is_some_and(|value| (value - whole).abs() < 1e-9 * (1.0 + whole.abs()))
    });
    let gradients = measured(|| {
        let mut all = Vec::new();
        Objective::at(model, risk)?.example_gradients(|batch| {
            let rows: Vec<f64> = batch.rows.to_data().iter::<f64>().collect();
            all.extend(rows.chunks(truth.layout.dim).map(<[f64]>::to_vec));
            Ok(())
        })?;
        Ok::<_, landscape::Error>(all)
    });
    let Some(gradients) = found.usable("examples", gradients) else {
        return;
    };
    let count = gradients.len() as f64;
    let mean: f64 = gradients.iter().map(|g| dot(g, v)).sum::<f64>() / count;
    let sizes = gradients.iter().map(|g| norm(g)).fold(1e-3, f64::max);
    found.compare("examples, mean", mean, truth.slope(v), sizes, 1e-6, None);
    // Of a batch that does not say its number, as many time steps as examples are taken for them.
    // And a layer that normalises by the batch may leave the loss of every batch the same
    // number.
    let unsaid = case.has(Feature::TimeFirstUncounted) || case.has(Feature::BatchStatistics);
    if !separable || unsaid || gradients.len() != rows.len() {
        return;
    }
    let (mut moment, mut error) = (0.0, 0.0);
    for (row, gradient) in rows.iter().zip(&gradients) {
        let alone = truth.over(std::slice::from_ref(row));
        let slopes = [u, v].map(|w| alone.slope(w));
        found.compare("examples", dot(gradient, v), slopes[1], sizes, 1e-6, None);
        let [a, b] = slopes;
        moment += a.value * b.value / count;
        error += (a.error * b.value.abs() + b.error * a.value.abs()) / count;
    }
    // What a row is cannot be told where the outputs have as many rows by coincidence.
    if case.form == Form::Apart && quietly(|| truth.outputs_are_rows()) == Ok(true) {
        let product = measured(|| Fisher::at(model, risk)?.apply(&upload(v)));
        if let Some(product) = found.usable("fisher", product) {
            let expected = Estimate {
                value: moment,
                error,
            };
            let given = dot(u, &download(&product));
            found.compare("fisher", given, expected, sizes * sizes, 1e-6, None);
        }
    }
}
