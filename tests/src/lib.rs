//! The golden numbers of the project, as Burn modules.
//!
//! `tests/fixtures` holds eight small networks with their losses, gradients, curvature, landscapes
//! and optimiser trajectories, computed in float64 by an independent program (PyTorch); its README
//! defines every quantity. This crate turns each into a Burn module with the same weights and
//! hands it, together with the expected numbers, to whoever wants to compare:
//!
//! - [`Fixture`] reads the two files of a case;
//! - [`models`] are the networks, one file each, all of them a [`Net`];
//! - [`Case`] is one network at one view with its batch, and answers in **Burn's order**: every
//!   family of tensors (`grad`, `hv`, `opt/sam_sgd/step5`, ...) comes as one flat vector that
//!   compares directly with a flattened module;
//! - [`for_each_case`] walks over all ten (case, view) pairs, whatever their types;
//! - [`image_loss`] is the loss of the programs and benchmarks that train on images;
//! - [`networks`] are five trained architectures with the numbers of `tests/networks`, and
//!   [`for_each_network`] walks over all twelve (network, view) pairs.
//!
//! ```no_run
//! use tests::{Case, CaseVisitor, Net, for_each_case, relative_error};
//!
//! struct GradientAgrees;
//!
//! impl CaseVisitor for GradientAgrees {
//!     fn visit<N: Net>(&mut self, case: &Case<N>) {
//!         let (_, gradient) = case.gradient(&case.model);
//!         assert!(
//!             relative_error(&gradient, &case.family("grad")) < 1e-12,
//!             "{case}"
//!         );
//!     }
//! }
//!
//! for_each_case(&mut GradientAgrees);
//! ```

pub mod models;
pub mod networks;

mod case;
mod fixture;
mod images;
mod layout;
mod load;
mod net;
mod without_autodiff;

pub use case::{Case, CaseVisitor, for_each_case, for_each_case_on};
pub use fixture::Fixture;
pub use images::{ImageBatch, image_loss};
pub use layout::{
    Block, error_of_moments, flatten, flatten_gradients, gradients, layout, relative_error,
};
pub use net::{Net, cross_entropy, squared_error};
pub use networks::for_each_network;
pub use without_autodiff::WithoutAutodiff;
