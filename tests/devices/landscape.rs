//! Curvature operators on the device of the run: beside PyTorch, and on real data beside flex.

use std::error::Error;

use burn::module::{Module, Param, ParamId};
use burn::nn::Linear;
use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use datasets::Digits;
use landscape::spectrum::{BasisStorage, Lanczos, LanczosConfig, top_eigenpairs};
use landscape::{Downloads, GaussNewton, Hessian, LinearOperator, Method, Risk, download};
use tests::{Case, CaseVisitor, Net, cross_entropy, for_each_case_on, relative_error};

#[path = "../../crates/derivatives/tests/operations/device.rs"]
mod device;

/// The device that `BURN_DEVICE` names; its adapter is shown, for what was tested is of no use
/// otherwise.
#[test]
fn the_device_is_the_one_asked_for() {
    let device = device::device();
    let name = device.identity().map(|identity| identity.name);
    println!("adapter: {}", name.as_deref().unwrap_or("none"));
    match std::env::var("BURN_DEVICE").as_deref() {
        Ok("wgpu") => assert!(name.is_some(), "{device:?}"),
        Ok("ndarray") => assert_ne!(device, Device::flex()),
        other => panic!("BURN_DEVICE is {other:?}; ndarray and wgpu are tested here"),
    }
}

fn exact_in(dtype: DType, method: &Method) -> bool {
    matches!(method, Method::Exact { dtype: found, .. } if *found == dtype)
}

struct Operators {
    visited: usize,
}

impl CaseVisitor for Operators {
    fn visit<N: Net>(&mut self, case: &Case<N>) {
        let hessian = Hessian::at(&case.model, &case.risk()).expect("a Hessian");
        let gauss_newton =
            GaussNewton::at(&case.model, &case.risk_of_outputs()).expect("a Gauss-Newton matrix");
        let domain = hessian.domain();
        let dtype = domain.dtype;
        assert!(exact_in(dtype, &hessian.method()));
        let v = domain.upload(&case.family("v")).expect("P entries");
        for (name, known, product) in [
            ("hv", "hv", hessian.apply(&v)),
            ("ggnv", "ggnv", gauss_newton.apply(&v)),
        ] {
            let product = download(&product.expect("a product"));
            let error = relative_error(&product, &case.family(name));
            // As for the derivatives alone: the order of sums in f64, ten times PyTorch's error in
            // f32.
            let limit = match dtype {
                DType::F64 => 1e-11,
                _ => 10.0 * case.scalar(&["float32_torch_rel_err", known]).max(1.2e-7),
            };
            println!("{case:30} {name:6} {error:.1e}, limit {limit:.1e}");
            assert!(error < limit, "{case}: {name} {error:.1e}");
        }
        self.visited += 1;
    }
}

#[test]
fn operators_of_every_case_agree_with_pytorch() {
    let mut operators = Operators { visited: 0 };
    let device = device::device().autodiff();
    for_each_case_on(&device, device::float_type(), &mut operators);
    assert_eq!(operators.visited, 10);
}

/// 64-32-10 with tanh, on the digits.
#[derive(Module, Debug)]
struct Mlp {
    hidden: Linear,
    output: Linear,
}

impl Mlp {
    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        self.output.forward(self.hidden.forward(x).tanh())
    }
}

/// The golden angle's multiples fill (-1, 1) evenly, and need no generator; the widths make a
/// layer's outputs of size one.
fn linear(inputs: usize, outputs: usize, device: &Device, dtype: DType) -> Linear {
    let entries = |len: usize| -> Vec<f64> {
        let golden = (5.0_f64.sqrt() - 1.0) / 2.0;
        let scale = (3.0 / inputs as f64).sqrt();
        (0..len)
            .map(|index| scale * (2.0 * (index as f64 * golden).fract() - 1.0))
            .collect()
    };
    let weight = TensorData::new(entries(inputs * outputs), [inputs, outputs]);
    let bias = TensorData::new(entries(outputs), [outputs]);
    let weight = Tensor::<2>::from_data(weight, (device, dtype)).require_grad();
    let bias = Tensor::<1>::from_data(bias, (device, dtype)).require_grad();
    Linear {
        weight: Param::initialized(ParamId::new(), weight),
        bias: Some(Param::initialized(ParamId::new(), bias)),
    }
}

/// The Hessian over the digits, in batches of unequal size.
fn hessian(
    device: &Device,
    dtype: DType,
) -> Result<Hessian<Mlp, (Tensor<2>, Tensor<1, Int>)>, Box<dyn Error>> {
    let device = device.clone().autodiff();
    let model = Mlp {
        hidden: linear(64, 32, &device, dtype),
        output: linear(32, 10, &device, dtype),
    };
    let digits = Digits::load()?.images;
    let batches: Vec<(Tensor<2>, Tensor<1, Int>)> =
        datasets::batches(&digits, 512, (&device, dtype))?
            .into_iter()
            .map(|batch| (batch.images.reshape([-1, 64]), batch.labels))
            .collect();
    let risk = Risk::mean(
        batches,
        |model: &Mlp, (x, y): &(Tensor<2>, Tensor<1, Int>)| {
            cross_entropy(model.forward(x.clone()), y.clone()).mean()
        },
    );
    let hessian = Hessian::at(&model, &risk)?;
    assert!(exact_in(dtype, &hessian.method()));
    assert_eq!(hessian.domain().device, device.without_autodiff());
    Ok(hessian)
}

/// The largest eigenvalue, and how far from converged it is.
fn top_eigenvalue(
    device: &Device,
    dtype: DType,
    config: &LanczosConfig,
) -> Result<(f64, f64), Box<dyn Error>> {
    let pairs = top_eigenpairs(&hessian(device, dtype)?, 1, config)?;
    Ok((pairs[0].value, pairs[0].residual))
}

/// Four reads of a step come to the host: whether the product is finite, twice, the coefficients of
/// two passes of orthogonalisation, and the parts of a norm. No vector does.
#[test]
fn vectors_of_a_run_on_the_device_stay_there() -> Result<(), Box<dyn Error>> {
    let hessian = hessian(&device::device(), device::float_type())?;
    let mut run = Lanczos::stored(&hessian, 7, BasisStorage::Device)?;
    run.extend(&hessian, 2)?;
    let before = Downloads::of_this_thread();
    run.extend(&hessian, 10)?;
    let after = Downloads::of_this_thread();
    assert_eq!(run.steps(), 12);
    assert_eq!(after.reads - before.reads, 4 * 10);
    // For step m, two passes of m coefficients; one number for the finite ones, two for a norm.
    let expected: u64 = (3..=12).map(|m| 2 * m + 2 + 2).sum();
    let numbers = after.numbers - before.numbers;
    assert_eq!(numbers, expected);
    assert!(numbers < hessian.domain().dim as u64);
    Ok(())
}

#[test]
fn the_top_eigenvalue_on_real_data_is_that_of_flex() -> Result<(), Box<dyn Error>> {
    let dtype = device::float_type();
    let config = LanczosConfig::new()
        .with_seed(7)
        .with_tolerance(1e-5)
        .with_basis(BasisStorage::HostF64);
    let (expected, spread) = top_eigenvalue(&Device::flex(), DType::F64, &config)?;
    // The basis on the host; on the device; there in blocks, with restarts.
    let on_device = config.clone().with_basis(BasisStorage::Device);
    let restarted = on_device
        .clone()
        .with_block_size(2)
        .with_max_vectors(Some(20))
        .with_max_steps(300);
    for config in [config, on_device, restarted] {
        let (value, residual) = top_eigenvalue(&device::device(), dtype, &config)?;
        let error = (value - expected).abs() / expected;
        println!(
            "{:?}: {value:.8} beside {expected:.8}: {error:.1e}, residuals {residual:.1e} and {spread:.1e}",
            config.basis
        );
        // An eigenvalue's error is at most its residual plus the error of the products.
        let rounding = if dtype == DType::F64 { 1e-12 } else { 1e-6 };
        assert!(error < (residual + spread) / expected + rounding);
        // The square of the relative residual, over the gap: far less than the bound.
        assert!(error < 1e-5, "{error:.1e}");
    }
    Ok(())
}

/// Data shared between this device twice, and between it and flex: the same product, but refused in
/// a sentence where Burn finds no f64 beside that of flex. Drivers differ in that on wgpu.
#[test]
fn shares_of_the_data_are_on_devices_of_one_float_type() -> Result<(), Box<dyn Error>> {
    let (device, dtype) = (device::device(), device::float_type());
    let model = linear(3, 1, &device.clone().autodiff(), dtype);
    let x: Vec<f64> = (0..24).map(|index| f64::from(index).sin()).collect();
    let x = Tensor::<2>::from_data(TensorData::new(x, [8, 3]), (&device, dtype));
    let risk = Risk::mean(x, |model: &Linear, x: &Tensor<2>| {
        model.forward(x.clone()).tanh().square().mean()
    });
    let alone = Hessian::at(&model, &risk)?;
    let v = alone.domain().upload(&[1.0, -0.5, 0.25, 2.0])?;
    let expected = download(&alone.apply(&v)?);
    let agrees = |spread: Risk<Linear, Tensor<2>>| -> Result<(), Box<dyn Error>> {
        let product = Hessian::at(&model, &spread)?.apply(&v)?;
        let error = relative_error(&download(&product), &expected);
        // Sums of eight terms in another order.
        let limit = if dtype == DType::F64 { 1e-13 } else { 1e-5 };
        assert!(error < limit, "{error:.1e}");
        Ok(())
    };
    agrees(risk.on_devices(&[device.clone(), device.clone()])?)?;
    let has_double = device.supports_dtype(DType::F64);
    match risk.on_devices(&[Device::flex(), device]) {
        Ok(mixed) if has_double => agrees(mixed),
        Err(refusal) if !has_double => {
            let refusal = refusal.to_string();
            let words = "device 1 computes in f64 and device 2 does not";
            assert!(refusal.contains(words), "{refusal}");
            Ok(())
        }
        Ok(_) => panic!("devices of two kinds share the data"),
        Err(error) => panic!("{error}"),
    }
}
