//! The matrix of second derivatives that is looked at.

use landscape::{Fisher, GaussNewton, Hessian, LinearOperator, ParameterSpace};

use super::Placed;
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

    /// Returns the matrix as an operator.
    pub(super) fn operator(&self) -> &dyn LinearOperator {
        match self {
            Self::Hessian(matrix) => matrix,
            Self::GaussNewton(matrix) => matrix,
            Self::Fisher(matrix) => matrix,
        }
    }

    /// Returns the coordinates.
    pub(super) const fn space(&self) -> &ParameterSpace {
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

/// Returns the mistake of asking for a matrix that needs the outputs apart.
pub(super) fn outputs_missing<W: Workload>(placed: &Placed<W>, which: Curvature) -> anyhow::Error {
    usage(format!(
        "--matrix {}: the workload `{}` does not tell its outputs from its loss (`Workload::outputs`); allowed: hessian",
        name(which),
        placed.data.workload().name()
    ))
}
