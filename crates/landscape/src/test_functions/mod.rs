//! Classical test functions of optimisation, as losses of a module with two parameters.
//!
//! What is known of each in closed form can be compared with what is measured: derivatives,
//! critical points, slices.
//!
//! | function | formula | known |
//! |---|---|---|
//! | [`ConvexQuadratic`](TestFunction::ConvexQuadratic) | `½ (x² + 10 y²)` | a minimum at (0, 0), condition number 10 |
//! | [`Multimodal`](TestFunction::Multimodal) | `(x² + y²) (1 + ½ sin 5x sin 5y)` | the least minimum at (0, 0), many others |
//! | [`Saddle`](TestFunction::Saddle) | `x² − y²` | a saddle of index 1 at (0, 0) |
//! | [`Rosenbrock`](TestFunction::Rosenbrock) | `(1 − x)² + 100 (y − x²)²` | a minimum at (1, 1) at the end of a bent valley |
//!
//! ```
//! use burn::tensor::{DType, Device};
//! use landscape::critical::{CriticalConfig, CriticalKind, critical_point};
//! use landscape::test_functions::{Point, TestFunction};
//!
//! let options = (&Device::flex(), DType::F64);
//! let risk = TestFunction::Saddle.risk(options);
//! let origin = critical_point(
//!     &Point::new([0.0, 0.0], options),
//!     &risk,
//!     &CriticalConfig::new(),
//! )?;
//! assert_eq!(origin.kind, CriticalKind::Saddle);
//! # Ok::<(), landscape::Error>(())
//! ```

use std::fmt;

use burn::module::{Module, Param};
use burn::tensor::{Tensor, TensorCreationOptions};

use crate::risk::Risk;
use crate::vector::download;

/// A module whose parameters are the two coordinates of a point.
#[derive(Module, Debug)]
pub struct Point {
    /// The coordinates x and y, shape `[2]`.
    pub position: Param<Tensor<1>>,
}

impl Point {
    /// Returns the point at x and y.
    ///
    /// # Examples
    /// ```
    /// use burn::tensor::{DType, Device};
    /// use landscape::test_functions::Point;
    ///
    /// let point = Point::new([0.5, -2.0], (&Device::flex(), DType::F64));
    /// assert_eq!(point.coordinates(), [0.5, -2.0]);
    /// ```
    pub fn new(coordinates: [f64; 2], options: impl Into<TensorCreationOptions>) -> Self {
        Self {
            position: Param::from_tensor(Tensor::from_data(coordinates, options)),
        }
    }

    /// Returns x and y.
    #[must_use]
    pub fn coordinates(&self) -> [f64; 2] {
        let entries = download(&self.position.val().detach());
        [entries[0], entries[1]]
    }
}

/// A function of two variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TestFunction {
    /// `½ (x² + 10 y²)`: convex, ten times as steep along y as along x.
    ConvexQuadratic,
    /// `(x² + y²) (1 + ½ sin 5x sin 5y)`: a bowl with ripples, which has many minima.
    Multimodal,
    /// `x² − y²`: it falls without bound along y.
    Saddle,
    /// `(1 − x)² + 100 (y − x²)²`: a bent valley with a flat floor (Rosenbrock 1960).
    Rosenbrock,
}

impl TestFunction {
    /// All functions.
    pub const ALL: [Self; 4] = [
        Self::ConvexQuadratic,
        Self::Multimodal,
        Self::Saddle,
        Self::Rosenbrock,
    ];

    /// Returns the name in files: `convex`, `multimodal`, `saddle`, `rosenbrock`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ConvexQuadratic => "convex",
            Self::Multimodal => "multimodal",
            Self::Saddle => "saddle",
            Self::Rosenbrock => "rosenbrock",
        }
    }

    /// Returns the formula.
    #[must_use]
    pub const fn formula(self) -> &'static str {
        match self {
            Self::ConvexQuadratic => "½ (x² + 10 y²)",
            Self::Multimodal => "(x² + y²) (1 + ½ sin 5x sin 5y)",
            Self::Saddle => "x² − y²",
            Self::Rosenbrock => "(1 − x)² + 100 (y − x²)²",
        }
    }

    /// Returns the value at a point, shape `[1]`, to be differentiated.
    ///
    /// # Examples
    /// ```
    /// use burn::tensor::{DType, Device};
    /// use landscape::test_functions::{Point, TestFunction};
    ///
    /// let point = Point::new([3.0, 1.0], (&Device::flex(), DType::F64));
    /// let value = TestFunction::Saddle.value(&point).into_scalar::<f64>();
    /// assert_eq!(value, 8.0);
    /// ```
    #[must_use]
    pub fn value(self, point: &Point) -> Tensor<1> {
        let position = point.position.val();
        let x = position.clone().slice_dim(0, 0..1);
        let y = position.slice_dim(0, 1..2);
        let squares = |x: &Tensor<1>, y: &Tensor<1>| (x.clone().square(), y.clone().square());
        match self {
            Self::ConvexQuadratic => {
                let (x2, y2) = squares(&x, &y);
                (x2 + y2 * 10.0) * 0.5
            }
            Self::Multimodal => {
                let (x2, y2) = squares(&x, &y);
                (x2 + y2) * ((x * 5.0).sin() * (y * 5.0).sin() * 0.5 + 1.0)
            }
            Self::Saddle => {
                let (x2, y2) = squares(&x, &y);
                x2 - y2
            }
            Self::Rosenbrock => {
                let valley = y - x.clone().square();
                (-x + 1.0).square() + valley.square() * 100.0
            }
        }
    }

    /// Returns the function as a risk over one example, whose content is not used.
    pub fn risk(self, options: impl Into<TensorCreationOptions>) -> Risk<Point, Tensor<1>> {
        let example = Tensor::<1>::zeros([1], options);
        Risk::mean([example], move |point: &Point, _: &Tensor<1>| {
            self.value(point)
        })
    }
}

impl fmt::Display for TestFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ConvexQuadratic => "convex quadratic",
            Self::Multimodal => "multimodal",
            Self::Saddle => "saddle",
            Self::Rosenbrock => "Rosenbrock",
        })
    }
}
