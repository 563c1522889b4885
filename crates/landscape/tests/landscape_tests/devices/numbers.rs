//! Numbers of several devices beside those of one.

use std::ops::ControlFlow;
use std::sync::Arc;

use burn::data::dataloader::DataLoader;
use burn::module::{Module, Param};
use burn::nn::{BatchNorm, BatchNormConfig};
use burn::tensor::{DType, Device, Tensor};
use landscape::curvature::exact_trace;
use landscape::slice::{Quantity, Slice};
use landscape::spectrum::hutchinson_trace;
use landscape::{
    Batch as _, DensityConfig, Fisher, GaussNewton, Hessian, LanczosConfig, LinearOperator,
    Objective, ParameterSpace, ProductConfig, Reduction, Risk, Statistics, TraceConfig, download,
    random_directions, spectral_density, top_eigenpairs,
};

use super::loader;
use super::subject::{
    Examples, Net, ROUNDING, batch, cross_entropy, difference, flex, matrix, net, outputs, risk,
    several, waves,
};

/// All kinds of numbers of a risk, in one list for each kind.
fn numbers(risk: &Risk<Net, Examples>) -> Vec<(&'static str, Vec<f64>)> {
    let net = net();
    let space = ParameterSpace::of(&net).unwrap();
    let [d1, d2] = random_directions(&space, 3);
    let hessian = Hessian::at(&net, risk).unwrap();
    let v = hessian
        .domain()
        .upload(&waves(hessian.dim(), 0.21))
        .unwrap();
    let w = hessian
        .domain()
        .upload(&waves(hessian.dim(), 0.37))
        .unwrap();
    let mut all = vec![("value", vec![risk.value(&net).unwrap()])];
    let (value, gradient) = risk.gradient(&net).unwrap();
    all.push(("value of the gradient", vec![value]));
    all.push(("gradient", download(&gradient)));
    let objective = Objective::at(&net, risk).unwrap();
    all.push(("moved value", vec![objective.value(&v).unwrap()]));
    all.push(("product", download(&hessian.apply(&v).unwrap())));
    let many = hessian.apply_many(&[v.clone(), w.clone()]).unwrap();
    all.extend(many.iter().map(|product| ("one of two", download(product))));
    all.push(("form", vec![hessian.quadratic_form(&v).unwrap()]));
    let gauss_newton = GaussNewton::at(&net, risk).unwrap();
    all.push(("Gauss-Newton", download(&gauss_newton.apply(&v).unwrap())));
    all.push(("diagonal", gauss_newton.diagonal().unwrap()));
    let fisher = Fisher::at(&net, risk).unwrap();
    all.push(("Fisher", download(&fisher.apply(&v).unwrap())));
    let trace = hutchinson_trace(
        &hessian,
        &TraceConfig::new().with_min_probes(4).with_max_probes(4),
    )
    .unwrap();
    all.push(("trace", vec![trace.estimate.mean]));
    let exact = exact_trace(&net, risk).unwrap();
    all.push(("exact trace", vec![exact.gauss_newton]));
    let lanczos = LanczosConfig::new().with_seed(1).with_tolerance(1e-10);
    let pairs = top_eigenpairs(&hessian, 2, &lanczos).unwrap();
    all.push(("eigenvalues", pairs.iter().map(|pair| pair.value).collect()));
    let density = spectral_density(&hessian, &DensityConfig::new()).unwrap();
    let moments = (1..3).map(|power| density.moment(power).mean);
    all.push(("moments", moments.collect()));
    let slice = Slice::along(&net, [&d1, &d2], [Quantity::of("loss", risk)]).unwrap();
    let points = [[0.0, 0.0], [0.5, -0.25], [-1.0, 1.0]];
    let values = slice.values(&points, |_, _| ControlFlow::Continue(()));
    all.push(("slice", values.unwrap().concat()));
    let slopes = slice.slopes(&points).unwrap().concat();
    let slopes = slopes.iter().flat_map(|slopes| slopes.slope);
    all.push(("slopes", slopes.collect()));
    all
}

#[test]
fn numbers_of_several_devices_are_those_of_one_to_rounding_and_twice_the_same_bits() {
    let one = numbers(&risk(several()));
    for count in [1, 2, 3, 7, 60] {
        let spread = || risk(several()).on_devices(&flex(count)).unwrap();
        let [first, second] = [(); 2].map(|()| numbers(&spread()));
        for ((name, one), (_, many)) in one.iter().zip(&first) {
            let gap = difference(one, many);
            let allowed = match *name {
                // Lanczos carries rounding on; the tolerance of the eigenvalues is 1e-10.
                "eigenvalues" | "moments" => 1e-9,
                _ => ROUNDING,
            };
            assert!(gap < allowed, "{name} of {count} devices: {gap:.1e}");
        }
        for ((name, first), (_, second)) in first.iter().zip(&second) {
            let bits = |numbers: &[f64]| numbers.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(first), bits(second), "{name} of {count} devices");
        }
    }
}

#[test]
fn one_batch_is_cut_where_its_loss_is_a_mean_and_stays_whole_elsewhere() {
    let net = net();
    let whole = risk(batch(40, 0.8));
    let parts = |risk: &Risk<Net, Examples>| {
        let config = ProductConfig::new().with_cut_batches(false);
        let hessian = Hessian::at_with(&net, risk, &config).unwrap();
        match hessian.method() {
            landscape::Method::Exact { kept, .. } => kept,
            other => panic!("{other}"),
        }
    };
    assert_eq!(parts(&whole), 1);
    assert_eq!(parts(&whole.on_devices(&flex(4)).unwrap()), 4);
    // The largest loss of a batch is no mean.
    let coupled = Risk::mean(batch(40, 0.8), |net: &Net, batch: &Examples| {
        outputs(net, batch).square().sum_dim(1).max()
    });
    let spread = coupled.on_devices(&flex(4)).unwrap();
    assert_eq!(parts(&spread), 1);
    assert_eq!(spread.value(&net).unwrap(), coupled.value(&net).unwrap());
}

#[test]
fn batches_with_weights_count_for_them_on_every_device() {
    let net = net();
    let weighted = risk(several()).with_weights(|(x, _): &Examples| x.dims()[0] as f64 + 0.5);
    let spread = weighted.on_devices(&flex(3)).unwrap();
    let [one, three] = [&weighted, &spread].map(|risk| risk.value(&net).unwrap());
    assert!((one / three - 1.0).abs() < ROUNDING, "{one} {three}");
    let sums = Risk::of(
        several(),
        outputs,
        |outputs, batch: &Examples| cross_entropy(outputs, batch) * batch.examples() as f64,
        Reduction::Sum,
    )
    .with_weights(|(_, y): &Examples| 2.0 * y.dims()[0] as f64);
    let spread = sums.on_devices(&flex(3)).unwrap();
    let [one, three] = [&sums, &spread].map(|risk| download(&risk.gradient(&net).unwrap().1));
    assert!(difference(&one, &three) < ROUNDING);
}

#[test]
fn streamed_batches_go_round() {
    let net = net();
    let loader: Arc<dyn DataLoader<Examples>> = Arc::new(loader::Fixed(several()));
    let held = risk(several());
    let streamed = risk(loader);
    let expected = Hessian::at(&net, &held).unwrap();
    let v = expected
        .domain()
        .upload(&waves(expected.dim(), 0.3))
        .unwrap();
    let expected = download(&expected.apply(&v).unwrap());
    for count in [2, 4, 9] {
        let spread = streamed.on_devices(&flex(count)).unwrap();
        let product = Hessian::at(&net, &spread).unwrap().apply(&v).unwrap();
        assert!(difference(&expected, &download(&product)) < ROUNDING);
        let value = spread.value(&net).unwrap();
        assert!((value / held.value(&net).unwrap() - 1.0).abs() < ROUNDING);
    }
}

#[derive(Module, Debug)]
struct Normed {
    weight: Param<Tensor<2>>,
    norm: BatchNorm,
}

#[test]
fn statistics_of_batches_stay_those_of_whole_batches_and_nothing_is_moved() {
    let device = Device::flex().autodiff();
    let model = Normed {
        weight: Param::from_tensor(matrix(6, 5, 0.7).cast(DType::F32).to_device(&device)),
        norm: BatchNormConfig::new(5).init(&device),
    };
    let x: Vec<_> = several()
        .into_iter()
        .map(|(x, _)| x.cast(DType::F32))
        .filter(|x| x.dims()[0] > 1)
        .collect();
    let loss = |model: &Normed, x: &Tensor<2>| {
        let normed = model.norm.forward(x.clone().matmul(model.weight.val()));
        normed.tanh().square().mean()
    };
    for statistics in [Statistics::Batch, Statistics::Running] {
        let risk = Risk::mean(x.clone(), loss).with_statistics(statistics);
        let before = model.norm.running_mean.value().to_data();
        let spread = risk.on_devices(&flex(2)).unwrap();
        let [one, two] = [&risk, &spread].map(|risk| {
            let hessian = Hessian::at(&model, risk).unwrap();
            let v = hessian.domain().upload(&waves(hessian.dim(), 0.3)).unwrap();
            download(&hessian.apply(&v).unwrap())
        });
        // Sums of f32.
        assert!(
            difference(&one, &two) < 1e-5,
            "{:.1e}",
            difference(&one, &two)
        );
        assert_eq!(before, model.norm.running_mean.value().to_data());
    }
}
