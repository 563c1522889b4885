//! What is asked of a gradient.

use std::collections::HashSet;

use burn::module::ParamId;
use burn::optim::GradientsParams;

use crate::gradient::norm::Norm;
use crate::{Ascent, Scale};

/// What is asked of a gradient beside its norm.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question<'a> {
    /// T.
    pub(crate) scale: Scale,
    /// The parameters that the ascent moves; `None` for all.
    pub(crate) chosen: Option<&'a HashSet<ParamId>>,
    /// A gradient with which to take the cosine.
    pub(crate) other: Option<(&'a GradientsParams, Norm)>,
}

impl<'a> Question<'a> {
    /// The norm, and the angle with a gradient of this norm.
    pub(crate) fn beside(gradients: &'a GradientsParams, norm: Norm) -> Self {
        Self {
            other: Some((gradients, norm)),
            ..Question::NORM
        }
    }

    /// What an ascent that moves the chosen parameters needs.
    pub(crate) fn before(ascent: &Ascent, chosen: Option<&'a HashSet<ParamId>>) -> Self {
        Self {
            scale: ascent.scale,
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

    pub(crate) fn moves(&self, id: ParamId) -> bool {
        self.chosen.is_none_or(|chosen| chosen.contains(&id))
    }
}
