//! The shapes of a curve: its coefficients, its slope and its length.

use serde::{Deserialize, Serialize};

use crate::error::Error;

/// The shape of a curve between two models A and B.
///
/// A point of it is `θ(t) = Σₖ cₖ(t) θₖ` for t from 0 to 1, with the nodes `θ₀ = A`, the bends,
/// and `θ_(n+1) = B`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Shape {
    /// `(1 − t) A + t B`: no bend.
    Line,
    /// The quadratic Bezier curve `(1 − t)² A + 2t(1 − t) θ₁ + t² B`: one bend, through which it
    /// does not pass.
    Bezier,
    /// Segments from A over the bends to B. It is at bend k at `t = k / (n + 1)`.
    Chain {
        /// Number n of bends, at least 1.
        bends: usize,
    },
}

impl Shape {
    /// Returns the number of bends n.
    #[must_use]
    pub const fn bends(self) -> usize {
        match self {
            Self::Line => 0,
            Self::Bezier => 1,
            Self::Chain { bends } => bends,
        }
    }

    /// Checks that a chain has a bend.
    ///
    /// # Errors
    /// [`Error::Setting`].
    pub(super) fn check(self) -> Result<(), Error> {
        if self == (Self::Chain { bends: 0 }) {
            return Err(Error::Setting {
                name: "the number of bends of a chain",
                value: "0".to_owned(),
                allowed: "at least 1: without a bend it is `Shape::Line`",
            });
        }
        Ok(())
    }

    /// Returns the coefficients `cₖ(t)` of the n + 2 nodes; their sum is one.
    ///
    /// ```
    /// use landscape::connectivity::Shape;
    ///
    /// assert_eq!(Shape::Bezier.coefficients(0.5)?, [0.25, 0.5, 0.25]);
    /// assert_eq!(
    ///     Shape::Chain { bends: 1 }.coefficients(0.25)?,
    ///     [0.5, 0.5, 0.0]
    /// );
    /// # Ok::<(), landscape::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Setting`] for a t outside 0 to 1 and a chain without a bend.
    pub fn coefficients(self, t: f64) -> Result<Vec<f64>, Error> {
        self.check()?;
        check_time(t)?;
        Ok(match self {
            Self::Line => vec![1.0 - t, t],
            Self::Bezier => vec![(1.0 - t).powi(2), 2.0 * t * (1.0 - t), t * t],
            Self::Chain { bends } => {
                let (segment, share) = segment(bends, t);
                let mut all = vec![0.0; bends + 2];
                all[segment] = 1.0 - share;
                all[segment + 1] = share;
                all
            }
        })
    }

    /// Returns the derivatives `cₖ'(t)`, whose sum is zero; at a corner of a chain those of the
    /// segment that begins there.
    ///
    /// # Errors
    /// As [`coefficients`](Self::coefficients).
    pub fn slopes(self, t: f64) -> Result<Vec<f64>, Error> {
        self.check()?;
        check_time(t)?;
        Ok(match self {
            Self::Line => vec![-1.0, 1.0],
            Self::Bezier => vec![-2.0 * (1.0 - t), 2.0 - 4.0 * t, 2.0 * t],
            Self::Chain { bends } => {
                let (segment, _) = segment(bends, t);
                let mut all = vec![0.0; bends + 2];
                let speed = segments(bends);
                all[segment] = -speed;
                all[segment + 1] = speed;
                all
            }
        })
    }

    /// Returns the means `∫₀¹ cₖ(t) dt`: those of the average of all points.
    pub(super) fn mean_coefficients(self) -> Vec<f64> {
        match self {
            Self::Line => vec![0.5; 2],
            Self::Bezier => vec![1.0 / 3.0; 3],
            Self::Chain { bends } => {
                let mut all = vec![segments(bends).recip(); bends + 2];
                all[0] /= 2.0;
                all[bends + 1] /= 2.0;
                all
            }
        }
    }
}

/// Checks that t lies on the curve.
///
/// # Errors
/// [`Error::Setting`].
pub(super) fn check_time(t: f64) -> Result<(), Error> {
    if (0.0..=1.0).contains(&t) {
        return Ok(());
    }
    Err(Error::Setting {
        name: "t",
        value: t.to_string(),
        allowed: "between 0 and 1: the curve ends at the two models",
    })
}

/// Returns the number of segments of a chain.
#[expect(clippy::cast_precision_loss, reason = "a chain has few bends")]
pub(super) fn segments(bends: usize) -> f64 {
    (bends + 1) as f64
}

/// Returns the segment of a chain on which t lies, and the share of it before t.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "between 0 and the number of bends"
)]
fn segment(bends: usize, t: f64) -> (usize, f64) {
    let place = t * segments(bends);
    let segment = (place.floor() as usize).min(bends);
    (segment, place - segment as f64)
}
