//! A slice of a workload's loss and accuracy: its directions and its quantities.

use std::ops::RangeInclusive;

use anyhow::ensure;
use landscape::direction::{
    Direction, Normalization, NormalizeConfig, VectorParameters, ascent_direction,
    eigenvector_directions, gradient_direction,
};
use landscape::sharpness::Ball;
use landscape::slice::{Buffers, Evaluation, Quantity, RangeConfig, Rise, Slice, adaptive_range};
use landscape::{Batches, Error, Hessian, LanczosConfig, ParameterSpace, Risk, download};
use probes::store::{Identity, checksum};
use serde_json::{Value, json};

use super::{Adaptive, Column, Each, Figure, Place, SliceSettings, Sliced};
use crate::config::reach::Reach;
use crate::config::slice_choice::{Directions, Normalisation, Split, Statistics, Vectors};
use crate::engine::accuracy::has_accuracy;
use crate::engine::analysis::{Placed, Point};
use crate::engine::measurement::number;
use crate::engine::watch::Watch;
use crate::workload::{Part, Workload};

/// The farthest coordinates to which an adapted range goes, in multiples of a direction.
const FARTHEST: f64 = 16.0;

impl<W: Workload> Placed<W> {
    /// Returns the batches of a split; of the training data they are the sample.
    pub(in crate::engine) fn split(&self, split: Split) -> Vec<W::Batch> {
        match split {
            Split::Training => self.data.curvature_batches(&self.device),
            Split::Validation => self.data.batches(Part::Validation, &self.device),
            Split::Test => self.data.batches(Part::Test, &self.device),
        }
    }

    /// Returns losses and accuracies on some splits, with their names; accuracies where they are
    /// asked for and the workload has them.
    pub(in crate::engine) fn quantities(
        &self,
        splits: &[Split],
        accuracy: bool,
    ) -> (Vec<Column>, Vec<Quantity<W::Model>>) {
        let accuracy = accuracy && has_accuracy(&self.data, &self.model, &self.device);
        let columns = Column::of(splits, accuracy);
        // Held once: quantities of the same batches share their forward passes. Of each figure the
        // columns are those of the splits in their order.
        let of_splits: Vec<Batches<W::Batch>> = splits
            .iter()
            .map(|&split| self.split(split).into())
            .collect();
        let quantity = |(column, batches): (&Column, &Batches<W::Batch>)| {
            let risk = match column.figure {
                Figure::Loss => self.data.risk(batches.clone()),
                Figure::Accuracy => self.data.accuracy(batches.clone()),
            };
            Quantity::of(column.name(), &risk)
        };
        let quantities = columns.iter().zip(of_splits.iter().cycle());
        let quantities = quantities.map(quantity).collect();
        (columns, quantities)
    }

    /// Returns another model of the same workload.
    ///
    /// # Panics
    /// When it is of another, which [`SlicePoint::is_like`] tells.
    pub(in crate::engine) fn of<'a>(other: &&'a dyn Point) -> &'a Self {
        let other = other.as_any().downcast_ref();
        other.expect("the models have been found to be alike")
    }

    pub(super) fn slice<'a, const D: usize>(
        &'a self,
        others: &[&'a dyn Point],
        settings: &SliceSettings,
        watch: &Watch,
    ) -> anyhow::Result<PreparedSlice<W, D>> {
        match &settings.place {
            Place::Along {
                directions,
                normalisation,
                vectors,
                orthogonal,
                rho,
                seed,
            } => {
                let config = NormalizeConfig::new()
                    .with_normalization(normalization(*normalisation))
                    .with_vectors(match vectors {
                        Vectors::Ignore => VectorParameters::Ignore,
                        Vectors::Copy => VectorParameters::Copy,
                    });
                let found: [Direction; D] =
                    self.directions(*directions, &config, *orthogonal, *rho, *seed, watch)?;
                self.along(&self.model, found, &settings.splits, settings.accuracy)
            }
            Place::Through { statistics } => {
                let models: Vec<&W::Model> = std::iter::once(&self.model)
                    .chain(others.iter().map(|other| &Self::of(other).model))
                    .collect();
                let others = models[1..].iter().map(|model| checksum::of_model(*model));
                let others = checksum::joined(&others.collect::<Vec<_>>());
                let (buffers, statistics) = self.buffers(*statistics);
                let (columns, quantities) = self.quantities(&settings.splits, settings.accuracy);
                Ok(PreparedSlice {
                    identity: Identity {
                        directions: others,
                        normalisation: format!("between models; statistics {statistics}"),
                        ..self.identity(&self.model, &settings.splits, &columns)
                    },
                    slice: Some(Slice::between(&models, &buffers, quantities)?),
                    columns,
                    directions: json!([{
                        "description": "the differences of the other models from the first",
                        "statistics": statistics,
                    }]),
                })
            }
        }
    }

    /// Returns the slice through a model of this network along directions.
    pub(super) fn along<const D: usize>(
        &self,
        model: &W::Model,
        directions: [Direction; D],
        splits: &[Split],
        accuracy: bool,
    ) -> anyhow::Result<PreparedSlice<W, D>> {
        let (columns, quantities) = self.quantities(splits, accuracy);
        let infos = directions
            .each_ref()
            .map(|direction| direction.info.to_string());
        let vectors = directions.each_ref().map(|direction| &direction.vector);
        let described = directions.each_ref().map(|direction| {
            json!({
                "description": direction.info.to_string(),
                "record": direction.info,
                "norm": number(landscape::norm(&download(&direction.vector))),
            })
        });
        Ok(PreparedSlice {
            identity: Identity {
                directions: checksum::of_directions(&vectors),
                normalisation: infos.join("; "),
                ..self.identity(model, splits, &columns)
            },
            slice: Some(Slice::along(model, vectors, quantities)?),
            columns,
            directions: described.to_vec().into(),
        })
    }

    /// Returns the identity of quantities around a model, with directions and axes to be filled in.
    pub(super) fn identity<const D: usize>(
        &self,
        model: &W::Model,
        splits: &[Split],
        columns: &[Column],
    ) -> Identity<D> {
        let data = splits
            .iter()
            .map(|split| checksum::of_batches(&self.split(*split)));
        let names = ["a", "b"];
        Identity {
            model: checksum::of_model(model),
            directions: 0,
            data: checksum::joined(&data.collect::<Vec<_>>()),
            axes: std::array::from_fn(|axis| probes::export::Column::new(names[axis], Vec::new())),
            quantities: columns.iter().map(|column| column.name()).collect(),
            normalisation: String::new(),
            evaluation: String::new(),
        }
    }

    /// Returns what becomes of running statistics between models, and that in words.
    pub(in crate::engine) fn buffers(
        &self,
        statistics: Statistics,
    ) -> (Buffers<W::Model, W::Batch>, &'static str) {
        if !crate::engine::weights::has_batch_norm(&self.model) {
            return (Buffers::Interpolate, "the network has none");
        }
        match statistics {
            Statistics::Recompute => (
                Buffers::Recompute(self.data.risk(self.data.curvature_batches(&self.device))),
                "recomputed at each point from the sample of the training data",
            ),
            Statistics::Interpolate => (Buffers::Interpolate, "interpolated"),
            Statistics::Keep => (Buffers::Keep, "those of the first model"),
        }
    }

    fn directions<const D: usize>(
        &self,
        kind: Directions,
        config: &NormalizeConfig,
        orthogonal: bool,
        rho: f64,
        seed: u64,
        watch: &Watch,
    ) -> anyhow::Result<[Direction; D]> {
        let space = ParameterSpace::of(&self.model)?;
        let risk: Risk<W::Model, W::Batch> =
            self.data.risk(self.data.curvature_batches(&self.device));
        let mut found: Vec<Direction> = match kind {
            Directions::Random => Vec::new(),
            Directions::Gradient => vec![gradient_direction(&self.model, &risk)?],
            Directions::Ascent => vec![ascent_direction(&self.model, &risk, &Ball::l2(rho))?],
            Directions::Eigenvectors => {
                let hessian = Hessian::at(&self.model, &risk)?;
                let lanczos = LanczosConfig::new().with_seed(seed).with_max_steps(300);
                eigenvector_directions(&watch.watched(&hessian, None), D, &lanczos)?
            }
        };
        for number in 0.. {
            if found.len() >= D {
                break;
            }
            found.push(Direction::random(&space, seed, number));
        }
        let mut made: Vec<Direction> = Vec::new();
        for (place, direction) in found.into_iter().enumerate() {
            let direction = match config.normalization {
                // A random direction beside another has no length of its own.
                Normalization::None if place > 0 && kind != Directions::Eigenvectors => {
                    direction.normalized(&space, &self.model, &NormalizeConfig::new())?
                }
                Normalization::None => direction,
                _ => direction.normalized(&space, &self.model, config)?,
            };
            made.push(match made.first().filter(|_| orthogonal) {
                Some(first) => direction.orthogonal_to(&space.domain, first)?,
                None => direction,
            });
        }
        let made: Result<[Direction; D], _> = made.try_into();
        Ok(made.unwrap_or_else(|_| unreachable!("as many directions were made as the slice has")))
    }
}

const fn normalization(normalisation: Normalisation) -> Normalization {
    match normalisation {
        Normalisation::Filter => Normalization::Filter,
        Normalisation::Layer => Normalization::Layer,
        Normalisation::Global => Normalization::Global,
        Normalisation::None => Normalization::None,
    }
}

/// A slice with what tells it from others.
pub(super) struct PreparedSlice<W: Workload, const D: usize> {
    /// None for the moment in which its extent changes.
    slice: Option<Slice<W::Model, D>>,
    columns: Vec<Column>,
    identity: Identity<D>,
    directions: Value,
}

impl<W: Workload, const D: usize> PreparedSlice<W, D> {
    /// Takes a slice with what tells it from others.
    pub(super) const fn of(
        slice: Slice<W::Model, D>,
        identity: Identity<D>,
        columns: Vec<Column>,
        directions: Value,
    ) -> Self {
        Self {
            slice: Some(slice),
            columns,
            identity,
            directions,
        }
    }

    fn slice(&self) -> &Slice<W::Model, D> {
        let slice = self.slice.as_ref();
        slice.expect("a slice whose extent could not be changed is not used any more")
    }
}

impl<W: Workload, const D: usize> Sliced<D> for PreparedSlice<W, D> {
    fn columns(&self) -> &[Column] {
        &self.columns
    }

    fn directions(&self) -> Value {
        self.directions.clone()
    }

    fn evaluation(&self) -> String {
        let ways = self.slice().evaluations();
        let mut said: Vec<String> = Vec::new();
        for way in &ways {
            let way = match way {
                Evaluation::Captured => "the captured loss".to_owned(),
                other => other.to_string(),
            };
            if !said.contains(&way) {
                said.push(way);
            }
        }
        said.join("; and from ")
    }

    fn within(&mut self, extent: [RangeInclusive<f64>; D]) -> anyhow::Result<()> {
        let slice = self.slice.take();
        let slice = slice.expect("a slice whose extent could not be changed is not used any more");
        self.slice = Some(slice.within(extent)?);
        Ok(())
    }

    fn identity(&self, axes: &[Vec<f64>; D]) -> Identity<D> {
        let mut identity = self.identity.clone();
        for (axis, values) in identity.axes.iter_mut().zip(axes) {
            axis.values.clone_from(values);
        }
        identity.evaluation = self.evaluation();
        identity
    }

    fn values(&self, points: &[[f64; D]], each: &mut Each<'_>) -> Result<(), Error> {
        self.slice().values(points, each).map(|_| ())
    }
}

impl<W: Workload, const D: usize> Adaptive<D> for PreparedSlice<W, D> {
    fn adapt(&mut self, factor: f64, watch: &Watch) -> anyhow::Result<[Reach; D]> {
        self.within(std::array::from_fn(|_| -FARTHEST..=FARTHEST))?;
        let _ = watch.goes_on(0, None, "points");
        let config = RangeConfig::new().with_rise(Rise::Factor(factor));
        let found = adaptive_range(self.slice(), &config)?;
        ensure!(
            found.ends.iter().flatten().any(|end| end.reached),
            "the loss does not rise to {factor} times that of the centre within {FARTHEST} multiples of any direction; --range X sets the coordinates"
        );
        let reaches = found.extent().map(|range| {
            let (low, high) = range.into_inner();
            // The same to both sides, so that a point of the grid is the centre.
            let extent = high.max(-low);
            Reach::new(-extent, extent)
        });
        ensure!(
            reaches.iter().all(Option::is_some),
            "the loss is no finite number right beside the centre; --range X sets the coordinates"
        );
        let reaches = reaches.map(|reach| reach.expect("all have been found to be there"));
        // What is kept for the farthest coordinates is given up.
        self.within(reaches.map(Reach::range))?;
        Ok(reaches)
    }
}
