//! The methods: a rule with its ascent and its memory.

mod any;
mod asam;
mod config;
mod esam;
mod friendly_sam;
mod gsam;
mod half_steps;
mod looksam;
mod method_config;
mod micro_batch_sam;
mod sam;
mod whole_steps;

use std::path::Path;

use burn::store::RecordError;

pub use any::{AnyMethod, AnyRule};
pub use asam::{Asam, AsamConfig};
pub use esam::{Esam, EsamConfig, EsamRule};
pub use friendly_sam::{FriendlySam, FriendlySamConfig, FriendlySamRule};
pub use gsam::{Gsam, GsamConfig, GsamRule};
pub use looksam::{LookSam, LookSamConfig, LookSamRule};
pub use method_config::MethodConfig;
pub use micro_batch_sam::{MicroBatchSam, MicroBatchSamConfig, MicroBatchSamRule};
pub use sam::{Sam, SamConfig, SamRule};

use crate::ascent::Ascent;
use crate::error::Error;
use crate::rule::{BatchUse, Rule};
use crate::state::{State, StateRecord};

/// A method that descends along a gradient which has seen a peak close to the weights.
///
/// It is made by the `init` of a configuration, such as [`SamConfig::init`], by
/// [`MethodConfig::init`] where the method is chosen at run time, or by [`new`](Self::new) of a
/// rule of one's own. [`step`](Self::step) takes the place of `optim.step` in a training loop;
/// [`ascend`](Self::ascend) and [`descend`](Self::descend) are its two halves.
#[derive(Debug, Clone)]
pub struct SharpnessAware<R> {
    rule: R,
    ascent: Ascent,
    state: State,
}

impl<R: Rule> SharpnessAware<R> {
    /// Makes a method of a rule and the settings of its ascent.
    ///
    /// # Errors
    /// [`Error::Setting`], for a setting of the rule or the ascent that is out of range.
    pub fn new(rule: R, ascent: Ascent) -> Result<Self, Error> {
        ascent.check()?;
        rule.check()?;
        Ok(Self {
            rule,
            ascent,
            state: State::default(),
        })
    }

    /// Returns the rule.
    pub const fn rule(&self) -> &R {
        &self.rule
    }

    /// Returns the settings of the ascent.
    pub const fn ascent(&self) -> &Ascent {
        &self.ascent
    }

    /// Returns what the method remembers.
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// Returns the radius of the next step, after its schedule.
    pub fn rho(&self) -> f64 {
        let Ascent { rho, schedule, .. } = self.ascent;
        schedule.at(rho, self.state.steps, self.state.learning_rate)
    }

    /// Returns whether the next step looks for a peak.
    pub fn looks(&self) -> bool {
        self.rule.looks(self.state.steps)
    }

    /// Returns how the examples of a batch are used. Unless it is [`BatchUse::Whole`], the loss has
    /// to tell them apart: [`step_examples`](Self::step_examples) is for that.
    pub fn batches(&self) -> BatchUse {
        self.rule.batches()
    }

    /// Sets the learning rate that a radius may follow. [`step`](Self::step) does it by itself; a
    /// loop that calls [`ascend`](Self::ascend) does it before.
    pub const fn at_learning_rate(&mut self, rate: f64) {
        self.state.learning_rate = Some(rate);
    }

    /// Returns what the method remembers, as a record.
    pub fn to_record(&self) -> StateRecord {
        StateRecord::of(&self.state)
    }

    /// Returns the method with the memory of a record.
    #[must_use]
    pub fn load_record(self, record: StateRecord) -> Self {
        Self {
            state: record.into_state(),
            ..self
        }
    }

    /// Saves what the method remembers; see [`StateRecord::save`].
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), RecordError> {
        self.to_record().save(path)
    }

    /// Returns the method with the memory of a file; see [`StateRecord::load`].
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn load(self, path: impl AsRef<Path>) -> Result<Self, RecordError> {
        Ok(self.load_record(StateRecord::load(path)?))
    }

    /// Returns the method with another memory.
    pub(crate) fn with_state(&self, state: State) -> Self {
        Self {
            rule: self.rule.clone(),
            ascent: self.ascent.clone(),
            state,
        }
    }
}

impl<R: Into<AnyRule>> SharpnessAware<R> {
    /// Returns the method as a value of the type that all methods of this crate have in common.
    pub fn into_any(self) -> AnyMethod {
        SharpnessAware {
            rule: self.rule.into(),
            ascent: self.ascent,
            state: self.state,
        }
    }
}
