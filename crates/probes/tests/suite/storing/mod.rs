//! Slices in files, and their exports.

#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

mod damage;
mod exports;
mod full_disk;
mod kills;
mod slices;
mod values;

use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;

use probes::Error;
use probes::export::Column;
use probes::store::{Identity, MeasureConfig, Measured, Progress, SliceStore, measure_with};

/// Two quantities on a grid of 3 x 4 points.
fn identity() -> Identity<2> {
    let axes = [
        Column::new("a", vec![-1.0, 0.1, 1.0]),
        Column::new("b", vec![-2.0, -0.0, 0.3, 4.0]),
    ];
    Identity {
        model: 0x0123_4567,
        directions: 0x89ab_cdef,
        data: 7,
        normalisation: "by filter".to_owned(),
        evaluation: "by a formula".to_owned(),
        ..Identity::on(axes, ["training loss", "accuracy"])
    }
}

/// Returns the values that the evaluation of [`measure`] gives.
fn formula([a, b]: [f64; 2]) -> [f64; 2] {
    [a.mul_add(3.0, b.sin()), (a * b).exp()]
}

fn go_on(_: Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// Measures what is missing by [`formula`], `chunk` points at once.
fn measure(store: &mut SliceStore<2>, chunk: usize) -> Result<Measured, Error> {
    let config = MeasureConfig::new().with_chunk(chunk);
    measure_with(store, None, &config, go_on, |points, each| {
        for (position, &point) in points.iter().enumerate() {
            if each(position, &formula(point)).is_break() {
                break;
            }
        }
        Ok::<(), Error>(())
    })
}

/// The bits of all values of a store, nothing where a point is not recorded.
fn bits<const D: usize>(store: &SliceStore<D>) -> Vec<Option<Vec<u64>>> {
    let points = 0..store.identity().points();
    let of = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect();
    points.map(|index| store.value(index).map(of)).collect()
}

/// Returns the text that a Python program prints, given arguments.
fn python(program: &str, arguments: &[&Path]) -> String {
    let output = Command::new("python3")
        .arg("-c")
        .arg(program)
        .args(arguments)
        .output()
        .expect("the readers of the documentation need Python 3.10 or later, as `python3`");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    String::from_utf8(output.stdout).unwrap()
}
