//! Slices of a model, measured into a store.

use std::ops::ControlFlow;

use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor, TensorData};
use landscape::slice::{Quantity, RefineConfig, Slice, refine};
use landscape::{Grid, ParameterSpace, Risk, random_directions};
use probes::store::{
    Identity, MeasureConfig, SliceStore, measure_into, measure_wanted, refine_into,
};

use super::{bits, go_on};

fn numbers(rows: usize, columns: usize, frequency: f32) -> Tensor<2> {
    let values: Vec<f32> = (0..rows * columns)
        .map(|i| (i as f32 * frequency).sin())
        .collect();
    Tensor::from_data(TensorData::new(values, [rows, columns]), &Device::flex())
}

/// A layer with two losses over different data, one of them as forward passes of the model because
/// it reads a number on the host.
pub(super) fn slice(rows: usize) -> Slice<Linear, 2> {
    let model = LinearConfig::new(6, 5).init(&Device::flex());
    let space = ParameterSpace::of(&model).unwrap();
    let theta = numbers(1, space.dim(), 1.3).reshape([space.dim()]);
    let model = space.unflatten(&model, &theta).unwrap();
    let [first, second] = random_directions(&space, 3);
    let batches: Vec<Tensor<2>> = [rows, 3, 9].map(|rows| numbers(rows, 6, 0.7)).into();
    let captured = Risk::mean(batches, |model: &Linear, x: &Tensor<2>| {
        model.forward(x.clone()).tanh().square().mean()
    });
    let read = Risk::mean(numbers(4, 6, 0.2), |model: &Linear, x: &Tensor<2>| {
        let y = model.forward(x.clone()).square().mean();
        let sign: f32 = y.clone().into_scalar();
        y * sign.signum()
    });
    let quantities = [
        Quantity::of("training loss", &captured),
        Quantity::of("test loss", &read),
    ];
    Slice::along(&model, [&first, &second], quantities).unwrap()
}

#[test]
fn stored_slice_has_the_bits_of_the_slice_whatever_the_chunks_and_stops() {
    let slice = slice(7);
    let identity = Identity::of_slice(&slice, Grid::square(-1.0..=1.0, 5));
    assert_eq!(identity.quantities, ["training loss", "test loss"]);
    assert!(
        identity
            .evaluation
            .contains("prepared for -1.0 to 1.0 and -1.0 to 1.0")
    );
    let points: Vec<[f64; 2]> = (0..25).map(|index| identity.point(index)).collect();
    let values = slice
        .values(&points, |_, _| ControlFlow::Continue(()))
        .unwrap();
    let of = |values: &Vec<f64>| Some(values.iter().map(|value| value.to_bits()).collect());
    let expected: Vec<Option<Vec<u64>>> = values.iter().map(of).collect();
    let folder = tempfile::tempdir().unwrap();
    for chunk in [1, 7, 64] {
        let path = folder.path().join(format!("{chunk}.slice"));
        let config = MeasureConfig::new().with_chunk(chunk);
        let mut store = SliceStore::open_or_create(&path, &identity).unwrap();
        measure_wanted(&slice, &mut store, &[24, 3, 12], &config, go_on).unwrap();
        drop(store);
        let mut store = SliceStore::open_or_create(&path, &identity).unwrap();
        let done = measure_into(&slice, &mut store, &config, go_on).unwrap();
        assert_eq!((done.measured, done.found), (22, 3));
        assert_eq!(bits(&store), expected, "chunks of {chunk}");
    }
}

#[test]
fn store_of_another_slice_is_refused() {
    let slice = slice(7);
    let folder = tempfile::tempdir().unwrap();
    let grid = || Grid::square(-1.0..=1.0, 3);
    let narrow = self::slice(7).within([-0.5..=0.5, -1.0..=1.0]).unwrap();
    let other = Identity::on(grid(), ["training loss", "accuracy"]);
    for (number, (identity, said)) in [
        (other, "a quantity of the store is"),
        (
            Identity::of_slice(&narrow, grid()),
            "the way of evaluation of the store is",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let path = folder.path().join(format!("{number}.slice"));
        let mut store = SliceStore::open_or_create(&path, &identity).unwrap();
        let error = measure_into(&slice, &mut store, &MeasureConfig::new(), go_on).unwrap_err();
        assert!(error.to_string().starts_with(said), "{error}");
        assert_eq!(store.missing().len(), 9);
    }
    // A grid beyond the extent.
    let identity = Identity::of_slice(&slice, Grid::square(-2.0..=2.0, 3));
    let mut store =
        SliceStore::open_or_create(folder.path().join("wide.slice"), &identity).unwrap();
    assert!(measure_into(&slice, &mut store, &MeasureConfig::new(), go_on).is_err());
}

#[test]
fn refinement_that_is_stopped_again_and_again_ends_with_the_picture_of_one_that_was_not() {
    let slice = slice(7);
    let grid = Grid::square(-1.0..=1.0, 33);
    // The finest picture that does not need all points.
    let (config, expected) = [0.001, 0.005, 0.02, 0.1, 0.5]
        .into_iter()
        .map(|accuracy| {
            let config = RefineConfig::new().with_start(9).with_accuracy(accuracy);
            let refined = refine(&slice, &grid, &config, |_, _| ControlFlow::Continue(()));
            (config, refined.unwrap())
        })
        .find(|(_, refined)| refined.evaluations < 33 * 33)
        .unwrap();
    let identity = Identity::of_slice(&slice, grid);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.slice");
    let chunks = MeasureConfig::new().with_chunk(8);
    let mut stops = 0;
    let refined = loop {
        let mut store = SliceStore::open_or_create(&path, &identity).unwrap();
        let mut begun = 0;
        let refined = refine_into(&slice, &mut store, &config, &chunks, |progress| {
            begun += usize::from(progress.done < progress.wanted);
            if begun > 2 {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        });
        match refined {
            Ok(refined) => break refined,
            Err(probes::Error::Landscape(landscape::Error::Cancelled { .. })) => stops += 1,
            Err(other) => panic!("{other}"),
        }
    };
    assert!(stops > 2, "{stops} stops");
    let same = |(own, other): (&f64, &f64)| own.to_bits() == other.to_bits();
    assert!(refined.values.iter().zip(&expected.values).all(same));
    assert_eq!(refined, expected);
    let store = SliceStore::open_or_create(&path, &identity).unwrap();
    assert_eq!(store.recorded(), expected.evaluated);
    let wrong = config.with_quantity(2);
    let mut store = store;
    let error = refine_into(&slice, &mut store, &wrong, &chunks, go_on).unwrap_err();
    assert!(error.to_string().contains("2 of 2"), "{error}");
}
