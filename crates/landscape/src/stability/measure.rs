//! The largest curvature beside the threshold.

use burn::module::Module;

use super::{OptimiserSettings, Preconditioner};
use crate::batch::Batch;
use crate::curvature::Hessian;
use crate::error::Error;
use crate::operator::{LinearOperator, Shifted};
use crate::risk::Risk;
use crate::spectrum::{EigenPair, LanczosConfig, Which, top_eigenpairs};
use crate::vector::{download, norm};

/// The largest curvature as an optimiser meets it, beside the largest at which it is stable.
#[derive(Debug, Clone)]
pub struct Stability {
    /// The largest eigenvalue, of `H + w I` with the L2 penalty w, preconditioned if
    /// `is_preconditioned`; with its residual and eigenvector.
    pub largest: EigenPair,
    /// The threshold of that spectrum.
    pub threshold: f64,
    /// The stability ratio, `largest.value / threshold`: steps along the eigenvector grow above 1.
    pub ratio: f64,
    /// Error of the ratio: the residual over the threshold.
    pub ratio_error: f64,
    /// Whether the spectrum is that of `P^(−1/2) H P^(−1/2)`.
    pub is_preconditioned: bool,
    /// The norm of the gradient, which SAM's threshold depends on; none if it was not needed.
    pub gradient_norm: Option<f64>,
}

/// Returns the largest curvature of `risk` at `model` as an optimiser meets it, beside its
/// threshold of stability at `learning_rate`.
///
/// `preconditioner` is needed for Adam, AdamW and RMSprop, and is that of
/// [`Preconditioner::of`]; other optimisers take none. `config.which` is not used.
///
/// Cost: that of making a [`Hessian`], a Lanczos run, and for SAM a gradient.
///
/// # Errors
/// [`Error::Setting`] for a preconditioner that is missing or has no use and for settings out of
/// range, [`Error::Length`] for the preconditioner of another model, and all errors of
/// [`Hessian::at`] and [`top_eigenpairs`].
///
/// # Examples
/// ```
/// use burn::nn::{Linear, LinearConfig};
/// use burn::optim::{AdamConfig, GradientsParams};
/// use burn::tensor::{Device, Tensor};
/// use landscape::stability::{OptimiserSettings, Preconditioner, stability};
/// use landscape::{LanczosConfig, ParameterSpace, Risk};
///
/// let device = Device::flex().autodiff();
/// let model = LinearConfig::new(1, 1).with_bias(false).init(&device);
/// let loss = |model: &Linear, x: &Tensor<2>| {
///     model
///         .forward(x.clone())
///         .powi_scalar(2)
///         .mean()
///         .mul_scalar(0.5)
/// };
/// let x = Tensor::<2>::full([4, 1], 3.0, &device);
/// let risk = Risk::mean([x.clone()], loss);
///
/// let config = AdamConfig::new();
/// let mut optimiser = config.init();
/// let gradients = GradientsParams::from_grads(loss(&model, &x).backward(), &model);
/// let model = optimiser.step(1e-3, model, gradients);
///
/// let settings = OptimiserSettings::try_from(&config)?;
/// let space = ParameterSpace::of(&model)?;
/// let preconditioner = Preconditioner::of(&optimiser, &settings, &space)?;
/// let lanczos = LanczosConfig::new();
/// let found = stability(
///     &model,
///     &risk,
///     &settings,
///     Some(&preconditioner),
///     1e-3,
///     &lanczos,
/// )?;
/// // The curvature is x² = 9, and the preconditioner divides it.
/// assert!((found.largest.value * preconditioner.diagonal[0] / 9.0 - 1.0).abs() < 1e-5);
/// assert!((found.threshold / 38_000.0 - 1.0).abs() < 1e-6); // 2 · 1.9 / (0.1 · 10⁻³)
///
/// # Ok::<(), landscape::Error>(())
/// ```
pub fn stability<M: Module, B: Batch>(
    model: &M,
    risk: &Risk<M, B>,
    settings: &OptimiserSettings,
    preconditioner: Option<&Preconditioner>,
    learning_rate: f64,
    config: &LanczosConfig,
) -> Result<Stability, Error> {
    let hessian = Hessian::at(model, risk)?;
    let gradient_norm = if settings.needs_gradient() {
        let (_, gradient) = hessian.objective().gradient_here()?;
        Some(norm(&download(&gradient)))
    } else {
        None
    };
    stability_of(
        &hessian,
        gradient_norm,
        settings,
        preconditioner,
        learning_rate,
        config,
    )
}

/// Returns the same as [`stability`] for a Hessian that has been made already, or any other
/// operator. The norm of the gradient is needed for SAM alone.
///
/// # Errors
/// As [`stability`], and a norm that is missing.
///
/// # Examples
/// ```
/// use burn::tensor::{DType, Device};
/// use landscape::LanczosConfig;
/// use landscape::operator::Dense;
/// use landscape::stability::{Optimiser, OptimiserSettings, stability_of};
///
/// let hessian = Dense::new(&[18.0, 0.0, 0.0, 1.0], (&Device::flex(), DType::F64))?;
/// let settings = OptimiserSettings::plain(Optimiser::GradientDescent);
/// let found = stability_of(&hessian, None, &settings, None, 0.1, &LanczosConfig::new())?;
/// assert!((found.threshold - 20.0).abs() < 1e-12 && (found.ratio - 0.9).abs() < 1e-12);
/// # Ok::<(), landscape::Error>(())
/// ```
pub fn stability_of<A: LinearOperator + ?Sized>(
    hessian: &A,
    gradient_norm: Option<f64>,
    settings: &OptimiserSettings,
    preconditioner: Option<&Preconditioner>,
    learning_rate: f64,
    config: &LanczosConfig,
) -> Result<Stability, Error> {
    let is_preconditioned = settings.optimiser.is_preconditioned();
    let refused = |value: &str, allowed| {
        Err(Error::Setting {
            name: "the preconditioner",
            value: value.to_owned(),
            allowed,
        })
    };
    if settings.needs_gradient() && gradient_norm.is_none() {
        return Err(Error::Setting {
            name: "the norm of the gradient",
            value: "missing".into(),
            allowed: "given: SAM's threshold depends on it",
        });
    }
    let threshold = settings
        .optimiser
        .threshold(learning_rate, gradient_norm.unwrap_or(0.0))?;
    let config = config.clone().with_which(Which::LargestAlgebraic);
    let decayed = Shifted::new(hessian, settings.weight_decay);
    let pairs = match (is_preconditioned, preconditioner) {
        (false, None) => top_eigenpairs(&decayed, 1, &config)?,
        (true, Some(preconditioner)) => {
            top_eigenpairs(&preconditioner.apply_to(decayed)?, 1, &config)?
        }
        (true, None) => {
            return refused(
                "missing",
                "that of the optimiser's state (`Preconditioner::of`), for Adam, AdamW and RMSprop",
            );
        }
        (false, Some(_)) => {
            return refused("given", "left out for an optimiser that has none");
        }
    };
    let Some(largest) = pairs.into_iter().next() else {
        return Err(Error::Setting {
            name: "the operator's dimension",
            value: "0".into(),
            allowed: "at least 1",
        });
    };
    Ok(Stability {
        ratio: largest.value / threshold,
        ratio_error: largest.residual / threshold,
        largest,
        threshold,
        is_preconditioned,
        gradient_norm,
    })
}
