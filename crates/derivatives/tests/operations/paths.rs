//! Errors name the module: the one whose parameters feed what has no derivative.

use burn::module::{Module, Param, ParamId};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{DType, Device, Distribution, FloatDType, Tensor, TensorData};
use derivatives::{Capture, Error};

#[derive(Module, Debug)]
struct Block {
    inner: Linear,
}

#[derive(Module, Debug)]
struct Net {
    blocks: Vec<Block>,
    head: Linear,
}

fn net() -> Net {
    let device = super::harness::device();
    let block = || Block {
        inner: LinearConfig::new(2, 2).init(&device),
    };
    Net {
        blocks: vec![block(), block()],
        head: LinearConfig::new(2, 1).init(&device),
    }
}

fn x(device: &Device) -> Tensor<2> {
    Tensor::ones([3, 2], device)
}

fn near(forward: impl Fn(&Net, &Device) -> Tensor<2>) -> String {
    let error = Capture::of(&net())
        .loss(|net: &Net, device| forward(net, device).sum())
        .expect_err("an operation without a derivative");
    error.to_string()
}

#[test]
fn an_operation_on_a_parameter_is_near_its_module() {
    let message = near(|net, device| {
        let noisy = net.blocks[1]
            .inner
            .weight
            .val()
            .random_like(Distribution::Default);
        net.blocks[0].inner.forward(x(device)).matmul(noisy)
    });
    // A random tensor has no inputs: nothing is near it.
    assert!(message.contains("(Random)"), "{message}");
    let message = near(|net, device| {
        let narrow = net.blocks[1].inner.weight.val().cast(FloatDType::F16);
        net.blocks[0]
            .inner
            .forward(x(device))
            .matmul(narrow.cast(FloatDType::F64))
    });
    assert!(message.contains("F16"), "{message}");
    assert!(message.contains("near `blocks.1.inner`"), "{message}");
}

#[test]
fn an_operation_further_on_is_near_the_last_module_before_it() {
    let message = near(|net, device| {
        let first = net.blocks[0].inner.forward(x(device)).tanh();
        let second = net.blocks[1].inner.forward(first).sin();
        let narrow = second.exp().cast(FloatDType::F16);
        net.head.forward(narrow.cast(FloatDType::F64))
    });
    assert!(message.contains("near `blocks.1.inner`"), "{message}");
    let message = near(|net, device| {
        let first = net.head.forward(net.blocks[0].inner.forward(x(device)));
        first.cast(FloatDType::BF16).cast(FloatDType::F64)
    });
    assert!(message.contains("near `head`"), "{message}");
}

#[test]
fn a_parameter_of_a_type_without_derivatives_is_named() {
    let mut net = net();
    let device = super::harness::device();
    let narrow = |dtype: DType| {
        let data = TensorData::new(vec![0.5_f64; 4], [2, 2]).convert_dtype(dtype);
        Param::initialized(
            ParamId::new(),
            Tensor::<2>::from_data(data, (&device, dtype)),
        )
    };
    net.blocks[1].inner.weight = narrow(DType::F32);
    let ids = [net.blocks[0].inner.weight.id, net.blocks[1].inner.weight.id];
    let error = Capture::of(&net)
        .with_parameters(ids)
        .loss(|net: &Net, _| net.head.weight.val().sum())
        .err();
    assert_eq!(
        error,
        Some(Error::MixedTypes {
            first: DType::F64,
            second: DType::F32,
            path: "blocks.1.inner.weight".to_owned(),
        })
    );
    net.blocks[0].inner.weight = narrow(DType::F16);
    let error = Capture::of(&net)
        .with_parameters([net.blocks[0].inner.weight.id])
        .loss(|net: &Net, _| net.head.weight.val().sum())
        .err();
    assert_eq!(
        error,
        Some(Error::Type {
            dtype: DType::F16,
            near: Some("blocks.0.inner.weight".to_owned()),
        })
    );
}
