//! The methods that are compared, with the settings of their papers, and LookSAM with gentler ones.

use sam::{
    AnyMethod, AsamConfig, EsamConfig, FriendlySamConfig, GsamConfig, LookSamConfig,
    MicroBatchSamConfig, SamConfig,
};

/// A way to make the gradient of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Sgd,
    Sam,
    Asam,
    Gsam,
    LookSam,
    GentleLookSam,
    Esam,
    Friendly,
    MicroBatch,
}

impl Method {
    pub(crate) const ALL: [Self; 9] = [
        Self::Sgd,
        Self::Sam,
        Self::Asam,
        Self::Gsam,
        Self::LookSam,
        Self::GentleLookSam,
        Self::Esam,
        Self::Friendly,
        Self::MicroBatch,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sgd => "SGD, momentum 0.9",
            Self::Sam => "SAM, rho 0.05",
            Self::Asam => "ASAM, rho 0.5",
            Self::Gsam => "GSAM, rho 0.05, alpha 0.4",
            Self::LookSam => "LookSAM, rho 0.1, k 10, alpha 0.7",
            Self::GentleLookSam => "LookSAM, rho 0.1, k 5, alpha 0.2",
            Self::Esam => "ESAM, rho 0.05, beta 0.5, gamma 0.5",
            Self::Friendly => "Friendly-SAM, rho 0.05, sigma 1, lambda 0.9",
            Self::MicroBatch => "m-SAM, rho 0.05, m a quarter of a batch",
        }
    }

    /// Makes the sharpness-aware method for batches of so many examples; none for the base
    /// optimiser alone.
    ///
    /// # Errors
    /// A setting that is out of range.
    pub(crate) fn sharp(self, batch: usize) -> Result<Option<AnyMethod>, sam::Error> {
        Ok(Some(match self {
            Self::Sgd => return Ok(None),
            Self::Sam => SamConfig::new().init()?.into_any(),
            Self::Asam => AsamConfig::new().init()?.into_any(),
            Self::Gsam => GsamConfig::new().init()?.into_any(),
            Self::LookSam => LookSamConfig::new().init()?.into_any(),
            Self::GentleLookSam => {
                let gentle = LookSamConfig::new().with_k(5).with_alpha(0.2);
                gentle.init()?.into_any()
            }
            Self::Esam => EsamConfig::new().init()?.into_any(),
            Self::Friendly => FriendlySamConfig::new().init()?.into_any(),
            Self::MicroBatch => MicroBatchSamConfig::new(batch / 4).init()?.into_any(),
        }))
    }
}
