//! Measures of how the loss rises around a model.

mod sam;

pub use sam::{SamSharpness, sam_sharpness};
