//! The methods, with their learning rates.

use anyhow::Result;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{AdamConfig, ModuleOptimizer, SgdConfig};
use landscape::stability::{Optimiser, OptimiserSettings};
use sam::SamConfig;

/// A way to train.
pub(crate) struct Method {
    pub(crate) name: &'static str,
    pub(crate) learning_rate: f64,
    /// The state that every training starts from.
    pub(crate) optimiser: ModuleOptimizer,
    /// SAM around the optimiser, if there is one.
    pub(crate) sam: Option<SamConfig>,
    /// What the stability depends on.
    pub(crate) settings: OptimiserSettings,
}

/// Returns gradient descent at three learning rates, heavy ball, SAM and Adam.
pub(crate) fn all() -> Result<[Method; 6]> {
    let plain = SgdConfig::new();
    let descent = |name, learning_rate| {
        Ok::<_, landscape::Error>(Method {
            name,
            learning_rate,
            optimiser: plain.init(),
            sam: None,
            settings: OptimiserSettings::try_from(&plain)?,
        })
    };
    // Burn's default dampening is 0.1.
    let momentum = MomentumConfig::new().with_momentum(0.5).with_dampening(0.0);
    let heavy_ball = SgdConfig::new().with_momentum(Some(momentum));
    let adam = AdamConfig::new();
    let rho = 0.05;
    Ok([
        descent("gradient descent, 0.16", 0.16)?,
        descent("gradient descent, 0.13", 0.13)?,
        descent("gradient descent, 0.10", 0.1)?,
        Method {
            name: "heavy ball 0.5, 0.15",
            learning_rate: 0.15,
            optimiser: heavy_ball.init(),
            sam: None,
            settings: OptimiserSettings::try_from(&heavy_ball)?,
        },
        Method {
            name: "SAM 0.05, 0.10",
            learning_rate: 0.1,
            optimiser: plain.init(),
            sam: Some(SamConfig::new().with_rho(rho)),
            settings: OptimiserSettings::plain(Optimiser::Sam {
                rho,
                momentum: 0.0,
                dampening: 0.0,
            }),
        },
        Method {
            name: "Adam, 0.002",
            learning_rate: 0.002,
            optimiser: adam.init(),
            sam: None,
            settings: OptimiserSettings::try_from(&adam)?,
        },
    ])
}
