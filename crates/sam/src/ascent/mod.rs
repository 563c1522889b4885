//! What every method has: how far it climbs, where, and what the second pass may touch.

pub(crate) mod climb;
pub(crate) mod perturbed;
pub(crate) mod schedule;

use crate::{BatchNormStatistics, Perturbed, RhoSchedule, Scale};

/// The settings that all methods share.
#[derive(Debug, Clone)]
pub struct Ascent {
    pub(crate) rho: f64,
    pub(crate) schedule: RhoSchedule,
    pub(crate) steps: usize,
    pub(crate) scale: Scale,
    pub(crate) perturbed: Perturbed,
    pub(crate) batch_norm: BatchNormStatistics,
    pub(crate) same_masks: Option<u64>,
}

impl Ascent {
    /// One step of length rho along the gradient, of all parameters; the second pass leaves the running
    /// statistics of BatchNorm alone and draws its own masks.
    ///
    /// # Panics
    /// When rho is negative or not finite.
    #[must_use]
    pub fn new(rho: f64) -> Self {
        check("rho", rho);
        Self {
            rho,
            schedule: RhoSchedule::Constant,
            steps: 1,
            scale: Scale::Unit,
            perturbed: Perturbed::All,
            batch_norm: BatchNormStatistics::FirstPass,
            same_masks: None,
        }
    }

    /// With another schedule of the radius.
    ///
    /// # Panics
    /// When the schedule has a number that is negative or not finite.
    #[must_use]
    pub fn with_schedule(mut self, schedule: RhoSchedule) -> Self {
        schedule.check();
        self.schedule = schedule;
        self
    }

    /// With the radius covered in several steps of rho / `steps`, each along the gradient where it
    /// begins; each costs a gradient.
    ///
    /// # Panics
    /// When there are none.
    #[must_use]
    pub fn with_steps(mut self, steps: usize) -> Self {
        assert!(steps > 0, "there must be at least one ascent step");
        self.steps = steps;
        self
    }

    /// With a ball in other units.
    ///
    /// # Panics
    /// When eta is negative or not finite.
    #[must_use]
    pub fn with_scale(mut self, scale: Scale) -> Self {
        if let Scale::Weights { eta, .. } = scale {
            check("eta", eta);
        }
        self.scale = scale;
        self
    }

    /// With fewer parameters moved.
    #[must_use]
    pub fn with_perturbed(mut self, perturbed: Perturbed) -> Self {
        self.perturbed = perturbed;
        self
    }

    /// With another rule for the running statistics of BatchNorm.
    #[must_use]
    pub fn with_batch_norm(mut self, statistics: BatchNormStatistics) -> Self {
        self.batch_norm = statistics;
        self
    }

    /// With the same dropout masks in all passes of a step, by seeding the device before each.
    #[must_use]
    pub fn with_same_masks(mut self, seed: Option<u64>) -> Self {
        self.same_masks = seed;
        self
    }

    /// How far one ascent step goes.
    #[expect(clippy::cast_precision_loss, reason = "a handful of ascent steps")]
    pub(crate) fn length(&self, rho: f64) -> f64 {
        rho / self.steps as f64
    }

    /// The radius before any schedule.
    #[must_use]
    pub const fn rho(&self) -> f64 {
        self.rho
    }
}

/// # Panics
/// When a setting is negative or not finite.
pub(crate) fn check(name: &str, value: f64) {
    assert!(
        value.is_finite() && value >= 0.0,
        "{name} must be finite and not negative, but is {value}"
    );
}

/// # Panics
/// When a setting is not between 0 and 1.
pub(crate) fn check_share(name: &str, value: f64) {
    assert!(
        (0.0..=1.0).contains(&value),
        "{name} must be between 0 and 1, but is {value}"
    );
}
