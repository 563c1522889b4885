//! One type for every method, for programs that choose at run time.

use burn::module::Module;
use burn::optim::GradientsParams;

use super::{
    EsamRule, FriendlySamRule, GsamRule, LookSamRule, MicroBatchSamRule, SamRule, SharpnessAware,
};
use crate::error::Error;
use crate::rule::{BatchUse, Direction, Pair, Rule, StepContext};

/// A method of this crate that is chosen at run time, made by
/// [`MethodConfig::init`](crate::MethodConfig::init) or [`SharpnessAware::into_any`].
///
/// It is the same to the last bit as the method with a type of its own.
pub type AnyMethod = SharpnessAware<AnyRule>;

/// The rule of an [`AnyMethod`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum AnyRule {
    /// The rule of SAM and ASAM.
    Sam(SamRule),
    /// The rule of GSAM.
    Gsam(GsamRule),
    /// The rule of LookSAM.
    LookSam(LookSamRule),
    /// The rule of ESAM.
    Esam(EsamRule),
    /// The rule of Friendly-SAM.
    FriendlySam(FriendlySamRule),
    /// The rule of m-SAM.
    MicroBatchSam(MicroBatchSamRule),
}

impl Rule for AnyRule {
    fn direction<M: Module>(
        &self,
        context: StepContext<'_, M>,
        gradients: &GradientsParams,
    ) -> Direction {
        match self {
            Self::Sam(rule) => rule.direction(context, gradients),
            Self::Gsam(rule) => rule.direction(context, gradients),
            Self::LookSam(rule) => rule.direction(context, gradients),
            Self::Esam(rule) => rule.direction(context, gradients),
            Self::FriendlySam(rule) => rule.direction(context, gradients),
            Self::MicroBatchSam(rule) => rule.direction(context, gradients),
        }
    }

    fn looks(&self, step: u64) -> bool {
        match self {
            Self::Sam(rule) => rule.looks(step),
            Self::Gsam(rule) => rule.looks(step),
            Self::LookSam(rule) => rule.looks(step),
            Self::Esam(rule) => rule.looks(step),
            Self::FriendlySam(rule) => rule.looks(step),
            Self::MicroBatchSam(rule) => rule.looks(step),
        }
    }

    fn combine<M: Module>(&self, context: StepContext<'_, M>, pair: Pair<'_>) -> GradientsParams {
        match self {
            Self::Sam(rule) => rule.combine(context, pair),
            Self::Gsam(rule) => rule.combine(context, pair),
            Self::LookSam(rule) => rule.combine(context, pair),
            Self::Esam(rule) => rule.combine(context, pair),
            Self::FriendlySam(rule) => rule.combine(context, pair),
            Self::MicroBatchSam(rule) => rule.combine(context, pair),
        }
    }

    fn between<M: Module>(
        &self,
        context: StepContext<'_, M>,
        gradients: GradientsParams,
        norm: f64,
    ) -> GradientsParams {
        match self {
            Self::Sam(rule) => rule.between(context, gradients, norm),
            Self::Gsam(rule) => rule.between(context, gradients, norm),
            Self::LookSam(rule) => rule.between(context, gradients, norm),
            Self::Esam(rule) => rule.between(context, gradients, norm),
            Self::FriendlySam(rule) => rule.between(context, gradients, norm),
            Self::MicroBatchSam(rule) => rule.between(context, gradients, norm),
        }
    }

    fn batches(&self) -> BatchUse {
        match self {
            Self::Sam(rule) => rule.batches(),
            Self::Gsam(rule) => rule.batches(),
            Self::LookSam(rule) => rule.batches(),
            Self::Esam(rule) => rule.batches(),
            Self::FriendlySam(rule) => rule.batches(),
            Self::MicroBatchSam(rule) => rule.batches(),
        }
    }

    fn carries(&self) -> bool {
        match self {
            Self::Sam(rule) => rule.carries(),
            Self::Gsam(rule) => rule.carries(),
            Self::LookSam(rule) => rule.carries(),
            Self::Esam(rule) => rule.carries(),
            Self::FriendlySam(rule) => rule.carries(),
            Self::MicroBatchSam(rule) => rule.carries(),
        }
    }

    fn check(&self) -> Result<(), Error> {
        match self {
            Self::Sam(rule) => rule.check(),
            Self::Gsam(rule) => rule.check(),
            Self::LookSam(rule) => rule.check(),
            Self::Esam(rule) => rule.check(),
            Self::FriendlySam(rule) => rule.check(),
            Self::MicroBatchSam(rule) => rule.check(),
        }
    }
}

impl From<SamRule> for AnyRule {
    fn from(rule: SamRule) -> Self {
        Self::Sam(rule)
    }
}

impl From<GsamRule> for AnyRule {
    fn from(rule: GsamRule) -> Self {
        Self::Gsam(rule)
    }
}

impl From<LookSamRule> for AnyRule {
    fn from(rule: LookSamRule) -> Self {
        Self::LookSam(rule)
    }
}

impl From<EsamRule> for AnyRule {
    fn from(rule: EsamRule) -> Self {
        Self::Esam(rule)
    }
}

impl From<FriendlySamRule> for AnyRule {
    fn from(rule: FriendlySamRule) -> Self {
        Self::FriendlySam(rule)
    }
}

impl From<MicroBatchSamRule> for AnyRule {
    fn from(rule: MicroBatchSamRule) -> Self {
        Self::MicroBatchSam(rule)
    }
}
