//! The plane through both ends of a Bezier curve and its bend, in distances of parameter space.

use std::ops::RangeInclusive;

use landscape::Error;
use landscape::connectivity::Curve;
use landscape::direction::{ModelPlane, PlaneBasis, plane_of};
use landscape::slice::Slice;
use probes::store::{Identity, checksum};
use serde_json::{Value, json};

use super::sliced::PreparedSlice;
use super::{Column, Each, PathSettings, Sliced};
use crate::config::slice_choice::Split;
use crate::engine::analysis::Placed;
use crate::workload::Workload;

/// Points of a curve that are drawn.
const POINTS: usize = 61;

/// The plane of a curve.
pub(crate) struct CurvePlane<'a> {
    /// The loss on the plane, in distances from the first model: along the line to the second, and
    /// across.
    pub(crate) plane: Box<dyn Sliced<2> + 'a>,
    /// The place of the first model, of the second, and of the bend.
    pub(crate) models: [[f64; 2]; 3],
    /// Points of the curve.
    pub(crate) curve: Vec<[f64; 2]>,
}

impl<W: Workload> Placed<W> {
    /// Returns the plane of a Bezier curve from this model, with the loss on one split.
    pub(super) fn plane_of_curve<'a>(
        &'a self,
        curve: &Curve<W::Model>,
        split: Split,
        settings: &PathSettings,
    ) -> anyhow::Result<CurvePlane<'a>> {
        let [first, second] = curve.ends();
        let bend = &curve.bends()[0];
        let plane = plane_of([first, second, bend], PlaneBasis::Orthonormal)?;
        let models = [first, second, bend];
        let (buffers, statistics) = self.buffers(settings.statistics);
        let (columns, quantities) = self.quantities(&[split], false);
        let others = [second, bend].map(checksum::of_model);
        let inner = PreparedSlice::<W, 2>::of(
            Slice::between(&models, &buffers, quantities)?,
            Identity {
                directions: checksum::joined(&others),
                normalisation: format!(
                    "orthonormal plane through two models and a bend; statistics {statistics}"
                ),
                ..self.identity(first, &[split], &columns)
            },
            columns,
            json!([{
                "description": "two unit vectors: from the first model to the second, and across, towards the bend",
                "statistics": statistics,
            }]),
        );
        let [_, second, bend] = plane.models;
        let curve = (0..POINTS).map(|point| {
            let t = point as f64 / (POINTS - 1) as f64;
            let (bent, last) = (2.0 * t * (1.0 - t), t * t);
            std::array::from_fn(|axis| bent * bend[axis] + last * second[axis])
        });
        Ok(CurvePlane {
            models: plane.models,
            curve: curve.collect(),
            plane: Box::new(InPlane { inner, plane }),
        })
    }
}

/// A slice between models in the coordinates of their plane.
struct InPlane<W: Workload> {
    inner: PreparedSlice<W, 2>,
    plane: ModelPlane,
}

impl<W: Workload> Sliced<2> for InPlane<W> {
    fn columns(&self) -> &[Column] {
        self.inner.columns()
    }

    fn directions(&self) -> Value {
        self.inner.directions()
    }

    fn evaluation(&self) -> String {
        self.inner.evaluation()
    }

    fn within(&mut self, [a, b]: [RangeInclusive<f64>; 2]) -> anyhow::Result<()> {
        // A linear function of the coordinates is largest and smallest in corners.
        let corners = [
            [*a.start(), *b.start()],
            [*a.start(), *b.end()],
            [*a.end(), *b.start()],
            [*a.end(), *b.end()],
        ];
        let corners = corners.map(|corner| self.plane.between(corner));
        let extent = std::array::from_fn(|axis| {
            let along = corners.iter().map(|corner| corner[axis]);
            let low = along.clone().fold(f64::INFINITY, f64::min);
            let high = along.fold(f64::NEG_INFINITY, f64::max);
            // What rounding adds to a point on the border.
            let margin = 1e-9 * (high - low);
            low - margin..=high + margin
        });
        self.inner.within(extent)
    }

    fn identity(&self, axes: &[Vec<f64>; 2]) -> Identity<2> {
        self.inner.identity(axes)
    }

    fn values(&self, points: &[[f64; 2]], each: &mut Each<'_>) -> Result<(), Error> {
        let points: Vec<[f64; 2]> = points.iter().map(|at| self.plane.between(*at)).collect();
        self.inner.values(&points, each)
    }
}
