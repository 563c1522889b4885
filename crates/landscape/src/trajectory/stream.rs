//! Checkpoints, loaded one at a time, as vectors on the host.

use burn::module::Module;

use crate::error::Error;
use crate::parameters::{ParameterSpace, weights};

/// The checkpoints of a trajectory, as a function that loads one.
pub(super) struct Stream<F> {
    pub(super) space: ParameterSpace,
    pub(super) count: usize,
    load: F,
}

impl<F> Stream<F> {
    /// Returns the stream of `count` checkpoints, at least `least`, with the parameters of the
    /// first, which is loaded for it.
    ///
    /// # Errors
    /// [`Error::Setting`] for fewer than `least` checkpoints; [`Error::Checkpoint`] where the first
    /// cannot be loaded or measured.
    pub(super) fn new<M: Module>(
        count: usize,
        least: usize,
        allowed: &'static str,
        mut load: F,
    ) -> Result<Self, Error>
    where
        F: FnMut(usize) -> Result<M, Error>,
    {
        if count < least {
            return Err(Error::Setting {
                name: "number of checkpoints",
                value: count.to_string(),
                allowed,
            });
        }
        let space = load(0).and_then(|model| ParameterSpace::of(&model));
        let space = space.map_err(|error| of_checkpoint(0, error))?;
        Ok(Self { space, count, load })
    }

    /// Returns the stream of `count` checkpoints with the parameters of `space`.
    pub(super) const fn of(space: ParameterSpace, count: usize, load: F) -> Self {
        Self { space, count, load }
    }

    /// Returns theta of a checkpoint, `[P]`, all entries finite.
    ///
    /// # Errors
    /// [`Error::Checkpoint`].
    pub(super) fn theta<M: Module>(&mut self, number: usize) -> Result<Vec<f64>, Error>
    where
        F: FnMut(usize) -> Result<M, Error>,
    {
        Ok(self.model_and_theta(number)?.1)
    }

    /// Returns a checkpoint and its theta.
    ///
    /// # Errors
    /// [`Error::Checkpoint`].
    pub(super) fn model_and_theta<M: Module>(
        &mut self,
        number: usize,
    ) -> Result<(M, Vec<f64>), Error>
    where
        F: FnMut(usize) -> Result<M, Error>,
    {
        let found = (self.load)(number).and_then(|model| {
            let theta = weights(&self.space, &model, || "the model".to_owned())?;
            Ok((model, theta))
        });
        found.map_err(|error| of_checkpoint(number, error))
    }
}

/// Returns an error with the number of the checkpoint that it is about; a caller who stops is not
/// about one.
pub(super) fn of_checkpoint(index: usize, error: Error) -> Error {
    match error {
        Error::Cancelled { .. } | Error::Checkpoint { .. } => error,
        _ => Error::Checkpoint {
            index,
            reason: error.to_string(),
        },
    }
}
