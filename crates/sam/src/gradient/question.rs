//! The quantities that are wanted of a gradient.

use std::collections::HashSet;

use burn::module::ParamId;
use burn::optim::GradientsParams;

use super::{Norm, Scale};

/// The quantities that are wanted of a gradient beside its norm.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question<'a> {
    /// The scale T of the ascent.
    pub(crate) scale: Scale,
    /// The parameters that the ascent moves; `None` for all.
    pub(crate) chosen: Option<&'a HashSet<ParamId>>,
    /// A gradient with which to take the cosine.
    pub(crate) other: Option<(&'a GradientsParams, Norm)>,
}

impl<'a> Question<'a> {
    /// Asks for the norm, and for the angle with a gradient of this norm.
    pub(crate) fn beside(gradients: &'a GradientsParams, norm: Norm) -> Self {
        Self {
            other: Some((gradients, norm)),
            ..Question::NORM
        }
    }

    /// Asks for what an ascent in units of T needs that moves the chosen parameters.
    pub(crate) fn before(scale: Scale, chosen: Option<&'a HashSet<ParamId>>) -> Self {
        Self {
            scale,
            chosen,
            other: None,
        }
    }

    /// The norm alone.
    pub(crate) const NORM: Question<'static> = Question {
        scale: Scale::Unit,
        chosen: None,
        other: None,
    };

    /// Returns whether the ascent moves a parameter.
    pub(crate) fn moves(&self, id: ParamId) -> bool {
        self.chosen.is_none_or(|chosen| chosen.contains(&id))
    }
}
