//! The direction of an ascent.

use burn::optim::GradientsParams;

/// The direction of an ascent.
#[derive(Debug)]
pub enum Direction {
    /// Along the gradient.
    Gradient,
    /// Along another vector; the peak is ρ away.
    Along(GradientsParams),
    /// Along a vector that is measured by the norm of the gradient: the distance to the peak is ρ
    /// times the ratio of the two norms.
    PartOf(GradientsParams),
}

impl Direction {
    /// Returns the vector to climb along, and the one whose norm measures it where that is not the
    /// gradient.
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
