//! The path of a training through parameter space, from checkpoints that are loaded one at a time.
//!
//! A trajectory is a number of checkpoints and a function that loads one by its number: from a
//! file, a store, or a list in memory. It is called with each number several times, so that memory
//! does not grow with the number of checkpoints times P: each function states how many vectors of P
//! numbers it holds.
//!
//! | question | function | loads of n checkpoints |
//! |---|---|---|
//! | In which plane did the training move? | [`principal_plane`], [`principal_components`] | [`PrincipalConfig::loads`], at least n + 1 |
//! | Where are the checkpoints in a plane that is given, and how far from it? | [`project`] | n |
//! | What is their loss beside that of their projections? | [`true_and_projected`] | n |
//! | How long, how straight is the path, which layers grow? | [`path_measures`] | n + 1 |
//!
//! A checkpoint that is not of the first one's parameters, or has a NaN among them, is an error
//! with its number ([`Error::Checkpoint`](crate::Error::Checkpoint)); an error of the loading
//! function comes back with the number too.
//!
//! # Examples
//! ```
//! use burn::module::{Module, Param};
//! use burn::tensor::{DType, Device, Tensor, TensorData};
//! use landscape::trajectory::{PrincipalConfig, path_measures, principal_plane};
//!
//! #[derive(Module, Debug)]
//! struct Point {
//!     at: Param<Tensor<1>>,
//! }
//!
//! // A staircase: two steps to the right, each with one up.
//! let corners = [[0.0, 0.0], [3.0, 0.0], [3.0, 2.0], [6.0, 2.0], [6.0, 4.0]];
//! let load = |number: usize| {
//!     let at = TensorData::from(corners[number]);
//!     let at = Tensor::from_data(at, (&Device::flex(), DType::F64));
//!     Ok(Point {
//!         at: Param::from_tensor(at),
//!     })
//! };
//! let plane = principal_plane(5, load, &PrincipalConfig::new())?;
//! assert!((plane.explained.iter().sum::<f64>() - 1.0).abs() < 1e-14);
//! assert!(plane.checkpoints.iter().all(|at| at.out_of_plane < 1e-14));
//! let path = path_measures(5, load)?;
//! assert_eq!((path.length, path.straight), (10.0, 52.0_f64.sqrt()));
//! assert_eq!(path.cosines, [Some(0.0); 3]);
//! # Ok::<(), landscape::Error>(())
//! ```
//!
//! # References
//! Li et al. 2018, "Visualizing the Loss Landscape of Neural Nets", section 7: principal directions
//! of a trajectory, about its last point.

mod deviations;
mod measures;
mod principal;
mod projection;
mod stream;

pub use measures::{NormGrowth, PathMeasures, path_measures};
pub use principal::{
    Centre, PrincipalComponents, PrincipalConfig, PrincipalPlane, principal_components,
    principal_plane,
};
pub use projection::{Projection, TrueAndProjected, project, true_and_projected};
