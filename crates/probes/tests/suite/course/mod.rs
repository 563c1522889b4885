//! The instruments of the course of a training, against closed forms.

mod interpolation;
mod layers;
mod pictures;
mod sharpness;
mod stability;
mod trajectory;

use burn::module::{Module, Param};
use burn::tensor::{DType, Device, Tensor, TensorData};
use landscape::Risk;
use probes::sink::Memory;
use probes::{Observation, Record, Value};

/// A point of the plane in f64.
#[derive(Module, Debug)]
struct Point {
    at: Param<Tensor<1>>,
}

fn device() -> Device {
    Device::flex().autodiff()
}

fn vector(values: &[f64]) -> Tensor<1> {
    Tensor::from_data(
        TensorData::new(values.to_vec(), [values.len()]),
        (&device(), DType::F64),
    )
}

fn point(at: &[f64]) -> Point {
    Point {
        at: Param::from_tensor(vector(at)),
    }
}

/// `½ Σ aᵢ xᵢ²` with the curvatures a: H = diag(a).
fn quadratic(curvature: &[f64]) -> Risk<Point, Tensor<1>> {
    let device = Device::flex();
    let data = TensorData::new(curvature.to_vec(), [curvature.len()]);
    Risk::mean(
        Tensor::<1>::from_data(data, (&device, DType::F64)),
        |model: &Point, a: &Tensor<1>| (model.at.val().square() * a.clone()).sum() * 0.5,
    )
    .without_reduction_check()
}

#[track_caller]
fn scalar(observation: &Observation, tag: &str) -> f64 {
    assert!(observation.failed.is_empty(), "{:?}", observation.failed);
    let tags: Vec<&str> = observation.records.iter().map(|r| &*r.tag).collect();
    let found = observation.scalar(tag);
    found.unwrap_or_else(|| panic!("no {tag} among {tags:?}"))
}

/// The numbers under a tag, by step.
fn data(memory: &Memory, tag: &str) -> Vec<(u64, serde_json::Value)> {
    let records = memory.records().into_iter();
    let of_tag = records.filter(|record| record.tag == tag);
    of_tag
        .map(|Record { step, value, .. }| match value {
            Value::Data(data) => (step, data),
            other => panic!("{tag} is {other:?}"),
        })
        .collect()
}

fn numbers(data: &serde_json::Value) -> Vec<f64> {
    let list = data.as_array().expect("a list of numbers");
    list.iter()
        .map(|number| number.as_f64().expect("a number"))
        .collect()
}

#[track_caller]
fn assert_close(found: f64, expected: f64, tolerance: f64) {
    assert!(
        (found - expected).abs() <= tolerance,
        "{found}, expected {expected} within {tolerance:.1e}"
    );
}
