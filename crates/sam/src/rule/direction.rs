//! Where the ascent goes.

use burn::optim::GradientsParams;

/// Where the ascent goes.
#[derive(Debug)]
pub enum Direction {
    /// Along the gradient.
    Gradient,
    /// Along another vector; the peak is rho away.
    Along(GradientsParams),
    /// Along a vector that is measured by the norm of the gradient: the distance to the peak is rho
    /// times the ratio of the two norms.
    PartOf(GradientsParams),
}

impl Direction {
    /// The vector to climb along, and the one that measures it where that is not the gradient.
    pub(crate) fn vectors<'a>(
        &'a self,
        gradients: &'a GradientsParams,
    ) -> (&'a GradientsParams, Option<&'a GradientsParams>) {
        match self {
            Self::Gradient => (gradients, None),
            Self::Along(along) => (along, Some(along)),
            Self::PartOf(along) => (along, None),
        }
    }
}
