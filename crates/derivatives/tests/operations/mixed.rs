//! Losses in f64 with a part in f32, as Burn's `RmsNorm` has one.

use burn::module::{Module, Param};
use burn::tensor::{DType, FloatDType, Tensor, TensorData};
use derivatives::Capture;

#[derive(Module, Debug)]
struct Weights {
    w: Param<Tensor<1>>,
}

fn vector(entries: &[f64]) -> Tensor<1> {
    let data = TensorData::new(entries.to_vec(), [entries.len()]);
    Tensor::from_data(data, (&super::flex(), DType::F64))
}

/// The sum of w³ + w², the second term and two factors of the first in f32.
fn powers(weights: &Weights) -> Tensor<1> {
    let w = weights.w.val();
    let single = w.clone().cast(FloatDType::F32);
    let square = (single.clone() * single.clone()).cast(FloatDType::F64);
    (square * w).sum() + (single.clone() * single).sum().cast(FloatDType::F64)
}

/// All numbers have a few binary digits, so that f32 is exact.
#[test]
fn a_part_in_f32_does_not_stop_products_forms_and_planes() {
    let (w, v, d) = ([0.5, -1.5, 2.0], [1.0, 0.5, -2.0], [0.25, 1.0, -0.5]);
    let model = Weights {
        w: Param::from_tensor(vector(&w)),
    };
    let loss = Capture::of(&model)
        .loss(|model: &Weights, _| powers(model))
        .expect("a capture");
    let (at, along) = (vector(&w), vector(&v));
    // H is diagonal with 6 w + 2.
    let form: f64 = w.iter().zip(v).map(|(w, v)| (6.0 * w + 2.0) * v * v).sum();
    let point = loss.linearize(&at).expect("a point");
    let product = point.hessian_vector(&along).expect("a product");
    let product: Vec<f64> = product.into_data().iter().collect();
    for (product, (w, v)) in product.iter().zip(w.iter().zip(v)) {
        assert_eq!(*product, (6.0 * w + 2.0) * v);
    }
    assert_eq!(point.quadratic_form(&along).expect("a form"), form);
    assert_eq!(loss.quadratic_form(&at, &along).expect("a form"), form);
    let plane = loss.on_plane(&at, [&along, &vector(&d)]).expect("a plane");
    for [a, b] in [[0.0, 0.0], [0.5, -1.0], [-4.0, 2.0]] {
        let moved = w
            .iter()
            .zip(v.iter().zip(d))
            .map(|(w, (v, d))| w + a * v + b * d);
        let expected: f64 = moved.map(|x| x * x * x + x * x).sum();
        assert_eq!(plane.value([a, b]), expected);
    }
}
