//! Balls around the weights, plain and adaptive.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Rescaling, Scale};
use crate::error::Error;
use crate::vector::{largest_magnitude, norm};

/// The norm of a [`Ball`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum BallNorm {
    /// The Euclidean norm.
    L2,
    /// The largest magnitude of an entry: the ball is a box.
    LInf,
}

/// The displacements `e = T u` with `‖u‖ ≤ ρ`: a ball, or with a [`Scale`] T other than one an
/// ellipsoid or a box whose axes are as long as the weights are large.
///
/// ```
/// use landscape::sharpness::{Ball, Rescaling, Scale};
///
/// let plain = Ball::l2(0.05);
/// assert_eq!(plain.rescaling(), Rescaling::NotInvariant);
/// let adaptive = plain.with_scale(Scale::INVARIANT);
/// assert_eq!(adaptive.rescaling(), Rescaling::Invariant);
/// assert_eq!(
///     adaptive.to_string(),
///     "l2 ball, rho 0.05, T = |w| on all tensors"
/// );
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Ball {
    /// The norm.
    pub norm: BallNorm,
    /// The radius ρ, positive.
    pub radius: f64,
    /// The scale T of each coordinate.
    pub scale: Scale,
}

impl Ball {
    /// Returns the Euclidean ball of a radius.
    #[must_use]
    pub const fn l2(radius: f64) -> Self {
        Self {
            norm: BallNorm::L2,
            radius,
            scale: Scale::One,
        }
    }

    /// Returns the box whose sides are twice a radius.
    #[must_use]
    pub const fn l_inf(radius: f64) -> Self {
        Self {
            norm: BallNorm::LInf,
            radius,
            scale: Scale::One,
        }
    }

    /// Returns the same ball with another scale T.
    #[must_use]
    pub const fn with_scale(mut self, scale: Scale) -> Self {
        self.scale = scale;
        self
    }

    /// Returns whether what is measured in the ball survives the rescaling of ReLU layers.
    #[must_use]
    pub fn rescaling(&self) -> Rescaling {
        self.scale.rescaling()
    }

    /// Checks radius and scale.
    ///
    /// # Errors
    /// [`Error::Setting`].
    pub(super) fn check(&self) -> Result<(), Error> {
        positive("radius", self.radius)?;
        self.scale.check()
    }

    /// Returns the norm of a vector, in which the radius is measured.
    pub(super) fn norm_of(&self, vector: &[f64]) -> f64 {
        match self.norm {
            BallNorm::L2 => norm(vector),
            BallNorm::LInf => largest_magnitude(vector),
        }
    }

    /// Returns the largest inner product of a vector with one of norm 1.
    pub(super) fn dual_norm(&self, vector: &[f64]) -> f64 {
        match self.norm {
            BallNorm::L2 => norm(vector),
            BallNorm::LInf => vector.iter().map(|x| x.abs()).sum(),
        }
    }

    /// Returns the u of norm ρ at which the inner product with a vector is the largest: where SAM
    /// goes with the gradient `T g`. Zero for the zero vector.
    pub(super) fn farthest(&self, along: &[f64]) -> Vec<f64> {
        match self.norm {
            BallNorm::L2 => self.on_boundary(along.to_vec()),
            BallNorm::LInf => along
                .iter()
                .map(|&x| {
                    if x == 0.0 {
                        0.0
                    } else {
                        self.radius.copysign(x)
                    }
                })
                .collect(),
        }
    }

    /// Returns a vector scaled to norm ρ; zero stays.
    pub(super) fn on_boundary(&self, mut vector: Vec<f64>) -> Vec<f64> {
        let norm = self.norm_of(&vector);
        if norm > 0.0 {
            // Two steps: the quotient of both may overflow.
            vector.iter_mut().for_each(|x| *x = *x / norm * self.radius);
        }
        vector
    }

    /// Moves a vector to the nearest one of the ball.
    pub(super) fn project(&self, vector: &mut [f64]) {
        match self.norm {
            BallNorm::L2 => {
                let norm = norm(vector);
                if norm > self.radius {
                    vector.iter_mut().for_each(|x| *x = *x / norm * self.radius);
                }
            }
            BallNorm::LInf => vector
                .iter_mut()
                .for_each(|x| *x = x.clamp(-self.radius, self.radius)),
        }
    }
}

impl fmt::Display for Ball {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let norm = match self.norm {
            BallNorm::L2 => "l2 ball",
            BallNorm::LInf => "l-inf ball",
        };
        write!(f, "{norm}, rho {}", self.radius)?;
        match self.scale {
            Scale::One => Ok(()),
            scale => write!(f, ", {scale}"),
        }
    }
}

/// Checks that a setting is positive and finite.
///
/// # Errors
/// [`Error::Setting`].
pub(super) fn positive(name: &'static str, value: f64) -> Result<(), Error> {
    if value > 0.0 && value.is_finite() {
        Ok(())
    } else {
        Err(Error::Setting {
            name,
            value: value.to_string(),
            allowed: "positive and finite",
        })
    }
}

/// Checks that there is one of something at least.
///
/// # Errors
/// [`Error::Setting`].
pub(super) fn some(name: &'static str, count: usize) -> Result<(), Error> {
    if count > 0 {
        Ok(())
    } else {
        Err(Error::Setting {
            name,
            value: "0".into(),
            allowed: "at least 1",
        })
    }
}
