//! What a batch can be, and what batches can be given as.

use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, FloatDType, Int, Tensor};
use landscape::spectrum::materialize;
use landscape::{Batch, GaussNewton, Hessian, Reduction, Risk, cast};

fn examples<B: Batch>(batch: &B) -> (usize, usize) {
    (batch.examples(), batch.clone().narrow(0..2).examples())
}

#[test]
fn tensors_in_options_vectors_arrays_and_long_tuples_are_batches() {
    let device = Device::flex();
    let x = || Tensor::<2>::ones([3, 2], &device);
    let y = || Tensor::<1, Int>::ones([3], &device);
    assert_eq!(examples(&vec![x(), x()]), (3, 2));
    assert_eq!(examples(&[y(), y()]), (3, 2));
    assert_eq!(examples(&(x(), Some(y()))), (3, 2));
    assert_eq!(examples(&(None::<Tensor<1>>, x())), (3, 2));
    assert_eq!(examples(&(x(), y(), x(), y(), x())), (3, 2));
    let long = (x(), y(), x(), y(), x(), vec![x()], [y()], Some((x(), y())));
    assert_eq!(examples(&long), (3, 2));
    let wide = long.clone().to_dtype(FloatDType::F64);
    assert_eq!(wide.5[0].dtype(), burn::tensor::DType::F64);
    assert_eq!(long.doubled(3).examples(), 6);
}

fn loss(model: &Linear, x: &Tensor<2>) -> Tensor<1> {
    model.forward(x.clone()).square().mean()
}

#[test]
fn one_batch_and_references_to_batches_are_batches_of_a_risk() {
    let device = Device::flex();
    let model = LinearConfig::new(2, 1).init(&device);
    let x = Tensor::<2>::ones([3, 2], &device);
    let batches = [x.clone()];
    let expected = loss(&model, &x).into_scalar::<f64>();
    let list = vec![x.clone()];
    for risk in [
        Risk::mean(x.clone(), loss),
        Risk::mean(&x, loss),
        Risk::mean(&batches, loss),
        Risk::mean(std::slice::from_ref(&x), loss),
        Risk::mean(&batches[..], loss),
        Risk::mean(&list, loss),
        Risk::mean(list.clone(), loss),
        Risk::mean([x.clone()], loss).over(&x),
    ] {
        assert!((risk.value(&model).unwrap() - expected).abs() < 1e-6);
    }
    // A vector of tensors as one batch.
    let views = Risk::mean(list, |model: &Linear, views: &Vec<Tensor<2>>| {
        loss(model, &views[0])
    });
    assert!((views.value(&model).unwrap() - expected).abs() < 1e-6);
}

#[test]
fn several_outputs_are_one_vector_of_outputs() {
    let device = Device::flex();
    let model: Linear = LinearConfig::new(2, 3).init(&device);
    let model = cast(&model, FloatDType::F64).unwrap();
    let x = Tensor::<2>::from_floats([[0.3, -1.0], [0.8, 0.1], [-0.4, 0.9]], &device);
    let heads = |model: &Linear, x: &Tensor<2>| {
        let outputs = model.forward(x.clone());
        let first = outputs.clone().narrow(1, 0, 1).reshape([3]);
        (first, outputs.narrow(1, 1, 2).reshape([3, 1, 2]))
    };
    let apart = Risk::of(
        &x,
        heads,
        |(first, rest): (Tensor<1>, Tensor<3>), _: &Tensor<2>| {
            (first * rest.clone().sum_dim(2).reshape([3]))
                .square()
                .mean()
                + rest.exp().mean()
        },
        Reduction::Mean,
    );
    let joint = Risk::of(
        &x,
        |model: &Linear, x: &Tensor<2>| model.forward(x.clone()),
        |outputs: Tensor<2>, _: &Tensor<2>| {
            let rest = outputs.clone().narrow(1, 1, 2);
            let products = outputs.narrow(1, 0, 1) * rest.clone().sum_dim(1);
            products.square().mean() + rest.exp().mean()
        },
        Reduction::Mean,
    );
    assert!((apart.value(&model).unwrap() - joint.value(&model).unwrap()).abs() < 1e-14);
    // The outputs are linear in the parameters, so Gauss-Newton is the Hessian.
    let matrices = [
        materialize(&GaussNewton::at(&model, &apart).unwrap()).unwrap(),
        materialize(&GaussNewton::at(&model, &joint).unwrap()).unwrap(),
        materialize(&Hessian::at(&model, &apart).unwrap()).unwrap(),
    ];
    for matrix in &matrices[1..] {
        for (x, y) in matrix.entries.iter().zip(&matrices[0].entries) {
            assert!((x - y).abs() < 1e-12, "{x} for {y}");
        }
    }
}

#[test]
fn a_cast_model_keeps_ids_flags_and_buffers_and_leaves_the_model_alone() {
    use burn::module::Module;
    use burn::nn::{BatchNorm, BatchNormConfig};
    let device = Device::flex().autodiff();
    let mut model: BatchNorm = BatchNormConfig::new(2).init(&device);
    model.beta = model.beta.set_require_grad(false);
    let x = Tensor::<2>::from_floats([[1.0, 2.0], [3.0, 5.0]], &device);
    model.forward(x.clone());
    let wide = cast(&model, FloatDType::F64).unwrap();
    let statistics = |model: &BatchNorm| model.valid().running_mean.value().to_data();
    assert_eq!(wide.gamma.id, model.gamma.id);
    assert!(wide.gamma.is_require_grad() && !wide.beta.is_require_grad());
    assert!(wide.gamma.val().is_autodiff());
    let before = statistics(&model);
    // The statistics after the pass, which f32 and f64 round alike.
    assert_eq!(statistics(&wide).convert::<f32>(), before);
    wide.forward(x.cast(FloatDType::F64) * 9.0);
    assert_eq!(statistics(&model), before);
}
