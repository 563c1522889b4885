//! Curvature by layer.

use burn::module::{Module, Param};
use burn::tensor::{DType, Device, Tensor, TensorData};
use landscape::{LanczosConfig, Risk, TraceConfig};
use probes::instrument::{HessianTrace, LayerCurvature};
use probes::{Probes, Schedule};

use super::{assert_close, device, scalar};

#[derive(Module, Debug)]
struct Layer {
    weight: Param<Tensor<1>>,
    bias: Param<Tensor<1>>,
}

#[derive(Module, Debug)]
struct Net {
    first: Layer,
    last: Layer,
}

fn layer(at: f64) -> Layer {
    let param = |values: Vec<f64>| {
        let count = values.len();
        Param::from_tensor(Tensor::from_data(
            TensorData::new(values, [count]),
            (&device(), DType::F64),
        ))
    };
    Layer {
        weight: param(vec![at, 1.0]),
        bias: param(vec![0.5]),
    }
}

/// The Hessian of the six coordinates: first.weight (2), first.bias, last.weight (2), last.bias.
const HESSIAN: [[f64; 6]; 6] = [
    [4.0, 1.0, 0.0, 0.5, 0.0, 0.3],
    [1.0, 4.0, 0.0, 0.0, 0.2, 0.0],
    [0.0, 0.0, 2.0, 0.0, 0.0, 0.1],
    [0.5, 0.0, 0.0, 1.0, 0.0, 0.0],
    [0.0, 0.2, 0.0, 0.0, 7.0, 2.0],
    [0.3, 0.0, 0.1, 0.0, 2.0, 7.0],
];

fn problem() -> (Net, Risk<Net, Tensor<2>>) {
    let net = Net {
        first: layer(1.0),
        last: layer(-2.0),
    };
    let hessian = Tensor::<2>::from_data(TensorData::from(HESSIAN), (&Device::flex(), DType::F64));
    let risk = Risk::mean(hessian, |net: &Net, hessian: &Tensor<2>| {
        let parts = [&net.first, &net.last].map(|l| [l.weight.val(), l.bias.val()]);
        let theta = Tensor::cat(parts.into_iter().flatten().collect(), 0);
        let product = hessian.clone().matmul(theta.clone().unsqueeze_dim(1));
        (product.squeeze_dim::<1>(1) * theta).sum() * 0.5
    });
    (net, risk.without_reduction_check())
}

#[test]
fn traces_of_layers_are_within_their_errors_and_add_up_to_the_hessians() {
    let (net, risk) = problem();
    let trace = TraceConfig::new()
        .with_relative_error(0.0)
        .with_min_probes(64)
        .with_max_probes(64)
        .with_seed(5);
    let mut probes = Probes::unlimited()
        .with(
            Schedule::every(1),
            LayerCurvature::of(&risk).with_trace_config(trace.clone()),
        )
        .with(
            Schedule::every(1),
            HessianTrace::of(&risk).with_config(trace),
        );
    let found = probes.observe(0, &net).expect("a step");
    let [first, last] = ["first", "last"].map(|layer| {
        let value = scalar(&found, &format!("curvature/trace/{layer}"));
        let error = scalar(
            &found,
            &format!("curvature_check/trace/{layer}_standard_error"),
        );
        (value, error)
    });
    // 4 + 4 + 2 and 1 + 7 + 7; four standard errors of 64 probes.
    for ((found, error), expected) in [(first, 10.0), (last, 15.0)] {
        assert!(error > 0.0);
        assert_close(found, expected, 4.0 * error);
    }
    // The whole trace is the sum, probe by probe: the two add the same products.
    assert_close(
        first.0 + last.0,
        scalar(&found, "curvature/trace"),
        1e-12 * 25.0,
    );
}

#[test]
fn eigenvalues_of_layers_are_those_of_the_diagonal_blocks() {
    let (net, risk) = problem();
    let exact = LanczosConfig::new().with_tolerance(1e-12);
    let mut probes = Probes::unlimited().with(
        Schedule::every(1),
        LayerCurvature::of(&risk).with_config(exact.clone()),
    );
    let found = probes.observe(0, &net).expect("a step");
    // [[4, 1], [1, 4]] beside 2, and [[7, 2], [2, 7]] beside 1.
    for (layer, expected) in [("first", 5.0), ("last", 9.0)] {
        let value = scalar(&found, &format!("curvature/lambda_1/{layer}"));
        let residual = scalar(
            &found,
            &format!("curvature_check/lambda_1/{layer}_residual"),
        );
        assert_close(value, expected, 1e-9);
        assert!(residual < 1e-9);
    }
    // The blocks of the parameters themselves.
    let mut probes = Probes::unlimited().with(
        Schedule::every(1),
        LayerCurvature::of(&risk).with_config(exact).by_parameter(),
    );
    let found = probes.observe(0, &net).expect("a step");
    for (path, expected) in [
        ("first/bias", 2.0),
        ("last/weight", 7.0),
        ("last/bias", 7.0),
    ] {
        let value = scalar(&found, &format!("curvature/lambda_1/{path}"));
        assert_close(value, expected, 1e-9);
    }
}

#[test]
fn eigenvalues_can_be_left_out() {
    let (net, risk) = problem();
    let probe = LayerCurvature::of(&risk).without_eigenvalues();
    let mut probes = Probes::unlimited().with(Schedule::every(1), probe);
    let found = probes.observe(0, &net).expect("a step");
    let tags = found.records.iter().filter(|r| r.tag.contains("lambda_1"));
    assert_eq!(tags.count(), 0);
    // 16 probe vectors and one that sees that products do not change.
    assert_eq!(found.measured[0].products, 17);
}
