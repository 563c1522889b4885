//! The matrix of second derivatives that is looked at.

use landscape::operator::Restricted;
use landscape::{Fisher, GaussNewton, Hessian, LinearOperator, ParameterSpace};

use super::Placed;
use super::layers::{Layer, layers};
use crate::config::choice::{Curvature, name};
use crate::failure::usage;
use crate::workload::Workload;

/// One of the matrices, at a model.
pub(super) enum Matrix<W: Workload> {
    Hessian(Hessian<W::Model, W::Batch>),
    GaussNewton(GaussNewton<W::Model, W::Batch>),
    Fisher(Fisher<W::Model, W::Batch>),
}

impl<W: Workload> Matrix<W> {
    /// Makes the matrix over the sample.
    ///
    /// # Errors
    /// When the loss cannot be recorded, and for a workload that does not tell its outputs apart.
    pub(super) fn of(placed: &Placed<W>, which: Curvature) -> anyhow::Result<Self> {
        let model = &placed.model;
        let outputs = || {
            let risk = placed.risk_of_outputs();
            risk.ok_or_else(|| outputs_missing(placed, which))
        };
        Ok(match which {
            Curvature::Hessian => Self::Hessian(Hessian::at(model, &placed.risk())?),
            Curvature::GaussNewton => Self::GaussNewton(GaussNewton::at(model, &outputs()?)?),
            Curvature::Fisher => Self::Fisher(Fisher::at(model, &outputs()?)?),
        })
    }

    /// Returns the part of the matrix that belongs to the parameters that match one of the
    /// patterns; all of it where there is none.
    ///
    /// # Errors
    /// A pattern that matches no parameter.
    pub(super) fn chosen(&self, patterns: &[String]) -> anyhow::Result<Chosen<'_>> {
        let space = self.space();
        let tensors = |is_chosen: &dyn Fn(usize) -> bool| {
            let blocks = space.blocks.iter().filter(|block| is_chosen(block.offset));
            layers(blocks.map(|block| (block.path.as_str(), block.len())))
        };
        if patterns.is_empty() {
            return Ok(Chosen {
                operator: Box::new(self.operator()),
                layers: tensors(&|_| true),
            });
        }
        let patterns: Vec<&str> = patterns.iter().map(String::as_str).collect();
        let restricted = Restricted::to_parameters(self.operator(), space, &patterns)?;
        let ranges = restricted.ranges().to_vec();
        Ok(Chosen {
            operator: Box::new(restricted),
            layers: tensors(&|offset| ranges.iter().any(|range| range.contains(&offset))),
        })
    }

    /// Returns the matrix as an operator.
    fn operator(&self) -> &dyn LinearOperator {
        match self {
            Self::Hessian(matrix) => matrix,
            Self::GaussNewton(matrix) => matrix,
            Self::Fisher(matrix) => matrix,
        }
    }

    /// Returns the coordinates.
    const fn space(&self) -> &ParameterSpace {
        match self {
            Self::Hessian(matrix) => matrix.space(),
            Self::GaussNewton(matrix) => matrix.space(),
            Self::Fisher(matrix) => matrix.space(),
        }
    }

    /// Returns how its products are made.
    pub(super) fn method(&self) -> String {
        match self {
            Self::Hessian(matrix) => matrix.method().to_string(),
            Self::GaussNewton(_) | Self::Fisher(_) => "exact differentiation".to_owned(),
        }
    }

    /// Returns how many products may be wrong.
    pub(super) fn unresolved(&self) -> usize {
        match self {
            Self::Hessian(matrix) => matrix.unresolved(),
            Self::GaussNewton(_) | Self::Fisher(_) => 0,
        }
    }
}

/// A matrix, or the part of it that belongs to some parameters.
pub(super) struct Chosen<'m> {
    pub(super) operator: Box<dyn LinearOperator + 'm>,
    /// The layers of these parameters, as ranges of the coordinates of `operator`.
    pub(super) layers: Vec<Layer>,
}

/// Returns the mistake of asking for a matrix that needs the outputs apart.
pub(super) fn outputs_missing<W: Workload>(placed: &Placed<W>, which: Curvature) -> anyhow::Error {
    usage(format!(
        "--matrix {}: the workload `{}` does not tell its outputs from its loss (`Workload::outputs`); allowed: hessian",
        name(which),
        placed.data.workload().name()
    ))
}
