//! Refined surfaces beside their full grids.

use std::ops::ControlFlow;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use burn::module::{Module, Param};
use burn::tensor::{DType, Device, Tensor, TensorData};
use datasets::{Digits, batch, epoch_order};
use landscape::slice::{Quantity, RefineConfig, Scale, Slice, refine_with};
use landscape::{Batch, Grid, ParameterSpace, Risk, filter_normalize, random_directions};
use models::MlpConfig;
use tests::models::{Cnn, CnnBatchNorm};
use tests::networks::{LeNet, ResNet8};
use tests::{Case, Net, image_loss};

use crate::table::{Row, Table};
use crate::training::{base, descended, first};

/// The share of the range that is asked for.
const ACCURACY: f64 = 0.01;

/// Points of which slopes and values are timed.
const TIMED: usize = 64;

/// Refines the surfaces of six networks and four test functions; in the small form those of two
/// networks and the functions, on coarser grids.
pub(crate) fn run(small: bool) -> Result<Table> {
    let mut surfaces = Surfaces {
        side: if small { 51 } else { 101 },
        small,
        rows: Vec::new(),
    };
    surfaces.functions()?;
    surfaces.digits()?;
    surfaces.case::<Cnn>("CNN with GELU and ReLU")?;
    if !small {
        surfaces.case::<CnnBatchNorm>("CNN with BatchNorm")?;
        surfaces.case::<LeNet>("LeNet")?;
        surfaces.case::<ResNet8>("ResNet-8 with BatchNorm")?;
    }
    Ok(Table {
        setting: format!(
            "Surfaces of {side} x {side} points, refined until the stated error is at most {ACCURACY} of the range, in the scale that is \
             drawn. Networks: two random directions, filter-normalised, from -1 to 1; the digits MLP in f32, the others, which are \
             those of the fixtures, in f64. The error is the largest over all points of the full grid. The last column is the time of \
             value, two slopes and the mixed derivative over that of the value: below 4, cubic patches would save evaluations.",
            side = surfaces.side,
        ),
        columns: [
            "surface",
            "evaluations",
            "share of the full grid",
            "stated error / range",
            "largest error / range",
            "slopes / value, time",
        ]
        .map(str::to_owned)
        .to_vec(),
        rows: surfaces.rows,
    })
}

struct Surfaces {
    side: usize,
    small: bool,
    rows: Vec<Row>,
}

/// A point of the plane: a model whose loss is a function of two coordinates.
#[derive(Module, Debug)]
struct At {
    x: Param<Tensor<1>>,
    y: Param<Tensor<1>>,
}

impl Surfaces {
    /// A convex quadratic, a multimodal function, a saddle and Rosenbrock's.
    fn functions(&mut self) -> Result<()> {
        type Function = fn(Tensor<1>, Tensor<1>) -> Tensor<1>;
        let multimodal: Function = |x, y| {
            let wave = |x: Tensor<1>| (x * std::f64::consts::TAU).cos() * -10.0 + 10.0;
            x.clone().square() + y.clone().square() + wave(x) + wave(y)
        };
        let functions: [(&str, f64, Function); 4] = [
            ("convex quadratic", 2.0, |x, y| {
                x.clone().square() + x * y.clone() + y.square() * 3.0
            }),
            ("multimodal", 1.5, multimodal),
            ("saddle", 2.0, |x, y| x.square() - y.square()),
            ("Rosenbrock", 2.0, |x, y| {
                (y - x.clone().square()).square() * 100.0 + (x - 1.0).square()
            }),
        ];
        let device = Device::flex();
        let number = |value: f64| -> Tensor<1> {
            Tensor::from_data(TensorData::new(vec![value], [1]), (&device, DType::F64))
        };
        let model = At {
            x: Param::from_tensor(number(0.0)),
            y: Param::from_tensor(number(0.0)),
        };
        for (name, reach, function) in functions {
            let risk = Risk::mean(number(1.0), move |at: &At, one: &Tensor<1>| {
                function(at.x.val(), at.y.val()) * one.clone()
            });
            let axis = |first: f64, second: f64| -> Tensor<1> {
                let entries = TensorData::new(vec![first, second], [2]);
                Tensor::from_data(entries, (&device, DType::F64))
            };
            let directions = [axis(reach, 0.0), axis(0.0, reach)];
            // Rosenbrock's function spans six decades.
            let scales: &[Scale] = match name {
                "Rosenbrock" => &[Scale::Linear, Scale::Log10],
                _ => &[Scale::Linear],
            };
            self.surface(name, &model, &risk, directions.each_ref(), scales)?;
        }
        Ok(())
    }

    /// A perceptron with ReLU on digits, after some epochs.
    fn digits(&mut self) -> Result<()> {
        let (epochs, examples) = if self.small { (1, 128) } else { (10, 512) };
        let device = Device::flex().autodiff();
        let data = Digits::load()?.images;
        let mut model = MlpConfig::new(vec![64, 32, 10]).init_seeded(1, &device)?;
        let mut optimiser = base();
        for epoch in 0..epochs {
            for indices in epoch_order(1, epoch, data.len()).chunks(32) {
                let batch = batch(&data, indices, &device).into_pair();
                model = descended(&mut optimiser, 0.05, model, &batch);
            }
        }
        let risk = Risk::mean([first(&data, examples, &device)], image_loss);
        self.random("digits MLP with ReLU", &model, &risk)
    }

    /// A network of the fixtures at all its views.
    fn case<N: Net>(&mut self, name: &str) -> Result<()> {
        for view in N::VIEWS {
            let case = Case::<N>::load(view);
            let name = match *view {
                "" => name.to_owned(),
                view => format!("{name}, {view}"),
            };
            self.random(&name, &case.model, &case.risk())?;
        }
        Ok(())
    }

    /// A surface along two random directions, filter-normalised, in both scales.
    fn random<M: Module + 'static, B: Batch + 'static>(
        &mut self,
        name: &str,
        model: &M,
        risk: &Risk<M, B>,
    ) -> Result<()> {
        let space = ParameterSpace::of(model)?;
        let [first, second] = random_directions(&space, 3);
        let first = filter_normalize(&space, model, first)?;
        let second = filter_normalize(&space, model, second)?;
        let scales = [Scale::Linear, Scale::Log10];
        self.surface(name, model, risk, [&first, &second], &scales)
    }

    fn surface<M: Module + 'static, B: Batch + 'static>(
        &mut self,
        name: &str,
        model: &M,
        risk: &Risk<M, B>,
        directions: [&Tensor<1>; 2],
        scales: &[Scale],
    ) -> Result<()> {
        let grid = Grid::square(-1.0..=1.0, self.side);
        let slice = Slice::along(model, directions, [Quantity::of("loss", risk)])?;
        let row = |&a: &f64| grid.b.iter().map(move |&b| [a, b]);
        let points: Vec<[f64; 2]> = grid.a.iter().flat_map(row).collect();
        let full = slice
            .values(&points, |_, _| ControlFlow::Continue(()))?
            .concat();
        let times = slopes_over_values(&slice, &points)?;
        for &scale in scales {
            let config = RefineConfig::new()
                .with_accuracy(ACCURACY)
                .with_scale(scale);
            let refined = refine_with(&grid, &config, |indices| {
                Ok(indices.iter().map(|&index| full[index]).collect())
            })?;
            let drawn = |value: f64| match scale {
                Scale::Linear => value,
                Scale::Log10 => value.log10(),
            };
            let pairs = refined.values.iter().zip(&full);
            let error = pairs.map(|(a, b)| (drawn(*a) - drawn(*b)).abs());
            let error = error.filter(|error| error.is_finite()).fold(0.0, f64::max);
            let range = refined.range[1] - refined.range[0];
            ensure!(refined.converged, "{name} has not come to its accuracy");
            ensure!(
                error <= refined.error,
                "{name}: the error is {error:.2e}, stated is {:.2e}",
                refined.error
            );
            #[allow(clippy::cast_precision_loss, reason = "thousands of points")]
            let (evaluations, all) = (refined.evaluations as f64, grid.len() as f64);
            let scale = match scale {
                Scale::Linear => "",
                Scale::Log10 => ", log scale",
            };
            let figures = [
                evaluations,
                evaluations / all,
                refined.error / range,
                error / range,
                times,
            ];
            self.rows.push(Row::of(format!("{name}{scale}"), figures));
        }
        Ok(())
    }
}

/// The time that values with slopes take over that of values.
fn slopes_over_values<M: Module + 'static>(
    slice: &Slice<M, 2>,
    points: &[[f64; 2]],
) -> Result<f64> {
    let some: Vec<[f64; 2]> = points
        .iter()
        .copied()
        .step_by(points.len() / TIMED)
        .collect();
    let values = || slice.values(&some, |_, _| ControlFlow::Continue(()));
    // Prepared beforehand.
    slice.slopes(&some[..1]).context("slopes")?;
    let start = Instant::now();
    values()?;
    let of_values = start.elapsed().as_secs_f64();
    let start = Instant::now();
    slice.slopes(&some)?;
    Ok(start.elapsed().as_secs_f64() / of_values)
}
