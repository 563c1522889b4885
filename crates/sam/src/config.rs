//! The knobs of the methods and why they stand where they do.

use burn::config::Config;

use crate::{Asam, BatchNormStatistics, Sam};

/// Configuration of [`Sam`].
#[derive(Config, Debug)]
pub struct SamConfig {
    /// The radius of the perturbation, in units of the weights. 0.05 is what Foret et al. (2021,
    /// section 3.1) found to work for most networks; zero gives the base optimiser, bit for bit.
    #[config(default = 0.05)]
    pub rho: f64,
    /// What the second pass does to the running statistics of batch normalisation: nothing.
    #[config(default = "BatchNormStatistics::FirstPass")]
    pub batch_norm: BatchNormStatistics,
}

impl SamConfig {
    /// The method with these settings.
    ///
    /// # Panics
    ///
    /// When rho is negative or not finite.
    #[must_use]
    pub fn init(&self) -> Sam {
        check("rho", self.rho);
        Sam {
            rho: self.rho,
            batch_norm: self.batch_norm,
        }
    }
}

/// Configuration of [`Asam`].
#[derive(Config, Debug)]
pub struct AsamConfig {
    /// The radius of the perturbation, relative to the weights. 0.5 is what Kwon et al. (2021,
    /// section 5) use for CIFAR-10: about ten times the rho of SAM, for it is measured in units of
    /// |w|.
    #[config(default = 0.5)]
    pub rho: f64,
    /// Added to |w|, so that a weight of zero can still be perturbed. 0.01 is the paper's.
    #[config(default = 0.01)]
    pub eta: f64,
    /// Whether parameters of rank 0 and 1 (biases, scales and shifts of norm layers) are scaled by
    /// |w| + eta as well. The paper perturbs them unscaled. Only with everything scaled and eta =
    /// 0 is the method invariant to moving a factor from one ReLU layer into the next.
    #[config(default = false)]
    pub scale_all: bool,
    /// What the second pass does to the running statistics of batch normalisation: nothing.
    #[config(default = "BatchNormStatistics::FirstPass")]
    pub batch_norm: BatchNormStatistics,
}

impl AsamConfig {
    /// The method with these settings.
    ///
    /// # Panics
    ///
    /// When rho or eta is negative or not finite.
    #[must_use]
    pub fn init(&self) -> Asam {
        check("rho", self.rho);
        check("eta", self.eta);
        Asam {
            rho: self.rho,
            eta: self.eta,
            scale_all: self.scale_all,
            batch_norm: self.batch_norm,
        }
    }
}

fn check(name: &str, value: f64) {
    assert!(
        value.is_finite() && value >= 0.0,
        "{name} must be finite and not negative, but is {value}"
    );
}
