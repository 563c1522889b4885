//! Operators restricted to parameters, and checks of operators on networks.

use std::ops::Range;

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, FloatDType, Tensor, TensorData};
use landscape::curvature::compare_with_differences;
use landscape::operator::{
    CheckConfig, Dense, Restricted, Shifted, by_layer, by_parameter, check_operator,
};
use landscape::spectrum::{SymmetricMatrix, materialize};
use landscape::{
    Error, GaussNewton, Hessian, LinearOperator, ParameterSpace, Risk, cast, download,
};

#[derive(Module, Debug)]
struct Net {
    conv1: Linear,
    conv2: Linear,
    head: Linear,
}

impl Net {
    fn loss(&self, x: &Tensor<2>) -> Tensor<1> {
        let hidden = self.conv1.forward(x.clone()).tanh();
        let hidden = self.conv2.forward(hidden).tanh();
        self.head.forward(hidden).square().mean()
    }
}

fn net() -> Net {
    let device = Device::flex();
    device.seed(3);
    let linear = |inputs, outputs| LinearConfig::new(inputs, outputs).init(&device);
    let net = Net {
        conv1: linear(3, 4),
        conv2: linear(4, 2),
        head: linear(2, 1),
    };
    cast(&net, FloatDType::F64).expect("a model in f64")
}

fn risk() -> Risk<Net, Tensor<2>> {
    let values: Vec<f64> = (0..24_u8)
        .map(|i| f64::from(i * 7 % 11) / 5.0 - 1.0)
        .collect();
    let device = Device::flex();
    let x = Tensor::from_data(
        TensorData::new(values, [8, 3]),
        (&device, burn::tensor::DType::F64),
    );
    Risk::mean([x], Net::loss)
}

/// Rows and columns of `matrix` at `coordinates`.
fn part(matrix: &SymmetricMatrix, coordinates: &[usize]) -> Vec<f64> {
    let row = |&i: &usize| {
        coordinates
            .iter()
            .map(move |&j| matrix.entries[i * matrix.dim + j])
    };
    coordinates.iter().flat_map(row).collect()
}

#[test]
fn a_restriction_is_the_block_of_the_chosen_parameters() {
    let hessian = Hessian::at(&net(), &risk()).expect("a Hessian");
    let space = hessian.space();
    let whole = materialize(&hessian).expect("a matrix");
    for (patterns, paths) in [
        (vec!["conv*.weight"], vec!["conv1.weight", "conv2.weight"]),
        (
            vec!["*.bias"],
            vec!["conv1.bias", "conv2.bias", "head.bias"],
        ),
        (
            vec!["head.*", "conv2.????"],
            vec!["conv2.bias", "head.weight", "head.bias"],
        ),
    ] {
        let coordinates: Vec<usize> = space
            .blocks
            .iter()
            .filter(|block| paths.contains(&block.path.as_str()))
            .flat_map(|block| block.range())
            .collect();
        let op = Restricted::to_parameters(&hessian, space, &patterns).expect("a restriction");
        assert_eq!(op.dim(), coordinates.len(), "{patterns:?}");
        let found = materialize(&op).expect("a matrix");
        let expected = part(&whole, &coordinates);
        let scale = expected.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
        for (found, expected) in found.entries.iter().zip(expected) {
            // The same sums, in f64.
            assert!((found - expected).abs() < 1e-14 * scale, "{patterns:?}");
        }
        // The form is that of the product, and a long run believes the operator.
        assert!(
            check_operator(&op, &CheckConfig::new())
                .expect("a check")
                .passed()
        );
        let v: Vec<f64> = (0..op.dim()).map(|i| 1.0 + i as f64).collect();
        let v = op.domain().upload(&v).expect("a vector");
        let embedded = op.embed(&v).expect("an embedding");
        assert_eq!(embedded.dims(), [hessian.dim()]);
        assert_eq!(
            download(&op.extract(&embedded).expect("a part")),
            download(&v)
        );
        let others: f64 =
            download(&embedded).iter().sum::<f64>() - download(&v).iter().sum::<f64>();
        assert_eq!(others, 0.0);
    }
}

#[test]
fn blocks_of_parameters_and_layers_tile_the_diagonal() {
    let hessian = Hessian::at(&net(), &risk()).expect("a Hessian");
    let space = hessian.space();
    let names = |blocks: &[(String, Restricted<&Hessian<Net, Tensor<2>>>)]| -> Vec<String> {
        blocks.iter().map(|(name, _)| name.clone()).collect()
    };
    let layers = by_layer(&hessian, space).expect("layers");
    assert_eq!(names(&layers), ["conv1", "conv2", "head"]);
    let parameters = by_parameter(&hessian, space).expect("parameters");
    let paths: Vec<String> = space
        .blocks
        .iter()
        .map(|block| block.path.clone())
        .collect();
    assert_eq!(names(&parameters), paths);
    for blocks in [layers, parameters] {
        let mut next = 0;
        for (_, block) in blocks {
            for range in block.ranges() {
                assert_eq!(range.start, next);
                next = range.end;
            }
        }
        assert_eq!(next, space.dim());
    }
}

#[test]
fn a_choice_that_is_none_is_an_error() {
    let hessian = Hessian::at(&net(), &risk()).expect("a Hessian");
    let space = hessian.space();
    let error = Restricted::to_parameters(&hessian, space, &["conv*.weight", "*.gamma"]);
    let message = error.expect_err("no such parameter").to_string();
    assert_eq!(
        message,
        "no trainable parameter matches `*.gamma`; there are `conv1.weight`, `conv1.bias`, \
         `conv2.weight`, `conv2.bias`, `head.weight`, `head.bias`: `*` stands for any characters, \
         `?` for one"
    );
    assert!(matches!(
        Restricted::to_parameters(&hessian, space, &[]),
        Err(Error::Setting { .. })
    ));
    let device = Device::flex();
    let small = Dense::new(&[1.0], (&device, burn::tensor::DType::F64)).expect("a matrix");
    assert!(matches!(
        Restricted::to_parameters(&small, space, &["*"]),
        Err(Error::Length { .. })
    ));
    let backwards = Range { start: 3, end: 2 };
    for ranges in [
        vec![],
        Vec::from([Range { start: 2, end: 2 }]),
        Vec::from([Range { start: 0, end: 99 }]),
        vec![0..3, 2..4],
        vec![3..4, 0..1],
        vec![backwards],
    ] {
        let found = Restricted::to_ranges(&hessian, ranges.clone());
        assert!(matches!(found, Err(Error::Setting { .. })), "{ranges:?}");
    }
    let op = Restricted::to_ranges(&hessian, std::iter::once(0..2)).expect("a restriction");
    let long = hessian
        .domain()
        .upload(&vec![1.0; hessian.dim()])
        .expect("a vector");
    assert!(matches!(op.embed(&long), Err(Error::Length { .. })));
    assert!(matches!(op.apply(&long), Err(Error::Length { .. })));
}

#[test]
fn a_shared_parameter_is_found_by_each_of_its_paths() {
    let mut net = net();
    net.conv2 = LinearConfig::new(3, 4).init(&Device::flex());
    net.conv2.weight = net.conv1.weight.clone();
    let net = cast(&net, FloatDType::F64).expect("a model in f64");
    let space = ParameterSpace::of(&net).expect("a space");
    let first = space.matching("conv1.weight").expect("a match")[0].range();
    assert_eq!(
        space.matching("conv2.weight").expect("a match")[0].range(),
        first
    );
}

#[test]
fn differences_tell_the_hessian_from_another_matrix() {
    let (net, risk) = (net(), risk());
    let hessian = Hessian::at(&net, &risk).expect("a Hessian");
    let finding = compare_with_differences(&hessian, &net, &risk, 1).expect("a comparison");
    // Differences of f64 gradients are right to half their digits.
    assert!(finding.passed() && finding.found < 1e-6, "{finding:?}");
    let shifted = Shifted::new(&hessian, 0.01);
    let finding = compare_with_differences(&shifted, &net, &risk, 1).expect("a comparison");
    assert!(!finding.passed(), "{finding:?}");
    // The Gauss-Newton matrix of a network that is not linear is not its Hessian.
    let apart = Risk::of(
        [Tensor::<2>::ones(
            [8, 3],
            (&Device::flex(), burn::tensor::DType::F64),
        )],
        |net: &Net, x: &Tensor<2>| {
            let hidden = net.conv1.forward(x.clone()).tanh();
            net.head.forward(net.conv2.forward(hidden).tanh())
        },
        |outputs: Tensor<2>, _| outputs.square().mean(),
        landscape::Reduction::Mean,
    );
    let gauss_newton = GaussNewton::at(&net, &apart).expect("a matrix");
    let finding = compare_with_differences(&gauss_newton, &net, &apart, 1).expect("a comparison");
    assert!(!finding.passed(), "{finding:?}");
    assert!(
        check_operator(&gauss_newton, &CheckConfig::new())
            .expect("a check")
            .passed()
    );
}
