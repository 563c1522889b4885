//! A model through which slices and paths go, without its types.

use std::any::Any;

use landscape::{Block, ParameterSpace, download};

use super::{Adaptive, Column, Connecting, PathSettings, SliceSettings, Tracing, Trajectory};
use crate::engine::analysis::{Placed, Point};
use crate::engine::watch::Watch;
use crate::workload::Workload;

/// A model through which slices go.
pub(crate) trait SlicePoint {
    /// Returns the model with its types.
    fn as_any(&self) -> &dyn Any;

    /// Returns whether another model has parameters of the same names and shapes.
    fn is_like(&self, other: &dyn Point) -> bool;

    /// Returns the path of a parameter that is not finite, if there is one.
    ///
    /// # Errors
    /// When the model has no parameters.
    fn not_finite(&self) -> anyhow::Result<Option<String>>;

    /// Makes a line through this model, or through it and another.
    ///
    /// # Errors
    /// When there is no such line, or a direction cannot be made.
    fn line<'a>(
        &'a self,
        others: &[&'a dyn Point],
        settings: &SliceSettings,
        watch: &Watch,
    ) -> anyhow::Result<Box<dyn Adaptive<1> + 'a>>;

    /// Makes a plane through this model, or through it and two others.
    ///
    /// # Errors
    /// As [`line`](Self::line).
    fn plane<'a>(
        &'a self,
        others: &[&'a dyn Point],
        settings: &SliceSettings,
        watch: &Watch,
    ) -> anyhow::Result<Box<dyn Adaptive<2> + 'a>>;

    /// Returns the pair of this model and another of the same network, to be connected.
    fn connect<'a>(
        &'a self,
        other: &'a dyn Point,
        settings: &'a PathSettings,
    ) -> Box<dyn Connecting + 'a>;

    /// Returns the quantities at the average of the weights of this model and others.
    ///
    /// # Errors
    /// When the average cannot be made or measured.
    fn average(
        &self,
        others: &[&dyn Point],
        settings: &PathSettings,
    ) -> anyhow::Result<Vec<(Column, f64)>>;

    /// Finds the plane of the checkpoints of a run that end at this model.
    ///
    /// # Errors
    /// When there are fewer than three, one cannot be read, or all are on one line.
    fn trajectory<'a>(
        &'a self,
        tracing: &Tracing<'_>,
        watch: &Watch,
    ) -> anyhow::Result<Trajectory<'a>>;
}

impl<W: Workload> SlicePoint for Placed<W> {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn is_like(&self, other: &dyn Point) -> bool {
        let shapes = |model: &Self| {
            let space = ParameterSpace::of(&model.model).ok()?;
            let blocks = space.blocks.into_iter();
            Some(
                blocks
                    .map(|block| (block.path, block.shape))
                    .collect::<Vec<_>>(),
            )
        };
        let other = other.as_any().downcast_ref::<Self>();
        other.is_some_and(|other| shapes(self) == shapes(other))
    }

    fn not_finite(&self) -> anyhow::Result<Option<String>> {
        let space = ParameterSpace::of(&self.model)?;
        let theta = download(&space.flatten(&self.model)?);
        let finite = |block: &&Block| theta[block.range()].iter().all(|w| w.is_finite());
        let block = space.blocks.iter().find(|block| !finite(block));
        Ok(block.map(|block| block.path.clone()))
    }

    fn line<'a>(
        &'a self,
        others: &[&'a dyn Point],
        settings: &SliceSettings,
        watch: &Watch,
    ) -> anyhow::Result<Box<dyn Adaptive<1> + 'a>> {
        Ok(Box::new(self.slice(others, settings, watch)?))
    }

    fn plane<'a>(
        &'a self,
        others: &[&'a dyn Point],
        settings: &SliceSettings,
        watch: &Watch,
    ) -> anyhow::Result<Box<dyn Adaptive<2> + 'a>> {
        Ok(Box::new(self.slice(others, settings, watch)?))
    }

    fn connect<'a>(
        &'a self,
        other: &'a dyn Point,
        settings: &'a PathSettings,
    ) -> Box<dyn Connecting + 'a> {
        self.pair(other, settings)
    }

    fn average(
        &self,
        others: &[&dyn Point],
        settings: &PathSettings,
    ) -> anyhow::Result<Vec<(Column, f64)>> {
        self.averaged(others, settings)
    }

    fn trajectory<'a>(
        &'a self,
        tracing: &Tracing<'_>,
        watch: &Watch,
    ) -> anyhow::Result<Trajectory<'a>> {
        self.trace(tracing, watch)
    }
}
